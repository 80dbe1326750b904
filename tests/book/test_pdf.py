"""The PDF of the book: pages in order, contents, outline, and links that lead inside it."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "book"))
pypdf = pytest.importorskip("pypdf", reason="pypdf, of the extra `book`, is not installed")
import pdf  # noqa: E402


def test_pages_are_bound_in_order_with_contents_outline_and_inner_links(browser, tmp_path):
    (tmp_path / "how").mkdir()
    (tmp_path / "index.html").write_text(
        "<h1>First</h1><a href='how/b.html#x'>inside</a> <a href='x.csv'>a file</a> <a href='#x'>down</a> "
        "<details class='code-fold'><summary>Code</summary>x = 1</details>"
        "<details class='origins'><summary>Origin</summary></details>"
        "<p class='table-tools'>Save as</p>"
        "<a href='https://example.org/'>outside</a><p id='x' style='break-before: page'>more</p>"
    )
    wide = "<table style='width: 3000px'><tr><td>left</td><td style='text-align:right'>right</td></tr></table>"
    (tmp_path / "tall.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg' width='900' height='3000'/>")
    tall = "<div class='drawing'><img src='../tall.svg'></div>"  # fits one sheet
    (tmp_path / "how" / "b.html").write_text(f"<h1 id='x'>Second</h1>{wide}<a href='#x'>up</a>{tall}")
    target = tmp_path / "book.pdf"
    assert pdf.make(tmp_path, ["index", "how/b"], target, browser) == 4
    reader = pypdf.PdfReader(target)
    outline = [(one.title, reader.get_destination_page_number(one)) for one in reader.outline]
    assert outline == [("Contents", 0), ("First", 1), ("Second", 3)]
    text = [sheet.extract_text() for sheet in reader.pages]
    assert text[0].split() == ["Contents", "First", "2", "Second", "4"]
    assert not {"Code", "Save", "Origin"} & set(text[1].split())  # for screens alone
    assert "more" in text[2] and "left" in text[3] and "right" in text[3]
    right = []
    reader.pages[3].extract_text(
        visitor_text=lambda text, cm, tm, *_: right.append(cm[4] + cm[0] * tm[4]) if "right" in text else None
    )
    assert max(right) < float(reader.pages[3].mediabox.width), "a wide table is cut"
    links = [[link.get_object()["/A"] for link in sheet.get("/Annots", ())] for sheet in reader.pages]
    goals = [
        [reader.get_page_number(one["/D"][0].get_object()) for one in some if one["/S"] == "/GoTo"] for some in links
    ]
    assert goals == [[], [3, 2], [], [3]]  # to the other page; to the same place of this page and of that
    assert [str(one["/URI"]) for some in links for one in some if "/URI" in one] == ["https://example.org/"]


def test_long_code_breaks_and_long_tables_repeat_their_head(browser, tmp_path):
    lines = f"<pre>{'line<br>' * 60}</pre>"
    code = f"<p style='height: 300px'>before</p><div class='highlight' style='break-inside: avoid'>{lines}</div>"
    rows = "<tr><td style='height: 30px'>row</td></tr>" * 60
    head = "<thead><tr><th><button style='position: relative'>Head</button></th></tr></thead>"
    (tmp_path / "long.html").write_text(f"<h1>Long</h1>{code}<table data-sortable>{head}<tbody>{rows}</tbody></table>")
    pdf.print_page(browser, tmp_path / "long.html", tmp_path / "long.pdf")
    text = [sheet.extract_text() for sheet in pypdf.PdfReader(tmp_path / "long.pdf").pages]
    assert "before" in text[0] and "line" in text[0]
    assert sum("row" in sheet for sheet in text) > 1 and all("Head" in sheet for sheet in text if "row" in sheet)
