"""A figure as HTML for a notebook or a page: the picture, what it shows in words, and its files to keep.

The HTML holds everything itself, as data URIs, so that it works in any notebook. The book takes them out into files
beside the page (book/_ext/downloads.py), which keeps its pages light.
"""

import base64
import io
from html import escape

import pandas as pd
from PIL import Image

#: The media type of each kind of file.
KINDS = {"png": "image/png", "svg": "image/svg+xml", "csv": "text/csv", "webp": "image/webp"}

#: Bytes of a picture above which a page shows it with loss: images of a scene, which weigh a fifth of it so.
HEAVY = 200_000

CARD = "max-width: 100%; height: auto; background: #fff; padding: 0.5em; border-radius: 6px; box-sizing: border-box"


def figure_html(png: bytes, svg: bytes, alt: str, data: pd.DataFrame | None, width: int) -> str:
    """The picture on a white card, legible in a dark page too, above links to save it as SVG or PNG and `data` as CSV.

    Parameters
    ----------
    png, svg: the figure in both formats.
    alt: what the figure shows, for those who do not see it.
    data: what is drawn, or nothing for a diagram.
    width: of the picture in pixels of the page.
    """
    files = {"svg": svg, "png": png} | ({} if data is None else {"csv": csv_bytes(data)})
    titles = {"svg": "this figure as SVG", "png": "this figure as PNG", "csv": "the data of this figure as CSV"}
    links = " ".join(
        f'<a href="{data_uri(kind, content)}" download="figure.{kind}" aria-label="{kind.upper()}: save {titles[kind]}">'
        f"{kind.upper()}</a>"
        for kind, content in files.items()
    )
    return (
        f'<div class="drawing"><img src="{webp_uri(png)}" alt="{escape(alt)}" width="{width}" style="{CARD}">'
        f'<p class="drawing-files">Save as {links}</p></div>'
    )


def webp_uri(png: bytes) -> str:
    """What a page shows: the same as WebP, a third to two thirds of the weight; with loss only where that is `HEAVY`."""
    image, buffer = Image.open(io.BytesIO(png)).convert("RGB"), io.BytesIO()
    image.save(buffer, "webp", lossless=True)
    if buffer.tell() > HEAVY:
        buffer = io.BytesIO()
        image.save(buffer, "webp", quality=88, method=6)
    return data_uri("webp", buffer.getvalue())


def data_uri(kind: str, content: bytes) -> str:
    """A data URI of one of `KINDS`."""
    return f"data:{KINDS[kind]};base64,{base64.b64encode(content).decode()}"


def csv_bytes(data: pd.DataFrame) -> bytes:
    """The CSV of a table: an index without a name is left out, a header of several rows is joined into one."""
    named = [name for name in data.index.names if name is not None]
    flat = data.reset_index() if named else data
    if flat.columns.nlevels > 1:
        flat = flat.set_axis([" ".join(map(str, filter(None, name))) for name in flat.columns], axis=1)
    return flat.to_csv(index=False, float_format="%.5g", date_format="%Y-%m-%d").encode()
