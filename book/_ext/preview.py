"""Sphinx extension: what a link to the book shows elsewhere: title, first sentences and a picture (Open Graph protocol).

The picture is the first one of the landing page. It needs a public address: `html_baseurl`, or that of GitHub Pages for a
build on GitHub; without one, pages have title and text alone.
"""

import os
from html import escape
from pathlib import Path

from bs4 import BeautifulSoup
from docutils import nodes
from PIL import Image, ImageOps

SIZE = 1200, 630  # pixels; what the protocol's readers expect
PICTURE = "_static/preview.png"
LONGEST = 200  # characters of a description


def site(app) -> str:
    """Public address of the book, with a slash at its end; empty where it is not known."""
    owner, _, name = os.environ.get("GITHUB_REPOSITORY", "").partition("/")
    address = app.config.html_baseurl or (f"https://{owner}.github.io/{name}" if name else "")
    return address and address.rstrip("/") + "/"


def tags(title: str, text: str, address: str) -> str:
    """Elements of a page's head; `address`: of the book, or empty."""
    shown = {"og:type": "article", "og:title": title, "og:description": text}
    shown |= {"og:image": address + PICTURE, "og:image:alt": "The first picture of the book"} if address else {}
    return "\n".join(f'<meta property="{name}" content="{escape(value)}" />' for name, value in shown.items())


def describe(app, page: str, template: str, context: dict, document: nodes.document | None) -> None:
    """Add the elements to a page that has a paragraph."""
    text = next((" ".join(one.astext().split()) for one in document.findall(nodes.paragraph)), "") if document else ""
    if text:
        short = text if len(text) <= LONGEST else text[: LONGEST - 1].rpartition(" ")[0] + "…"
        context["metatags"] = context.get("metatags", "") + tags(context.get("title", ""), short, site(app))


def paint(app, error: Exception | None) -> None:
    """Write the picture, from the first one of the landing page that is wide enough."""
    if error or app.builder.name != "html" or not site(app):
        return
    folder = Path(app.outdir)
    landing = BeautifulSoup((folder / "index.html").read_text(encoding="utf-8"), "html.parser")
    for picture in (folder / one["src"] for one in landing.select("article img[src]")):
        if picture.suffix == ".png" and picture.is_file():
            with Image.open(picture) as image:
                flat = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA"))
            ImageOps.pad(flat.convert("RGB"), SIZE, color="white").save(folder / PICTURE)
            return


def setup(app):
    """Register both steps."""
    app.connect("html-page-context", describe)
    app.connect("build-finished", paint)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
