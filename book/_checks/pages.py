"""Faults of a built page as a reader's browser would meet them: dead links, other hosts, weight."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from . import html

#: Bytes of a page with what is its own; what every page shares with the others comes once for all of them.
WEIGHT, WEIGHT_OF_MAPS = 1_500_000, 5_000_000
WITH_MAPS = ("explore",)
SHARED = ("_static", "vendor")

#: Figures, tables and equations of the paper, as _ext/numbering.py calls their places.
NUMBERED = (
    *(f"figure-{number}" for number in range(1, 10)),
    *(f"table-{number}" for number in range(1, 5)),
    *(f"equation-equation-{number}" for number in range(1, 4)),
)


def dead_links(path: Path) -> list[str]:
    """Links of a page whose file does not exist, or has no such place; what the page loads and is not there."""
    found, page = [], html.page(path)
    for address in dict.fromkeys(page.links):
        target = path if address.startswith("#") else html.local(address, path)
        if target is None:
            continue
        anchor = unquote(urlsplit(address).fragment)
        if not target.is_file():
            found.append(f"dead link: {address}")
        elif anchor and target.suffix == ".html" and anchor not in html.page(target).ids:
            found.append(f"link to a place that is not there: {address}")
    files = [(address, html.local(address, path)) for address in dict.fromkeys(page.loads)]
    return found + [
        f"loads a file that is not there: {address}" for address, file in files if file and not file.is_file()
    ]


def other_hosts(path: Path) -> list[str]:
    """What a page, or a style sheet that it loads, asks another host for."""
    asked = list(html.page(path).loads)
    for sheet in (html.local(address, path) for address in html.page(path).loads):
        if sheet is not None and sheet.suffix == ".css" and sheet.is_file():
            asked += html.loads_of_style(sheet.read_text(encoding="utf-8"))
    return [f"asks another host: {address}" for address in dict.fromkeys(asked) if urlsplit(address).netloc]


def too_heavy(path: Path, name: str) -> list[str]:
    """Whether a page and the files of its own that it loads weigh more than it may."""
    files = {html.local(address, path) for address in html.page(path).loads} - {None}
    own = [file for file in files if file.is_file() and not set(SHARED) & set(file.parts)]
    weight = path.stat().st_size + sum(file.stat().st_size for file in own)
    limit = WEIGHT_OF_MAPS if name in WITH_MAPS else WEIGHT
    return [f"weighs {weight / 1e6:.1f} MB, more than {limit / 1e6:.1f} MB"] if weight > limit else []


def missing_numbers(paths: list[Path]) -> list[str]:
    """Figures, tables and equations of the paper that no page has."""
    there = set().union(*(html.page(path).ids for path in paths if path.is_file()))
    return [f"{name.removeprefix('equation-')} of the paper is on no page" for name in NUMBERED if name not in there]
