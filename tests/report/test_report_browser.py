"""The site as a person meets it: in Chromium, from disk, light and dark, wide and narrow."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = Path("/usr/bin/chromium")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

CONTRAST = """
() => {
  const canvas = Object.assign(document.createElement("canvas"), {width: 1, height: 1})
    .getContext("2d", {willReadFrequently: true});
  const known = new Map();
  const rgba = (css) => {
    if (!known.has(css)) {
      canvas.clearRect(0, 0, 1, 1);
      canvas.fillStyle = css;
      canvas.fillRect(0, 0, 1, 1);
      known.set(css, [...canvas.getImageData(0, 0, 1, 1).data]);
    }
    return known.get(css);
  };
  const light = ([r, g, b]) => [r, g, b].map((c) => c / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const colour = rgba(getComputedStyle(e).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return [255, 255, 255];
  };
  const poor = [];
  for (const element of document.body.querySelectorAll("*")) {
    const says = [...element.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!says || !element.checkVisibility() || element.closest("annotation, script, option")) continue;
    const [a, b] = [light(rgba(getComputedStyle(element).color)), light(ground(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) poor.push(`${element.outerHTML.slice(0, 120)} has ${ratio.toFixed(2)}`);
  }
  return poor;
}
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if not CHROMIUM.is_file():
        pytest.skip(f"there is no Chromium at {CHROMIUM}")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=str(CHROMIUM), args=list(QUIET))
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A page whose console must stay silent and which asks no network."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("requestfailed", lambda request: complaints.append(request.url))
    page.on("request", lambda r: None if r.url.startswith(("file:", "data:")) else complaints.append(r.url))
    yield page
    told = [*complaints]  # closing breaks off what is still being loaded, which is no fault of the page's
    page.close()
    assert not told


def found(page: Any, words: str) -> list[str]:
    """What the search finds, by its titles."""
    page.keyboard.press("/")
    page.keyboard.type(words)
    page.get_by_role("option").first.wait_for()
    titles: list[str] = page.locator(".found .named").all_text_contents()
    return titles


def each(pages: Path) -> list[str]:
    return [path.as_uri() for path in sorted(pages.rglob("*.html"))]


def shown(page: Any) -> list[str]:
    ids: list[str] = page.locator(".entry:visible .id").all_text_contents()
    return ids


@pytest.mark.browser
def test_filters_narrow_the_ledger_and_live_in_the_address(page: Any, pages: Path) -> None:
    page.goto((pages / "ledger.html").as_uri())
    assert page.get_by_role("status").text_content() == "All 5 claims"
    page.get_by_label("Verdict").select_option("refuted")
    assert shown(page) == ["parabola.factor"]
    assert page.get_by_role("status").text_content() == "1 of 5 claims"
    assert page.url.endswith("#verdict=refuted")
    page.get_by_role("button", name="Show all").click()
    page.get_by_label("Words").fill("ACCURACY half")
    assert shown(page) == ["parabola.accuracy"]
    page.get_by_label("Words").fill("nothing says this")
    assert shown(page) == []
    assert not page.locator(".group").is_visible()


@pytest.mark.browser
def test_an_address_restores_its_filter(page: Any, pages: Path) -> None:
    page.goto((pages / "ledger.html").as_uri() + "#verdict=inconclusive&sheet=toy-sheet")
    assert shown(page) == ["parabola.elsewhere"]
    page.goto((pages / "ledger.html").as_uri())
    page.locator(".counts a").first.click()
    assert shown(page) == ["parabola.converges"]


@pytest.mark.browser
def test_without_scripts_the_ledger_is_whole(browser: Any, pages: Path) -> None:
    page = browser.new_page(java_script_enabled=False)
    page.goto((pages / "ledger.html").as_uri())
    assert len(shown(page)) == 5
    assert not page.locator(".filters").is_visible()
    assert not page.locator(".search").is_visible()
    page.close()


@pytest.mark.browser
@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_no_page_scrolls_sideways(page: Any, pages: Path, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    for url in each(pages):
        page.goto(url)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, url


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_text_stands_out_from_its_ground(page: Any, pages: Path, scheme: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    grounds = set()
    for url in each(pages):
        page.goto(url)
        assert page.evaluate(CONTRAST) == [], url
        grounds.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert len(grounds) == 1
    found(page, "step")
    assert page.evaluate(CONTRAST) == []
    page.goto((pages / "study/parabola.html").as_uri())
    assert page.locator("figure img").evaluate("image => image.currentSrc").endswith(f".{scheme}.svg")


@pytest.mark.browser
def test_the_keyboard_finds_the_content_first(page: Any, pages: Path) -> None:
    page.goto((pages / "index.html").as_uri())
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"


@pytest.mark.browser
def test_the_search_finds_a_claim_by_its_id_and_enter_goes_there(page: Any, pages: Path) -> None:
    page.goto((pages / "index.html").as_uri())
    assert found(page, "parabola.factor")[0] == "parabola.factor"
    assert page.get_by_role("combobox", name="Search the report").get_attribute("aria-expanded") == "true"
    page.keyboard.press("Enter")
    page.wait_for_url("**/study/parabola.html#claim-factor")
    assert page.locator("#claim-factor").is_visible()


@pytest.mark.browser
def test_the_search_works_from_every_folder_and_kind_of_page(page: Any, pages: Path) -> None:
    runs = sorted((pages / "run").glob("*.html"))[:1]
    for path in (pages / "ledger.html", pages / "study/parabola.html", pages / "set/errata.html", *runs):
        page.goto(path.as_uri())
        assert "1a What a step does" in [title.replace("\u2002", " ") for title in found(page, "what a step does")]
        page.keyboard.press("Enter")
        page.wait_for_url("**/set/toy-sheet.html#1a")


@pytest.mark.browser
def test_titles_are_found_before_texts_and_greek_by_its_name(page: Any, pages: Path) -> None:
    page.goto((pages / "index.html").as_uri())
    titles = found(page, "factor")
    assert set(titles[:2]) == {"The factor, and how η sets it", "parabola.factor"}
    assert "Descent on a parabola: losses" in titles[2:]
    field = page.get_by_role("combobox", name="Search the report")
    field.fill("1 + 2eta")
    assert page.locator(".found .named").first.text_content() == "parabola.factor"
    field.fill("no such words")
    assert page.get_by_role("option").all_text_contents() == ["Nothing here says that."]
    page.keyboard.press("Enter")
    assert page.url.endswith("index.html")


@pytest.mark.browser
def test_arrows_choose_and_escape_closes(page: Any, pages: Path) -> None:
    page.goto((pages / "index.html").as_uri())
    found(page, "parabola")
    field = page.get_by_role("combobox", name="Search the report")

    def chosen() -> list[str]:
        active = field.get_attribute("aria-activedescendant")
        selected: list[str] = page.locator('.found[aria-selected="true"]').evaluate_all("rows => rows.map((r) => r.id)")
        assert selected == [active]
        return selected

    assert chosen() == ["found-0"]
    page.keyboard.press("ArrowDown")
    assert chosen() == ["found-1"]
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    assert chosen() == [f"found-{page.locator('.found').count() - 1}"]
    page.keyboard.press("Escape")
    assert not page.get_by_role("listbox").is_visible()
    assert field.get_attribute("aria-expanded") == "false"
    assert field.input_value() == "parabola"
    page.keyboard.press("Escape")
    assert field.input_value() == ""
    assert not field.evaluate("field => field === document.activeElement")


@pytest.mark.browser
def test_the_last_thing_found_is_the_ledger_with_these_words(page: Any, pages: Path) -> None:
    page.goto((pages / "study/parabola.html").as_uri())
    assert found(page, "accuracy")[-1] == "Claims that say “accuracy”"
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    page.wait_for_url("**/ledger.html#words=accuracy")
    assert shown(page) == ["parabola.accuracy"]


@pytest.mark.browser
def test_a_slash_that_is_written_stays_where_it_is_written(page: Any, pages: Path) -> None:
    page.goto((pages / "ledger.html").as_uri())
    page.get_by_label("Words").press("/")
    assert page.get_by_label("Words").input_value() == "/"


@pytest.mark.browser
def test_markup_in_what_is_found_is_text(page: Any, pages: Path) -> None:
    page.goto((pages / "index.html").as_uri())
    assert "parabola.hostile" in found(page, "alert")
    assert "<script>alert('statement')</script>" in str(page.locator(".results").text_content())
    assert page.locator(".results :is(script, b, img)").count() == 0


@pytest.mark.browser
def test_paper_gets_the_content_alone(page: Any, pages: Path) -> None:
    page.emulate_media(media="print", color_scheme="dark")
    for url in each(pages):
        page.goto(url)
        for part in (".masthead", ".contents", ".filters", ".takeaway", ".turn"):
            assert page.locator(part).evaluate_all("parts => parts.every((part) => !part.checkVisibility())"), (
                url,
                part,
            )
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert page.evaluate(CONTRAST) == [], url
        page.set_viewport_size({"width": 690, "height": 1000})  # A4 within its margins, at 96 pixels an inch
        assert page.evaluate("document.documentElement.scrollWidth") <= 690, url
