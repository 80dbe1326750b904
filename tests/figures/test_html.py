"""Figures as HTML with embedded files, which the book moves into files; tables of pandas that sort in a browser."""

import base64
import importlib.util
import io
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from IPython.core.formatters import DisplayFormatter
from PIL import Image

from paperlib.figures import html, styling
from paperlib.figures.theme import Figure

BOOK = Path(__file__).parents[2] / "book"
DATA = pd.DataFrame({"date": pd.to_datetime(["2018-02-15", "2018-03-15"]), "f1": [0.123456789, 1.0]})


def load(path: Path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


downloads = load(BOOK / "_ext" / "downloads.py")


@pytest.fixture
def figure() -> Figure:
    figure = Figure((4, 2))
    figure.subplots().plot([0, 1])
    return figure.describe('Line: "F1" rises & stays < 1.', DATA)


def contents(html: str) -> dict[str, bytes]:
    found = re.findall(r'href="data:[\w/+]+;base64,([\w+/=]+)" download="figure\.(\w+)"', html)
    return {kind: base64.b64decode(text) for text, kind in found}


# -- figures -----------------------------------------------------------------------------------------------------------


def test_a_notebook_shows_picture_words_and_files(figure):
    html = figure._repr_html_()
    assert 'alt="Line: &quot;F1&quot; rises &amp; stays &lt; 1."' in html
    files = contents(html)
    assert Image.open(io.BytesIO(files["png"])).size == (400, 200)
    assert files["svg"].startswith(b"<?xml") and b"F1&quot; rises" in files["svg"].replace(b'"', b"&quot;")
    assert pd.read_csv(io.BytesIO(files["csv"])).to_dict("list") == {
        "date": ["2018-02-15", "2018-03-15"],
        "f1": [0.12346, 1.0],
    }
    shown = re.search(r'src="data:image/webp;base64,([\w+/=]+)"', html)[1]
    pictures = [Image.open(io.BytesIO(one)).convert("RGB") for one in (base64.b64decode(shown), files["png"])]
    assert np.array_equal(*pictures)
    assert figure._repr_html_() == html  # the same figure is the same files


def test_a_notebook_draws_a_figure_once(figure, monkeypatch):
    drawn, draw = [], Figure.to_bytes
    monkeypatch.setattr(Figure, "to_bytes", lambda self, kind: (drawn.append(kind), draw(self, kind))[1])
    shown, _ = DisplayFormatter().format(figure)
    assert sorted(drawn) == ["png", "svg"] and shown["image/png"].startswith(b"\x89PNG")
    assert shown["text/html"] == figure._repr_html_()


def test_a_diagram_has_words_without_a_table_and_a_bare_figure_is_a_picture():
    figure = Figure((4, 2))
    assert figure._repr_html_() is None and figure._repr_png_().startswith(b"\x89PNG")
    assert set(contents(figure.describe("Boxes and arrows.")._repr_html_())) == {"png", "svg"}


def test_a_heavy_picture_is_shown_with_loss_and_kept_without():
    noise = np.random.default_rng(0).integers(0, 256, (400, 600, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).save(buffer, "png")
    png = buffer.getvalue()
    assert len(base64.b64decode(html.webp_uri(png).split(",")[1])) < len(png) / 2
    assert contents(html.figure_html(png, b"<svg/>", "Noise.", None, 600))["png"] == png


def test_a_heavy_picture_of_few_colours_is_shown_without_loss_where_that_is_smaller():
    dots = np.random.default_rng(0).random((1600, 1600, 1)) < 0.5
    buffer = io.BytesIO()
    Image.fromarray(np.repeat(255 * dots.astype(np.uint8), 3, axis=2)).save(buffer, "png")
    shown = base64.b64decode(html.webp_uri(buffer.getvalue()).split(",")[1])
    assert len(shown) > html.HEAVY
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(shown)).convert("RGB"))[..., :1] > 0, dots)


def test_a_table_keeps_named_indices_and_joins_headings():
    columns = pd.MultiIndex.from_tuples([("test", "paper"), ("test", "ours")])
    frame = pd.DataFrame([[1, 2.0]], pd.Index(["Water"], name="class"), columns)
    assert html.csv_bytes(frame) == b"class,test paper,test ours\nWater,1,2\n"


def test_a_page_holds_links_to_files_instead(figure, tmp_path):
    html = figure._repr_html_()
    body = downloads.lighten(f"<p>{html}</p><p>{html}</p>", "how/own", tmp_path)
    assert "base64" not in body and 'src="../_figures/how-own-figure-2.webp"' in body
    assert 'download="how-own-figure-1.csv"' in body
    for kind, content in contents(html).items():
        assert (tmp_path / f"how-own-figure-2.{kind}").read_bytes() == content
    assert body.count('<a class="enlarge" href="../_figures/how-own-figure-2.svg"') == 1
    assert downloads.lighten("<p>other</p>", "a", tmp_path) == "<p>other</p>"


