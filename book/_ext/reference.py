"""Sphinx extension: fill the reference page of a package with what the package exports and with each of its modules.

A page in `api` has the line `<!-- package NAME -->`; `paperlib` itself stands for the modules beside the packages.
"""

import importlib
import inspect
import re
from pathlib import Path

import command_reference

SOURCE = Path(__file__).resolve().parents[2] / "src" / "paperlib"
PLACE = re.compile(r"^<!-- package (\w+) -->$", re.MULTILINE)
MODULE = """## {name}

```{{eval-rst}}
.. automodule:: {path}
{members}```
"""


def modules(package: str) -> list[str]:
    """Dotted names, within a package, of its modules and of those in packages inside it."""
    folder = SOURCE if package == "paperlib" else SOURCE / package
    files = folder.glob("*.py") if package == "paperlib" else folder.rglob("*.py")
    names = [".".join(path.relative_to(folder).with_suffix("").parts) for path in files if path.name[:2] != "__"]
    return sorted(names, key=lambda name: (name.count("."), name))


def exported(path: str) -> str:
    """What a package offers for import, each name with a link to where it is documented, as Markdown."""
    package = importlib.import_module(path)
    links = []
    for name in getattr(package, "__all__", []):
        thing = getattr(package, name)
        home = getattr(thing, "__module__", None) or ""
        documented = home.startswith("paperlib.") and (inspect.isclass(thing) or inspect.isfunction(thing))
        links.append(f"{{py:obj}}`{name} <{home}.{thing.__qualname__}>`" if documented else f"`{name}`")
    return f"`from {path} import ...`: {', '.join(links)}." if links else ""


def reference(package: str) -> str:
    """The page of a package below its title, as Markdown."""
    path = package if package == "paperlib" else f"paperlib.{package}"
    parts = [inspect.getdoc(importlib.import_module(path)) or "", exported(path)]
    for name in modules(package):
        written = command_reference.commands(f"{path}.{name}") if package == "commands" else ""
        members = "" if written else "   :members:\n"
        parts += [MODULE.format(name=name, path=f"{path}.{name}", members=members), written]
    if package == "commands":
        parts += [
            "## batch",
            "The command that executes notebooks.",
            command_reference.commands("paperlib.__main__"),
            command_reference.shared_options(),
        ]
    return "\n\n".join(part for part in parts if part)


def on_source_read(app, docname, source):
    """Put the reference in its place."""
    if docname.startswith("api/"):
        source[0] = PLACE.sub(lambda place: reference(place[1]), source[0])


def setup(app):
    """Connect to the reading of pages."""
    app.connect("source-read", on_source_read)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
