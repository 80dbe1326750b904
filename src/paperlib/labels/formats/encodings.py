"""Encodings of texts in shapefiles and CSV files, by their bytes: what a file says of itself is often wrong."""

import re
import warnings

from ...errors import InputError, InputWarning

#: The mark of the encoding in a DBF file (byte 29), where it is one of Windows or DOS.
MARKS = {0x01: "cp437", 0x02: "cp850", 0x03: "cp1252", 0x57: "cp1252", 0x64: "cp852", 0x65: "cp866", 0x4D: "cp936"}
MARKS |= {0xC8: "cp1250", 0xC9: "cp1251", 0xCA: "cp1254", 0xCB: "cp1253"}
#: Characters of names in Western European languages beyond ASCII; others in such a text are a sign of a wrong encoding.
USUAL = frozenset(map(chr, range(0xC0, 0x100))) - frozenset("×÷") | frozenset("ŒœŠšŽžŸßªº°²³·–—‘’“”«»…§€µ±")

#: The same of Central European languages.
CENTRAL = frozenset("ĄąĆćĘęŁłŃńÓóŚśŹźŻżÁáČčĎďÉéĚěÍíŇňŘřŠšŤťÚúŮůÝýŽžÖöÜüŐőŰűÄäĽľĹĺŔŕÔôĂăÂâÎîŞşŢţÇçĐđËëß°–—‘’“”„§")


def choose_encoding(content: bytes, said: str, where: str, asked: str = "") -> str:
    """The encoding of the texts in `content`.

    Parameters
    ----------
    content: bytes of the texts, and of what ASCII is beside them.
    said: encoding that the file states, empty where it states none.
    where: the file, in messages.
    asked: encoding that the user asks for, which counts.

    Bytes that are valid UTF-8 are UTF-8, whatever the file says. Else it is the stated encoding, and without one
    Windows-1252 or, where only these give letters, DOS 850 or Windows-1250, with an `InputWarning`. Raises `InputError`
    for an unknown encoding, one that cannot be, and texts that none of these can be.
    """
    if asked:
        return _tried(content, asked, where)
    if content.isascii():
        return "utf-8"
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    if _decodes(content, "utf-8"):
        if said and not _same(said, "utf-8"):
            _warn(where, f"it states {said}, but its texts are UTF-8")
        return "utf-8"
    if said and not _same(said, "utf-8") and _decodes(content, said):
        return said
    stated = f"it states {said}, but its texts are not" if said else "it states no encoding"
    for encoding, letters in (("cp1252", USUAL), ("cp850", USUAL), ("cp1250", CENTRAL)):
        if _decodes(content, encoding) and _odd(content, encoding) <= letters and not _all_odd(content, encoding):
            problem = f"{stated}; its texts are read as {encoding}, like {_example(content, encoding)!r}"
            _warn(where, problem + _alternatives(content, encoding))
            return encoding
    word = _example(content, "cp1252")
    raise InputError(
        f"{where}: {stated}, and neither UTF-8 nor Windows-1252 fits: cp1252 makes {word!r} of a name"
        f"{_alternatives(content, 'cp1252')}.",
        "Give the encoding with --encoding, such as cp850 or cp1251, or write its name into a .cpg file beside the .dbf.",
        kind="labels.encoding",
    )


def _alternatives(content: bytes, taken: str) -> str:
    """What other encodings make of the first word that is not ASCII, as a part of a message."""
    word = _example(content, taken).encode(taken, "replace")
    others = [
        name for name in ("cp1250", "cp1251", "cp1253", "cp1254", "cp1257") if name != taken and _decodes(word, name)
    ]
    words = {name: word.decode(name) for name in others}
    shown = [
        f"{name} makes {text!r}"
        for name, text in words.items()
        if text.isalpha() and text != word.decode(taken, "replace")
    ]
    return f" ({', '.join(shown)})" if shown else ""


def _tried(content: bytes, encoding: str, where: str) -> str:
    try:
        content.decode(encoding)
    except (LookupError, UnicodeDecodeError) as error:
        unknown = isinstance(error, LookupError)
        raise InputError(
            f"{where}: {encoding!r} {'is no known encoding' if unknown else 'cannot be the encoding of its texts'}.",
            "Give another one with --encoding, such as utf-8, cp1252 or cp850.",
            kind="labels.encoding",
        ) from error
    return encoding


def _decodes(content: bytes, encoding: str) -> bool:
    try:
        content.decode(encoding)
    except (LookupError, UnicodeDecodeError):
        return False
    return True


def _same(one: str, other: str) -> bool:
    return one.lower().replace("-", "").replace("_", "") == other.replace("-", "")


def _odd(content: bytes, encoding: str) -> set[str]:
    return {character for character in content.decode(encoding) if not character.isascii()}


def _all_odd(content: bytes, encoding: str) -> bool:
    """Whether words have hardly a letter of ASCII: these are of another script, read wrongly."""
    words = [word for word in re.findall(r"[^\W\d_]+", content.decode(encoding)) if not word.isascii()]
    odd = sum(not letter.isascii() for word in words for letter in word)
    return odd > 0.7 * sum(map(len, words))


def known_name(stated: str) -> str:
    """The encoding that the text of a .cpg file names, as Python calls it: "1252", "ANSI 1252", "88591", "UTF-8"."""
    number = re.search(r"\d{3,}", stated)
    if not number or stated.lower().replace("-", "").startswith(("utf", "iso")):
        return stated
    digits = number[0]
    return f"iso8859-{digits[4:]}" if digits.startswith("8859") else "utf-8" if digits == "65001" else f"cp{digits}"


def restored(text: str) -> str:
    """A text that is UTF-8 read as Windows-1252 or Latin-1, such as "ForÃªt", as it was; any other as it is."""
    for encoding in ("cp1252", "latin-1"):
        try:
            return text.encode(encoding).decode("utf-8")
        except UnicodeError:
            continue
    return text


def _example(content: bytes, encoding: str) -> str:
    """The first word that is not ASCII."""
    words = re.findall(r"[^\W\d_]\S*", content.decode(encoding, errors="replace"))
    return next((word[:30] for word in words if not word.isascii()), "")


def _warn(where: str, problem: str) -> None:
    warning = InputWarning(
        f"{where}: {problem}.", "If that is wrong, give the encoding with --encoding.", kind="labels.encoding"
    )
    warnings.warn(warning, stacklevel=2)
