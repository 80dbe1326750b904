"""Sphinx extension: convert the library's docstrings to reStructuredText, for the pages in `api`.

The docstrings are written for reading in an editor: a section `Parameters` has lines of the form "name: description",
code is in single backticks, and examples are indented after a colon or begin with the name of the command. This extension
converts the section to a definition list and the examples to code blocks, and escapes stars, bars and underscores that are
not markup; options of a command are code, so that no line ends within them. Signatures show the types alone of options of a
command, names for unions of numpy, classes without their modules, an ellipsis for a default that is made anew, and nothing
for a class that takes anything.
"""

import re

from numpy.typing import ArrayLike
from sphinx.util.typing import stringify_annotation

SECTIONS = ("Parameters", "Returns")
RULE = re.compile(r"-{3,}$")
COMMAND = "paperlib "  # begins a paragraph that is an example
OPTION = re.compile(r"~?[\w.]+\.Annotated\[(.+?), <typer\.models\.\w+ object at 0x[0-9a-f]+>\]")
ARRAY_LIKE = stringify_annotation(ArrayLike, "smart")
QUOTED = re.compile(  # code: quotes stay straight, options whole
    r'""|(?<![\w-])--[a-z][\w-]*|[\w.]+(?:="[^"]*"|\["[^"]*"\])|\{"(?:[^{}]|\{[^{}]*\})*\}'
)
ARROW = re.compile(r"(?<!\S)->(?!\S)")
MODULE = re.compile(r"\b(?:np|pd|xr|gpd)\.(?=[A-Z])")
ANYTHING = re.compile(r"\(\*args[^,]*, \*\*kwargs[^,]*\)")
PARAMETER = re.compile(r"(?P<names>\w+(, \w+)*): (?P<text>.*)")


def with_definitions(lines: list[str]) -> list[str]:
    """Lines of a docstring with sections of parameters converted to definition lists, and examples to code blocks."""
    converted, inside = [], False
    ahead = [*lines[1:], "", ""]
    for line, following, after in zip(lines, ahead, ahead[1:], strict=False):
        if line in SECTIONS and RULE.match(following):
            inside = line == "Parameters"
            converted += [f"**{line}**", ""]
        elif RULE.match(line):
            continue
        elif line.startswith(COMMAND) and not (converted and converted[-1].strip()):
            converted += [".. code-block:: text", "", f"    {line}"]
        elif line.startswith(COMMAND) and converted[-1].startswith(f"    {COMMAND}"):
            converted.append(f"    {line}")
        elif line.endswith(":") and not following.strip() and after.startswith("    "):
            converted.append(f"{line}:")  # a double colon starts a code block
        elif inside and (parameter := PARAMETER.match(line)):
            converted += [f"`{parameter['names']}`", f"    {parameter['text']}"]
        else:
            inside = inside and bool(line.strip())
            converted.append(line)
    return converted


def escape(line: str) -> str:
    """Escape stars, bars and trailing underscores of a line, except within backticks and section titles."""
    if line.strip("*") in SECTIONS or line.startswith(f"    {COMMAND}"):
        return line
    parts = re.split(r"(``.*?``|`.*?`)", line)
    coded = "".join(part if part.startswith("`") else QUOTED.sub(r"`\g<0>`", part) for part in parts)
    parts = re.split(r"(``.*?``|`.*?`)", coded)
    return "".join(part if part.startswith("`") else _plain(part) for part in parts)


def _plain(text: str) -> str:
    return re.sub(r"([*|]|(?<=\w)_(?!\w))", r"\\\1", ARROW.sub("→", text))


def on_docstring(app, what, name, obj, options, lines):
    """Convert a docstring in place."""
    lines[:] = [escape(line) for line in with_definitions(lines)]


def on_skip(app, what, name, obj, skip, options):
    """Leave out fields of named tuples: the signature of the class has them."""
    return True if str(getattr(obj, "__doc__", "")).startswith("Alias for field number") else None


def on_signature(app, what, name, obj, options, signature, returned):
    """The signature as a reader understands it, see above."""
    if what == "class" and ANYTHING.fullmatch(signature or ""):
        return "", returned
    signature = OPTION.sub(r"\1", signature or "").replace(ARRAY_LIKE, "ArrayLike")
    return MODULE.sub("", signature.replace("<factory>", "...")), returned and MODULE.sub("", returned)


def setup(app):
    """Connect to autodoc."""
    app.connect("autodoc-process-docstring", on_docstring)
    app.connect("autodoc-process-signature", on_signature)
    app.connect("autodoc-skip-member", on_skip)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
