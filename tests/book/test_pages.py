"""Every page of a built book in a real browser: quiet, light, accessible, fit for a phone; tables sort, files arrive.

How fast pages open is measured by benchmarks/pages.py.

The pages are those of the folder that $PAPERLIB_BOOK names:
    PAPERLIB_BOOK=book/_build/html python -m pytest tests/book/test_pages.py
"""

import io
import itertools
import json
import os
import re
import threading
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree

import pandas as pd
import pytest
from PIL import Image

AXE = Path(__file__).parents[1] / "axe" / "axe.min.js"
BOOK = Path(os.environ["PAPERLIB_BOOK"]).resolve() if os.environ.get("PAPERLIB_BOOK") else None
PAGES = sorted(path for path in BOOK.rglob("*.html") if "_static" not in path.parts) if BOOK else []
MAP = "explore"
PHONE = {"width": 375, "height": 800}
BYTES = {MAP: 5_000_000}
DEFAULT_BYTES = 1_500_000
MISSING = {"", "–", "-", "NA", "nan", "NaN", "None", "inf"}

pytestmark = pytest.mark.skipif(BOOK is None, reason="$PAPERLIB_BOOK names no built book")
IDS = [path.relative_to(BOOK).with_suffix("").as_posix() for path in PAGES]
each_page = pytest.mark.parametrize("path", PAGES, ids=IDS)
each_seen = pytest.mark.parametrize("seen", PAGES, ids=IDS, indirect=True)


def test_the_book_is_there():
    assert len(PAGES) >= 20 and (BOOK / f"{MAP}.html") in PAGES


class Quiet(SimpleHTTPRequestHandler):
    """Says nothing of what is asked."""

    def log_message(self, *words):
        pass


