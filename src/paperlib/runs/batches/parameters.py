"""Parameters cells of notebooks: which names they set, and which values those take.

A parameter takes values of the type of its annotation, or else of its default: a whole number where a float stands, and
anything where the default is None or computed.
"""

import ast
import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat

from ...errors import InputError

#: Types that an annotation may name; others are not checked.
TYPES: dict[str, type] = {kind.__name__: kind for kind in (str, int, float, bool, list, dict, tuple)}
TYPES["None"] = type(None)


def check_parameters(notebook: Path, parameters: Any) -> None:
    """Check a batch's parameters against the parameters cell of a notebook; a list stands for several values.

    Raises `InputError` for a missing or unreadable notebook, an unknown parameter (papermill would set it without a
    word), or a value of another type.
    """
    if not isinstance(parameters, Mapping):
        problem = f"The parameters of {notebook.name} are {parameters!r}."
        raise InputError(problem, "Write them as `name: value`.", kind="notebook.parameters")
    known = read_parameters(notebook)
    for name, value in parameters.items():
        if name not in known:
            near = difflib.get_close_matches(str(name), known, n=1, cutoff=0)
            raise InputError(
                f"{notebook.name} has no parameter {name!r}; it has {', '.join(known) or 'none'}.",
                f"Did you mean {near[0]!r}?" if near else "", kind="notebook.parameter",
            )  # fmt: skip
        for item in value if isinstance(value, list) else [value]:
            _check_type(notebook, name, item, known[name])


def read_parameters(notebook: Path) -> dict[str, tuple[type, ...]]:
    """Types that each parameter of a notebook takes, by name; none: any type. Raises `InputError` if it cannot be read."""
    if not notebook.is_file():
        problem = f"The notebook {notebook} does not exist."
        raise InputError(problem, "Write its path relative to the batch file.", kind="notebook.missing")
    try:
        cells = nbformat.read(notebook, as_version=4).cells
        texts = [cell.source for cell in cells if "parameters" in cell.metadata.get("tags", [])]
        statements = ast.parse("\n".join(texts[:1])).body  # papermill looks at the first one alone
    except (OSError, ValueError, SyntaxError, AttributeError, nbformat.ValidationError) as error:
        problem = f"The notebook {notebook} cannot be read: {type(error).__name__}: {error}."
        raise InputError(problem, kind="notebook.format") from error
    found: dict[str, tuple[type, ...]] = {}
    for statement in statements:
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            found[statement.target.id] = _annotated(statement.annotation)
        elif isinstance(statement, ast.Assign):
            targets = [target for target in statement.targets if isinstance(target, ast.Name)]
            found |= {target.id: _type_of(statement.value) for target in targets}
    return found


def _annotated(annotation: ast.expr) -> tuple[type, ...]:
    """Types of an annotation such as `str`, `list[int]` or `str | None`; none where it names anything else."""
    if isinstance(annotation, ast.BinOp) and isinstance(annotation.op, ast.BitOr):
        sides = _annotated(annotation.left), _annotated(annotation.right)
        return sides[0] + sides[1] if all(sides) else ()
    if isinstance(annotation, ast.Subscript):
        if ast.unparse(annotation.value).endswith("Optional"):
            inner = _annotated(annotation.slice)
            return (*inner, type(None)) if inner else ()
        return _annotated(annotation.value)
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        return _annotated(ast.parse(annotation.value, mode="eval").body)
    kind = TYPES.get(ast.unparse(annotation))
    return (kind,) if kind else ()


def _type_of(default: ast.expr) -> tuple[type, ...]:
    """The type of a literal default; none for None, and for a default that is computed."""
    try:
        value = ast.literal_eval(default)
    except (ValueError, TypeError, SyntaxError):
        return ()
    return () if value is None else (type(value),)


def _check_type(notebook: Path, name: str, value: Any, kinds: tuple[type, ...]) -> None:
    if not kinds or type(value) in kinds or (type(value) is int and float in kinds):
        return
    if type(value) is list and tuple in kinds:
        return
    wanted = " or ".join("None" if kind is type(None) else kind.__name__ for kind in kinds)
    raise InputError(
        f"{notebook.name}: parameter {name} = {value!r} is of type {type(value).__name__}.",
        f"Expected: {wanted}.", kind="notebook.parameter",
    )  # fmt: skip
