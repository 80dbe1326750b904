"""Sphinx extension: number figures, tables and equations as in the paper.

The source has, before the cell that draws Figure 7,

    :::{paper-figure} 7
    The caption, in Markdown.
    :::

and uses `paper-table` in the same way for a table. The output of the cell, of any kind, becomes a captioned figure with
the name figure-7 (table-4), to which {numref}`figure-7` refers. Labels of equations have the form equation-1. The
numbers are those given in the source, independent of the order of the pages. Other figures and tables get no number.
"""

import re

from docutils import nodes
from sphinx.transforms import SphinxTransform
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

KINDS = {"figure": 9, "table": 4, "displaymath": 3}  # number of each kind in the paper
NUMBER = re.compile(r"(?:figure|table|equation-equation)-(\d+)")

log = logging.getLogger(__name__)


class paper_table(nodes.figure):
    """A table of the paper with its caption; rendered like a figure, numbered separately."""


class waiting(nodes.General, nodes.Element):
    """A caption that is not yet joined with the output of the cell below it."""


class PaperFigure(SphinxDirective):
    """Directive: the caption of the paper's figure of this number, drawn by the next cell."""

    kind = nodes.figure
    word = "figure"
    required_arguments = 1
    has_content = True

    def run(self) -> list[nodes.Node]:
        """The caption, which `JoinCaptions` moves to its cell."""
        node = waiting("", *self.parse_content_to_nodes(), kind=self.kind, name=f"{self.word}-{int(self.arguments[0])}")
        self.set_source_info(node)
        return [node]


class PaperTable(PaperFigure):
    """Directive: the caption of the paper's table of this number, shown by the next cell."""

    kind = paper_table
    word = "table"


class JoinCaptions(SphinxTransform):
    """Join captions with the outputs of the cells below them."""

    default_priority = 500  # before domains collect labels

    def apply(self, **kwargs) -> None:
        """Join each caption with the next output; warn if there is none."""
        for caption in list(self.document.findall(waiting)):
            cell = caption.next_node(descend=False, siblings=True)
            inside = [] if cell is None else [node for node in cell.children if isinstance(node, nodes.Element)]
            outputs = [node for node in inside if "cell_output" in node.get("classes", [])]
            if not outputs:
                log.warning("no output of a cell below the caption %s", caption["name"], location=caption)
            else:
                self._add_caption(outputs[0], caption)
            caption.parent.remove(caption)

    def _add_caption(self, output: nodes.Element, caption: waiting) -> None:
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
    """Replace the consecutive numbers assigned by Sphinx with those of the paper."""
    for kinds in env.toc_fignumbers.values():
        for kind in KINDS.keys() & kinds.keys():
            matches = {name: NUMBER.fullmatch(name) for name in kinds[kind]}
            kinds[kind] = {name: (int(match[1]),) for name, match in matches.items() if match}
    return []


def check(app, env) -> None:
    """Warn about numbers that the paper lacks or the book repeats; check.py reports numbers that the book lacks."""
    for kind, count in KINDS.items():
        numbers = [number for kinds in env.toc_fignumbers.values() for (number,) in kinds.get(kind, {}).values()]
        for number in sorted(set(numbers)):
            if number > count:
                log.warning("the paper has no %s %d", kind, number)
            elif numbers.count(number) > 1:
                log.warning("%s %d of the paper occurs %d times in the book", kind, number, numbers.count(number))


def setup(app):
    """Renumber after Sphinx has numbered, and before references are resolved."""
    app.add_directive("paper-figure", PaperFigure)
    app.add_directive("paper-table", PaperTable)
    app.add_node(waiting)
    visitors = lambda self, node: self.visit_figure(node), lambda self, node: self.depart_figure(node)
    app.add_enumerable_node(paper_table, "table", html=visitors, latex=visitors)
    app.add_transform(JoinCaptions)
    app.connect("env-get-updated", number_as_in_the_paper, priority=900)
    app.connect("env-check-consistency", check)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
