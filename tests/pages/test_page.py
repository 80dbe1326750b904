"""The banner and the provenance of every notebook."""

import pytest

from paperlib import Experiment, settings
from paperlib.pages import page


@pytest.fixture
def real():
    return Experiment("tiny", "/somewhere/stack.tif", "/somewhere/polygons.gpkg")


def test_simulated_scenes_are_called_so_and_real_ones_are_not(real):
    box = page.banner(Experiment("tiny"))._repr_html_()
    assert "Simulated scene" in box and "no evidence about the real tile" in box and "192 x 192" in box


@pytest.mark.parametrize("preset", settings.PRESETS)
def test_the_box_names_the_preset(preset):
    box = page.banner(Experiment(preset, seed=3))
    assert f"Preset <b>{preset}</b>" in box and f"of {settings.PRESETS[preset].train.epochs} epochs" in box


def test_the_box_names_what_was_overridden():
    box = page.banner(Experiment("tiny", settings={"sample.dates": "shuffled", "train.epochs": 3}))
    assert "Preset <b>tiny</b> with sample.dates = shuffled, train.epochs = 3:" in box


def test_the_box_of_a_real_scene_says_what_it_has(run, tmp_path):
    folder = tmp_path / "my <tile>"
    folder.symlink_to(run.dataset.folder / "T31TCJ")  # without the file that calls it simulated
    experiment = Experiment("tiny", folder, run.dataset.folder / "polygons.gpkg")
    box = page.banner(experiment)
    assert box.count("paper") == 2 and "the paper" not in page.banner(
        experiment, book=False
    )  # as a client's report has it
    assert "Simulated" not in box and "my &lt;tile&gt;" in box and "11 dates from 2018-02-15 to 2018-12-15" in box
    assert "B2, B3, B4" in box and "Shrubland" in box and "Preset <b>tiny</b>: 1 training for each model" in box
    assert "<li>14 polygons have the series of another one" in box and "--near METRES.</li></ul>" in box


@pytest.mark.parametrize("below", ["", "T31TCJ"])
def test_a_folder_that_was_simulated_is_called_so(run, below):
    box = page.banner(Experiment("tiny", run.dataset.folder / below, run.dataset.folder / "polygons.gpkg"), book=False)
    assert "Simulated scene" in box and "nothing here is evidence about a real place" in box


def test_provenance_holds_what_makes_the_page_again(real):
    table = page.provenance(real).facts
    assert table["scene"] == "stack.tif" and "/somewhere" not in " ".join(table.values())
    assert "scene.resampling" in table and "scene.pool" not in table  # which the simulated scene alone has
    assert {"commit", "machine", "device", "torch", "seed", "train.epochs", "seconds for this page"} <= set(table)


def test_absent_scene_says_how_to_get_it():
    assert "paperlib fetch bouconne" in page.missing_image_note("bouconne")
