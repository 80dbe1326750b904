"""Sphinx extension: store what is heavy in files beside the page, and load only scripts that the page uses.

`paperlib.figures.html` embeds the picture and downloads of every figure as data URIs. Notebooks need them, but they
make pages heavy. Here they become files in the folder `_figures`, named after the page and the number of the figure on
it. So do the runs of the map page that are shown when they are chosen.

Jupyter Book loads the setup of Thebe twice on every page, which causes an error in the browser's console; the book runs
no cells in the page, so Thebe is removed. MathJax is loaded only on pages with formulas. The book draws its few icons
by script (see book/vendor/README.md), so the style rules for the theme's 2000 icons are removed.
"""

import base64
import re
from itertools import count
from pathlib import Path

FOLDER = "_figures"
FIGURE = re.compile(r'<div class="drawing">.*?</div>', re.S)
ICONS = re.compile(r'(?:\.fa-[\w-]+:before,?)+\{content:"[^"]*"\}')
PICTURE = re.compile(r"<img [^>]*>")
SVG = re.compile(r'href="([^"]+\.svg)"')
DATA = re.compile(r'(src|href)="data:(?:image|text)/(\w+)[\w+]*;base64,([\w+/=]+)"')
SIGNATURE = re.compile(r'<dt class="sig .*?</dt>', re.S)
CODE = re.compile(r"<pre>.*?</pre>", re.S)
OPTION = re.compile(r"(?<=[\s\[>])--[a-z][\w-]*")
ITEM = re.compile(r"<(/?)d[ld]>")
RUN = re.compile(r'(<script type="application/json" class="webmap-data" data-run="(\w+)" [^>]*)>(.*?)</script>', re.S)


def lighten(body: str, page: str, folder: Path) -> str:
    """Write the data URIs of a page's figures to files in `folder`; return the HTML with links to these files."""
    folder.mkdir(parents=True, exist_ok=True)
    up = "../" * page.count("/")
    number = count(1)

    def as_files(figure: re.Match) -> str:
        name = f"{page.replace('/', '-')}-figure-{next(number)}"

        def as_file(uri: re.Match) -> str:
            file = f"{name}.{uri[2]}"
            (folder / file).write_bytes(base64.b64decode(uri[3]))
            return f'{uri[1]}="{up}{FOLDER}/{file}"'

        return enlarged(DATA.sub(as_file, figure[0]).replace('download="figure.', f'download="{name}.'))

    def as_script(run: re.Match) -> str:
        """A script, since a page opened from disk may not read other files."""
        file = f"{page.replace('/', '-')}-{run[2]}.js"
        (folder / file).write_text(f"webmap.loaded = {run[3]};", encoding="utf-8")
        return f'{run[1]} data-file="{up}{FOLDER}/{file}"></script>'

    return RUN.sub(as_script, FIGURE.sub(as_files, body))


def enlarged(figure: str) -> str:
    """Make the picture of a figure a link to its SVG; `_static/enlarge.js` shows that in a window of the page."""
    file = SVG.search(figure)
    if file is None:
        return figure
    link = f'<a class="enlarge" href="{file[1]}" title="Enlarge this figure">'
    return PICTURE.sub(lambda picture: f"{link}{picture[0]}</a>", figure, count=1)


def mended(body: str) -> str:
    """Mend what accessibility checkers reject: roles in the list of references, whose entries links separate, and lists
    without terms, as Sphinx writes the parameters of a long signature. Options in code are marked, since browsers end lines
    after their hyphens."""
    body = SIGNATURE.sub(
        lambda one: ITEM.sub(lambda tag: "</span>" if tag[1] else '<span class="sig-line">', one[0]), body
    )
    body = CODE.sub(lambda code: OPTION.sub(r'<span class="option">\g<0></span>', code[0]), body)
    return body.replace('<div role="list" class="citation-list">', '<div class="citation-list">').replace(
        ' role="doc-biblioentry"', ""
    )


def on_page(app, pagename, templatename, context, doctree):
    """Change the HTML and scripts of a page just before it is written."""
    if "body" in context:
        context["body"] = lighten(mended(context["body"]), pagename, Path(app.outdir) / FOLDER)
    unused = ["thebe"] if 'class="math' in context.get("body", "") else ["thebe", "mathjax"]
    context["script_files"] = [
        script for script in context["script_files"] if not any(word in _source(script).lower() for word in unused)
    ]


def _source(script) -> str:
    return str(script.filename or "") + script.attributes.get("body", "")


def on_end(app, exception):
    """Remove the style rules of icons from the theme's styles."""
    styles = Path(app.outdir) / "_static" / "styles" / "pydata-sphinx-theme.css"
    if exception is None and styles.exists():
        styles.write_text(ICONS.sub("", styles.read_text()))


def setup(app):
    """Run on HTML pages only, after all other extensions."""
    app.connect("html-page-context", on_page, priority=900)
    app.connect("build-finished", on_end, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
