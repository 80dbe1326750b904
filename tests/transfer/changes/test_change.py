"""Change between two maps: areas as mapped and corrected, a map that a GIS opens, maps that do not fit refused."""

import json
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
import rasterio
from rio_cogeo.cogeo import cog_validate

from paperlib import store
from paperlib.errors import InputError
from paperlib.mapping.class_map import ClassMap
from paperlib.nomenclature import LandCover
from paperlib.training.polygon_scores import PolygonScores
from paperlib.transfer import write_change
from paperlib.transfer.changes.change import OTHER, UNCHANGED
from paperlib.transfer.changes.transitions import changed, correct, unfold
from support.commands import paperlib
from support.maps import LEGEND, write_map

SHAPE = (120, 100)


@pytest.fixture
def land() -> tuple[np.ndarray, np.ndarray]:
    """True codes of two years: a tenth of the water becomes crops."""
    first = np.full(SHAPE, 2)
    first[:, :40] = 1
    second = first.copy()
    second[:12, :40] = 2
    return first, second


def open_maps(folder, first: np.ndarray, second: np.ndarray) -> list[ClassMap]:
    return [ClassMap.open(write_map(folder / name, codes)) for name, codes in (("first", first), ("second", second))]


def scores_of(wrong: float, legend=LEGEND, polygons=40, pixels=50) -> PolygonScores:
    """Polygons of each class of which a share is given the next class."""
    number, random = len(legend), np.random.default_rng(0)
    reference = np.repeat(np.arange(number), polygons)
    missed = random.binomial(pixels, wrong, len(reference))
    counts = np.zeros((len(reference), number), int)
    counts[np.arange(len(reference)), reference] = pixels - missed
    counts[np.arange(len(reference)), (reference + 1) % number] += missed
    return PolygonScores(counts, reference, tuple(legend), "made")


def test_transitions_are_counted_in_hectares_on_the_ground(tmp_path, land):
    maps = open_maps(tmp_path, *land)
    found = write_change(*maps, tmp_path / "change")
    assert found.corrected is None and [cover[:2] for cover in found.legend] == [cover[:2] for cover in LEGEND]
    hectares = np.array([[4320, 480], [0, 7200]]) / 100
    np.testing.assert_allclose(found.mapped, hectares, rtol=2e-3)  # EPSG:32631 is not equal in area
    np.testing.assert_allclose(found.mapped.sum(1), list(maps[0].hectares.values()), rtol=1e-9)
    table = pd.read_csv(tmp_path / "change" / "transitions.csv")
    assert table["hectares"].sum() == pytest.approx(found.mapped.sum(), abs=0.05) and len(table) == 4
    kept = store.read_json(tmp_path / "change" / "change.json")
    assert kept["mapped change (ha)"] == pytest.approx(4.8, rel=2e-3) and kept["sha256"] == [one.digest for one in maps]


def test_a_gis_opens_the_map_of_changes_with_its_legend(tmp_path, land):
    folder = tmp_path / "change"
    write_change(*open_maps(tmp_path, *land), folder)
    with rasterio.open(folder / "change.tif") as file:
        codes, colours = file.read(1), file.colormap(1)
    assert cog_validate(folder / "change.tif")[0] and cog_validate(folder / "confidence.tif")[0]
    legend = pd.read_csv(folder / "changes.csv", keep_default_na=False)
    assert legend[["code", "name"]].values.tolist() == [[UNCHANGED, "unchanged"], [2, "Water to Crops"]]
    assert np.array_equal(codes == 2, land[0] != land[1]) and (codes[land[0] == land[1]] == UNCHANGED).all()
    entries = ElementTree.parse(folder / "change.qml").findall("./pipe/rasterrenderer/colorPalette/paletteEntry")
    styled = {int(one.get("value")): (one.get("label"), one.get("color")) for one in entries}
    assert styled[2][0] == "Water to Crops" and styled[2][1] == "#{:02x}{:02x}{:02x}".format(*colours[2][:3])
    names = [node.text or "" for node in ElementTree.parse(folder / "change.tif.aux.xml").iter("Category")]
    assert names == ["", "unchanged", "Water to Crops"]
    assert ClassMap.open(folder / "change.tif").names == {1: "unchanged", 2: "Water to Crops"}  # as `design` reads it
    with rasterio.open(folder / "confidence.tif") as file:
        confidence = file.read(1)
    assert {(code, int(value)) for code, value in zip(codes.flat, confidence.flat, strict=True)} == {
        (UNCHANGED, 49), (UNCHANGED, 81), (2, 63),
    }  # fmt: skip


def test_errors_of_both_maps_are_taken_out_of_the_areas(tmp_path, land):
    random, wrong = np.random.default_rng(1), 0.1
    maps = open_maps(tmp_path, *(np.where(random.random(SHAPE) < wrong, 3 - codes, codes) for codes in land))
    scores = [scores_of(wrong), scores_of(wrong)]
    found = write_change(*maps, tmp_path / "change", scores)
    assert found.mapped_change > 4 * 4.8  # errors look like change
    value, low, high = found.change
    assert low < 4.8 < high and value == pytest.approx(4.8, rel=0.35) and found.misfit < 0.01
    assert found.corrected.sum() == pytest.approx(found.mapped.sum()) and (found.corrected >= 0).all()
    assert (found.low <= found.corrected + 1e-9).all() and (found.corrected <= found.high + 1e-9).all()


