"""Sphinx extension: values of constants and class attributes where they are short; those of one comment together."""

from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.ext.autodoc import AttributeDocumenter, DataDocumenter

#: Characters of a value up to which it is shown.
SHORT = 50


def written(value: object) -> str:
    """A value as in the source, with long whole numbers in groups of three digits; empty for one not worth showing."""
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:_}" if abs(value) >= 10_000 else str(value)
    if isinstance(value, float) and abs(value) >= 1e6:
        return f"{value:g}"
    if type(value) is tuple:
        parts = [written(part) for part in value]
        text = f"({', '.join(parts)}{',' if len(parts) == 1 else ''})" if all(parts) else ""
    else:
        text = repr(value) if isinstance(value, bool | float | str) else ""
    return text if len(text) <= SHORT else ""


class WithValue:
    """Adds the value to what autodoc writes above a description."""

    def add_directive_header(self, sig: str) -> None:
        """Write the lines of the directive and its options."""
        super().add_directive_header(sig)
        if value := written(self.object):
            self.add_line(f"   :value: {value}", self.get_sourcename())


class ConstantDocumenter(WithValue, DataDocumenter):
    """Documents a constant of a module."""


class ClassAttributeDocumenter(WithValue, AttributeDocumenter):
    """Documents an attribute of a class."""


def join_constants(app: Any, doctree: nodes.document) -> None:
    """Give constants that share a comment in the source one description below all of their names."""
    before = None
    for one in list(doctree.findall(addnodes.desc)):
        alike = before is not None and one["objtype"] == before["objtype"] == "data" and one.parent is before.parent
        if alike and one[-1].astext() == before[-1].astext() != "":
            place = before.index(before[-1])
            for signature in one.children[:-1]:
                before.insert(place, signature)
                place += 1
            one.parent.remove(one)
        else:
            before = one


def setup(app: Any) -> dict[str, bool]:
    """Take the place of autodoc's own documenters."""
    app.setup_extension("sphinx.ext.autodoc")
    app.add_autodocumenter(ConstantDocumenter, override=True)
    app.add_autodocumenter(ClassAttributeDocumenter, override=True)
    app.connect("doctree-read", join_constants)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
