"""Sphinx extension: show thumbnails of all figures on the page `gallery`, each linked to its place in the book."""

from concurrent.futures import ThreadPoolExecutor
from html import escape
from pathlib import Path

from bs4 import BeautifulSoup, SoupStrainer, Tag
from PIL import Image
from slots import fill

PAGE, FOLDER = "gallery", "_gallery"
WIDTH = 360  # pixels of a thumbnail; shown at half this size, for high-resolution screens
STYLE = (
    "<style>.gallery{display:grid;grid-template-columns:repeat(auto-fill,minmax(11rem,1fr));gap:1rem;padding:0;"
    "list-style:none}.gallery img{width:100%;height:9rem;object-fit:contain;background:#fff;"
    "border-radius:6px}.gallery a{display:block;font-size:.85em;line-height:1.3}</style>"
)


def thumbnails(html: Path, names: list[str]) -> str:
    """Make thumbnails of all figures of the pages `names` in the folder `html`; return the HTML list of links."""
    (html / FOLDER).mkdir(exist_ok=True)
    items, pictures = [], {}
    for name in names:
        text = (html / f"{name}.html").read_text(encoding="utf-8")
        if "cell_output" not in text:  # parsing a page takes a tenth of a second
            continue
        soup = BeautifulSoup(text, "html.parser", parse_only=SoupStrainer("article"))
        for number, picture in enumerate(soup.select(".cell_output img")):
            source = (html / name).parent / picture.get("src", "")
            if source.suffix in (".png", ".webp") and source.is_file():
                small = html / FOLDER / f"{name.replace('/', '-')}-{number}.webp"
                pictures[small] = source
                items.append(_item(name, picture, f"{FOLDER}/{small.name}"))
    with ThreadPoolExecutor() as pool:  # libraries of images let other threads run
        list(pool.map(_shrink, pictures.values(), pictures))
    return f'{STYLE}<ul class="gallery">{"".join(items)}</ul>'


def _shrink(source: Path, target: Path) -> None:
    with Image.open(source) as picture:
        picture.thumbnail((WIDTH, 4 * WIDTH), Image.Resampling.LANCZOS)
        picture.convert("RGB").save(target, quality=80)


def _item(name: str, picture: Tag, small: str) -> str:
    """A link to the section of a figure, labelled with the headings of the page and the section."""
    section = picture.find_parent("section")
    headings = [picture.find_parent("article").find("h1"), section.find(["h1", "h2", "h3", "h4"])]
    titles = [*dict.fromkeys(_text(heading) for heading in headings)]
    text = picture.get("alt", "")
    alt = titles[-1] if not text or text.endswith(".png") else text  # without a text, Sphinx uses the file name
    return (
        f'<li><a href="{name}.html#{section["id"]}"><img src="{small}" loading="lazy" alt="{escape(alt)}">'
        f"{escape(': '.join(titles))}</a></li>"
    )


def _text(heading: Tag) -> str:
    return "".join(heading.find_all(string=True, recursive=False)).strip()


def on_finish(app, error):
    """Fill the gallery once every page is written."""
    page = Path(app.outdir) / f"{PAGE}.html"
    if error is None and app.builder.name == "html" and page.is_file():
        names = [name for name in app.config.external_site_map if (page.parent / f"{name}.html").is_file()]
        fill(page, PAGE, thumbnails(page.parent, names))


def setup(app):
    """Run after the pages are written."""
    app.connect("build-finished", on_finish)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