def test_scores_beside_both_maps_correct_by_themselves(tmp_path, land):
    maps = open_maps(tmp_path, *land)
    for one in maps:
        store.write_json(one.path.with_name("scores.json"), scores_of(0.05).to_dict())
    assert write_change(*maps, tmp_path / "change").change is not None
    maps[1].path.with_name("scores.json").unlink()
    assert write_change(*maps, tmp_path / "change").change is None


def test_unfolding_inverts_known_confusion():
    true = np.array([[50.0, 4, 0], [1, 30, 2], [0, 0, 13]])
    first = np.array([[0.9, 0.08, 0.02], [0.1, 0.85, 0.05], [0.0, 0.05, 0.95]])
    second = np.array([[0.95, 0.05, 0.0], [0.05, 0.8, 0.15], [0.1, 0.0, 0.9]])
    found, misfit = unfold(first.T @ true @ second, first[None], second[None])
    np.testing.assert_allclose(found[0], true, atol=0.5)
    assert misfit[0] < 2e-3 and found.sum() == pytest.approx(100)
    np.testing.assert_allclose(unfold(true, np.eye(3)[None], np.eye(3)[None])[0][0], true, atol=0.02)
    assert changed(unfold(0 * true, first[None], second[None])[0]).tolist() == [0]


def test_maps_that_err_in_the_same_places_do_not_fit():
    """Both maps take the same tenth of the land for the other class; nothing changes, and nothing is mapped as change."""
    share = np.array([[[0.9, 0.1], [0.1, 0.9]]])
    found, misfit = unfold(np.diag([50.0, 50.0]), share, share)
    assert misfit[0] > 0.1 and changed(found)[0] < 5


def test_maps_that_do_not_fit_are_refused_in_one_line(tmp_path, land):
    first, second = open_maps(tmp_path, *land)
    small = ClassMap.open(write_map(tmp_path / "small", land[0][:50]))
    with pytest.raises(InputError, match="different grids: size 120 x 100 and 50 x 100") as caught:
        write_change(first, small, tmp_path / "change")
    assert caught.value.kind == "change.grid" and "\n" not in str(caught.value)
    path = second.path.with_name("class.tif.aux.xml")
    path.write_text(path.read_text().replace("Crops", "Maize"))
    with pytest.raises(InputError, match="code 2 is Crops in the first and Maize in the second") as caught:
        write_change(first, ClassMap.open(second.path), tmp_path / "change")
    assert caught.value.kind == "change.legend" and "\n" not in str(caught.value)
    path.write_text(path.read_text().replace("<Category>Maize</Category>", ""))
    with pytest.raises(InputError, match=r"Crops \(code 2\) is in one of them alone"):
        write_change(first, ClassMap.open(second.path), tmp_path / "change")
    assert not (tmp_path / "change").exists()
    other = scores_of(0.1, (LEGEND[0], LandCover(3, "Town", "#ff0000")))
    with pytest.raises(InputError, match="of other classes") as caught:
        correct(np.ones((2, 2)), LEGEND, other, other)
    assert caught.value.kind == "change.scores"


def test_transitions_beyond_255_codes_are_joined(tmp_path):
    """17 classes of which every pair occurs."""
    codes = np.arange(1, 18)
    maps = open_maps(tmp_path, np.repeat(codes, 17)[None], np.tile(codes, 17)[None])
    for one in maps:
        one.path.with_name("class.tif.aux.xml").unlink()
    write_change(*(ClassMap.open(one.path) for one in maps), tmp_path / "change")
    legend = pd.read_csv(tmp_path / "change" / "changes.csv", keep_default_na=False)
    assert legend["code"].tolist() == list(range(1, 256)) and legend["name"].iloc[-1] == "other changes"
    with rasterio.open(tmp_path / "change" / "change.tif") as file:
        found = np.bincount(file.read(1).ravel(), minlength=256)
    assert found[UNCHANGED] == 17 and found[OTHER] == 17 * 16 - 253 and (found[2:OTHER] == 1).all()


def test_the_command_prints_areas_and_takes_scores(tmp_path, land):
    open_maps(tmp_path, *land)
    store.write_json(tmp_path / "scores.json", scores_of(0.05).to_dict())
    options = ["--scores", "scores.json", "--scores", "scores.json", "--out", "change"]
    answer = paperlib("change", "first", "second", *options, folder=tmp_path)
    assert answer.returncode == 0, answer.stderr
    assert "Water Crops" in answer.stdout and "corrected by the confusion of both maps:" in answer.stdout
    assert json.loads((tmp_path / "change" / "change.json").read_text())["corrected by"] == ["made", "made"]
    answer = paperlib("change", "first", "second", "--scores", "scores.json", "--out", "change", folder=tmp_path)
    assert answer.returncode == 2 and "Give --scores twice" in answer.stderr
