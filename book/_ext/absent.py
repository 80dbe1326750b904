"""Sphinx extension: what a book built for a scene of one's own leaves out.

It lacks some pages (`paperlib.pages.scene_book.contents_for_scene`). Where a table lists them, their row goes; elsewhere the
page's title stands without a link. Cells tagged `printed`, which are about printed values beside ours, are left out too.
"""

import json
import os
import re
from pathlib import Path

import nbformat
from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import docname_join


def title_of(page: Path) -> str | None:
    """The title of a page given without suffix, from its source; None where there is none."""
    texts = [path.read_text() for path in [page.with_name(f"{page.name}.md")] if path.is_file()]
    notebook = page.with_name(f"{page.name}.ipynb")
    if notebook.is_file():
        texts += [cell.source for cell in nbformat.read(notebook, 4).cells if cell.cell_type == "markdown"]
    found = [match[1] for text in texts if (match := re.search(r"^# (.+)$", text, re.MULTILINE))]
    return found[0].strip() if found else None


class AbsentPages(SphinxPostTransform):
    """Takes references to pages outside the table of contents out, before Sphinx finds that it cannot resolve them."""

    default_priority = 5

    def run(self, **_):
        """As `SphinxPostTransform` says."""
        for reference in list(self.document.findall(pending_xref)):
            if reference.get("reftype") != "doc":
                continue
            page = docname_join(reference.get("refdoc", self.env.docname), reference["reftarget"])
            title = title_of(Path(self.env.srcdir) / page)
            if page in self.env.all_docs or title is None:  # a page that does not exist at all stays a warning
                continue
            row = reference
            while row is not None and not isinstance(row, nodes.row):
                row = row.parent
            if row is not None and reference in list(row[0].findall(pending_xref)):
                row.parent.remove(row)
            else:
                reference.replace_self(nodes.emphasis("", title))


def leave_printed_out(app, name, source):
    """Tag cells so that MyST-NB leaves them out; they are run all the same."""
    if not os.environ.get("PAPERLIB_SCENE") or app.env.doc2path(name, base=False).rpartition(".")[2] != "ipynb":
        return
    notebook = json.loads(source[0])
    for cell in notebook["cells"]:
        if "printed" in (tags := cell["metadata"].get("tags", [])):
            tags.append("remove-cell")
    source[0] = json.dumps(notebook)


def setup(app):
    """Add both."""
    app.add_post_transform(AbsentPages)
    app.connect("source-read", leave_printed_out)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
