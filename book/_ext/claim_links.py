"""Sphinx extension: links between the claims on the page `claims` and the pages of the sections that make them.

The directive `claims` without an argument lists all claims, each with a link to its section; with an argument such as 3.6 it
lists those of this section and its subsections, each with a link to its entry on the page `claims`.
"""

from typing import TYPE_CHECKING

from docutils import nodes
from docutils.parsers.rst import Directive

if TYPE_CHECKING:
    from paperlib.reproduction.claims import Claim

#: Page of each section of the paper.
PAGES = {
    "3.1": "3-1-training-data", "3.2": "3-2-ground-truth", "3.3": "3-3-spectral-features",
    "3.4": "3-4-context-and-dynamics", "3.5": "3-5-training", "3.6": "3-6-results", "3.7": "3-7-maps",
    "4": "4-conclusions",
}  # fmt: skip


def address(section: str) -> str:
    """Where a section of the paper is rebuilt."""
    if section.startswith("2."):
        return f"2-methods.html#section-{section.replace('.', '-')}"
    return f"{PAGES[section]}.html"


def entry(number: int, claim: "Claim") -> nodes.list_item:
    """A claim as the page `claims` lists it."""
    where = nodes.reference("", f"section {claim.section}", refuri=address(claim.section), internal=True)
    text = nodes.paragraph("", "", nodes.Text(f"{claim.text} "), nodes.Text("("), where, nodes.Text(")"))
    return nodes.list_item("", text, ids=[f"claim-{number}"])


def link(number: int, claim: "Claim") -> nodes.list_item:
    """A claim as the page of its section lists it."""
    there = nodes.reference("", f"Claim {number}", refuri=f"claims.html#claim-{number}", internal=True)
    return nodes.list_item("", nodes.paragraph("", "", there, nodes.Text(f": {claim.text}")))


class Claims(Directive):
    """Directive: all claims, or those of one section."""

    optional_arguments = 1

    def run(self) -> list[nodes.Node]:
        """A list; an error where no claim is of the section."""
        from paperlib.reproduction.claims import CLAIMS  # torch comes with it, which other pages do not need

        numbered = enumerate(CLAIMS, start=1)
        if not self.arguments:
            return [nodes.enumerated_list("", *(entry(*one) for one in numbered), enumtype="arabic", suffix=".")]
        section = self.arguments[0]
        own = [one for one in numbered if f"{one[1].section}.".startswith(f"{section}.")]
        if not own:
            return [self.state.document.reporter.error(f"No claim is of section {section}.", line=self.lineno)]
        return [nodes.bullet_list("", *(link(*one) for one in own))]


def setup(app):
    """Register the directive."""
    app.add_directive("claims", Claims)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
