"""Seconds until each page of a built book is open from disk in chromium, and those of an empty page.

    python benchmarks/pages.py [REPEATS]

The book is book/_build/html, or the folder that $PAPERLIB_BOOK names. A page is open when its `load` event has ended;
`explore` when its map can be used. Each visit takes a new window, as a reader's first does. Medians are kept in
results/pages.csv.
"""

import os
import shutil
import sys
import tempfile
from pathlib import Path

import pandas as pd
from playwright.sync_api import Browser, sync_playwright
from record import keep

EMPTY, MAP = "empty page", "explore"
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
OPEN = "performance.getEntriesByType('navigation')[0].loadEventEnd"
USABLE = "performance.getEntriesByName('webmap')"


def seconds(browser: Browser, path: Path) -> float:
    """Seconds from the first byte asked until the page is open."""
    with browser.new_context(viewport={"width": 1280, "height": 800}) as window:
        page = window.new_page()
        page.goto(path.as_uri())
        if path.stem == MAP:
            page.wait_for_function(f"{USABLE}.length")
            return page.evaluate(f"{USABLE}[0].startTime") / 1000
        page.wait_for_function(f"{OPEN} > 0")
        return page.evaluate(OPEN) / 1000


def main(repeats: int = 3) -> None:
    """Open every page in turn, several times, and keep the medians."""
    book = Path(os.environ.get("PAPERLIB_BOOK") or Path(__file__).parents[1] / "book" / "_build" / "html").resolve()
    pages = {
        path.relative_to(book).with_suffix("").as_posix(): path
        for path in sorted(book.rglob("*.html"))
        if "_static" not in path.parts
    }
    if not pages or not CHROMIUM:
        sys.exit(f"{len(pages)} pages in {book}, browser {CHROMIUM}: build a book and install chromium")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        empty = Path(folder) / "empty.html"
        empty.write_text("<!doctype html><title>empty</title>")
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        seconds(browser, empty)  # the first page waits for the browser itself
        rounds = [
            {name: seconds(browser, path) for name, path in {EMPTY: empty, **pages}.items()} for _ in range(repeats)
        ]
        browser.close()
    table = pd.DataFrame(rounds).median().rename_axis("page").reset_index(name="seconds")
    keep("pages", table, repeats=repeats)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
