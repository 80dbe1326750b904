"""The book's own Sphinx extensions write what they are given."""

import importlib
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pandas as pd
import pytest
import typer
import yaml
from bs4 import BeautifulSoup
from docutils import nodes
from docutils.utils import new_document
from PIL import Image

from paperlib import Experiment
from paperlib.__main__ import cli
from paperlib.reproduction.claims import CLAIMS
from paperlib.scenes.windowing import Window
from test_packages import ORDER

PROJECT = Path(__file__).parents[2]
sys.path.insert(0, str(PROJECT / "book" / "_ext"))
ahead, artifacts, citation, constants, docstrings, folding, gallery, reference, slots = map(
    importlib.import_module,
    ("ahead", "artifacts", "citation", "constants", "docstrings", "folding", "gallery", "reference", "slots"),
)
claim_links, downloads, glossary_hover, origins, preview, table_headers = map(
    importlib.import_module, ("claim_links", "downloads", "glossary_hover", "origins", "preview", "table_headers")
)
SOURCE = PROJECT / "src" / "paperlib"
MODULES = {
    ".".join(path.relative_to(SOURCE).with_suffix("").parts)
    for path in SOURCE.rglob("*.py")
    if path.name not in ("__init__.py", "__main__.py")
}


def test_every_package_has_a_page_of_the_reference_in_the_order_of_imports():
    contents = yaml.safe_load((PROJECT / "_toc.yml").read_text())
    (chapters,) = (part["chapters"] for part in contents["parts"] if part["caption"] == "Reference")
    files = [Path(chapter["file"]) for chapter in chapters]
    pages = [file.name for file in files if file.parent.name == "api"]
    assert pages == ["paperlib", *(name for name in ORDER if (SOURCE / name).is_dir())]
    for name in pages:
        assert f"<!-- package {name} -->" in (PROJECT / "book" / "api" / f"{name}.md").read_text()
    documented = re.findall(r"automodule:: paperlib\.(\S+)", "".join(map(reference.reference, pages)))
    assert sorted(documented) == sorted(MODULES)


def test_the_page_of_a_package_lists_what_it_exports():
    source = ["# Labels\n\n<!-- package labels -->\n"]
    reference.on_source_read(None, "api/labels", source)
    assert "{py:obj}`load_polygons <paperlib.labels.polygons.load_polygons>`" in source[0]
    assert (
        source[0].index("Labelled polygons: read") < source[0].index("## burning") < source[0].index("## formats.files")
    )
    assert "`CLASSIFIERS`" in reference.exported("paperlib.models")  # no page is linked that documents no constant
    assert reference.exported("paperlib.simulation") == ""


def test_the_page_of_commands_shows_them_as_they_are_typed():
    page = reference.reference("commands")
    names = re.findall(r"^### paperlib (.+)$", page, re.MULTILINE)
    assert sorted(names) == sorted(typer.main.get_command(cli).commands)
    accuracy = page[page.index("### paperlib accuracy") : page.index("### paperlib compare")]
    assert "`--field TEXT`" in accuracy.replace("<str>", "TEXT") and "at the end" not in accuracy
    check = page[page.index("### paperlib check") : page.index("## data")]
    assert "`--cost`" in check and "--palette" not in check and "see the end of this page" in check
    assert page.count("`--palette TEXT`") == 1 and not re.search(r"(?<!`)tcp:", page)  # no link


# -- places filled after the build -------------------------------------------------------------------------------------


@pytest.fixture
def html(tmp_path):
    """Two built pages, one with a figure, and a gallery."""
    (tmp_path / "_images").mkdir()
    (tmp_path / "how").mkdir()
    Image.new("RGBA", (800, 400), "red").save(tmp_path / "_images" / "x.png")
    figure = '<div class="cell_output"><img src="{}_images/x.png" alt="{}"></div>'
    page = '<article><section id="title"><h1>Title<a href="#title">#</a></h1>{}</section></article>'
    second = '<section id="maps"><h2>Maps</h2>' + figure.format("", "A red map & more") + "</section>"
    (tmp_path / "a.html").write_text(page.format(second))
    (tmp_path / "how" / "b.html").write_text(page.format(figure.format("../", "_images/x.png") + '<img src="y.png">'))
    (tmp_path / "gallery.html").write_text("<p>All</p><!--slot gallery--><!--end gallery--><p>End</p>")
    return tmp_path


