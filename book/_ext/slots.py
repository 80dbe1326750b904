"""Sphinx extension: slots in a page that are filled from the contents of other pages, after all pages are written.

The directive `slot` marks the place in a page. `fill` writes HTML into it, and replaces the HTML of earlier builds.
"""

import re
from pathlib import Path

import table_headers
from docutils import nodes
from docutils.parsers.rst import Directive


class Slot(Directive):
    """Directive: an empty slot of the given name."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Two HTML comments with nothing between them."""
        name = self.arguments[0]
        return [nodes.raw("", f"<!--slot {name}--><!--end {name}-->", format="html")]


def fill(page: Path, name: str, html: str) -> None:
    """Write `html` into the slot `name` of a built page, replacing its contents."""
    html = table_headers.without_empty_headers(html)
    text = page.read_text(encoding="utf-8")
    start, end = f"<!--slot {name}-->", f"<!--end {name}-->"
    filled = re.sub(f"{start}.*?{end}", lambda _: start + html + end, text, flags=re.S)
    page.write_text(filled, encoding="utf-8")


def setup(app):
    """Register the directive."""
    app.add_directive("slot", Slot)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
