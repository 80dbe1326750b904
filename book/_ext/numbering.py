"""Sphinx extension: figures, tables and equations of the paper, under the numbers that they have there.

Before the cell that draws Figure 7 stands

    :::{paper-figure} 7
    The caption, in Markdown.
    :::

and `paper-table` does the same for a table. What the cell shows, whatever its kind, becomes a captioned figure called
figure-7 (table-4) to which {numref}`figure-7` leads. Equations are called equation-1 by their label. Numbers are those
stated, wherever a page stands in the book; what is not the paper's gets none, so that it cannot take one of these.
"""

import re

from docutils import nodes
from sphinx.transforms import SphinxTransform
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

KINDS = {"figure": 9, "table": 4, "displaymath": 3}  # how many the paper has
NUMBER = re.compile(r"(?:figure|table|equation-equation)-(\d+)")

log = logging.getLogger(__name__)


class paper_table(nodes.figure):
    """A table of the paper with its caption; in a page the same element as a figure, counted apart."""


class waiting(nodes.General, nodes.Element):
    """A caption that has not met the cell below it."""


class PaperFigure(SphinxDirective):
    """The caption of the paper's figure of this number, drawn by the next cell."""

    kind = nodes.figure
    word = "figure"
    required_arguments = 1
    has_content = True

    def run(self) -> list[nodes.Node]:
        """The caption, which `Meet` carries to its cell."""
        node = waiting("", *self.parse_content_to_nodes(), kind=self.kind, name=f"{self.word}-{int(self.arguments[0])}")
        self.set_source_info(node)
        return [node]


class PaperTable(PaperFigure):
    """The caption of the paper's table of this number, shown by the next cell."""

    kind = paper_table
    word = "table"


class Meet(SphinxTransform):
    """Put captions and the outputs of the cells below them together."""

    default_priority = 500  # before domains look for labels

    def apply(self, **kwargs) -> None:
        """A caption without an output below it is a fault of the page: a warning."""
        for caption in list(self.document.findall(waiting)):
            cell = caption.next_node(descend=False, siblings=True)
            outputs = [] if cell is None else [one for one in cell if "cell_output" in one.get("classes", [])]
            if not outputs:
                log.warning("no output of a cell below the caption %s", caption["name"], location=caption)
            else:
                self._dress(outputs[0], caption)
            caption.parent.remove(caption)

    def _dress(self, output: nodes.Element, caption: waiting) -> None:
        first, *legend = caption.children
        text = nodes.caption("", "", *first.children)
        captioned = caption["kind"]("", *output.children, text, names=[caption["name"]], classes=["paper"])
        text.source, text.line = caption.source, caption.line
        if legend:
            captioned += nodes.legend("", *legend)
        output.children = []
        output += captioned
        self.document.note_explicit_target(captioned, captioned)


def number_as_in_the_paper(app, env) -> list[str]:
    """Replace the running numbers that Sphinx gave by those of the paper."""
    for kinds in env.toc_fignumbers.values():
        for kind in KINDS.keys() & kinds.keys():
            found = {name: NUMBER.fullmatch(name) for name in kinds[kind]}
            kinds[kind] = {name: (int(match[1]),) for name, match in found.items() if match}
    return []


def check(app, env) -> None:
    """Warn of numbers that the paper has not got or the book has twice; what the book lacks, check.py names."""
    for kind, count in KINDS.items():
        numbers = [number for kinds in env.toc_fignumbers.values() for (number,) in kinds.get(kind, {}).values()]
        for number in sorted(set(numbers)):
            if number > count:
                log.warning("the paper has no %s %d", kind, number)
            elif numbers.count(number) > 1:
                log.warning("%s %d of the paper stands %d times in the book", kind, number, numbers.count(number))


def setup(app):
    """Number after Sphinx has, and before references are resolved."""
    app.add_directive("paper-figure", PaperFigure)
    app.add_directive("paper-table", PaperTable)
    app.add_node(waiting)
    visitors = lambda self, node: self.visit_figure(node), lambda self, node: self.depart_figure(node)
    app.add_enumerable_node(paper_table, "table", html=visitors, latex=visitors)
    app.add_transform(Meet)
    app.connect("env-get-updated", number_as_in_the_paper, priority=900)
    app.connect("env-check-consistency", check)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
