"""What people label by: pages of cards with pictures."""

from collections.abc import Iterable
from html import escape
from pathlib import Path

from ..figures.html import webp_uri
from ..figures.theme import Figure
from ..outputs import writing

STYLE = """
body { font: 11pt/1.5 "DejaVu Sans", Arial, sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em; color: #222; }
section { border-top: 1px solid #bbb; margin-top: 1.5em; } h2 { font-size: 1.1em; } img { max-width: 100%; height: auto; }
@media print { section { break-inside: avoid; } }
"""


def write_page(path: Path, title: str, words: Iterable[str], cards: Iterable[tuple[str, str, Figure]]) -> None:
    """Write a self-contained HTML page: a title, paragraphs, and cards with a heading, a text and a picture each."""
    body = [f"<h1>{escape(title)}</h1>", *(f"<p>{escape(text)}</p>" for text in words)]
    for heading, text, figure in cards:
        picture = f'<img src="{webp_uri(figure.to_bytes("png"))}" alt="{escape(figure.alt)}">'
        body.append(f"<section><h2>{escape(heading)}</h2><p>{escape(text)}</p>{picture}</section>")
    head = (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head><body>'
    )
    with writing(path) as part:
        part.write_text(head + "\n".join(body) + "</body></html>\n", encoding="utf-8")
