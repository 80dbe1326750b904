"""Print the built book as one PDF with contents, outline and internal links: `make pdf`, after `make book`.

Chromium (Debian: `apt install chromium`) prints every page, so formulas, tables and figures look as they do on the screen;
pypdf joins the pages. Interactive parts are printed in the state in which a page opens; folded code is left out,
which the pages and their notebooks hold.
"""

import shutil
import sys
import tempfile
from html import escape
from pathlib import Path
from urllib.parse import unquote, urlsplit

from check import BOOK, pages
from playwright.sync_api import Browser, sync_playwright
from pypdf import PdfReader, PdfWriter
from pypdf.generic import ArrayObject, DictionaryObject, NameObject

NAMES = ("chromium", "chromium-browser", "google-chrome")
SHEET = {"format": "A4", "print_background": True, "scale": 0.8} | {
    "margin": {"top": "16mm", "bottom": "16mm", "left": "16mm", "right": "16mm"}
}
#: Hide what only a screen needs, folded code among it. Do not break rows, figures and code across sheets; break sections,
#: which the theme keeps whole, and long code. A figure is at most as high as a sheet. The foot of a page that says where its
#: numbers come from is folded, so it is left out.
STYLE = """
.bd-header-article, .prev-next-area, .bd-sidebar-secondary, .copybtn, #jb-print-toc, .code-fold, .table-tools, .table-hint,
.drawing-files, details.origins, .swipe input, .webmap-run, .webmap-sides, .webmap-row, .webmap-swipe, .webmap-note,
.ol-zoom {
  display: none !important
}
.bd-content div.cell_output .table-scroll > table:has(td + td) tbody th { max-width: 18em !important }
div.highlight { display: block !important; break-inside: auto !important }
pre { white-space: pre-wrap !important; overflow: visible !important } h1 { margin-bottom: 1em !important }
.bd-main .bd-content { margin-left: 0 !important }
.bd-article-container, .bd-article { padding: 0 !important; max-width: 100% !important }
section, table, .cell, .cell_output, .output { break-inside: auto !important } dt { break-after: avoid; break-inside: avoid }
.table-scroll, .pst-scrollable-table-container, .output { overflow: visible !important }
h1, h2, h3, h4 { break-after: avoid } tr, img, pre, .admonition, .webmap-map, .swipe { break-inside: avoid }
.bd-article > section > :last-child { margin-bottom: 0 !important }
.drawing img { max-height: 1100px !important; width: auto !important; max-width: 100% !important }
"""
WIDTH = 841  # width of a page on such a sheet, in pixels
# Chromium leaves buttons out of the heads that it repeats.
FIT = """() => {
    document.querySelectorAll("th button").forEach((button) => button.replaceWith(...button.childNodes));
    document.querySelectorAll("table").forEach((table) => {
        const room = table.parentElement.clientWidth;
        if (table.offsetWidth > room) table.style.zoom = room / table.offsetWidth;
    });
    document.querySelectorAll("pre").forEach((code) => { if (code.offsetHeight > 500) code.style.breakInside = "auto"; });
}"""


def print_page(browser: Browser, page: Path, target: Path) -> str:
    """Print a built page to `target` after its formulas are typeset; return its title."""
    tab = browser.new_page(viewport={"width": WIDTH, "height": 1200}, color_scheme="light")
    tab.goto(page.as_uri())
    tab.evaluate("() => window.MathJax?.startup?.promise")
    tab.add_style_tag(content=STYLE)
    tab.emulate_media(media="print")
    tab.evaluate(FIT)
    tab.pdf(path=target, **SHEET)
    title = tab.evaluate("() => document.querySelector('h1')?.firstChild?.textContent.trim() ?? document.title")
    tab.close()
    return title


def contents(titles: list[str], counts: list[int], own: int) -> str:
    """HTML of the table of contents, which takes `own` sheets: each title with the number of its first sheet."""
    rows, sheet = [], own + 1
    for title, count in zip(titles, counts, strict=True):
        rows.append(f"<tr><td>{escape(title)}</td><td style='text-align:right'>{sheet}</td></tr>")
        sheet += count
    return f"<h1>Contents</h1><table style='width:100%;font:9pt sans-serif'>{''.join(rows)}</table>"


def bind(parts: list[Path], titles: list[str], addresses: list[str], target: Path) -> None:
    """Join printed pages, the contents first. Links between pages lead to sheets; links to other local files are removed."""
    writer, first, sheets = PdfWriter(), {}, []
    for part, title, address in zip(parts, titles, addresses, strict=True):
        reader = PdfReader(part)
        first[address] = len(writer.pages)
        places = {name: reader.get_destination_page_number(place) for name, place in reader.named_destinations.items()}
        writer.append(reader, outline_item=title)
        sheets += [(first[address], places)] * len(reader.pages)
    for sheet, (start, places) in zip(writer.pages, sheets, strict=True):
        links = ArrayObject()
        for link in (annotation.get_object() for annotation in sheet.get("/Annots", ())):
            uri = urlsplit(str(link.get("/A", {}).get("/URI", "")))
            number = first.get(unquote(uri.path)) if uri.scheme == "file" else None
            if "/Dest" in link:  # an anchor of the same page; other pages may have anchors of the same name
                number = start + places.get(link.pop("/Dest"), 0)
            if number is not None:
                place = ArrayObject([writer.pages[number].indirect_reference, NameObject("/Fit")])
                link[NameObject("/A")] = DictionaryObject(
                    {NameObject("/S"): NameObject("/GoTo"), NameObject("/D"): place}
                )
            if number is not None or uri.scheme != "file":
                links.append(link)
        sheet[NameObject("/Annots")] = links
    writer.write(target)


def make(html: Path, names: list[str], target: Path, browser: Browser) -> int:
    """Print the pages `names` of the folder `html` and join them in `target`; return the number of sheets."""
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / f"{number}.pdf" for number in range(len(names))]
        paths = [html / f"{name}.html" for name in names]
        titles = [print_page(browser, path, file) for path, file in zip(paths, files, strict=True)]
        counts = [len(PdfReader(file).pages) for file in files]
        front = Path(folder) / "contents.html"
        for own in (1, 2, 3):  # number of sheets of the contents, which shifts all page numbers
            front.write_text(f"<meta charset='utf-8'><title>Contents</title>{contents(titles, counts, own)}")
            print_page(browser, front, front.with_suffix(".pdf"))
            if len(PdfReader(front.with_suffix(".pdf")).pages) == own:
                break
        addresses = [str(path) for path in [front, *paths]]
        bind([front.with_suffix(".pdf"), *files], ["Contents", *titles], addresses, target)
        return own + sum(counts)


if __name__ == "__main__":
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        sys.exit(f"Printing the PDF needs a browser: install one of {', '.join(NAMES)}.")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        built, out = BOOK / "_build" / "html", BOOK / "_build" / "book.pdf"
        print(f"{out}: {make(built, pages(BOOK / '_toc.yml'), out, chromium)} sheets")
        chromium.close()