# -- tables ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def show(browser, tmp_path):
    """A page as the book makes it that holds these tables."""
    contexts = []

    def shown(*made):
        html = "".join(f'<div class="output text_html">{one}</div>' for one in made)
        style, script = BOOK / "_static" / "book.css", BOOK / "_static" / "tables.js"
        path = tmp_path / "3-6.html"
        path.write_text(
            f'<!doctype html><html lang="en"><meta charset="utf-8"><link rel="stylesheet" href="{style.as_uri()}">'
            f'<script src="{script.as_uri()}"></script><body><article class="bd-article">{html}</article></body></html>'
        )
        contexts.append(browser.new_context())
        page = contexts[-1].new_page()
        page.goto(path.as_uri())
        return page

    yield shown
    for context in contexts:
        context.close()


def column(page, place: int) -> list[str]:
    return [row.locator("th, td").nth(place).inner_text() for row in page.locator("tbody tr").all()]


def test_numbers_sort_as_numbers_and_what_is_missing_comes_last(show):
    values = ["9", "1,200", "–", "-3.5", "1e2", "0.89 ± 0.01"]
    page = show(styling.style(pd.DataFrame({"name": list("abcdef"), "pixels": values})).to_html())
    heading = page.get_by_role("columnheader", name="pixels")
    button = heading.get_by_role("button")
    button.click()
    assert column(page, 1) == ["-3.5", "0.89 ± 0.01", "9", "1e2", "1,200", "–"]
    assert heading.get_attribute("aria-sort") == "ascending"
    assert page.get_by_role("status").inner_text() == "Sorted by pixels, ascending."
    button.press("Enter")
    assert column(page, 1) == ["1,200", "1e2", "9", "0.89 ± 0.01", "-3.5", "–"]
    button.press("Space")
    assert column(page, 1) == values and heading.get_attribute("aria-sort") == "none"
    page.get_by_role("columnheader", name="name").get_by_role("button").click()
    assert heading.get_attribute("aria-sort") == "none"


def test_a_plain_frame_sorts_by_its_index_and_keeps_the_total_at_the_foot(show):
    frame = pd.DataFrame({"pixels": [5, 30, 12]}, pd.Index(["Water", "Built up", "Total"], name="class"))
    page = show(frame.to_html())
    page.get_by_role("button", name="class").click()
    assert column(page, 0) == ["Built up", "Water", "Total"] and column(page, 1) == ["30", "5", "12"]


PARTS = pd.DataFrame(
    {("TempCNN", "paper"): [0.9, 0.8, 0.85, 0.1, 0.2, 0.15], ("TempCNN", "ours"): [0.5, 0.7, 0.6, 0.9, 0.3, 0.6]},
    pd.MultiIndex.from_product([["Validation F1", "Test F1"], ["Built up", "Water", "Mean"]]),
)


def test_parts_under_one_heading_are_sorted_among_themselves(show):
    page = show(styling.style(PARTS).to_html())
    button = page.get_by_role("button", name="paper")
    for _ in range(2):
        button.click()
        rows = page.locator("tbody tr").all_inner_texts()
        assert ["Validation F1" in row for row in rows] == [True, *[False] * 5]
        assert ["Test F1" in row for row in rows] == [False] * 3 + [True, False, False]
        assert [row.split("\t")[-2] for row in rows[2::3]] == ["0.850", "0.150"]  # the means
    assert [row.split("\t")[-2] for row in rows] == ["0.900", "0.800", "0.850", "0.200", "0.100", "0.150"]
    button.click()
    assert page.locator("tbody tr").all_inner_texts()[0].split("\t")[1:] == ["Built up", "0.900", "0.500"]


@pytest.mark.parametrize("first_sort", [False, True])
def test_the_saved_table_is_the_table_shown(show, first_sort):
    page = show(styling.style(PARTS).to_html(), pd.DataFrame({"a, b": ["1,200", "–"]}).to_html(index=False))
    if first_sort:
        page.get_by_role("button", name="ours").click()
    frames = []
    for button in page.get_by_role("button", name="CSV").all():
        with page.expect_download() as arrived:
            button.click()
        frames.append((arrived.value.suggested_filename, pd.read_csv(arrived.value.path(), skip_blank_lines=False)))
    assert [name for name, _ in frames] == ["3-6-table-1.csv", "3-6-table-2.csv"]
    first = frames[0][1]
    assert list(first.columns[2:]) == ["TempCNN paper", "TempCNN ours"]
    assert list(first.iloc[:, 0]) == ["Validation F1"] * 3 + ["Test F1"] * 3
    expected = PARTS.iloc[[0, 1, 2, 4, 3, 5]] if first_sort else PARTS
    assert np.allclose(first.iloc[:, 2:], expected)
    assert frames[1][1]["a, b"].tolist()[0] == 1200 and frames[1][1]["a, b"].isna().tolist() == [False, True]


def test_a_wide_table_scrolls_by_keyboard(show):
    page = show(pd.DataFrame(np.zeros((3, 60), int), columns=[f"column {n}" for n in range(60)]).to_html())
    frame = page.locator(".table-scroll")
    assert frame.get_attribute("tabindex") == "0" and frame.get_attribute("role") == "region"
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280


def test_a_table_without_rows_is_shown():
    table = pd.DataFrame({"first": pd.Series(dtype=str), "difference": pd.Series(dtype=float)})
    assert "difference" in styling.style(table).to_html()
