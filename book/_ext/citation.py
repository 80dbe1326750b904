"""Sphinx extension: what CITATION.cff says, on pages: how to cite, and launch buttons where the address is known.

The public address of the repository is `repository-code` of CITATION.cff, and stands nowhere else. Where that is not
stated, a build on GitHub takes the address that GitHub gives it; any other build has no address and no buttons.
"""

import os
from pathlib import Path

import yaml
from docutils import nodes
from docutils.parsers.rst import Directive

FILE = Path(__file__).resolve().parents[2] / "CITATION.cff"


def address(facts: dict) -> str:
    """Public address of the repository, or nothing."""
    on_github = (
        "{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}".format_map(os.environ) if "GITHUB_REPOSITORY" in os.environ else ""
    )
    return facts.get("repository-code", on_github)


def authors(entry: dict) -> list[str]:
    """Names as "Family, Given", or as an entity calls itself."""
    return [
        f"{one['family-names']}, {one['given-names']}" if "family-names" in one else one["name"]
        for one in entry["authors"]
    ]


def sentence(entry: dict) -> str:
    """An entry of CITATION.cff as a line of a list of references."""
    year = f" ({entry['year']})" if "year" in entry else ""
    places = {"journal": "{}", "volume": "{}", "version": "version {}", "doi": "doi:{}", "repository-code": "{}"}
    parts = [form.format(entry[name]) for name, form in places.items() if name in entry]
    return f"{'; '.join(authors(entry))}{year}. {entry['title']}. {', '.join(parts)}."


def bibtex(entry: dict, key: str) -> str:
    """An entry of CITATION.cff as BibTeX."""
    kind = "article" if entry.get("type") == "article" else "software"
    names = " and ".join(name if "," in name else f"{{{name}}}" for name in authors(entry))
    fields = {"author": names, "title": f"{{{entry['title']}}}"}
    known = {"journal": "journal", "volume": "volume", "year": "year", "version": "version", "doi": "doi"}
    fields |= {
        name: str(entry[field]) for field, name in (known | {"repository-code": "url"}).items() if field in entry
    }
    return "\n".join([f"@{kind}{{{key},", *(f"  {name} = {{{value}}}," for name, value in fields.items()), "}"])


class Cite(Directive):
    """How to cite the "software" or the "paper"."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """A reference and its BibTeX."""
        facts = yaml.safe_load(FILE.read_text())
        software = {**facts, "repository-code": address(facts)} if address(facts) else facts
        entry, key = {
            "software": (software, "paperlib"),
            "paper": (facts["references"][0], "carpentier2021"),
        }[self.arguments[0]]
        code = bibtex(entry, key)
        return [nodes.paragraph("", sentence(entry)), nodes.literal_block(code, code, language="bibtex")]


class Online(Directive):
    """Whether this build of the book has launch buttons, and what to type in Colab."""

    def run(self) -> list[nodes.Node]:
        """A paragraph; with an address, the line that installs the library."""
        if found := address(yaml.safe_load(FILE.read_text())):
            line = f'%pip install "paperlib[book] @ git+{found}"'
            words = "This book was built with buttons (the rocket above each notebook). The line for Colab is"
            return [nodes.paragraph("", words), nodes.literal_block(line, line, language="ipython")]
        words = (
            "This book was built without buttons: CITATION.cff does not state where the repository is. Add "
            "repository-code to it, and the next build has them."
        )
        return [nodes.note("", nodes.paragraph("", words))]


def configure(app, config):
    """Give the theme the repository's address; without one there is nothing to launch."""
    options = config.html_theme_options
    if found := address(yaml.safe_load(FILE.read_text())):
        options["repository_url"] = found
    else:
        options.pop("launch_buttons", None)


def setup(app):
    """Add the directives; set the options before the theme reads them."""
    app.add_directive("cite-as", Cite)
    app.add_directive("launch-buttons", Online)
    app.connect("config-inited", configure, priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
