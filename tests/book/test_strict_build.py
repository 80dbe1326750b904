"""A build with the project's own settings fails on small books with one fault each."""

import re
from pathlib import Path

import nbformat
import pytest
import yaml
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from support.builds import Builder

PROJECT = Path(__file__).parents[2]
COMMAND = next(line for line in (PROJECT / ".ci" / "run").read_text().splitlines() if "jupyter-book build" in line)
OPTIONS = [word for word in COMMAND.split("#")[0].split() if word.startswith("-")]
WHOLE = "# Title\n\nSee {doc}`b`, {ref}`here <there>`, {cite:p}`gomez2016`, {printed}`0.804` and {given}`95 %`.\n"
CAPTION = ":::{{paper-{}}} {}\nIts caption.\n:::\n"


@pytest.fixture(scope="module")
def builder():
    with Builder() as running:
        yield running


@pytest.fixture
def build(tmp_path, builder):
    """Build a book of the pages `index` and `b` with the options of .ci/run; return its exit code and output."""
    for part in ("_ext", "_static", "extra", "references.bib"):
        (tmp_path / part).symlink_to(PROJECT / "book" / part)
    (tmp_path / "_config.yml").write_text((PROJECT / "_config.yml").read_text())
    pages = [{"file": name} for name in ("b", "c")]
    (tmp_path / "_toc.yml").write_text(yaml.safe_dump({"format": "jb-book", "root": "index", "chapters": pages}))
    (tmp_path / "c.md").write_text("# C\n\n```{bibliography}\n```\n")

    def run(index: str = WHOLE, b: str = "(there)=\n# B\n", cell: str = "", caption: str = "") -> tuple[int, str]:
        (tmp_path / "index.md").write_text(index)
        if cell:
            kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
            cells = [new_markdown_cell(f"# C\n\n{caption}"), new_code_cell(cell)]
            nbformat.write(new_notebook(cells=cells, metadata=kernel), tmp_path / "c.ipynb")
            (tmp_path / "c.md").unlink()
        if b:
            (tmp_path / "b.md").write_text(b)
        return builder.run(["build", *OPTIONS, str(tmp_path)], tmp_path / "log.txt")

    return run


def test_numbers_are_those_of_the_paper(build, tmp_path):
    words = "See {numref}`table-4` and {eq}`equation-3`.\n\n$$a$$\n\n$$b$$ (equation-3)\n"
    code, said = build(f"# Title\n\n{words}", cell="1 + 1", caption=CAPTION.format("table", 4))
    assert code == 0, said
    page = (tmp_path / "_build" / "html" / "index.html").read_text()
    assert ">Table 4<" in page and ">(3)<" in page
    assert "Its caption." in (tmp_path / "_build" / "html" / "c.html").read_text()


def test_a_number_leads_to_its_origin(build, tmp_path):
    """On its own page, and from another one."""
    cell = """from pathlib import Path
from myst_nb import glue
from paperlib import Experiment, store
from paperlib.pages import page
store.asked.append(Path("store/samples/patches-1"))
glue("half", 0.5, display=False)
page.provenance(Experiment("tiny"))"""
    own, other = "It is {glue:text}`half:.2f`.", "# Title\n\nThere it is {glue:text}`c.ipynb::half:.1f`.\n"
    code, said = build(other, cell=cell, caption=own)
    assert code == 0, said
    page, index = ((tmp_path / "_build" / "html" / f"{name}.html").read_text() for name in ("c", "index"))
    assert re.search(
        r'<a class="[^"]*to-origin[^"]*" href="#number-half"><span class="pasted-text">0.50</span></a>', page
    )
    assert (
        '<tr id="number-half"><th>half</th><td>0.5</td><td><code>samples/patches-1</code></td>' in page
        and '<details class="origins" id="origins">' in page
    )
    assert re.search(
        r'<a class="[^"]*to-origin[^"]*" href="c.html#number-half"><span class="pasted-text">0.5</span></a>', index
    )


def test_options_are_strict():
    assert {"-W", "-n"} <= set(OPTIONS)
    assert " ".join(OPTIONS) in (PROJECT / "Makefile").read_text(), "make book is as strict as .ci/run"


@pytest.mark.parametrize("index", [WHOLE, "# Title\n"])
def test_a_whole_book_builds(build, index):
    code, said = build(index)
    assert code == 0, said


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({"index": "# Title\n\n{ref}`nowhere`\n"}, "undefined label"),
        ({"index": "# Title\n\n{doc}`nowhere`\n"}, "unknown document"),
        ({"index": "# Title\n\n[x](nowhere.md)\n"}, "nowhere.md"),
        ({"index": "# Title\n\n{cite:p}`nobody2000`\n"}, "nobody2000"),
        ({"index": "# Title\n\n{glue:text}`nothing`\n"}, "nothing"),
        ({"index": "# Title\n\n{eq}`nothing`\n"}, "nothing"),
        ({"b": ""}, "nonexisting document 'b'"),
        ({"cell": "raise ValueError('it fails')"}, "it fails"),
        ({"index": "# Title\n\n{numref}`figure-1`\n"}, "figure-1"),
        ({"index": f"# Title\n\n{CAPTION.format('table', 1)}"}, "no output of a cell below the caption table-1"),
        ({"cell": "1", "caption": CAPTION.format("figure", 10)}, "the paper has no figure 10"),
        ({"index": "# Title\n\n$$1$$ (equation-1)\n\n$$2$$ (equation-1)\n"}, "duplicate label of equation equation-1"),
    ],
    ids=[
        "label",
        "document",
        "link",
        "citation",
        "glue",
        "equation",
        "page",
        "notebook",
        "number",
        "caption",
        "too many",
        "twice",
    ],
)
def test_each_fault_fails_the_build(build, fault, message):
    code, said = build(**{"index": "# Title\n", **fault})
    assert code != 0 and message in said, said