def test_gallery_has_every_figure_in_small_with_a_link_to_its_place(html):
    slots.fill(html / "gallery.html", "gallery", gallery.thumbnails(html, ["a", "how/b"]))
    soup = BeautifulSoup((html / "gallery.html").read_text(), "html.parser")
    links = {link["href"]: link for link in soup.select("a")}
    assert list(links) == ["a.html#maps", "how/b.html#title"]
    assert [link.get_text() for link in links.values()] == ["Title: Maps", "Title"]
    assert [link.img["alt"] for link in links.values()] == ["A red map & more", "Title"]
    for link in links.values():
        with Image.open(html / link.img["src"]) as small:
            assert small.size == (360, 180)


def test_a_place_is_filled_again_at_each_build(html):
    page = html / "gallery.html"
    for content in (r"one \1", "two"):
        slots.fill(page, "gallery", content)
        assert content in page.read_text()
    assert page.read_text() == "<p>All</p><!--slot gallery-->two<!--end gallery--><p>End</p>"


def test_artifacts_are_whole_listed_and_linked(run, tmp_path, monkeypatch):
    names = ("TempCNN", "iota2_base")
    monkeypatch.setattr("paperlib.models.registry.CLASSIFIERS", names)
    monkeypatch.setattr(type(run).efficiency, "__defaults__", (names,))
    monkeypatch.setattr(type(run).class_scores, "__defaults__", (names,))
    folder = tmp_path / "_artifacts"
    artifacts.write(run, folder)
    soup = BeautifulSoup(artifacts.listing(folder, names, []), "html.parser")
    linked = {link["href"] for link in soup.select("a[download]")}
    assert all((tmp_path / href).is_file() for href in linked)
    written = {path.relative_to(tmp_path).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert written - linked == {f"_artifacts/maps/{name}/class.tif.aux.xml" for name in names}
    assert [cell.get_text() for cell in soup.select("thead th")] == ["", *names]


def test_artifacts_are_made_once_for_the_same_code_and_trainings(tmp_path, monkeypatch):
    made, best = [], {"name": "a"}
    trained = SimpleNamespace(best=lambda _: SimpleNamespace(**best))
    run = SimpleNamespace(store=tmp_path / "store", trained=trained, settings=Experiment("tiny").settings)
    monkeypatch.setattr(artifacts, "write", lambda _, place: made.append((place / "file").write_text(best["name"])))
    for name, times in (("a", 1), ("a", 1), ("b", 2)):
        best["name"] = name
        assert (artifacts.made(run) / "file").read_text() == name and len(made) == times


def test_artifacts_are_made_beside_the_pages_and_no_longer_once_the_build_has_failed(tmp_path, monkeypatch):
    (tmp_path / "make.py").write_text("import time; time.sleep(60)")
    monkeypatch.setattr(artifacts, "__file__", str(tmp_path / "make.py"))
    app = SimpleNamespace(builder=SimpleNamespace(name="html"), outdir=tmp_path)
    artifacts.begin(app, SimpleNamespace(found_docs={"index"}), [])
    assert not hasattr(app, "making")  # a book without the page
    artifacts.begin(app, SimpleNamespace(found_docs={"index", "downloads"}), [])
    assert app.making.poll() is None
    artifacts.on_finish(app, RuntimeError("a page"))
    assert app.making.returncode < 0


def test_the_largest_artifacts_are_left_out_and_named(tmp_path):
    for name, size in {"a": 10, "b": 600, "c": 500}.items():
        (tmp_path / name).write_bytes(bytes(size))
    (tmp_path / "maps").mkdir()
    assert artifacts.keep_small(tmp_path, 2000) == [] and artifacts.keep_small(tmp_path, 700) == ["b"]
    assert {path.name for path in tmp_path.glob("?")} == {"a", "c"}
    assert "left out: b." in artifacts.listing(tmp_path, (), ["b"])


# -- citation ----------------------------------------------------------------------------------------------------------


def test_citation_says_what_the_file_says():
    facts = yaml.safe_load(citation.FILE.read_text())
    paper = facts["references"][0]
    for text in (citation.sentence(paper), citation.bibtex(paper, "carpentier2021")):
        assert paper["title"] in text and str(paper["year"]) in text and paper["journal"] in text
        assert all(f"{one['family-names']}, {one['given-names']}" in text for one in paper["authors"])
    assert citation.bibtex(facts, "paperlib").startswith("@software{paperlib,\n  author = {{The paperlib authors}},")
    assert facts["version"] in citation.sentence(facts)
    import paperlib

    assert facts["version"] == paperlib.__version__


@pytest.mark.parametrize("stated", [True, False])
def test_buttons_are_there_where_the_address_is_known(stated, monkeypatch):
    for name in ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY"):
        monkeypatch.delenv(name, raising=False)
    assert citation.address({}) == "" and citation.address({"repository-code": "https://x"}) == "https://x"
    monkeypatch.setattr(citation, "address", lambda facts: "https://example.org/a/b" if stated else "")
    config = type("Config", (), {"html_theme_options": {"launch_buttons": {"binderhub_url": "x"}}})
    citation.configure(None, config)
    assert ("launch_buttons" in config.html_theme_options) == stated
    assert config.html_theme_options.get("repository_url") == ("https://example.org/a/b" if stated else None)


def test_a_build_on_github_knows_its_address(monkeypatch):
    monkeypatch.setenv("GITHUB_SERVER_URL", "https://github.example")
    monkeypatch.setenv("GITHUB_REPOSITORY", "owner/name")
    assert citation.address({}) == "https://github.example/owner/name"


# -- docstrings --------------------------------------------------------------------------------------------------------


def test_docstrings_become_lists_code_and_plain_stars():
    lines = [
        "What. Like this:",
        "",
        "    a: 1",
        "",
        "Parameters",
        "----------",
        "x, y: one *or* `a*b`",
        "    more",
        "z: two",
    ]
    docstrings.on_docstring(None, "function", "f", None, None, lines)
    assert lines == [
        "What. Like this::", "", "    a: 1", "", "**Parameters**", "",
        "`x, y`", r"    one \*or\* `a*b`", "    more", "`z`", "    two",
    ]  # fmt: skip


def test_commands_are_code_and_their_signatures_show_types_alone():
    lines = ["Do it.", "", "paperlib map *.tif --out a_", "paperlib map b", "", "paperlib is a word."[9:]]
    docstrings.on_docstring(None, "function", "f", None, None, lines)
    assert lines[2:6] == [".. code-block:: text", "", "    paperlib map *.tif --out a_", "    paperlib map b"]
    signature = (
        "(maps: ~typing.Annotated[list[~pathlib.Path], <typer.models.ArgumentInfo object at 0x7f25>], n: int = 0)"
    )
    shown, returned = docstrings.on_signature(None, "function", "f", None, None, signature, "None")
    assert shown == "(maps: list[~pathlib.Path], n: int = 0)" and returned == "None"


def test_signatures_show_no_objects_and_no_unions_of_numpy():
    def shown(what: str, signature: str) -> str:
        return docstrings.on_signature(None, what, "f", None, None, signature, None)[0]

    assert shown("class", "(*args: ~typing.Any, **kwargs: ~typing.Any)") == ""
    assert shown("function", "(*args, **kwargs)") == "(*args, **kwargs)"
    assert shown("class", "(bands: dict[str, str] = <factory>)") == "(bands: dict[str, str] = ...)"
    assert shown("function", f"(days: {docstrings.ARRAY_LIKE}, n: int = 0)") == "(days: ArrayLike, n: int = 0)"
    assert shown("function", "(table: pd.DataFrame = np.inf)") == "(table: DataFrame = np.inf)"
    assert docstrings.on_signature(None, "function", "f", None, None, "()", "xr.DataArray") == ("()", "DataArray")


def test_quotes_of_code_stay_straight():
    assert docstrings.escape('tile ("" in one), dates="all", attrs["x"], {"a": {"b": 4}}, "a word"') == (
        'tile (`""` in one), `dates="all"`, `attrs["x"]`, `{"a": {"b": 4}}`, "a word"'
    )
    assert docstrings.escape('`x=""`, x*') == r'`x=""`, x\*'


def test_options_are_whole_and_arrows_are_drawn():
    assert docstrings.escape("with --cost, `a --b`, set -> (rows)") == "with `--cost`, `a --b`, set → (rows)"
    shown = downloads.mended("<p>a --b</p><pre><span></span>paperlib map -x --set-field a--b</pre>")
    marked = '<span class="option">--set-field</span>'
    assert shown == f"<p>a --b</p><pre><span></span>paperlib map -x {marked} a--b</pre>"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (536870912, "536_870_912"),
        (0.1, "0.1"),
        (1e10, "1e+10"),
        (("B2", 3), "('B2', 3)"),
        ((1,), "(1,)"),
        (True, "True"),
        ("x" * 60, ""),
        ({"a": 1}, ""),
        ((1, {}), ""),
        (Window((0, 1), (0, 1), (0, 1)), ""),
    ],
)
def test_short_values_of_constants_are_shown(value, text):
    assert constants.written(value) == text


