"""The parts of the report, each against cases worked by hand or against a peer."""

import dataclasses
import math
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tyro
from report_studies.parabola.study import Config

from workings.core.config import to_json
from workings.core.errors import MissingEvidence, UserError
from workings.core.evidence import Evidence
from workings.core.figure import FigureSpec
from workings.core.ledger import Finding
from workings.core.registry import studies
from workings.core.runs import RunStore
from workings.core.study import Study
from workings.execute.local import carry_out
from workings.report import cache, commands, formatting, front, logbook, notes
from workings.report.chapters import Chapter
from workings.report.drawings import Drawing
from workings.report.figures import render


@pytest.mark.parametrize(
    ("item", "text"),
    [
        (0.316512345, "0.3165"),
        (0.1, "0.1"),
        (-0.25, "−0.25"),
        (257117, "257,117"),
        (2025, "2025"),
        (np.int64(322909), "322,909"),
        (np.float32(0.5), "0.5"),
        (123456.78, "123,457"),
        (0.99999, "1"),
        (1e-9, "1 × 10⁻⁹"),
        (-2.5e12, "−2.5 × 10¹²"),
        (0.0, "0"),
        (math.nan, "not a number"),
        (-math.inf, "−∞"),
        ((0.28012, 0.33), "[0.2801, 0.33]"),
        (np.array([[1, 2], [3, 4]]), "[[1, 2], [3, 4]]"),
        (0.5 - 2j, "0.5 − 2i"),
        (True, "yes"),
        (None, "—"),
        ({"low_end": 1, "high": 2.5}, "low end = 1, high = 2.5"),
        ("x**2", "x**2"),
    ],
)
def test_values_read_as_people_write_them(item: object, text: str) -> None:
    assert formatting.value(item) == text


def test_numbers_within_numbers_become_a_table() -> None:
    items = {"seeds": 3, "cer": {"mean": 0.2, "spread": 0.01}, "wer": {"mean": 0.7}}
    assert formatting.flat(items) == {"seeds": 3}
    assert formatting.nested(items) == (("cer", "wer"), {"mean": (0.2, 0.7), "spread": (0.01, None)})


def test_a_witness_keeps_what_a_calculator_shows() -> None:
    assert formatting.exact(1 / 3) == "0.3333333333"
    assert formatting.exact(0.1 + 0.2) == "0.3"


@pytest.mark.parametrize(
    ("text", "words"), [("sheet/1b", "sheet, question 1b"), ("sheet", "sheet"), ("own", "our own")]
)
def test_sources_are_told_in_words(text: str, words: str) -> None:
    assert formatting.source(text) == words


@pytest.mark.parametrize(("count", "text"), [(0, "no"), (1, "one"), (12, "twelve"), (13, "13"), (20_000, "20,000")])
def test_small_numbers_are_spelt(count: int, text: str) -> None:
    assert formatting.spelt(count) == text


@pytest.mark.parametrize(
    ("count", "text"), [(0, "1 kB"), (419_400, "419 kB"), (1_200_000, "1.2 MB"), (25_000_000, "25 MB")]
)
def test_sizes_are_told_in_the_unit_that_suits_them(count: int, text: str) -> None:
    assert formatting.size(count) == text


@pytest.mark.parametrize("text", ["../../etc/passwd", "..", "a b/c", "", ".hidden"])
def test_a_slug_never_leaves_its_folder(text: str) -> None:
    slug = formatting.slug(text)
    assert slug
    assert "/" not in slug
    assert not slug.startswith(".")


@pytest.mark.parametrize(
    "config",
    [
        Config(),
        Config(eta=0.2, momentum=True, epochs=3),
        Config(eta=1e-05, expression="-x**2 + 'y'", data="/a path/with spaces"),
        Config(seed=-3),
    ],
)
def test_the_command_of_a_run_means_its_configuration(study: Study, config: Config) -> None:
    words = shlex.split(commands.repeat(study, to_json(config)) or "")
    assert words[:3] == ["workings", "run", "parabola"]
    assert tyro.cli(Config, args=words[3:]) == config


