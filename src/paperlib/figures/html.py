"""A figure as HTML for notebooks and pages: the picture, its alternative text, and links that save it.

All files are data URIs, so that the HTML works in any notebook. The book moves them into files beside the page
(book/_ext/downloads.py), which keeps its pages small.
"""

import base64
import io
from html import escape

import pandas as pd
from PIL import Image

#: Media type by kind of file.
KINDS = {"png": "image/png", "svg": "image/svg+xml", "csv": "text/csv", "webp": "image/webp"}

#: Bytes above which a picture is compressed with loss where that is smaller: images of a scene then weigh a fifth.
HEAVY = 130_000

CARD = "max-width: 100%; height: auto; background: #fff; padding: 0.5em; border-radius: 6px; box-sizing: border-box"


def figure_html(png: bytes, svg: bytes, alt: str, data: pd.DataFrame | None, width: int) -> str:
    """The picture on a white card, legible on a dark page too, above links that save it as SVG or PNG and its data as CSV.

    Parameters
    ----------
    png, svg: content of the figure's files.
    alt: alternative text.
    data: table of what is drawn; None for a diagram.
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
    """Data URI of a PNG as WebP, at a third to two thirds of its bytes; with loss only where it is larger than `HEAVY`."""
    image, buffer = Image.open(io.BytesIO(png)).convert("RGB"), io.BytesIO()
    image.save(buffer, "webp", lossless=True)
    if buffer.tell() <= HEAVY:
        return data_uri("webp", buffer.getvalue())
    lossy = io.BytesIO()
    image.save(lossy, "webp", quality=88, method=6)
    return data_uri("webp", min(buffer.getvalue(), lossy.getvalue(), key=len))


def data_uri(kind: str, content: bytes) -> str:
    """Data URI of a file of one of `KINDS`."""
    return f"data:{KINDS[kind]};base64,{base64.b64encode(content).decode()}"


def csv_bytes(data: pd.DataFrame) -> bytes:
    """A table as CSV, without an unnamed index and with a header of several rows joined into one."""
    has_index = any(name is not None for name in data.index.names)
    flat = data.reset_index() if has_index else data
    if flat.columns.nlevels > 1:
        flat = flat.set_axis([" ".join(map(str, filter(None, name))) for name in flat.columns], axis=1)
    return flat.to_csv(index=False, float_format="%.5g", date_format="%Y-%m-%d").encode()