def test_constants_of_one_comment_have_one_description(tmp_path):
    (tmp_path / "measured_things.py").write_text(
        "#: Limits.\nLOW, HIGH = 1, 20_000\n#: Other.\nNAME = 'x'\nclass Kind:\n    #: Side.\n    side = 9\n"
    )
    (tmp_path / "conf.py").write_text(
        f"import sys; sys.path[:0] = [{str(tmp_path)!r}, {str(PROJECT / 'book' / '_ext')!r}]\n"
        "extensions = ['sphinx.ext.autodoc', 'constants']\nautodoc_member_order = 'bysource'\n"
        "autodoc_default_options = {'no-value': True}\n"
    )
    (tmp_path / "index.rst").write_text("A\n=\n.. automodule:: measured_things\n   :members:\n   :undoc-members:\n")
    arguments = [sys.executable, "-m", "sphinx", "-q", "-b", "text", str(tmp_path), str(tmp_path / "out")]
    subprocess.run(arguments, check=True)
    lines = [line.strip() for line in (tmp_path / "out" / "index.txt").read_text().splitlines() if line.strip()]
    low = lines.index("measured_things.LOW = 1")
    assert lines[low + 1 : low + 5] == [
        "measured_things.HIGH = 20_000",
        "Limits.",
        "measured_things.NAME = 'x'",
        "Other.",
    ]
    assert "side = 9" in lines


