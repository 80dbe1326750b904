"""What stands in a built page: its places, its links, and what a browser loads with it."""

import re
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

#: Attributes by which an element makes a browser load something.
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
    """Places (`ids`), addresses of links (`links`) and of what is loaded (`loads`) of a page."""

    def __init__(self, text: str):
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.loads: list[str] = []
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Note what an element is called, links to and loads."""
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
        """Note what styles and scripts inside the page load."""
        if self._inside == "style":
            self.loads += loads_of_style(data)
        elif self._inside == "script":
            self.loads += IN_SCRIPT.findall(data)

    def handle_endtag(self, tag: str) -> None:
        """The end of a style or script."""
        self._inside = ""


@cache
def read(path: Path, changed: float) -> Page:
    """A built page; `changed` is the time of its last change."""
    return Page(path.read_text(encoding="utf-8"))


def page(path: Path) -> Page:
    """A built page, parsed once."""
    return read(path, path.stat().st_mtime)


def loads_of_style(text: str) -> list[str]:
    """Addresses that a piece of CSS loads."""
    return [first or second for first, second in IN_STYLE.findall(text)]


def local(address: str, of: Path) -> Path | None:
    """The file beside the page `of` that an address means; None where it is elsewhere or inside the page."""
    parts = urlsplit(address)
    if parts.scheme or parts.netloc or not parts.path:
        return None
    return (of.parent / unquote(parts.path)).resolve()
