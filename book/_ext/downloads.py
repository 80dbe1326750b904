"""Sphinx extension: what figures carry inside a page becomes files beside it, and pages load only what they use.

`paperlib.figures.html` gives every figure its picture and downloads as data URIs, which a notebook needs and a page
should not weigh. Here they become files in the folder `_figures`, named after the page and the place of the figure on it.

Jupyter Book loads Thebe's setup on every page, twice, which is an error in the browser's console; the book runs no cells
in the page. MathJax comes where there are formulas. Of the theme's 2000 icons the book draws its few by script (see
book/vendor/README.md), so that the rules for all go.
"""

import base64
import re
from itertools import count
from pathlib import Path

FOLDER = "_figures"
FIGURE = re.compile(r'<div class="drawing">.*?</div>', re.S)
ICONS = re.compile(r'(?:\.fa-[\w-]+:before,?)+\{content:"[^"]*"\}')
DATA = re.compile(r'(src|href)="data:(?:image|text)/(\w+)[\w+]*;base64,([\w+/=]+)"')


def lighten(body: str, page: str, folder: Path) -> str:
    """The HTML of a page with the data URIs of its figures written to files in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    up = "../" * page.count("/")
    number = count(1)

    def as_files(figure: re.Match) -> str:
        name = f"{page.replace('/', '-')}-figure-{next(number)}"

        def as_file(found: re.Match) -> str:
            file = f"{name}.{found[2]}"
            (folder / file).write_bytes(base64.b64decode(found[3]))
            return f'{found[1]}="{up}{FOLDER}/{file}"'

        return DATA.sub(as_file, figure[0]).replace('download="figure.', f'download="{name}.')

    return FIGURE.sub(as_files, body)


def mended(body: str) -> str:
    """The list of references without roles that checkers of accessibility call wrong: its entries stand between links."""
    return body.replace('<div role="list" class="citation-list">', '<div class="citation-list">').replace(
        ' role="doc-biblioentry"', ""
    )


def on_page(app, pagename, templatename, context, doctree):
    """Change what a page is made of, just before it is written."""
    if "body" in context:
        context["body"] = lighten(mended(context["body"]), pagename, Path(app.outdir) / FOLDER)
    unused = ["thebe"] if 'class="math' in context.get("body", "") else ["thebe", "mathjax"]
    context["script_files"] = [
        script for script in context["script_files"] if not any(word in _source(script).lower() for word in unused)
    ]


def _source(script) -> str:
    return str(script.filename or "") + script.attributes.get("body", "")


def on_end(app, exception):
    """Take the rules of icons that are drawn otherwise out of the theme's styles."""
    styles = Path(app.outdir) / "_static" / "styles" / "pydata-sphinx-theme.css"
    if exception is None and styles.exists():
        styles.write_text(ICONS.sub("", styles.read_text()))


def setup(app):
    """Work on HTML pages alone, after every other extension."""
    app.connect("html-page-context", on_page, priority=900)
    app.connect("build-finished", on_end, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
