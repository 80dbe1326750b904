"""Sphinx extension: header cells of tables that hold nothing become data cells, which a screen reader passes over."""

import re

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform

EMPTY = re.compile(r"<th\b([^>]*)>((?:\s|&nbsp;)*)</th>")


def without_empty_headers(html: str) -> str:
    """HTML whose empty header cells are data cells."""
    return EMPTY.sub(r"<td\1>\2</td>", html)


class EmptyHeaders(SphinxPostTransform):
    """pandas leaves the corner of a table empty."""

    default_priority = 900  # after MyST-NB has chosen the HTML of outputs

    def run(self, **_) -> None:
        """Rewrite the HTML of outputs."""
        for raw in self.document.findall(nodes.raw):
            if "<th" in raw.astext():
                raw.children = [nodes.Text(without_empty_headers(raw.astext()))]


def setup(app):
    """Register the transform."""
    app.add_post_transform(EmptyHeaders)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
