"""Is the built book whole? Prints what is wrong and exits with 1; run after `jupyter-book build book/`.

Jupyter Book can exit with 0 after a page or a notebook failed, so that its exit code is not enough.
"""

import re
import sys
from pathlib import Path

import nbformat
import yaml
from _checks import pages as built_pages
from _checks import prose

BOOK = Path(__file__).resolve().parent


def pages(toc: Path) -> list[str]:
    """Every page of a table of contents, without suffix."""
    content = yaml.safe_load(toc.read_text())
    chapters = [chapter["file"] for part in content.get("parts", []) for chapter in part["chapters"]]
    return [content["root"], *chapters]


def faults(book: Path) -> list[str]:
    """What is wrong with the pages built from the folder `book`, one line each."""
    found = []
    html = book / "_build" / "html"
    for report in sorted((html / "reports").rglob("*.log")):
        found.append(f"notebook failed: {report.relative_to(html / 'reports')}")
    for page in pages(book / "_toc.yml"):
        source = next((path for suffix in (".ipynb", ".md") if (path := book / f"{page}{suffix}").exists()), None)
        built = html / f"{page}.html"
        if source is None:
            found.append(f"page without source: {page}")
        elif not built.is_file() or not built.stat().st_size:
            found.append(f"page missing: {built}")
        elif built.stat().st_mtime < source.stat().st_mtime:
            found.append(f"page older than its source: {built}")
        else:
            found += [f"{page}: {fault}" for fault in _faults_of_page(built, page, source)]
        if source is not None and source.suffix == ".ipynb":
            cells = [cell for cell in nbformat.read(source, 4).cells if cell.cell_type == "code"]
            if any(cell.outputs or cell.execution_count for cell in cells):
                found.append(f"notebook stored with outputs: {source.name}; run `make format`")
    return found


def _faults_of_page(built: Path, page: str, source: Path) -> list[str]:
    text = built.read_text(encoding="utf-8")
    signs = {
        "traceback": "a traceback",
        "output stderr": "a warning printed by a cell",
        "output stream": "printed text",
    }
    found = [f"shows {what}" for sign, what in signs.items() if re.search(rf'class="[^"]*{sign}', text)]
    if source.suffix == ".ipynb" and "cell_output" not in text:
        found.append("has no output: its notebook was not executed")
    if re.search(r"\{glue:|glue:text", text):
        found.append("has a number that was not glued")
    found += built_pages.dead_links(built) + built_pages.other_hosts(built) + built_pages.too_heavy(built, page)
    return found + prose.typed_on_page(source)


if __name__ == "__main__":
    built = [BOOK / "_build" / "html" / f"{page}.html" for page in pages(BOOK / "_toc.yml")]
    wrong = faults(BOOK) + built_pages.missing_numbers(built)
    print("\n".join(wrong) or f"The book is whole: {len(built)} pages.")
    sys.exit(bool(wrong))
