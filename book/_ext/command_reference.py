"""The reference of the command line, as Markdown: usage, help and options of every command, as `paperlib --help` has them.

Options that override settings are the same in many commands, so they are described once, at the end.
"""

import inspect
import re
from typing import Any

import typer
from docstrings import escape, with_definitions

from paperlib.__main__ import cli
from paperlib.commands import options

#: Flags of the options that override settings, with those of a file and of single values.
SHARED = {"--set", "--settings"} | {
    f"--{name.rpartition('.')[2].replace('_', '-')}" for name in options.SETTING_OPTIONS
}
LIST = re.compile(r"(?<=<)list\[(\w+)\](?=>)")  # the text says that it is repeatable
ADDRESS = re.compile(r"\btcp://[A-Z:]+")  # no link
BLOCK = "```{{eval-rst}}\n{}\n```"


def commands(module: str) -> str:
    """The commands that a module defines, each with a heading of the third level."""
    return "\n\n".join(_command(one) for one in _all() if one.callback.__module__ == module)


def shared_options() -> str:
    """The options that override settings."""
    having = next(filter(_takes_settings, _all()))
    found = [one for one in having.params if SHARED.intersection(one.opts)]
    text = "Where a command says so, it takes these options too. `paperlib settings` lists all settings."
    return f"## Options that override settings\n\n{text}\n\n{BLOCK.format(_list(found, typer.Context(having)))}"


def _all() -> list[Any]:
    """The commands as click has them, of which typer has a copy of its own."""
    return list(typer.main.get_command(cli).commands.values())


def _takes_settings(command: Any) -> bool:
    return {flag for one in command.params for flag in one.opts} >= SHARED


def _command(command: Any) -> str:
    context = typer.Context(command, info_name=f"paperlib {command.name}")
    usage = " ".join([context.info_name, *command.collect_usage_pieces(context)])
    lines = [escape(line) for line in with_definitions(inspect.cleandoc(command.help).splitlines())]
    shared = SHARED if _takes_settings(command) else set()
    own = [one for one in command.params if not shared.intersection(one.opts)]
    parts = [f".. code-block:: text\n\n    {usage}", "\n".join(lines), _list(own, context)]
    if shared:
        parts.append("Takes the options that override settings, see the end of this page.")
    return f"### paperlib {command.name}\n\n" + BLOCK.format("\n\n".join(parts))


def _list(parameters: list[Any], context: typer.Context) -> str:
    """Parameters as a definition list: how each is written, and what its help says."""
    lines = []
    for term, text in filter(None, (one.get_help_record(context) for one in parameters)):
        lines.append(f"`{LIST.sub(lambda kind: kind[1].lower(), term)}`")
        lines.append(f"    {escape(ADDRESS.sub(lambda address: f'`{address[0]}`', ' '.join(text.split())))}")
    return "\n".join(lines)
