"""Every notebook that takes a scene runs on a scene unlike the paper's, and names it."""

import re
from html import unescape

import pytest

from paperlib import nomenclature
from paperlib.pages.scene_book import takes_scene
from paperlib.pages.walkthrough import LEGEND
from support.notebooks import NOTEBOOKS, execute

PAGES = [path for path in NOTEBOOKS if takes_scene(path)]

#: Texts of outputs that belong to the paper's scene alone.
PAPERS = ("Simulated scene", "2018-", *(cover.name for cover in nomenclature.CLASSES))


def read(outputs: list[dict[str, str]]) -> str:
    """What a page shows, without scripts and with its characters spelled out."""
    text = "\n".join(output.get("text/html", output.get("text/plain", "")) for output in outputs)
    return unescape(re.sub("<script.*?</script>", "", text, flags=re.DOTALL))


@pytest.fixture(scope="module")
def shown(lagoon, lagoon_store) -> dict[str, str]:
    """What each notebook shows of one foreign scene, which the environment names; the notebooks share a store."""
    scene, polygons = map(str, lagoon)
    settings = {"PRESET": "tiny", "SCENE": scene, "POLYGONS": polygons, "STORE": str(lagoon_store)}
    settings["SETTINGS"] = "{train.epochs: 1}"  # nobody reads the scores
    with pytest.MonkeyPatch.context() as patch:
        for name, value in settings.items():
            patch.setenv(f"PAPERLIB_{name}", value)
        patch.setenv("OMP_NUM_THREADS", "1")
        return {name: read(outputs) for name, outputs in execute(PAGES).items()}


def test_all_notebooks_run_and_name_the_scene(shown):
    assert len(shown) >= 11
    for name, text in shown.items():
        assert "Real scene" in text and "lagoon.nc" in text and "2021-01-15" in text, name
        assert all(one in text for one in LEGEND["name"]), name  # the box at the top lists them


def test_no_output_speaks_of_the_paper_s_scene(shown):
    for name, text in shown.items():
        text = re.sub(r"undecided: .*", "", text)  # a claim about a class says which one is not there
        found = [one for one in PAPERS if one in text and re.search(rf"\b{re.escape(one)}", text)]
        assert not found, f"{name}: {found}"
    assert "paper" not in re.sub(
        "the paper's input|of the paper", "", re.sub(r"<div.*?</div>", "", shown["3-6-results"])
    )