def test_a_run_of_another_configuration_cannot_be_repeated(study: Study) -> None:
    assert commands.repeat(study, {"eta": 0.1, "forgotten": 1}) is None


def made(study: Study, store: RunStore) -> str | None:
    archive = store.archive(study)
    return commands.make(archive, archive.evidence())


def test_the_command_that_adds_evidence_names_the_first_preset_that_lacks_some(study: Study, tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    assert made(study, store) == "workings run parabola --preset quick"
    carry_out(study, study.preset("quick")[1:2], store)
    assert made(study, store) == "workings run parabola --preset quick"
    carry_out(study, study.preset("quick"), store)
    assert made(study, store) is None
    counting = dataclasses.replace(study, instant=lambda: [Config(eta=0.7)])
    assert made(counting, store) == "workings check parabola"
    carry_out(counting, counting.instant(), store)
    assert made(counting, store) is None, "though no preset names the instant trial"


def test_figures_are_the_same_bytes_each_time_and_differ_by_scheme(study: Study, store: RunStore) -> None:
    import matplotlib.pyplot as plt

    losses, evidence = study.figures[0], store.archive(study).evidence()
    light = render(losses, evidence, "light")
    assert light == render(losses, evidence, "light")
    assert light != render(losses, evidence, "dark")
    assert b"<dc:date>" not in light
    assert b"<text" not in light
    assert plt.get_fignums() == []


def test_a_figure_passes_on_what_it_misses(study: Study) -> None:
    with pytest.raises(MissingEvidence):
        render(study.figures[0], Evidence(study.id, ()), "light")


def test_a_course_runs_from_corner_to_corner() -> None:
    margin, right, bottom = logbook.MARGIN, logbook.WIDTH - logbook.MARGIN, logbook.HEIGHT - logbook.MARGIN
    assert logbook.curve([(1, 2.0), (2, 1.0), (3, 0.0)]) == (
        (margin, margin),
        (logbook.WIDTH / 2, logbook.HEIGHT / 2),
        (right, bottom),
    )
    assert logbook.curve([(0, 5.0)]) == ()
    flat = logbook.curve([(7, 1.0), (7, 1.0)])
    assert flat == ((margin, logbook.HEIGHT / 2), (right, logbook.HEIGHT / 2))
    long = logbook.curve([(n, math.sin(n)) for n in range(10_000)])
    assert len(long) <= logbook.POINTS + 1
    assert long[-1][0] == right


def test_tables_of_any_shape_are_shown() -> None:
    rows = logbook.tabulate("t", [{"a": 1, "b": 2.5}, {"a": 3}])
    assert (rows.head, rows.rows) == (("a", "b"), (("1", "2.5"), ("3", "—")))
    assert logbook.tabulate("t", [[1, 2], [3]]).rows == (("1", "2"), ("3", ""))
    assert logbook.tabulate("t", {"k": [1, 2]}).rows == (("k", "[1, 2]"),)
    assert logbook.tabulate("t", 3).rows == (("3",),)
    assert logbook.tabulate("t", []).rows == ()
    assert len(logbook.tabulate("t", [[list(range(1000))]]).rows[0][0]) == logbook.CELL
    long = logbook.tabulate("t", [{"n": n} for n in range(100)])
    assert (len(long.rows), long.total) == (logbook.ROWS, 100)


def test_a_write_up_fits_under_the_page(study: Study) -> None:
    told = notes.write_up(study)
    assert told is not None
    assert told.sections == (("q1b", "The factor, and how η sets it"), ("reading", "Reading"))
    assert "<h1" not in told.html
    assert '<h3 id="q1b">' in told.html


def test_no_line_begins_with_the_comma_after_a_formula() -> None:
    told = notes.arrange(
        '<p>for <math display="inline"><mi>x</mi></math>, and <math display="inline"><mi>y</mi></math></p>'
    )
    assert '<span class="whole"><math display="inline"><mi>x</mi></math>,</span> and <math' in told.html


def test_mathematics_that_cannot_be_typeset_is_named(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "notes.md").write_text("$\\notacommand{$", encoding="utf-8")
    monkeypatch.setattr(Study, "file", lambda self, name: tmp_path / name)
    with pytest.raises(UserError, match=r"parabola/notes\.md cannot be typeset.*notacommand"):
        notes.write_up(study)


def test_a_missing_pandoc_is_an_error_with_its_remedy(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(*_: object, **__: object) -> str:
        raise OSError("No pandoc was found")

    monkeypatch.setattr("pypandoc.convert_text", absent)
    with pytest.raises(UserError, match="pip install pypandoc_binary"):
        notes.write_up(study)


def drawing(id: str, missing: str | None = None) -> Drawing:
    return Drawing(FigureSpec(id, "What is seen.", "What is there.", lambda evidence: None), id, missing, None, "")  # type: ignore[arg-type,return-value]


def test_preferred_figures_come_first_and_others_take_the_place_of_what_is_not_drawn(
    study: Study, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    studies = [dataclasses.replace(study, package=f"report_studies.{name}") for name in "abcdefgh"]
    book = [Chapter(each, RunStore(tmp_path).archive(study), (), ()) for each in studies]
    drawings = {name: [drawing("first"), drawing("second")] for name in "abcdefgh"}
    drawings["c"] = [drawing("first", "no run")]
    monkeypatch.setattr(front, "FIGURES", ("d.second", "b.first", "c.first", "nowhere.at-all"))
    chosen = [f"{each.id}.{drawn.spec.id}" for each, drawn in front.figures(book, drawings)]
    assert chosen == ["d.second", "b.first", "a.first", "e.first", "f.first", "g.first"]


def test_corrections_are_published_and_refuted_and_slips_of_wording_come_last(
    study: Study, store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    (wrong,) = front.corrections([Chapter.read(study, store, fresh_only=False)])
    assert wrong.id == "parabola.factor"

    def like(id: str, **changed: object) -> Finding:
        return dataclasses.replace(wrong, claim=dataclasses.replace(wrong.claim, id=id, **changed))  # type: ignore[arg-type]

    findings = (like("slip", basis="transcribed"), like("b"), like("a"), like("own", published=False), like("z"))
    monkeypatch.setattr(front, "CORRECTIONS", ("parabola.z", "parabola.gone"))
    chosen = front.corrections([Chapter(study, store.archive(study), findings, ())])
    assert [finding.claim.id for finding in chosen] == ["z", "a", "b", "slip"]


def test_the_preferred_figures_and_corrections_are_of_the_book() -> None:
    for name in (*front.FIGURES, *front.CORRECTIONS):
        study_id, _, rest = name.partition(".")
        known = studies()[study_id]
        assert rest in {entry.id for entry in (*known.claims, *known.figures)}, name


def test_a_key_of_code_changes_with_it_and_names_what_it_is_of() -> None:
    assert cache.of_code("core/claim.py") == cache.of_code("core/claim.*")
    assert cache.of_code("core/claim.py") != cache.of_code("core/study.py")
    assert cache.of_code(*cache.FLOORS) != cache.of_code()


def test_a_key_of_evidence_changes_with_any_of_its_files(study: Study, store: RunStore) -> None:
    before = cache.of_archive(store.archive(study))
    assert cache.of_archive(store.archive(study)) == before
    (run, *_) = store.runs(study.id)
    (run.folder / "checkpoints").mkdir(exist_ok=True)
    (run.folder / "checkpoints" / "weights.bin").write_bytes(b"0")
    assert cache.of_archive(store.archive(study)) == before
    (run.folder / "tables" / "more.json").write_text("[]", encoding="utf-8")
    assert cache.of_archive(store.archive(study)) != before


def test_the_report_loads_nothing_heavy() -> None:
    heavy = "{'torch', 'matplotlib', 'pypandoc', 'numpy', 'workings.execute', 'workings.studies'}"
    check = f"import sys, workings.report.site; print(sorted({heavy} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True).stdout
    assert found.strip() == "[]"
