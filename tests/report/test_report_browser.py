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
  const rgba = (css) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = css;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
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
    page.close()
    assert not complaints


def each(pages: Path) -> list[str]:
    return [path.as_uri() for path in sorted(pages.rglob("*.html"))]


def shown(page: Any) -> list[str]:
    ids: list[str] = page.locator(".entry:visible .id").all_text_contents()
    return ids


@pytest.mark.browser
def test_filters_narrow_the_ledger_and_live_in_the_address(page: Any, pages: Path) -> None:
    page.goto((pages / "index.html").as_uri())
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
    page.goto((pages / "index.html").as_uri() + "#verdict=inconclusive&sheet=toy-sheet")
    assert shown(page) == ["parabola.elsewhere"]
    page.goto((pages / "index.html").as_uri())
    page.locator(".counts a").first.click()
    assert shown(page) == ["parabola.converges"]


@pytest.mark.browser
def test_without_scripts_the_ledger_is_whole(browser: Any, pages: Path) -> None:
    page = browser.new_page(java_script_enabled=False)
    page.goto((pages / "index.html").as_uri())
    assert len(shown(page)) == 5
    assert not page.locator(".filters").is_visible()
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
def test_text_stands_out_from_its_ground(page: Any, pages: Path, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    grounds = set()
    for url in each(pages):
        page.goto(url)
        assert page.evaluate(CONTRAST) == [], url
        grounds.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert len(grounds) == 1
    page.goto((pages / "study/parabola.html").as_uri())
    assert page.locator("figure img").evaluate("image => image.currentSrc").endswith(f".{scheme}.svg")


@pytest.mark.browser
def test_the_keyboard_finds_the_content_first(page: Any, pages: Path) -> None:
    page.goto((pages / "index.html").as_uri())
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
