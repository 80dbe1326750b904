"""Strategies of hypothesis that spoil what is valid: bytes of a file, parts of a document, single values."""

import copy

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

#: For tests that write a file an example.
generated = settings(
    max_examples=60, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip

#: What people, programs and attackers put where a number or a name is expected.
NUMBERS = ("", "0", "-1", "1e400", "-1e308", "1e-320", "nan", "inf", "-inf", "1_000", "0x10", "1,5", "٣", "9" * 400)
NAMES = (
    "../../etc/passwd",
    "/etc/passwd",
    "file:///etc/passwd",
    "a\0b",
    "x\x1b[2J",
    "{x}",
    "%s",
    "$(id)",
    "é\u202e",
    "NaT",
)
TEXTS = st.one_of(st.sampled_from(NUMBERS + NAMES), st.text(max_size=12))
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 300),
    st.sampled_from([10**30, -(10**400), 2**31, 2**63]),
    st.floats(),
    TEXTS,
)
#: Anything that JSON and YAML can hold.
DOCUMENTS = st.recursive(VALUES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3))


@st.composite
def spoilt_bytes(draw, content: bytes) -> bytes:
    """The content of a file cut, with parts of it lost, doubled or overwritten; or other bytes altogether."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.binary(max_size=200))
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(content)))
        stop = min(len(content), start + draw(st.sampled_from([1, 4, 40, len(content)])))
        part = content[start:stop]
        by = draw(st.sampled_from([b"", part + part, part[::-1], b"\0" * len(part), b"\xff" * len(part)]))
        content = content[:start] + by + content[stop:]
    return content


@st.composite
def spoilt(draw, document, values=DOCUMENTS):
    """A document (lists and dictionaries) with one to three of its parts replaced, lost, or given twice."""
    document = copy.deepcopy(document)
    for _ in range(draw(st.integers(1, 3))):
        places = list(_places(document))
        if not places:
            break
        holder, key = draw(st.sampled_from(places))
        kind = draw(st.sampled_from(["replace", "replace", "lose", "double"]))
        if kind == "replace":
            holder[key] = draw(values)
        elif kind == "lose":
            del holder[key]
        elif isinstance(holder, list):
            holder.insert(key, copy.deepcopy(holder[key]))
        else:
            holder[f"{key} "] = holder[key]
    return document


def _places(document):
    """Holder and key of each part of a document."""
    parts = document.items() if isinstance(document, dict) else enumerate(document)
    for key, value in list(parts):
        yield document, key
        if isinstance(value, dict | list):
            yield from _places(value)
