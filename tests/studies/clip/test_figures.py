"""Each figure is drawn from whatever evidence there may be, says its point, and shows no photograph."""

from collections.abc import Iterator
from itertools import product

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from studies.clip import made_up
from studies.clip.made_up import evidence, grid, losses, sheets, small_on_photographs, trainings
from workings.core.errors import MissingEvidence
from workings.core.evidence import Evidence, Run
from workings.core.runs import RunStore
from workings.drawing import SCHEMES, Scheme, in_style
from workings.studies.clip import drawing
from workings.studies.clip.study import CONVOLUTIONS, STUDY, TRANSFORMERS, quick

FIGURES = {spec.id: spec for spec in STUDY.figures}
WIDER = {(p, t): 0.2 + 0.1 * i for (i, p), t in product(enumerate(CONVOLUTIONS), TRANSFORMERS)}


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> list[Run]:
    """Drawn scenes, in a store, as their pictures are files."""
    store = RunStore(tmp_path_factory.mktemp("clip"))
    return trainings(losses(), 0.9, test=100, store=store)


@pytest.fixture
def everything(scenes: list[Run]) -> Evidence:
    """All that this machine can make, at once."""
    photographs = trainings([*small_on_photographs(), *made_up.large_on_photographs()], 0.02)
    return evidence(*scenes, *trainings(grid(), WIDER, test=100), *photographs, made_up.count_words())


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    plt.close("all")


def texts(figure_id: str, found: Evidence, scheme: Scheme = "light") -> list[str]:
    """All that a figure says, once it has been drawn."""
    with in_style(scheme):
        drawn = FIGURES[figure_id].draw(found)
        drawn.canvas.draw()
        parts = [drawn, *drawn.subfigs]
        titles = [part.get_suptitle() for part in parts]
        inside = [text.get_text() for axes in drawn.axes for text in (*axes.texts, *axes.get_yticklabels())]
    return [text for text in (*titles, *inside) if text]


@pytest.mark.parametrize(("figure_id", "scheme"), [*product(FIGURES, SCHEMES)])
def test_every_figure_is_drawn_from_everything(figure_id: str, scheme: Scheme, everything: Evidence) -> None:
    assert texts(figure_id, everything, scheme)


@pytest.mark.parametrize("figure_id", FIGURES)
def test_without_its_runs_it_says_what_it_lacks(figure_id: str) -> None:
    with pytest.raises(MissingEvidence, match="finished"):
        texts(figure_id, evidence(made_up.count_towers()))


@pytest.mark.parametrize("figure_id", ["recall", "scale", "prompts", "heat", "failures"])
def test_the_sheets_recipe_is_shown_too(figure_id: str) -> None:
    assert texts(figure_id, evidence(*trainings(sheets(), 0.2)))


def test_recall_tells_the_share_and_among_how_many(scenes: list[Run]) -> None:
    title, *_ = texts("recall", evidence(*scenes))
    value = np.mean([run.metric("text-to-image/r1") for run in scenes if run.config["loss"] == "clip"])
    assert title == f"{value:.0%} of captions find their picture first among 100 (scenes, original loss)"


def test_a_quick_training_is_shown_by_its_towers_and_loss() -> None:
    found = texts("recall", evidence(*trainings(quick(), 0.5)))
    assert any("conv-32, soft" in text for text in found)


def test_scale_tells_how_much_each_kind_of_tower_gains() -> None:
    title, *_ = texts("scale", evidence(*trainings(grid(), WIDER)))
    assert "picture towers gain +2" in title
    assert title.endswith("text towers +0.0")


def test_prompts_show_what_fits_and_what_there_is(everything: Evidence) -> None:
    found = texts("prompts", everything)
    assert "fit at all" in found
    assert f"{2 * made_up.PROMPTS['a dog sitting alone in a park']['A'] + 1} of 200" in found


def test_what_does_not_fit_is_framed(scenes: list[Run]) -> None:
    with in_style():
        drawn = FIGURES["prompts-drawn"].draw(evidence(*scenes))
    framed = [axes for axes in drawn.axes if axes.spines["left"].get_visible()]
    rows = scenes[0].table("prompts")
    assert len(framed) == sum(not hit["fits"] for row in rows for hit in row["hits"])


def test_tiles_are_cut_where_they_were_joined(scenes: list[Run]) -> None:
    run = scenes[0]
    found = drawing.tiles(run, "failures")
    whole = np.asarray(Image.open(run.picture("failures")))
    side = run.config["size"]
    assert found.shape == (12, 2, side, side, 3)
    np.testing.assert_array_equal(found[3, 1], whole[3 * side : 4 * side, side : 2 * side])


def test_of_photographs_only_names_are_shown() -> None:
    """Neither pixels nor what people wrote of them."""
    runs = trainings(small_on_photographs(), 0.02)
    found = evidence(*runs)
    for figure_id in ("heat", "failures"):
        with in_style():
            drawn = FIGURES[figure_id].draw(found)
        pictures = [image for axes in drawn.axes for image in axes.images if image.get_array().ndim == 3]
        assert pictures == []
        assert any(".jpg" in text for text in texts(figure_id, found))


def test_a_model_that_never_fails_has_no_failures_to_show() -> None:
    run = trainings(small_on_photographs()[:1], 0.02)[0]
    assert isinstance(run, made_up.Made)
    run.kept.tables["failures"] = []
    with pytest.raises(MissingEvidence, match="failed nowhere"):
        texts("failures", evidence(run))


def test_the_cat_is_marked_and_counted() -> None:
    title, *rest = texts("words", evidence(made_up.count_words()))
    assert title.startswith("75 of 40,455 captions name a cat")
    assert "75" in rest


def test_where_there_is_no_cat_nothing_is_divided_by_it() -> None:
    run = made_up.count_words(cats__captions=0)
    assert texts("words", evidence(run))[0] == "0 of 40,455 captions name a cat"


def test_names_of_lines_stand_clear_of_each_other() -> None:
    _, axes = plt.subplots()
    axes.set_ylim(0, 1)
    drawing.name_ends(axes, [(0.99, "a", "C0"), (0.985, "b", "C1"), (0.3, "c", "C2"), (0.98, "d", "C3")], 1.0)
    heights = sorted(text.xy[1] for text in axes.texts)
    assert heights[-1] <= 1.0 + 1e-9
    assert min(np.diff(heights)) >= drawing.CLEAR - 1e-9
