"""Sphinx extension: citations from CITATION.cff, and launch buttons if the address of the repository is known.

The public address of the repository is `repository-code` in CITATION.cff and is stored nowhere else. Without it, a
build on GitHub uses the address that GitHub provides; any other build has no address and no buttons.
"""

import os
from pathlib import Path

import yaml
from docutils import nodes
from docutils.parsers.rst import Directive

FILE = Path(__file__).resolve().parents[2] / "CITATION.cff"


def address(facts: dict) -> str:
    """Public address of the repository; empty if it is unknown."""
    on_github = (
        "{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}".format_map(os.environ) if "GITHUB_REPOSITORY" in os.environ else ""
    )
    return facts.get("repository-code", on_github)


def authors(entry: dict) -> list[str]:
    """Names of people as "Family, Given", and names of entities."""
    return [
        f"{author['family-names']}, {author['given-names']}" if "family-names" in author else author["name"]
        for author in entry["authors"]
    ]


def sentence(entry: dict) -> str:
    """An entry of CITATION.cff, formatted for a list of references."""
    year = f" ({entry['year']})" if "year" in entry else ""
    places = {"journal": "{}", "volume": "{}", "version": "Version {}", "doi": "doi:{}", "repository-code": "{}"}
    parts = [form.format(entry[name]) for name, form in places.items() if name in entry]
    return f"{'; '.join(authors(entry))}{year}. {entry['title']}. {', '.join(parts)}."


def bibtex(entry: dict, key: str) -> str:
    """An entry of CITATION.cff, formatted as BibTeX."""
    kind = "article" if entry.get("type") == "article" else "software"
    names = " and ".join(name if "," in name else f"{{{name}}}" for name in authors(entry))
    fields = {"author": names, "title": f"{{{entry['title']}}}"}
    known = {"journal": "journal", "volume": "volume", "year": "year", "version": "version", "doi": "doi"}
    fields |= {
        name: str(entry[field]) for field, name in (known | {"repository-code": "url"}).items() if field in entry
    }
    return "\n".join([f"@{kind}{{{key},", *(f"  {name} = {{{value}}}," for name, value in fields.items()), "}"])


class Cite(Directive):
    """Directive: how to cite the "software" or the "paper"."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """The reference as a paragraph and as a BibTeX block."""
        facts = yaml.safe_load(FILE.read_text())
        software = {**facts, "repository-code": address(facts)} if address(facts) else facts
        entry, key = {
            "software": (software, "paperlib"),
            "paper": (facts["references"][0], "carpentier2021"),
        }[self.arguments[0]]
        code = bibtex(entry, key)
        return [nodes.paragraph("", sentence(entry)), nodes.literal_block(code, code, language="bibtex")]


class Online(Directive):
    """Directive: whether this build has launch buttons, and the line that installs the library in Colab."""

    def run(self) -> list[nodes.Node]:
        """A paragraph and the installation line; without an address, a note."""
        if repository := address(yaml.safe_load(FILE.read_text())):
            line = f'%pip install "paperlib[book] @ git+{repository}"'
            text = "This book was built with launch buttons (the rocket above each notebook). The line for Colab is:"
            return [nodes.paragraph("", text), nodes.literal_block(line, line, language="ipython")]
        text = (
            "This book was built without launch buttons, because CITATION.cff does not state the address of the "
            "repository. Add repository-code to CITATION.cff to get buttons in the next build."
        )
        return [nodes.note("", nodes.paragraph("", text))]


def configure(app, config):
    """Pass the address of the repository to the theme; without an address, remove the launch buttons."""
    options = config.html_theme_options
    if repository := address(yaml.safe_load(FILE.read_text())):
        options["repository_url"] = repository
    else:
        options.pop("launch_buttons", None)


def setup(app):
    """Register the directives, and set the options before the theme reads them."""
    app.add_directive("cite-as", Cite)
    app.add_directive("launch-buttons", Online)
    app.connect("config-inited", configure, priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
