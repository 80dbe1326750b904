"""Parse a built page: its anchors, its links, and the files that a browser loads with it."""

import re
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

#: Attributes of elements that make a browser load a file.
LOADING = {
    "script": ["src"], "img": ["src", "srcset"], "iframe": ["src"], "source": ["src", "srcset"], "video": ["src", "poster"],
    "audio": ["src"], "embed": ["src"], "object": ["data"], "track": ["src"], "image": ["href", "xlink:href"],
}  # fmt: skip
LINKS_THAT_LOAD = {
    "stylesheet",
    "icon",
    "preload",
    "prefetch",
    "modulepreload",
    "preconnect",
    "dns-prefetch",
    "manifest",
}
IN_STYLE = re.compile(r"url\(\s*['\"]?([^'\")]+)|@import\s+['\"]([^'\"]+)")
IN_SCRIPT = re.compile(
    r"(?:fetch|import|importScripts|open|Worker|EventSource|WebSocket)\(\s*['\"`]((?:\w+:)?//[^'\"`]+)"
)


class Page(HTMLParser):
    """Anchors (`ids`), addresses of links (`links`) and addresses of loaded files (`loads`) of a page."""

    def __init__(self, text: str):
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.loads: list[str] = []
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Collect the anchor, link and loaded files of an element."""
        values = {name: value or "" for name, value in attributes}
        self._inside = tag
        self.ids |= {values[name] for name in ("id", "name") if name in values}
        if tag in ("a", "area") and "href" in values:
            self.links.append(values["href"])
        if tag == "link" and set(values.get("rel", "").lower().split()) & LINKS_THAT_LOAD:
            self.loads.append(values.get("href", ""))
        for name in LOADING.get(tag, []):
            parts = values.get(name, "").split(",") if name == "srcset" else [values.get(name, "")]
            self.loads += [part.split()[0] if name == "srcset" else part for part in parts if part.strip()]
        self.loads += loads_of_style(values.get("style", ""))

    def handle_data(self, data: str) -> None:
        """Collect the files that inline styles and scripts load."""
        if self._inside == "style":
            self.loads += loads_of_style(data)
        elif self._inside == "script":
            self.loads += IN_SCRIPT.findall(data)

    def handle_endtag(self, tag: str) -> None:
        """Mark the end of an inline style or script."""
        self._inside = ""


@cache
def read(path: Path, changed: float) -> Page:
    """Parse a built page; `changed` is the time of its last change, the key of the cache."""
    return Page(path.read_text(encoding="utf-8"))


def page(path: Path) -> Page:
    """A built page, parsed once for each version of the file."""
    return read(path, path.stat().st_mtime)


def loads_of_style(text: str) -> list[str]:
    """Addresses that a string of CSS loads."""
    return [first or second for first, second in IN_STYLE.findall(text)]


def local(address: str, of: Path) -> Path | None:
    """The local file to which an address in the page `of` refers; None for other hosts and for anchors of the same page."""
    parts = urlsplit(address)
    if parts.scheme or parts.netloc or not parts.path:
        return None
    return (of.parent / unquote(parts.path)).resolve()
