"""Check that the built book is complete; print all faults and exit with 1 if there are any.

Run it after `jupyter-book build book/`. Jupyter Book can exit with 0 after a page or a notebook has failed, so its exit
code is not enough.
"""

import re
import sys
from pathlib import Path

import nbformat
import yaml
from _checks import pages as built_pages
from _checks import prose

from paperlib.errors import InputError
from paperlib.reproduction.kept.reading import kept_run
from paperlib.reproduction.kept.staleness import stale

BOOK = Path(__file__).resolve().parent


def pages(toc: Path) -> list[str]:
    """All pages of a table of contents, without suffix."""
    content = yaml.safe_load(toc.read_text())
    chapters = [chapter["file"] for part in content.get("parts", []) for chapter in part["chapters"]]
    return [content["root"], *chapters]


def faults(book: Path) -> list[str]:
    """Faults of the pages built from the folder `book`, one line each."""
    messages = []
    html = book / "_build" / "html"
    for report in sorted((html / "reports").rglob("*.log")):
        messages.append(f"notebook failed: {report.relative_to(html / 'reports')}")
    for page in pages(book / "_toc.yml"):
        source = next((path for suffix in (".ipynb", ".md") if (path := book / f"{page}{suffix}").exists()), None)
        built = html / f"{page}.html"
        if source is None:
            messages.append(f"page without source: {page}")
        elif not built.is_file() or not built.stat().st_size:
            messages.append(f"page missing: {built}")
        elif built.stat().st_mtime < source.stat().st_mtime:
            messages.append(f"page older than its source: {built}")
        else:
            messages += [f"{page}: {fault}" for fault in _faults_of_page(built, page, source)]
        if source is not None and source.suffix == ".ipynb":
            cells = [cell for cell in nbformat.read(source, 4).cells if cell.cell_type == "code"]
            if any(cell.outputs or cell.execution_count for cell in cells):
                messages.append(f"notebook stored with outputs: {source.name}; run `make format`")
    return messages


def _faults_of_page(built: Path, page: str, source: Path) -> list[str]:
    text = built.read_text(encoding="utf-8")
    signs = {
        "traceback": "a traceback",
        "output stderr": "a warning printed by a cell",
        "output stream": "printed text",
    }
    faults = [f"shows {what}" for sign, what in signs.items() if re.search(rf'class="[^"]*{sign}', text)]
    if source.suffix == ".ipynb" and "cell_output" not in text:
        faults.append("has no output: its notebook was not executed")
    if re.search(r"\{glue:|glue:text", text):
        faults.append("contains a number that was not glued")
    faults += built_pages.dead_links(built) + built_pages.other_hosts(built) + built_pages.too_heavy(built, page)
    return faults + prose.typed_on_page(source)


def stale_results() -> list[str]:
    """Reasons why the kept results of the paper's size are not those of the present code."""
    try:
        return [f"stale kept results: {reason}" for reason in stale(kept_run())]
    except InputError as error:
        return [str(error)]


if __name__ == "__main__":
    built = [BOOK / "_build" / "html" / f"{page}.html" for page in pages(BOOK / "_toc.yml")]
    wrong = faults(BOOK) + built_pages.missing_numbers(built) + stale_results()
    print("\n".join(wrong) or f"The book is complete: {len(built)} pages.")
    sys.exit(bool(wrong))