def test_fields_of_named_tuples_are_left_out():
    for thing, expected in ((Window.core, True), (Window, None), (artifacts.setup, None)):
        assert docstrings.on_skip(None, "class", "name", thing, False, None) is expected


def test_parameters_of_a_long_signature_are_no_list_without_terms():
    shown = downloads.mended('<dl class="py"><dt class="sig py">f(<dl><dd>a,</dd></dl>)</dt><dd>Text.</dd></dl>')
    lines = '<span class="sig-line"><span class="sig-line">a,</span></span>'
    assert shown == f'<dl class="py"><dt class="sig py">f({lines})</dt><dd>Text.</dd></dl>'


def test_no_page_of_another_repository_is_made_up():
    """The address stands in CITATION.cff or nowhere."""
    for path in [PROJECT / "_config.yml", PROJECT / "README.md", *(PROJECT / "book").rglob("*.md")]:
        if "_build" not in path.parts:
            assert not re.search(r"github\.com/[\w-]+/paperlib", path.read_text()), path


# -- folded code -------------------------------------------------------------------------------------------------------


def make_page(*cells: str) -> nodes.document:
    """A page of code cells: "code" shows nothing, "shown" has an output, "text" is a paragraph."""
    page = new_document("page")
    for number, kind in enumerate(cells):
        if kind == "text":
            page += nodes.paragraph(text=f"text {number}")
            continue
        cell = nodes.container(nb_element="cell_code", classes=["cell"])
        cell += nodes.container("", nodes.literal_block(text=f"source {number}"), nb_element="cell_code_source")
        if kind == "shown":
            cell += nodes.container("", nodes.paragraph(text=f"output {number}"), nb_element="cell_code_output")
        page += cell
    return page


@pytest.mark.parametrize(
    ("cells", "folds"),
    [
        (["code", "code", "shown"], [[0, 1, 2]]),
        (["code", "shown", "shown", "code"], [[0, 1], [2, 3]]),
        (["shown", "text", "code", "text", "shown"], [[0], [2], [4]]),
        (["text"], []),
    ],
)
def test_silent_cells_are_folded_with_the_cell_beside_them(cells, folds):
    page = make_page(*cells)
    folding.fold_page(page)
    folded = list(page.findall(folding.Fold))
    assert [[int(block.astext().split()[1]) for block in one.findall(nodes.literal_block)] for one in folded] == folds
    assert [one["setup"] for one in folded] == [number == 0 for number in range(len(folds))]
    outputs = [number for number, kind in enumerate(cells) if kind == "shown"]
    shown = [box for box in page.findall(nodes.container) if box.get("nb_element") == "cell_code_output"]
    assert [int(box.astext().split()[1]) for box in shown] == outputs  # each stays where it was


