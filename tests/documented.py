"""A worked example in a document, followed to the letter: files written, commands run, what they print compared.

In the document a path in backticks above a block of code is a file. A block without a language holds commands, one
marked ``console`` commands (after ``$``) with what they print. Progress and seconds are passed over, and a line ``…``
stands for any number of lines.

One thing is done otherwise: ``pip install --editable`` would ask an index for its build tool, so what it leaves behind
is written here: the package in the path, and its entry points in a ``dist-info``.
"""

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

BLOCK = re.compile(r"^(?:`([\w./-]+)`\n\n)?(`{3,})(\w*)\n(.*?)^\2$", re.MULTILINE | re.DOTALL)
SECONDS = re.compile(r"in \d+\.\d+s")
TOOLS = {"workings": "workings.cli", "pytest": "pytest -p no:cacheprovider"}


@dataclass
class Follower:
    """Someone who does what the document says, in a folder and a run store of his own."""

    home: Path
    place: Path = field(init=False)
    """Where he is."""
    env: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.place = self.home / "desk"
        site, tools = self.home / "site", self.home / "bin"
        for folder in (self.place, site, tools):
            folder.mkdir(parents=True)
        for name, module in TOOLS.items():
            (tools / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" -P -m {module} "$@"\n')
            (tools / name).chmod(0o755)
        unlike = ("PYTEST_ADDOPTS", "PYTEST_CURRENT_TEST", "COLUMNS")
        self.env = {key: value for key, value in os.environ.items() if key not in unlike}
        self.env |= {"PATH": f"{tools}:{self.env['PATH']}", "WORKINGS_HOME": str(self.home / "runs")}
        self.env |= {"PYTHONPATH": str(site), "PYTHONDONTWRITEBYTECODE": "1"}

    def follow(self, text: str, *, leave_out: Collection[str] = (), partly: Collection[str] = ()) -> None:
        """Do all that the text says, commands aside that begin as in `leave_out`.

        Of what those print that begin as in `partly`, the document may show some lines, spaced otherwise.
        """
        for name, _, language, body in BLOCK.findall(text):
            if name:
                path = self.place / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(body, encoding="utf-8")
            elif language in ("", "console"):
                for command, shown in _commands(body, language):
                    if not command.startswith(tuple(leave_out)):
                        said = self.run(command)
                        agree = _holds if command.startswith(tuple(partly)) else _is
                        assert shown is None or agree(said, shown), f"$ {command}\n{said}\n--- documented ---\n{shown}"

    def run(self, command: str, *, status: int | None = None) -> str:
        """What a command prints, on both channels."""
        if command.startswith("cd "):
            self.place /= command.removeprefix("cd ")
            return ""
        if command.startswith("pip install --editable "):
            self.install(self.place / command.rpartition(" ")[2])
            return ""
        done = subprocess.run(
            command,
            shell=True,
            cwd=self.place,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert done.returncode == status or status is None, done.stdout
        return done.stdout

    def install(self, root: Path) -> None:
        """Let Python find the packages of a project, and its entry points."""
        project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
        about, site = project["project"], self.home / "site"
        info = site / f"{about['name'].replace('-', '_')}-{about['version']}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {about['name']}\nVersion: {about['version']}\n")
        groups = [
            f"[{group}]\n" + "".join(f"{k} = {v}\n" for k, v in names.items())
            for group, names in about["entry-points"].items()
        ]
        (info / "entry_points.txt").write_text("\n".join(groups))
        for package in project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]:
            (site / Path(package).name).symlink_to(root / package)


def _commands(body: str, language: str) -> Iterator[tuple[str, str | None]]:
    """Each command of a block, with what it is shown to print; None where the block shows nothing."""
    if not language:
        yield from ((line.partition("  #")[0].strip(), None) for line in body.splitlines())
        return
    for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
        command, _, shown = part.partition("\n")
        yield command, shown


def _is(said: str, shown: str) -> bool:
    pattern = re.escape(_plain(shown)).replace("…\n", "(?:.*\n)*").replace("…", ".*")
    return bool(re.fullmatch(pattern, _plain(said)))


def _holds(said: str, shown: str) -> bool:
    lines = [line.split() for line in said.splitlines()]
    return all(line.split() in lines for line in shown.splitlines())


def _plain(text: str) -> str:
    lines = [line.rstrip() for line in SECONDS.sub("in …", text).splitlines() if not line.startswith("running ")]
    return "".join(f"{line}\n" for line in lines).strip("\n") + "\n"
