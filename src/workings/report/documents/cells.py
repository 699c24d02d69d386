"""Cells: run top to bottom in a kernel of their own, and held against the evidence that they have to equal."""

import json
import math
import os
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import replace
from tempfile import TemporaryDirectory
from typing import Any

from workings.core.errors import UserError
from workings.core.evidence import Archive
from workings.core.problem_set import ProblemSet
from workings.report import cache
from workings.report.documents.blocks import Block, CellBlock, Output

KIND = "cells"
"""What their outputs are called in the cache."""
SECONDS = 120
"""For one cell at most: a document is mathematics and readings of evidence, it does not train."""
CLOSE = 1e-9
"""Relative: a cell computes in float64 what the evidence holds, perhaps in another order."""


def run(page: ProblemSet, blocks: Sequence[Block], archives: Sequence[Archive]) -> list[Block]:
    """The blocks, cells with their outputs; `UserError` where one fails, or gives another value than the evidence."""
    given = iter(outputs(page, [block for block in blocks if isinstance(block, CellBlock)], archives))
    return [_with(page, block, next(given)) if isinstance(block, CellBlock) else block for block in blocks]


def outputs(page: ProblemSet, cells: Sequence[CellBlock], archives: Sequence[Archive]) -> list[dict[str, Any]]:
    """What each cell gives: outputs, and its last value as text; run once for the same code and evidence."""
    if not cells:
        return []
    made = cache.kept(KIND, _key(cells, archives), lambda: json.dumps(_execute(page, cells)).encode())
    return list(json.loads(made))


def are_kept(page: ProblemSet, cells: Sequence[CellBlock], archives: Sequence[Archive]) -> bool:
    """Whether they have been run before (or there are none)."""
    return not cells or cache.holds(KIND, _key(cells, archives))


def _key(cells: Sequence[CellBlock], archives: Sequence[Archive]) -> list[str]:
    """The code, and what it may read: the evidence of the studies that the page names."""
    evidence = (f"{cache.of_study(archive.study)} {cache.of_evidence(archive.evidence())}" for archive in archives)
    return [*(cell.code for cell in cells), *evidence]


def _execute(page: ProblemSet, cells: Sequence[CellBlock]) -> list[dict[str, Any]]:
    """Run the cells in a clean kernel."""
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError

    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell.code) for cell in cells])
    # A kernel inherits the environment; a report drawn without a screen must not change how its figures are shown.
    surroundings = {k: v for k, v in os.environ.items() if k != "MPLBACKEND"}
    client = NotebookClient(book, kernel_name="python3", timeout=SECONDS, coalesce_streams=True)
    manager = client.create_kernel_manager()
    try:
        with TemporaryDirectory(prefix="workings-") as folder:
            manager.transport, manager.ip = "ipc", f"{folder}/k"  # through files of our own: no port is opened
            client.execute(env=surroundings)
    except CellExecutionError as error:
        failed = next(i for i, c in enumerate(book.cells) if any(o.output_type == "error" for o in c.outputs))
        raise UserError(
            f"{page.id}, line {cells[failed].line}: the cell fails: {error.ename}: {error.evalue}"
        ) from None
    except TimeoutError:
        raise UserError(f"{page.id}: a cell took longer than {SECONDS} s") from None
    return [{"outputs": [_plain(o) for o in cell.outputs], "value": _value(cell.outputs)} for cell in book.cells]


def _plain(output: Mapping[str, Any]) -> dict[str, str]:
    data = output.get("data", {})
    if "image/png" in data:
        return {"png": b64encode(b64decode(data["image/png"])).decode()}
    return {"text": str(output.get("text", data.get("text/plain", ""))).rstrip("\n")}


def _value(outputs: Sequence[Mapping[str, Any]]) -> str | None:
    results = [output["data"].get("text/plain") for output in outputs if output["output_type"] == "execute_result"]
    return str(results[-1]) if results else None


def _with(page: ProblemSet, cell: CellBlock, given: Mapping[str, Any]) -> CellBlock:
    if cell.expected is not None and not _equal(given["value"], cell.expected):
        raise UserError(
            f"{page.id}, line {cell.line}: the cell gives {given['value']}, the evidence {cell.expected} ({cell.gives})"
        )
    outputs = tuple(Output(o.get("text", ""), b64decode(o.get("png", ""))) for o in given["outputs"])
    return replace(cell, outputs=outputs)


def _equal(text: str | None, expected: Any) -> bool:
    """Whether the text of a cell's last value says the expected value; numbers may differ by rounding."""
    try:
        bare = re.sub(r"\bnp\.\w+\(([^()]*)\)", r"\1", text or "")  # numpy writes np.float64(0.5)
        found = json.loads(bare.replace("(", "[").replace(")", "]").replace("'", '"'))
    except ValueError:
        return text == str(expected)
    return _same(found, expected)


def _same(found: Any, expected: Any) -> bool:
    if isinstance(expected, Sequence) and not isinstance(expected, str):
        return isinstance(found, list) and len(found) == len(expected) and all(map(_same, found, expected))
    if isinstance(expected, int | float) and isinstance(found, int | float):
        return math.isclose(found, expected, rel_tol=CLOSE, abs_tol=CLOSE)
    return bool(found == expected)