# -- links and words of pages ------------------------------------------------------------------------------------------


def test_every_claim_has_a_page_that_lists_it_and_lists_that_page():
    everywhere = [claim_links.entry(number, claim) for number, claim in enumerate(CLAIMS, start=1)]
    assert [one["ids"] for one in everywhere] == [[f"claim-{number}"] for number in range(1, len(CLAIMS) + 1)]
    listed = {}
    for page in (PROJECT / "book").glob("[234]-*.*"):
        for section in re.findall(r":::\{claims\} ([\d.]+)", page.read_text()):
            listed |= {
                number: page.stem
                for number, claim in enumerate(CLAIMS, start=1)
                if f"{claim.section}.".startswith(f"{section}.")
            }
    for number, claim in enumerate(CLAIMS, start=1):
        assert claim_links.address(claim.section).partition(".html")[0] == listed[number], claim
    for section in {claim.section for claim in CLAIMS if claim.section.startswith("2.")}:
        assert f"(section-{section.replace('.', '-')})=" in (PROJECT / "book" / "2-methods.ipynb").read_text()


def test_a_link_to_a_term_says_what_it_means():
    document = new_document("glossary")
    term = nodes.term("", "halo", ids=["term-halo"])
    document += nodes.definition_list(
        "", nodes.definition_list_item("", term, nodes.definition("", nodes.paragraph("", "Pixels\naround.")))
    )
    page = new_document("page")
    links = [
        nodes.reference("", "x", refuri=to)
        for to in ("../glossary.html#term-halo", "other.html#term-halo", "glossary.html")
    ]
    page += nodes.paragraph("", "", *links)
    app = SimpleNamespace(env=SimpleNamespace(get_doctree=lambda name: document))
    glossary_hover.add_definitions(app, page, "page")
    assert [one.get("reftitle") for one in links] == ["Pixels around.", None, None]


def test_every_term_of_the_glossary_is_used():
    text = (PROJECT / "book" / "glossary.md").read_text().partition(":::{glossary}")[2]
    terms = [line for line in text.splitlines() if line and not line.startswith((" ", ":"))]
    pages = [path for path in (PROJECT / "book").rglob("*.*") if path.suffix in (".md", ".ipynb")]
    used = " ".join(" ".join(path.read_text().replace("\\n", " ").split()) for path in pages)
    assert len(terms) >= 20 and terms == sorted(terms, key=str.casefold)
    unused = [term for term in terms if f"{{term}}`{term}`" not in used and f"<{term}>`" not in used]
    assert not unused


def test_a_header_cell_without_text_is_a_data_cell():
    raw = nodes.raw("", '<tr><th class="blank">&nbsp;</th><th></th><th scope="col">F1</th></tr>', format="html")
    document = new_document("page")
    document += raw
    table_headers.Headers(document).run()
    assert raw.astext() == '<tr><td class="blank">&nbsp;</td><td></td><th scope="col">F1</th></tr>'


def test_the_names_of_an_index_stand_in_the_corner_of_a_table():
    index = pd.MultiIndex.from_tuples([(1, "Water"), (2, "Forest")], names=["code", "class"])
    columns = pd.MultiIndex.from_tuples([("pixels", "ours"), ("pixels", "paper")])
    for frame in (pd.DataFrame([[1, 2], [3, 4]], index, columns), pd.DataFrame({"pixels": [1, 2]}, index)):
        for html in (frame.to_html(), frame.style.to_html()):
            rows = BeautifulSoup(table_headers.with_names_in_corner(html), "html.parser").select("thead tr")
            assert len(rows) == frame.columns.nlevels
            names = [str(name[-1] if isinstance(name, tuple) else name) for name in frame.columns]
            assert [cell.get_text() for cell in rows[-1].select("th")] == ["code", "class", *names]
            assert html.partition("<tbody>")[2] in table_headers.with_names_in_corner(html)
    plain = pd.DataFrame({"pixels": [1, 2]}).to_html()
    assert table_headers.with_names_in_corner(plain) == plain


