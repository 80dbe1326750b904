"""Sphinx extension: the library's docstrings as reStructuredText, for the pages in `api`.

They are written to be read in an editor: a section `Parameters` with lines "name: what it is", code in single
backticks, examples indented after a colon. Here that section becomes a list of definitions, the examples code, and stars,
bars and underscores that are no markup are kept.
"""

import re

SECTIONS = ("Parameters", "Returns")
RULE = re.compile(r"-{3,}$")
PARAMETER = re.compile(r"(?P<names>\w+(, \w+)*): (?P<text>.*)")


def with_definitions(lines: list[str]) -> list[str]:
    """Lines of a docstring with its sections of parameters as lists of definitions."""
    found, inside = [], False
    ahead = [*lines[1:], "", ""]
    for line, following, after in zip(lines, ahead, ahead[1:], strict=False):
        if line in SECTIONS and RULE.match(following):
            inside = line == "Parameters"
            found += [f"**{line}**", ""]
        elif RULE.match(line):
            continue
        elif line.endswith(":") and not following.strip() and after.startswith("    "):
            found.append(f"{line}:")  # what follows is code
        elif inside and (parameter := PARAMETER.match(line)):
            found += [f"`{parameter['names']}`", f"    {parameter['text']}"]
        else:
            inside = inside and bool(line.strip())
            found.append(line)
    return found


def escape(line: str) -> str:
    """A line with its stars, bars and trailing underscores escaped, except within backticks and markup of our own."""
    if line.strip("*") in SECTIONS:
        return line
    parts = re.split(r"(``.*?``|`.*?`)", line)
    return "".join(part if part.startswith("`") else re.sub(r"([*|]|(?<=\w)_(?!\w))", r"\\\1", part) for part in parts)


def on_docstring(app, what, name, obj, options, lines):
    """Rewrite a docstring in place; what Python says of a field of a named tuple says nothing."""
    lines[:] = [escape(line) for line in with_definitions(lines) if not line.startswith("Alias for field number")]


def setup(app):
    """Take part in autodoc."""
    app.connect("autodoc-process-docstring", on_docstring)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
