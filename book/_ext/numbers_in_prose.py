"""Sphinx extension: roles for numbers that stand in prose and are not computed on the page, saying where they are from.

{printed}`0.804` is printed in the paper; {given}`95 %` is a constant of the method or a fact from elsewhere. All
other numbers of a page's prose are glued from its computation, which book/check.py enforces.
"""

from docutils import nodes

MEANINGS = {"printed": "as printed in the paper", "given": "a constant of the method, not a result"}


def role_of(name: str):
    """The role `name`: its text in a span that says what it is."""

    def role(kind, rawtext, text, lineno, inliner, options=None, content=None):
        return [nodes.inline(rawtext, text, classes=[name])], []

    return role


def setup(app):
    """Add the roles."""
    for name in MEANINGS:
        app.add_role(name, role_of(name))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
