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


def test_a_whole_book_builds(build):
    code, said = build(WHOLE)
    assert code == 0, said


#: What is wrong on a page, and what the build says of it.
FAULTS = {
    "{ref}`nowhere`": "undefined label: 'nowhere'",
    "{doc}`no-page`": "unknown document: 'no-page'",
    "[x](no-file.md)": "no-file.md",
    "{cite:p}`nobody2000`": "nobody2000",
    "{glue:text}`nothing`": "nothing",
    "{eq}`no-equation`": "no-equation",
    "{numref}`figure-1`": "figure-1",
    CAPTION.format("table", 1): "no output of a cell below the caption table-1",
    "$$1$$ (equation-1)\n\n$$2$$ (equation-1)": "duplicate label of equation equation-1",
}


def test_each_fault_on_a_page_is_a_warning(build):
    """All on one page; a warning fails the build, as the test of the options and the following ones show."""
    code, said = build("# Title\n\n" + "\n\n".join(FAULTS), b="", cell="1", caption=CAPTION.format("figure", 10))
    warnings = [line for line in said.splitlines() if "WARNING" in line or "ERROR" in line]
    assert code != 0, said
    for message in (*FAULTS.values(), "nonexisting document 'b'", "the paper has no figure 10"):
        assert any(message in line for line in warnings), f"{message}: {said}"


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({"index": "# Title\n\n{ref}`nowhere`\n"}, "undefined label"),
        ({"cell": "raise ValueError('it fails')"}, "it fails"),
    ],
    ids=["label", "notebook"],
)
def test_one_fault_fails_the_build(build, fault, message):
    code, said = build(**{"index": "# Title\n", **fault})
    assert code != 0 and message in said, said
