"""Every notebook that takes a scene runs on a scene unlike the paper's, and names it."""

import re
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from pathlib import Path

import nbformat
import papermill
import pytest

from paperlib import Experiment, nomenclature
from paperlib.pages.scene_book import takes_scene
from paperlib.pages.walkthrough import LEGEND

BOOK = Path(__file__).parents[2] / "book"
NOTEBOOKS = [path for path in sorted(BOOK.glob("*.ipynb")) if takes_scene(path)]

#: Texts of outputs that belong to the paper's scene alone.
PAPERS = ("Simulated scene", "2018-", *(cover.name for cover in nomenclature.CLASSES))


def execute(pages: list[Path], folder: Path) -> dict[str, str]:
    """Run notebooks one after the other in one kernel, to start only one; return what their outputs show, as text."""
    whole = nbformat.v4.new_notebook()
    for page in pages:
        for cell in nbformat.read(page, 4).cells:
            cell.metadata = {"page": page.stem}
            cell.id = f"c{len(whole.cells)}"
            whole.cells.append(cell)
    path = folder / f"{pages[0].stem}-and-more.ipynb"
    nbformat.write(whole, path)
    executed = papermill.execute_notebook(
        str(path), str(path), kernel_name="python3", progress_bar=False, cwd=str(BOOK)
    )
    shown = dict.fromkeys([page.stem for page in pages], "")
    for cell in executed.cells:
        for output in cell.get("outputs", []):
            assert output.output_type != "stream", f"{cell.metadata['page']} prints {output.text}"
            plain = output.data.get("text/html", output.data.get("text/plain", ""))
            shown[cell.metadata["page"]] += unescape(re.sub("<script.*?</script>", "", plain, flags=re.DOTALL)) + "\n"
    return shown


@pytest.fixture(scope="module")
def shown(lagoon, lagoon_store, tmp_path_factory) -> dict[str, str]:
    """What each notebook shows of one foreign scene, which the environment names; the notebooks share a store."""
    folder = tmp_path_factory.mktemp("foreign")
    scene, polygons = map(str, lagoon)
    settings = {"PRESET": "tiny", "SCENE": scene, "POLYGONS": polygons, "STORE": str(lagoon_store), "QUIET": "1"}
    long = [path for path in NOTEBOOKS if path.stem == "claims"]
    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(2) as pool:
        for name, value in settings.items():
            patch.setenv(f"PAPERLIB_{name}", value)
        patch.setenv("OMP_NUM_THREADS", "1")
        Experiment().trainings()  # once for both
        parts = [long, [path for path in NOTEBOOKS if path not in long]]
        found = [pool.submit(execute, pages, folder) for pages in parts]
        return {name: text for one in found for name, text in one.result().items()}


def test_all_notebooks_run_and_name_the_scene(shown):
    assert len(shown) >= 11
    for name, text in shown.items():
        assert "Real scene" in text and "lagoon.nc" in text and "2021-01-15" in text, name
        assert all(one in text for one in LEGEND["name"]), name  # the box at the top lists them


def test_no_output_speaks_of_the_paper_s_scene(shown):
    for name, text in shown.items():
        text = re.sub(r"undecided: .*", "", text)  # a claim about a class says which one is not there
        found = [one for one in PAPERS if re.search(rf"\b{re.escape(one)}", text)]
        assert not found, f"{name}: {found}"
    assert "paper" not in re.sub(
        "the paper's input|of the paper", "", re.sub(r"<div.*?</div>", "", shown["3-6-results"])
    )
