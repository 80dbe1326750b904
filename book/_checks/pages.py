"""Faults of a built page in a reader's browser: dead links, requests to other hosts, excessive size."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from . import html

#: Limits in bytes of a page with its own files. Files shared by all pages are loaded once and do not count.
WEIGHT, WEIGHT_OF_MAPS = 1_500_000, 5_000_000
WITH_MAPS = ("explore",)
SHARED = ("_static", "vendor")

#: Anchors of the paper's figures, tables and equations, as named by _ext/numbering.py.
NUMBERED = (
    *(f"figure-{number}" for number in range(1, 10)),
    *(f"table-{number}" for number in range(1, 5)),
    *(f"equation-equation-{number}" for number in range(1, 4)),
)


def dead_links(path: Path) -> list[str]:
    """Links to missing files or missing anchors, and missing files that the page loads."""
    faults, page = [], html.page(path)
    for address in dict.fromkeys(page.links):
        target = path if address.startswith("#") else html.local(address, path)
        if target is None:
            continue
        anchor = unquote(urlsplit(address).fragment)
        if not target.is_file():
            faults.append(f"dead link: {address}")
        elif anchor and target.suffix == ".html" and anchor not in html.page(target).ids:
            faults.append(f"link to a missing anchor: {address}")
    files = [(address, html.local(address, path)) for address in dict.fromkeys(page.loads)]
    return faults + [f"loads a missing file: {address}" for address, file in files if file and not file.is_file()]


def other_hosts(path: Path) -> list[str]:
    """Requests to other hosts by a page or by a style sheet that it loads."""
    addresses = list(html.page(path).loads)
    for sheet in (html.local(address, path) for address in html.page(path).loads):
        if sheet is not None and sheet.suffix == ".css" and sheet.is_file():
            addresses += html.loads_of_style(sheet.read_text(encoding="utf-8"))
    return [f"asks another host: {address}" for address in dict.fromkeys(addresses) if urlsplit(address).netloc]


def too_heavy(path: Path, name: str) -> list[str]:
    """A fault if a page and its own files together exceed the limit."""
    files = {html.local(address, path) for address in html.page(path).loads} - {None}
    own = [file for file in files if file.is_file() and not set(SHARED) & set(file.parts)]
    weight = path.stat().st_size + sum(file.stat().st_size for file in own)
    limit = WEIGHT_OF_MAPS if name in WITH_MAPS else WEIGHT
    return [f"weighs {weight / 1e6:.1f} MB, more than {limit / 1e6:.1f} MB"] if weight > limit else []


def missing_numbers(paths: list[Path]) -> list[str]:
    """Figures, tables and equations of the paper that are missing from all pages."""
    present = set().union(*(html.page(path).ids for path in paths if path.is_file()))
    return [f"{name.removeprefix('equation-')} of the paper is on no page" for name in NUMBERED if name not in present]
