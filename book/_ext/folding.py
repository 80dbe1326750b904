"""Sphinx extension: the code of notebooks is folded, one click away, so that pages are read as text.

How-to pages show their code. On every other page the cells at the top (parameters, imports, the run) are one box, "How
this page is computed", and cells that show nothing are folded with the cell beside them. Without scripts all code is
visible; `_static/code.js` folds it and adds the switch for the whole book.
"""

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform

#: Folder of pages whose code is their content.
OPEN = "how-to/"


class Fold(nodes.Element):
    """Folded code; `title` names it, and `setup` tells whether it is the box at the top of a page."""


class FoldCode(SphinxPostTransform):
    """Fold the sources of code cells in HTML pages."""

    default_priority = 190  # before the one of MyST-NB that hides cells by their tags
    formats = ("html",)

    def run(self, **_):
        """Fold every page but those whose code is their content."""
        if not self.env.docname.startswith(OPEN):
            fold_page(self.document)


def fold_page(document: nodes.document) -> None:
    """Fold the code of a page; the first fold is the box at its top."""
    first = True
    for cells in neighbouring(document):
        for together in gathered(cells):
            fold(together, first)
            first = False


def neighbouring(document: nodes.document) -> list[list[nodes.container]]:
    """Code cells of a page with sources, in lists of those without text between them."""
    runs: list[list[nodes.container]] = []
    for cell in document.findall(nodes.container):
        holds_source = cell.children and cell.children[0].get("nb_element") == "cell_code_source"
        if cell.get("nb_element") != "cell_code" or not holds_source:
            continue
        place = cell.parent.index(cell)
        before = cell.parent.children[place - 1] if place else None
        if runs and before is runs[-1][-1]:
            runs[-1].append(cell)
        else:
            runs.append([cell])
    return runs


def gathered(cells: list[nodes.container]) -> list[list[nodes.container]]:
    """Lists of neighbouring cells, each of which ends with a cell that has an output, or with the last."""
    parts: list[list[nodes.container]] = [[]]
    for cell in cells:
        parts[-1].append(cell)
        if has_output(cell):
            parts.append([])
    parts = [part for part in parts if part]
    if len(parts) > 1 and not has_output(parts[-1][-1]):
        parts[-2:] = [parts[-2] + parts[-1]]
    return parts


def has_output(cell: nodes.container) -> bool:
    """Whether a cell shows anything below its source."""
    return any(child.get("nb_element") == "cell_code_output" and child.children for child in cell.children)


def fold(cells: list[nodes.container], setup: bool) -> None:
    """Move the sources of these cells into one fold, below the output of the cell that has one."""
    folded = Fold("", *(cell.children[0] for cell in cells), setup=setup)
    shown = next((cell for cell in cells if has_output(cell)), cells[-1])
    for cell in cells:
        cell.pop(0)
        cell["classes"] = [name for name in cell["classes"] if cell is shown or name != "cell"]
        cell.attributes.pop("hide_mode", None)
    shown.append(folded)


def visit(self, node: Fold) -> None:
    """Open the HTML of a fold."""
    title, kind = ("How this page is computed", " setup") if node["setup"] else ("Code", "")
    self.body.append(f'<details class="code-fold{kind}" open><summary>{title}</summary>\n')


def depart(self, _: Fold) -> None:
    """Close the HTML of a fold."""
    self.body.append("</details>\n")


def setup(app):
    """Register the transform and its node; Jupyter Book loads all scripts of `_static`."""
    app.add_node(Fold, html=(visit, depart))
    app.add_post_transform(FoldCode)
    app.add_js_file(None, body='document.documentElement.classList.add("folding")', priority=50)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