def test_a_link_to_the_book_shows_title_text_and_the_first_picture(tmp_path, monkeypatch):
    monkeypatch.delenv("GITHUB_REPOSITORY", raising=False)
    config = SimpleNamespace(html_baseurl="https://there.org/book")
    app = SimpleNamespace(config=config, outdir=tmp_path, builder=SimpleNamespace(name="html"))
    document, context = new_document("page"), {"title": "Maps & more"}
    document += nodes.paragraph("", "word " * 60)
    preview.describe(app, "page", "", context, document)
    head = BeautifulSoup(context["metatags"], "html.parser")
    found = {one["property"]: one["content"] for one in head.select("meta")}
    assert found["og:title"] == "Maps & more" and found["og:image"] == "https://there.org/book/_static/preview.png"
    assert found["og:description"].endswith("word…") and len(found["og:description"]) <= preview.LONGEST
    (tmp_path / "_static").mkdir()
    Image.new("RGBA", (900, 300), "red").save(tmp_path / "map.png")
    (tmp_path / "index.html").write_text('<article><img src="map.png"></article>')
    preview.paint(app, None)
    with Image.open(tmp_path / preview.PICTURE) as picture:
        assert picture.size == preview.SIZE and picture.getpixel((600, 315)) == (255, 0, 0)
    config.html_baseurl, context = "", {"title": "Maps"}
    preview.describe(app, "page", "", context, document)
    assert "og:image" not in context["metatags"]


# -- origins of numbers ------------------------------------------------------------------------------------------------


def test_a_number_leads_to_its_row(monkeypatch):
    monkeypatch.setattr(origins.PasteTextRole, "run", lambda self: ([nodes.inline("0.5", "0.5")], []))
    for text, address in (
        ("best:.3f", "#number-best"),
        ("n", "#number-n"),
        ("3-6-results.ipynb::best:.3f", "3-6-results.html#number-best"),
    ):
        role = origins.LinkedText()
        role.text = text
        ((link,), _) = role.run()
        assert link["refuri"] == address and link.astext() == "0.5" and "to-origin" in link["classes"]


def test_numbers_of_all_pages_are_gathered(tmp_path):
    from paperlib import Experiment
    from paperlib.pages.origins.foot import foot
    from paperlib.pages.origins.recording import Recording

    recording = Recording([Path("store/training/TempCNN-1")])
    recording.glued = {"best": ("0.5", {"training/TempCNN-1"})}
    printed = "<div><h1>Results &amp; maps</h1><h2>Contents</h2></div>"  # by the theme, for paper
    heading = f'{printed}<article class="a"><h1>Results &amp; maps<a class="headerlink" href="#x">#</a></h1>'
    (tmp_path / "results.html").write_text(heading + foot(Experiment("tiny"), recording, 1.0))
    (tmp_path / "prose.html").write_text("<h1>Prose</h1>")
    (row,) = BeautifulSoup(origins.listing(tmp_path, ["prose", "results", "absent"]), "html.parser").select("tbody tr")
    assert [cell.text for cell in row.select("td")][:5] == [
        "Results & maps",
        "best",
        "0.5",
        "training/TempCNN-1",
        "tiny",
    ]
    assert row.a["href"] == "results.html#number-best"
    many = {f"training/TempCNN-{number}" for number in range(origins.MANY + 1)}
    recording.glued = {"best": ("0.5", many)}
    (tmp_path / "results.html").write_text(heading + foot(Experiment("tiny"), recording, 1.0))
    (row,) = BeautifulSoup(origins.listing(tmp_path, ["results"]), "html.parser").select("tbody tr")
    assert row.details.summary.text == "4 artifacts" and len(row.details.select("code")) == 4


# -- notebooks executed before their pages are read ----------------------------------------------------------------------


def test_notebooks_are_executed_two_at_a_time_and_one_that_fails_is_left_to_the_build(tmp_path):
    waits = "import time\nfrom pathlib import Path\nPath('{}').touch()\nwhile not Path('{}').exists(): time.sleep(0.02)"
    sources = {"a": waits.format("first", "second"), "b": waits.format("second", "first"), "c": "1 / 0"}
    for name, source in sources.items():
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
        nbformat.write(notebook, tmp_path / f"{name}.ipynb")
    (tmp_path / "d.md").write_text("# D")
    config = SimpleNamespace(
        nb_execution_mode="cache", nb_execution_cache_path=str(tmp_path / "cache"), nb_execution_timeout=20
    )
    env = SimpleNamespace(doc2path=lambda name: str(next(tmp_path.glob(f"{name}.*"))))
    ahead.execute_ahead(SimpleNamespace(config=config), env, ["a", "b", "c", "d"])
    paths = [tmp_path / f"{name}.ipynb" for name in sources]
    assert ahead.lacking(ahead.get_cache(config.nb_execution_cache_path), paths) == paths[2:]
