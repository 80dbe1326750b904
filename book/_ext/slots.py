"""Sphinx extension: places in a page that are filled when all pages are written, from what they show.

A page says where with the directive `slot`; `fill` puts HTML there, again after each build.
"""

import re
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import Directive


class Slot(Directive):
    """An empty place of the given name."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Two HTML comments with nothing between them."""
        name = self.arguments[0]
        return [nodes.raw("", f"<!--slot {name}--><!--end {name}-->", format="html")]


def fill(page: Path, name: str, html: str) -> None:
    """Write `html` into the slot `name` of a built page, in place of what stands there."""
    text = page.read_text(encoding="utf-8")
    start, end = f"<!--slot {name}-->", f"<!--end {name}-->"
    filled = re.sub(f"{start}.*?{end}", lambda _: start + html + end, text, flags=re.S)
    page.write_text(filled, encoding="utf-8")


def setup(app):
    """Add the directive."""
    app.add_directive("slot", Slot)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
