"""Sphinx extension: the header of a table of pandas takes no more rows than it needs, and no empty header cells.

pandas writes the names of the index in a row of their own, below those of the columns, where they belong into the empty
corner. Header cells that hold nothing become data cells, which a screen reader passes over.
"""

import re

from bs4 import BeautifulSoup
from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform

EMPTY = re.compile(r"<th\b([^>]*)>((?:\s|&nbsp;)*)</th>")
HEADER = re.compile(r"<thead>.*?</thead>", re.S)


def without_empty_headers(html: str) -> str:
    """HTML whose empty header cells are data cells."""
    return EMPTY.sub(r"<td\1>\2</td>", html)


def with_names_in_corner(html: str) -> str:
    """HTML of tables whose last header row, if it only names the index, is joined with the row above."""
    return HEADER.sub(lambda header: _joined(header[0]), html)


def _joined(header: str) -> str:
    soup = BeautifulSoup(header, "html.parser")
    rows = soup.find_all("tr")
    if len(rows) < 2:
        return header
    above, last = (row.find_all("th", recursive=False) for row in rows[-2:])
    names = [cell.get_text(strip=True) for cell in last]
    count = next((place for place, name in enumerate(names) if not name), len(names))
    corner = above[:count]
    if not count or any(names[count:]) or len(above) != len(last) or any(cell.get_text(strip=True) for cell in corner):
        return header
    for empty, named in zip(corner, last[:count], strict=True):
        empty.replace_with(named)
    rows[-1].decompose()
    return str(soup)


class Headers(SphinxPostTransform):
    """Rewrite the headers of tables in the HTML of outputs."""

    default_priority = 900  # after MyST-NB has chosen the HTML of outputs

    def run(self, **_) -> None:
        """Rewrite the HTML of outputs."""
        for raw in self.document.findall(nodes.raw):
            if "<th" in raw.astext():
                raw.children = [nodes.Text(without_empty_headers(with_names_in_corner(raw.astext())))]


def setup(app):
    """Register the transform."""
    app.add_post_transform(Headers)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
