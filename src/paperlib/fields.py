"""Fields of settings: their type and range are declared where they are defined, and checked here alone."""

import dataclasses
import datetime
import math
import numbers
import reprlib
import types
import typing
from typing import Any

from .errors import InputError

#: How an error names a type.
TYPES = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}


def bounded(default: Any, low: float = -math.inf, high: float = math.inf, *, above: bool = False) -> Any:
    """A numeric field from `low` to `high`; `above`: greater than `low`, not equal to it."""
    return dataclasses.field(default=default, metadata={"low": low, "high": high, "above": above})


def chosen(default: str, *choices: str) -> Any:
    """A text field that takes one of `choices`."""
    return dataclasses.field(default=default, metadata={"choices": choices})


def check(values: Any, section: str = "") -> None:
    """Check every field of a frozen dataclass; whole numbers become numbers and lists become tuples where those fit.

    `section` prefixes the names of fields in errors, such as "train". Raises `InputError` (kind "settings.value") for
    a value of another type or outside its range.
    """
    for field in dataclasses.fields(values):
        if not dataclasses.is_dataclass(field.type):
            value = convert(f"{section}.{field.name}".lstrip("."), field, getattr(values, field.name))
            object.__setattr__(values, field.name, value)


def convert(name: str, field: dataclasses.Field, value: Any, parse: bool = False) -> Any:
    """The value of a field. `parse`: a text is read as a number, truth value or list where the field is no text.

    Raises `InputError` as `check` does.
    """
    result = _converted(field.type, value, parse)
    if result is INVALID or not _inside(result, field.metadata):
        choices = field.metadata.get("choices")
        fix = f"Choose {_alternatives(choices)}." if choices else f"Expected: {expected(field)}."
        raise InputError(f"{name} = {reprlib.repr(value)} is not possible.", fix, kind="settings.value")
    return result


def expected(field: dataclasses.Field) -> str:
    """What a field takes, in words: "a whole number from 1 to 100"."""
    low, high = field.metadata.get("low", -math.inf), field.metadata.get("high", math.inf)
    words = _type_in_words(field.type)
    if choices := field.metadata.get("choices"):
        return f"one of {', '.join(filter(None, choices))}"
    if low > -math.inf:
        words += f" above {low:g}" if field.metadata["above"] else f" from {low:g}"
    if high < math.inf:
        words += f" to {high:.10g}" if low > -math.inf else f" up to {high:.10g}"
    return f"{words} or none" if isinstance(field.type, types.UnionType) else words


class _Invalid:
    """Marks a value that no type of a field takes."""


INVALID = _Invalid()


def _converted(kind: Any, value: Any, parse: bool) -> Any:
    """`value` as `kind`, or INVALID."""
    members = typing.get_args(kind)
    if isinstance(kind, types.UnionType):  # X | None
        if value is None or (parse and isinstance(value, str) and value.lower() in ("", "null", "none", "~")):
            return None
        (kind,) = (member for member in members if member is not type(None))
        return _converted(kind, value, parse)
    if typing.get_origin(kind) is tuple:
        items = [item.strip() for item in value.split(",") if item] if parse and isinstance(value, str) else value
        if not isinstance(items, list | tuple):
            return INVALID
        found = tuple(_converted(members[0], item, parse) for item in items)
        return INVALID if INVALID in found else found
    if parse and isinstance(value, str) and kind is not str:
        return _parsed(kind, value)
    if kind is str and isinstance(value, datetime.date):  # YAML reads 2018-07-08 as a date
        return value.isoformat()[:10]
    if kind is int and isinstance(value, numbers.Integral) and not isinstance(value, bool):
        return int(value)
    if kind is float and isinstance(value, numbers.Real) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            return INVALID
    return value if type(value) is kind else INVALID


def _parsed(kind: Any, text: str) -> Any:
    """`text` as a number or a truth value, or INVALID."""
    if kind is bool:
        return {"true": True, "yes": True, "false": False, "no": False}.get(text.strip().lower(), INVALID)
    try:
        return kind(text)
    except ValueError:
        return INVALID


def _inside(value: Any, limits: typing.Mapping[str, Any]) -> bool:
    if value is None:
        return True
    if "choices" in limits:
        return value in limits["choices"]
    several = value if isinstance(value, tuple) else (value,)
    return all(_number_inside(one, limits) for one in several if isinstance(one, float | int))


def _number_inside(number: float, limits: typing.Mapping[str, Any]) -> bool:
    low, high = limits.get("low", -math.inf), limits.get("high", math.inf)
    finite = number not in (math.inf, -math.inf)  # math.isfinite fails on long whole numbers
    return finite and low <= number <= high and not (limits.get("above") and number == low)


def _type_in_words(kind: Any) -> str:
    if isinstance(kind, types.UnionType):
        (kind,) = (member for member in typing.get_args(kind) if member is not type(None))
    if typing.get_origin(kind) is tuple:
        return f"a list, each {_type_in_words(typing.get_args(kind)[0])}"
    return TYPES[kind]


def _alternatives(choices: tuple[str, ...]) -> str:
    choices = tuple(filter(None, choices))  # an empty text stands for "not given"
    return f"{', '.join(choices[:-1])} or {choices[-1]}" if len(choices) > 1 else choices[0]
