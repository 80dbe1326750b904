"""A build with the project's own settings fails on small books with one fault each."""

import re
from collections.abc import Sequence
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


def build_in(
    folder: Path, builder: Builder, index: str, b: str = "(there)=\n# B\n", cells: Sequence[str] = (), caption: str = ""
) -> tuple[int, str]:
    """Build a book of the pages `index`, `b` and `c` with the options of .ci/run; return its exit code and output."""
    for part in ("_ext", "_static", "extra", "references.bib"):
        (folder / part).symlink_to(PROJECT / "book" / part)
    (folder / "_config.yml").write_text((PROJECT / "_config.yml").read_text())
    pages = [{"file": name} for name in ("b", "c", "d")]
    (folder / "_toc.yml").write_text(yaml.safe_dump({"format": "jb-book", "root": "index", "chapters": pages}))
    (folder / "index.md").write_text(index)
    (folder / "d.md").write_text("# D\n\n```{bibliography}\n```\n")
    if b:
        (folder / "b.md").write_text(b)
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    made = [new_markdown_cell(f"# C\n\n{caption}"), *map(new_code_cell, cells)]
    nbformat.write(new_notebook(cells=made, metadata=kernel), folder / "c.ipynb")
    return builder.run(["build", *OPTIONS, str(folder)], folder / "log.txt")


#: A cell that glues a number, and the foot of its page, which says where it is from.
GLUED = """from pathlib import Path
from myst_nb import glue
from paperlib import Experiment, store
from paperlib.pages import page
store.asked.append(Path("store/samples/patches-1"))
glue("half", 0.5, display=False)
page.provenance(Experiment("tiny"))"""


@pytest.fixture(scope="module")
def whole(builder, tmp_path_factory) -> Path:
    """The HTML of a book without a fault, with all that the tests below look at."""
    words = "See {numref}`table-4` and {eq}`equation-3`.\n\n$$a$$\n\n$$b$$ (equation-3)\n"
    other = "There it is {glue:text}`c.ipynb::half:.1f`.\n"
    own = "It is {glue:text}`half:.2f`.\n\n" + CAPTION.format("table", 4)
    folder = tmp_path_factory.mktemp("whole")
    code, said = build_in(folder, builder, f"{WHOLE}\n{words}\n{other}", cells=["1 + 1", GLUED], caption=own)
    assert code == 0, said
    return folder / "_build" / "html"


def test_numbers_are_those_of_the_paper(whole):
    page = (whole / "index.html").read_text()
    assert ">Table 4<" in page and ">(3)<" in page
    assert "Its caption." in (whole / "c.html").read_text()


def test_a_number_leads_to_its_origin(whole):
    """On its own page, and from another one."""
    page, index = ((whole / f"{name}.html").read_text() for name in ("c", "index"))
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


#: What is wrong on a page, and what the build says of it.
FAULTS = {
    "{ref}`nowhere`": "undefined label: 'nowhere'",
    "{doc}`no-page`": "unknown document: 'no-page'",
    "[x](no-file.md)": "no-file.md",
    "{cite:p}`nobody2000`": "nobody2000",
    "{glue:text}`nothing`": "nothing",
    "{eq}`no-equation`": "no-equation",
    "{numref}`figure-1`": "figure-1",
    CAPTION.format("table", 1) + "\nText, no cell.": "no output of a cell below the caption table-1",
    "$$1$$ (equation-1)\n\n$$2$$ (equation-1)": "duplicate label of equation equation-1",
}


def test_each_fault_on_a_page_is_a_warning(builder, tmp_path):
    """All on one page, and nothing but warnings: they fail the build."""
    faulty, caption = "# Title\n\n" + "\n\n".join(FAULTS), CAPTION.format("figure", 10)
    code, said = build_in(tmp_path, builder, faulty, b="", cells=["1"], caption=caption)
    told = [line for line in said.splitlines() if "WARNING" in line or "ERROR" in line]
    assert code != 0, said
    for message in (*FAULTS.values(), "nonexisting document 'b'", "the paper has no figure 10"):
        assert any(message in line for line in told), f"{message}: {said}"


def test_a_cell_that_fails_fails_the_build(builder, tmp_path):
    code, said = build_in(tmp_path, builder, "# Title\n", cells=["raise ValueError('it fails')"])
    assert code != 0 and "it fails" in said, said
