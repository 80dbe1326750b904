"""Sphinx extension: leave parts out of a book built for the user's own scene.

Such a book omits some pages (`paperlib.pages.scene_book.contents_for_scene`). Table rows about these pages are removed;
elsewhere the page's title replaces the link. Cells tagged `printed`, which compare printed values with ours or show the kept
run, are omitted. In every book, cells tagged `image` are omitted where the image of the page real-scene is absent.
"""

import json
import re
from pathlib import Path

import nbformat
from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import docname_join

from paperlib import environment
from paperlib.reproduction import real_scene


def title_of(page: Path) -> str | None:
    """Title of a page (path without suffix), read from its source; None if the page or its title does not exist."""
    texts = [path.read_text() for path in [page.with_name(f"{page.name}.md")] if path.is_file()]
    notebook = page.with_name(f"{page.name}.ipynb")
    if notebook.is_file():
        texts += [cell.source for cell in nbformat.read(notebook, 4).cells if cell.cell_type == "markdown"]
    titles = [match[1] for text in texts if (match := re.search(r"^# (.+)$", text, re.MULTILINE))]
    return titles[0].strip() if titles else None


class AbsentPages(SphinxPostTransform):
    """Remove references to pages outside the table of contents before Sphinx tries to resolve them."""

    default_priority = 5

    def run(self, **_):
        """Remove the row or replace the link of each reference to an absent page."""
        for reference in list(self.document.findall(pending_xref)):
            if reference.get("reftype") != "doc":
                continue
            page = docname_join(reference.get("refdoc", self.env.docname), reference["reftarget"])
            title = title_of(Path(self.env.srcdir) / page)
            if page in self.env.all_docs or title is None:  # a page without any source remains a warning
                continue
            row = reference
            while row is not None and not isinstance(row, nodes.row):
                row = row.parent
            if row is not None and reference in list(row[0].findall(pending_xref)):
                row.parent.remove(row)
            else:
                reference.replace_self(nodes.emphasis("", title))


def left_out() -> set[str]:
    """The tags of cells that this book omits."""
    absent = {"printed": bool(environment.read("SCENE")), "image": real_scene.bouconne_files() is None}
    return {tag for tag, omitted in absent.items() if omitted}


def leave_cells_out(app, name, source):
    """Tag cells so that MyST-NB omits them from the page; they still run."""
    if app.env.doc2path(name, base=False).rpartition(".")[2] != "ipynb":
        return
    notebook, omitted = json.loads(source[0]), left_out()
    for cell in notebook["cells"]:
        if omitted & set(tags := cell["metadata"].get("tags", [])):
            tags.append("remove-cell")
    source[0] = json.dumps(notebook)


def setup(app):
    """Register the transform and the source filter."""
    app.add_post_transform(AbsentPages)
    app.connect("source-read", leave_cells_out)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
