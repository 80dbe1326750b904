"""Sphinx extension: roles that mark the origin of numbers in prose that are not computed on the page.

{printed}`0.804` is printed in the paper. {given}`95 %` is a constant of the method or a fact from elsewhere. All other
numbers in the prose of a page are glued from its computation; book/check.py enforces this rule.
"""

from docutils import nodes

MEANINGS = {"printed": "as printed in the paper", "given": "a constant of the method, not a result"}


def role_of(name: str):
    """Role `name`: puts its text in a span with that class."""

    def role(kind, rawtext, text, lineno, inliner, options=None, content=None):
        return [nodes.inline(rawtext, text, classes=[name])], []

    return role


def setup(app):
    """Register the roles."""
    for name in MEANINGS:
        app.add_role(name, role_of(name))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