@pytest.fixture(scope="module")
def address():
    """Where the book is served: a link to a file saves it there, and opens it where the page came from a disk."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=BOOK)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@contextmanager
def visits(browser):
    """Open pages, each in a new window; at the end, assert that no other host was asked and that nothing was logged."""
    contexts, asked, said = [], [], []

    def opened(path: Path, root: str = "", **options):
        contexts.append(browser.new_context(**{"viewport": {"width": 1300, "height": 900}, **options}))
        page = contexts[-1].new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(root + path.relative_to(BOOK).as_posix() if root else path.as_uri())
        if path.stem == MAP:
            page.locator(".webmap-map canvas").first.wait_for()
        page.asked, page.path = asked, path
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not [url for url in asked if not url.startswith(("file:", "data:", "blob:", "http://127.0.0.1:"))]
    assert said == []


@pytest.fixture
def visit(browser):
    """Opens pages for one test."""
    with visits(browser) as opened:
        yield opened


@pytest.fixture(scope="module")
def seen(browser, request):
    """A page that several tests look at, opened once."""
    with visits(browser) as opened:
        page = opened(request.param)
        page.wait_for_load_state("load")
        page.wait_for_timeout(300)  # what scripts load late counts too
        yield page


@each_seen
def test_a_page_is_light(seen):
    files = {unquote(urlsplit(url).path) for url in seen.asked if url.startswith("file:")}
    assert sum(Path(file).stat().st_size for file in files) <= BYTES.get(seen.path.stem, DEFAULT_BYTES)


def of_the_theme(rule: str, html: str) -> bool:
    """The title of the book in the side bar lies outside of all landmarks."""
    return rule == "region" and "sidebar-primary-item" in html


@each_page
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_is_accessible(visit, path, scheme):
    page = visit(path, color_scheme=scheme, reduced_motion="reduce")  # else buttons fade from light to dark meanwhile
    page.wait_for_function("document.getAnimations().length === 0")
    assert page.evaluate("document.documentElement.dataset.theme") == scheme
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/[\\d.]+/g).slice(0, 3).map(Number)")
    assert (sum(ground) < 200) == (scheme == "dark")
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run({preload: false})")["violations"]
    ours = {
        rule["id"]: [node["html"][:150] for node in rule["nodes"] if not of_the_theme(rule["id"], node["html"])][:5]
        for rule in found
    }
    assert not any(ours.values()), json.dumps(ours, indent=1)


@each_seen
def test_headings_are_in_order_and_pictures_say_what_they_show(seen):
    levels = seen.evaluate("""[...document.querySelectorAll("main :is(h1, h2, h3, h4, h5, h6)")]
        .filter(one => one.getClientRects().length).map(one => Number(one.tagName[1]))""")
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(later <= before + 1 for before, later in itertools.pairwise(levels)), levels
    for picture in seen.locator(".bd-article img").all():
        words = picture.get_attribute("alt")
        assert words and len(words) > 30 and " " in words, picture.evaluate("one => one.outerHTML.slice(0, 200)")
    for picture in seen.locator(".drawing img").all():
        assert picture.evaluate("one => getComputedStyle(one).backgroundColor") == "rgb(255, 255, 255)"


@each_seen
def test_no_page_scrolls_sideways(seen):
    for width in (360, 768, 1280, 1600):
        seen.set_viewport_size({"width": width, "height": 800})  # columns take a moment to settle
        seen.wait_for_function("width => document.documentElement.scrollWidth <= width", arg=width, timeout=5000)


CUT = """() => [...document.querySelectorAll(".bd-article table")].filter(one => one.getClientRects().length)
    .filter(one => { for (let box = one.parentElement; !box.matches(".bd-article"); box = box.parentElement)
        if (getComputedStyle(box).overflowX !== "visible" && box.scrollWidth > box.clientWidth + 1) return true; })
    .map(one => one.innerText.slice(0, 80))"""


@each_seen
def test_tables_fit_a_laptop_without_scrolling(seen):
    seen.set_viewport_size({"width": 1280, "height": 800})
    seen.wait_for_function(f"() => !({CUT})().length", timeout=5000)  # tables take a moment to settle


@each_page
def test_nothing_is_wider_than_a_phone(visit, path):
    page = visit(path, viewport=PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    wide = page.evaluate(
        """width => {
        const scrolls = one => /auto|scroll/.test(getComputedStyle(one).overflowX);
        const inFrame = one => one.closest("mjx-container, svg") || (one && one.matches("body") ? false
            : scrolls(one.parentElement) || (one.parentElement !== document.body && inFrame(one.parentElement)));
        return [...document.querySelectorAll(".bd-article *")]
            .filter(one => one.getClientRects().length && one.getBoundingClientRect().right > width + 1 && !inFrame(one))
            .map(one => one.outerHTML.slice(0, 120)); }""",
        PHONE["width"],
    )
    assert not wide, wide[:5]


def value(words: str) -> float:
    """The number in a cell; NaN where there is none."""
    number = words.replace("−", "-").replace(",", "").split("±")[0].strip().removesuffix("%").removesuffix(" k")
    try:
        return float(number)
    except ValueError:
        return float("nan")


def is_sorted(column: list[str]) -> bool:
    """Numbers by size, then words, then what is missing; words that hold numbers have an order of their own."""
    there = [words for words in column if words not in MISSING]
    numbers = [number for number in map(value, there) if number == number]
    words = [word.casefold() for word in there[len(numbers) :] if not re.search(r"\d", word)]
    return column[: len(there)] == there and numbers == sorted(map(value, there[: len(numbers)])) and _plain(words)


def _plain(words: list[str]) -> bool:
    letters = [re.sub(r"[^a-z ]", "", word) for word in words]
    return letters == sorted(letters)


COLUMN = """(table, place) => [...table.tBodies].flatMap(body => [...body.rows])
    .map(row => row.cells[row.cells.length - place].innerText.trim())"""


@each_page
def test_tables_sort_and_are_saved(visit, path):
    page = visit(path)
    tables = page.locator("table[data-sortable]")
    assert tables.count() == page.evaluate("""[...document.querySelectorAll(".bd-article table")]
        .filter(one => !one.closest(".xr-wrap, .highlight") && one.tHead?.innerText.trim())
        .filter(one => one.tBodies[0].rows.length > 1).length""")
    for table in tables.all():
        if not table.is_visible() or table.evaluate(
            "one => [...one.tBodies[0].rows].some(row => row.cells[0].rowSpan > 1)"
        ):
            continue  # sorted in parts: tests/figures/test_html.py
        column = table.evaluate(COLUMN, 1)
        sums = [re.match("(Total|Mean)\\b", row.strip()) for row in table.locator("tbody tr").all_inner_texts()]
        free = sum(not last for last in sums)
        heading = max(table.locator("th[aria-sort]").all(), key=lambda one: one.bounding_box()["x"])
        heading.locator("button").click()
        assert heading.get_attribute("aria-sort") == "ascending"
        shown = table.evaluate(COLUMN, 1)
        assert sorted(shown) == sorted(column) and is_sorted(shown[:free]), shown
        heading.locator("button").focus()
        page.keyboard.press("Enter")
        assert heading.get_attribute("aria-sort") == "descending"
        page.keyboard.press("Enter")
        assert table.evaluate(COLUMN, 1) == column
    for number, button in enumerate(page.locator(".table-tools button:visible").all()):
        with page.expect_download() as arrived:
            button.click()
        frame = pd.read_csv(arrived.value.path(), skip_blank_lines=False)
        rows = page.locator("table[data-sortable]:visible").nth(number).locator("tbody tr").count()
        assert len(frame) == rows and arrived.value.suggested_filename.endswith(".csv")
        page.wait_for_timeout(150)  # chromium drops downloads beyond ten in a second


@each_page
def test_figures_are_saved(visit, address, path):
    if 'class="drawing"' not in path.read_text():
        pytest.skip("no figure on this page")
    page = visit(path, address)
    for figure in page.locator(".drawing").all():
        links = {link.inner_text(): link for link in figure.locator(".drawing-files a").all()}
        assert set(links) >= {"SVG", "PNG"}
        content = {}
        for kind, link in links.items():
            with page.expect_download() as arrived:
                link.click()
            assert arrived.value.suggested_filename.endswith(f".{kind.lower()}")
            content[kind] = Path(arrived.value.path()).read_bytes()
        assert Image.open(io.BytesIO(content["PNG"])).format == "PNG"
        assert ElementTree.fromstring(content["SVG"]).tag.endswith("svg")
        assert "CSV" not in content or len(pd.read_csv(io.BytesIO(content["CSV"])))
        page.wait_for_timeout(1000)  # chromium drops downloads beyond ten in a second


def test_the_map_swipes_and_a_click_shows_a_series(visit):
    page = visit(BOOK / f"{MAP}.html")
    swipe, divider = page.locator("input[name=swipe]"), page.locator(".webmap-divider")
    places = []
    for share in (20, 80):
        swipe.fill(str(share))
        places.append(divider.bounding_box()["x"])
    assert places[1] - places[0] > 100
    page.locator(".webmap-map").scroll_into_view_if_needed()
    x, y = page.evaluate("""() => {
        const data = JSON.parse(document.querySelector(".webmap-data").textContent);
        const {extent: [left, bottom, right, top], size, series} = data;
        const [row, column] = [series.row + series.size[0] / 2, series.column + series.size[1] / 2];
        return document.querySelector(".webmap").map.getPixelFromCoordinate(
            [left + column * (right - left) / size[1], top - row * (top - bottom) / size[0]]); }""")
    page.locator(".webmap-map").click(position={"x": x, "y": y})
    assert page.locator(".webmap-chart polyline").count() >= 10
    assert page.locator(".webmap-answers tbody tr").count() >= 2


def test_the_button_turns_the_page_dark(visit):
    page = visit(BOOK / "3-6-results.html")
    for _ in range(3):
        page.locator(".theme-switch-button:visible").first.click()
        if page.evaluate("document.documentElement.dataset.theme") == "dark":
            break
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
    assert sum(ground[:3]) < 100


OPEN = "details => details.map(one => one.open)"


def test_code_is_folded_and_one_button_shows_it_in_the_whole_book(visit):
    page = visit(BOOK / "3-6-results.html")
    folds = page.locator("details.code-fold")
    assert folds.first.locator("summary").inner_text() == "How this page is computed"
    assert folds.count() >= 4 and not any(folds.evaluate_all(OPEN))
    assert not page.locator("details.code-fold div.highlight").first.is_visible()
    folds.nth(1).locator("summary").focus()
    page.keyboard.press("Enter")
    assert folds.evaluate_all(OPEN) == [False, True] + [False] * (folds.count() - 2)
    switch = page.get_by_role("button", name="Show all code")
    assert switch.get_attribute("aria-pressed") == "false"
    switch.click()
    assert all(folds.evaluate_all(OPEN)) and page.locator(".code-switch").count() == 1
    page.goto((BOOK / "claims.html").as_uri())  # another page of the same browser
    assert all(page.locator("details.code-fold").evaluate_all(OPEN))
    page.get_by_role("button", name="Hide all code").click()
    page.reload()
    assert not any(page.locator("details.code-fold").evaluate_all(OPEN))


def test_code_is_visible_without_scripts_and_on_how_to_pages(visit):
    plain = visit(BOOK / "3-6-results.html", java_script_enabled=False)
    assert all(block.is_visible() for block in plain.locator("details.code-fold div.highlight").all())
    how_to = visit(BOOK / "how-to" / "add-a-model.html")
    assert how_to.locator("details.code-fold").count() == 0 and how_to.locator("div.highlight:visible").count()


def test_the_first_page_shows_a_result_without_scrolling_and_a_picture_that_swipes(visit):
    page = visit(BOOK / "index.html", viewport={"width": 1280, "height": 800})
    table = page.locator("article table").first.bounding_box()
    assert table["y"] + table["height"] <= 800
    upper, slider = page.locator(".swipe-images img").nth(1), page.locator(".swipe input")
    for share in (10, 80):
        slider.fill(str(share))
        assert upper.evaluate("one => getComputedStyle(one).clipPath").endswith(f"{share}%)")


def test_a_figure_is_enlarged_by_mouse_and_by_keyboard(visit):
    page = visit(BOOK / "3-7-maps.html")
    link, dialog = page.locator("a.enlarge").first, page.locator("dialog.enlarged")
    small = link.locator("img").bounding_box()["width"]
    link.click()
    assert dialog.is_visible() and dialog.locator("img").bounding_box()["width"] > 1.3 * small
    assert dialog.locator("img").get_attribute("alt") == link.locator("img").get_attribute("alt")
    page.keyboard.press("Escape")
    assert not dialog.is_visible() and link.evaluate("one => one === document.activeElement")
    page.keyboard.press("Enter")
    dialog.get_by_role("button", name="Close").click()
    assert not dialog.is_visible() and page.url.endswith("3-7-maps.html")
    plain = visit(BOOK / "3-7-maps.html", java_script_enabled=False)
    plain.locator("a.enlarge").first.click()
    assert plain.url.endswith(".svg")


def test_panels_of_figure_9_are_wide_enough_to_see_a_field(visit):
    page = visit(BOOK / "3-7-maps.html", viewport={"width": 1280, "height": 800})
    picture = page.locator(".drawing img").first
    drawing = ElementTree.parse(BOOK / "_figures" / "3-7-maps-figure-1.svg").getroot()
    scale = picture.bounding_box()["width"] / float(drawing.get("width").removesuffix("pt"))
    panels = [float(one.get("width")) * scale for one in drawing.iter("{http://www.w3.org/2000/svg}image")]
    assert len(panels) >= 3 and min(panels) >= 300


def click(page, name: str) -> None:
    """Follow the first link of this name in the text of a page, as a reader does."""
    page.get_by_role("article").get_by_role("link", name=name).first.click()


def test_three_questions_of_a_reader_are_answered_within_two_clicks(visit):
    page = visit(BOOK / "index.html")
    # which model is best, and how sure is that
    found = page.locator("article ul:not(.abstract) > li", has_text="has the highest mean F1").inner_text()
    assert re.search(r"0\.\d\d \[0\.\d\d, 0\.\d\d\]", found)
    click(page, "How certain are the scores?")
    page.get_by_role("heading", name="Which differences are settled").wait_for()
    page.goto((BOOK / "index.html").as_uri())
    # what does the map get wrong
    page.locator("article li", has_text="most frequent error").wait_for()
    click(page, "3.6 Results and analysis")
    page.get_by_role("heading", name="Confusion matrices on the test set").wait_for()
    page.goto((BOOK / "index.html").as_uri())
    # how do I do this for my tile
    page.locator("article .sd-card", has_text="Map your own tile").click()
    page.locator("article pre", has_text="paperlib run lagoon.nc").first.wait_for()
    click(page, "Read your data")
    page.get_by_role("heading", level=1, name="Read your data").wait_for()
