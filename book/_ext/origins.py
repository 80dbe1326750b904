"""Sphinx extension: every number in prose leads to its origin, and the page `numbers` lists all of them.

The notebook of a page records what its numbers come from (`paperlib.pages.origins`), and states it at its foot. The role
`glue:text` links to the row of its number there. After the build, the rows of all pages are gathered on the page `numbers`.
"""

import json
import re
from html import escape, unescape
from pathlib import Path
from urllib.parse import quote

from docutils import nodes
from myst_nb.ext.glue.domain import NbGlueDomain
from myst_nb.ext.glue.roles import PasteTextRole
from slots import fill

PAGE = "numbers"
#: Artifacts of a number up to which they are listed; more are folded.
MANY = 3
DATA = re.compile(r'<script type="application/json" class="origins-data">(.*?)</script>', re.S)


class LinkedText(PasteTextRole):
    """The role `glue:text`, whose text leads to the row of its number: of this page, or of the one that is named."""

    def run(self):
        """Nodes as of the role, within a link."""
        parts, messages = super().run()
        page, _, key = self.text.rpartition("::")
        key = key.rpartition(":")[0] if ":" in key else key
        address = f"{page.removesuffix('.ipynb')}.html" if page else ""
        link = nodes.reference(
            "", "", *parts, internal=True, refuri=f"{address}#number-{quote(key)}", classes=["to-origin"]
        )
        return [link], messages


def stated(page: Path) -> dict | None:
    """What the foot of a built page states: settings, commit, numbers; None of a page without such a foot."""
    found = DATA.search(page.read_text(encoding="utf-8"))
    return json.loads(found[1]) if found else None


def title(page: Path) -> str:
    """The heading of a built page."""
    text = page.read_text(encoding="utf-8").partition("<article")[
        2
    ]  # before it stands the heading for paper, without link
    found = re.search(r"<h1>(.*?)<a class=\"headerlink\"", text, re.S)
    return unescape(re.sub(r"<.*?>", "", found[1])).strip() if found else page.stem


def listing(folder: Path, names: list[str]) -> str:
    """HTML: a row for each number of these pages of the folder, with its page, value, artifacts, settings and commit."""
    rows = []
    for name in names:
        page = folder / f"{name}.html"
        facts = stated(page) if page.is_file() else None
        heading = escape(title(page)) if facts else ""
        for number in facts["numbers"] if facts else ():
            where = f'<a href="{name}.html#number-{quote(number["key"])}">{heading}</a>'
            behind = "<br>\n".join(f"<code>{escape(artifact)}</code>" for artifact in number["artifacts"])
            if (count := len(number["artifacts"])) > MANY:
                behind = f"<details><summary>{count} artifacts</summary>\n{behind}</details>"
            cells = (where, escape(number["key"]), escape(number["value"]), behind or "typed in the notebook")
            rows.append((*cells, escape(facts["settings"]), f"<code>{escape(facts['commit'])}</code>"))
    head = "".join(f"<th>{name}</th>" for name in ("page", "number", "value", "from", "settings", "commit"))
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    table = f'<table class="table dataframe"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
    return f'<p>{len(rows)} numbers.</p><div style="overflow-x:auto;font-size:.8em">{table}</div>'


def on_finish(app, error):
    """Fill the page `numbers` once all pages are written."""
    page = Path(app.outdir) / f"{PAGE}.html"
    if error is None and app.builder.name == "html" and page.is_file():
        fill(page, PAGE, listing(page.parent, sorted(app.env.found_docs)))


def setup(app):
    """Replace the role, and run after the pages are written."""
    NbGlueDomain.roles = NbGlueDomain.roles | {"text": LinkedText()}
    app.connect("build-finished", on_finish)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
