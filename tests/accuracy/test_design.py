"""From a map to points, interpreted points and back: files as people have them, and a truth that is known."""

import json

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
from rasterio.transform import from_origin

from paperlib.accuracy.answers import check_places
from paperlib.accuracy.comparison import compare, draw_differences
from paperlib.accuracy.design import draw, locations, read_design, write_design
from paperlib.accuracy.points import read_points
from paperlib.accuracy.report import assess, write_report
from paperlib.accuracy.strata import EDGE, NONE, strata
from paperlib.accuracy.zones.map_zone import certify_map, write_zone
from paperlib.errors import InputError, InputWarning
from paperlib.mapping.class_map import ClassMap
from paperlib.mapping.gis import write_categories
from paperlib.nomenclature import LandCover

LEGEND = (LandCover(1, "Water", "#0000ff"), LandCover(2, "Crops <1>", "#00ff00"), LandCover(7, "Built up", "#ff0000"))


def write_map(folder, codes: np.ndarray, confidence: np.ndarray | None = None) -> ClassMap:
    folder.mkdir(parents=True, exist_ok=True)
    shape = {"height": codes.shape[0], "width": codes.shape[1], "count": 1, "dtype": "uint8", "nodata": 0}
    place = {"crs": "EPSG:32631", "transform": from_origin(300_000, 4_900_020, 10, 10)}
    for name, values in {"class": codes, "confidence": confidence}.items():
        if values is not None:
            with rasterio.open(folder / f"{name}.tif", "w", driver="GTiff", **shape, **place) as file:
                file.write(values.astype(np.uint8), 1)
    write_categories(folder / "class.tif.aux.xml", LEGEND)
    return ClassMap.open(folder)


@pytest.fixture
def truth() -> np.ndarray:
    codes = np.full((700, 300), 2)
    codes[:, :40], codes[300:340] = 1, 7
    return codes


@pytest.fixture
def mapped(tmp_path, truth) -> ClassMap:
    generator = np.random.default_rng(0)
    confidence = generator.integers(40, 101, truth.shape)
    codes = np.where(
        generator.random(truth.shape) < (105 - confidence) / 200, generator.choice([1, 2, 7], truth.shape), truth
    )
    codes[:5] = 0
    return write_map(tmp_path / "map", codes, confidence)


def answers(design, truth: np.ndarray) -> pd.Series:
    table, names = design.table(), {cover.code: cover.name for cover in LEGEND}
    return pd.Series([names[truth[row, column]] for row, column in table[["row", "column"]].to_numpy()], table.index)


def test_points_are_the_asked_number_in_each_stratum_and_do_not_show_the_class(tmp_path, mapped):
    design = draw(mapped, 120, "equal", seed=3)
    folder = write_design(design, mapped, tmp_path / "design")
    assert read_design(folder / "design.json") == design
    with rasterio.open(mapped.path) as file:
        codes = file.read(1)
    assert {stratum["name"]: stratum["units"] for stratum in design.strata} == {
        cover.name: int((codes == cover.code).sum()) for cover in LEGEND
    }
    table = design.table()
    assert table["stratum"].value_counts().tolist() == [40, 40, 40]
    assert not table.duplicated(["row", "column"]).any()
    assert (codes[table["row"], table["column"]] == table["code"]).all()
    points = gpd.read_file(folder / "points.gpkg")
    assert set(points) == {"id", "reference", "geometry"} and points["id"].tolist() == list(range(1, 121))
    with rasterio.open(mapped.path) as file:
        here = [value[0] for value in file.sample([(point.x, point.y) for point in points.geometry])]
    assert here == table["code"].sort_index().tolist()
    assert abs(np.corrcoef(points["id"], here)[0, 1]) < 0.3  # in random order
    plots = pd.read_csv(folder / "ceo_plots.csv")
    assert list(plots) == ["PLOTID", "LAT", "LON"]
    moved = locations(design, mapped).to_crs(4326).geometry
    np.testing.assert_allclose(plots["LON"], moved.x, atol=1e-6)
    areas = pd.read_csv(folder / "area_rast.csv")
    assert areas["map_area"].sum() == pytest.approx((codes > 0).sum() / 100, rel=2e-3)


def test_strata_equal_one_pass_over_the_whole_map(mapped):
    with rasterio.open(mapped.path) as file:
        codes = file.read(1).astype(int)
    padded = np.pad(codes, 2, mode="edge")
    views = np.lib.stride_tricks.sliding_window_view(padded, (5, 5)).reshape(*codes.shape, 25)
    known = np.where(views == 0, codes[..., None], views)
    edges = (known != codes[..., None]).any(-1) & (codes > 0)
    wanted = np.where(codes == 0, NONE, np.where(edges, EDGE, codes))
    np.testing.assert_array_equal(np.concatenate([part for _, part in strata(mapped, edge=2)]), wanted)


@pytest.mark.parametrize("choice", [{}, {"simple": True}, {"edge": 1, "rule": "proportional", "floor": 20}])
def test_estimates_find_the_truth(mapped, truth, choice):
    with rasterio.open(mapped.path) as file:
        codes = file.read(1)
    held = codes > 0
    right = (codes == truth)[held].mean()
    inside = 0
    for seed in range(20):
        design = draw(mapped, 200, seed=seed, **choice)
        scores = assess(mapped, answers(design, truth), design).scores
        overall = scores.query("score == 'overall'").iloc[0]
        inside += overall["low"] <= right <= overall["high"]
        assert scores.query("score == 'hectares'")["estimate"].sum() == pytest.approx(sum(mapped.hectares.values()))
    assert inside >= 17


def test_a_report_can_be_handed_in(tmp_path, mapped, truth):
    design = draw(mapped, 150)
    found = assess(mapped, answers(design, truth), design)
    folder = write_report(found, tmp_path / "report", "Map <of> 2018", mapped)
    page = (folder / "accuracy.html").read_text()
    assert "Map &lt;of&gt; 2018" in page and "Crops &lt;1&gt;" in page and "<of>" not in page
    assert found.sentence in page and "kappa" not in page.lower()
    assert list(found.confusion) == [cover.name for cover in LEGEND]
    assert found.scores.query("score == 'macro_f1'")[["low", "high"]].notna().all(axis=None)
    assert pd.read_csv(folder / "accuracy.csv")["score"].nunique() == 7
    assert pd.read_csv(folder / "confusion.csv", index_col="map").to_numpy().sum() == 150


def test_a_zone_is_certified_and_refused_where_it_cannot_be(tmp_path, mapped, truth):
    design = draw(mapped, 400, simple=True, seed=1)
    reference = answers(design, truth)
    zone = certify_map(mapped, reference, design, error=0.2)
    with rasterio.open(mapped.path) as file, rasterio.open(mapped.path.with_name("confidence.tif")) as other:
        codes, confidence = file.read(1), other.read(1)
    inside = (codes > 0) & (confidence >= zone.least)
    found = zone.certified
    assert 0 < found.coverage <= 1 and found.units == inside.sum() and (codes != truth)[inside].mean() <= 0.2
    write_zone(zone, mapped, tmp_path)
    with rasterio.open(tmp_path / "zone.tif") as file:
        np.testing.assert_array_equal(file.read(1), np.where(codes == 0, 255, inside))
    levels = pd.read_csv(tmp_path / "zone.csv")
    assert levels.query("accepted")["confidence"].min() == zone.least and levels["pixels"].iloc[-1] == (codes > 0).sum()
    folder = write_report(assess(mapped, reference, design), tmp_path / "report", "Map", mapped, zone)
    page = (folder / "accuracy.html").read_text()
    assert zone.sentence in page and f"{zone.least} % or more" in page and "with 95 % certainty" in page
    with pytest.raises(InputError, match="are needed"):
        certify_map(mapped, reference, design, error=0.004)


CODES = {cover.name: cover.code for cover in LEGEND}
FORMS = {
    "filled.gpkg": lambda t: gpd.GeoDataFrame(
        t.rename(columns={"answer": "reference"}), geometry=gpd.points_from_xy(t["id"], t["id"]), crs="EPSG:32631"
    ),
    "codes.csv": lambda t: pd.DataFrame({"reference": t["answer"].map(CODES), "id": t["id"]}),
    "acatama.csv": lambda t: pd.DataFrame({"ID": t["id"], "Label": "x", "Is labeled as": t["answer"], "Match": "Yes"}),
    "ceo_samples.csv": lambda t: pd.DataFrame(
        {"plotid": t["id"], "sampleid": 1, "lon": 1.0, "lat": 43.0, "email": "a@b", "flagged": "false", "pl_id": 9,
         "Land cover?": t["answer"]}
    ),
    "ceo_plots.csv": lambda t: pd.DataFrame(
        {"plotid": t["id"], "email": "a@b", "flagged": "false"}
        | {f"Cover:{name}": np.where(t["answer"] == name, 75, 12.5) for name in ("Water", "Crops <1>", "Built up")}
    ),
    "sepal.csv": lambda t: pd.DataFrame({"id": t["id"], "map_code": 1, "ref_code": t["answer"], "area": 3.0}),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMS)
def test_points_of_other_programs_are_joined_by_id(tmp_path, mapped, truth, name):
    design = draw(mapped, 60)
    wanted = answers(design, truth)
    table = pd.DataFrame({"id": wanted.index, "answer": wanted.to_numpy()}).sample(frac=1, random_state=0)
    form, path = FORMS[name](table), tmp_path / name
    if name.endswith("gpkg"):
        form.to_file(path)
    else:
        if name.startswith("ceo"):  # a plot that nobody labelled, and one that was flagged
            extra = form.iloc[:2].assign(plotid=[901, 902], email=["", "a@b"], flagged=["false", "true"])
            form = pd.concat([form, extra])
        form.to_csv(path, index=False, encoding="utf-8-sig")
    ours, theirs = (assess(mapped, given, design).scores for given in (read_points(path), wanted))
    pd.testing.assert_frame_equal(ours, theirs)


OTHER_ANSWER = pd.DataFrame({"id": [2], "reference": ["Crops <1>"]})


def _spoil(column: str, value) -> pd.DataFrame:
    table = pd.DataFrame({"id": range(1, 61), "reference": "Water"}).astype({column: object})
    table.loc[3, column] = value
    return table


@pytest.mark.parametrize(
    ("table", "kind"),
    [
        (_spoil("id", 999), "points.foreign"),
        (_spoil("id", 1.5), "points.id"),
        (_spoil("reference", "Wather"), "points.class"),
        (_spoil("reference", None), "points.unlabelled"),
        (pd.concat([_spoil("reference", "Water"), OTHER_ANSWER]), "points.contradictory"),
        (pd.DataFrame({"number": [1], "reference": ["Water"]}), "points.id"),
        (pd.DataFrame({"id": [1], "class": ["Water"]}), "points.field"),
    ],
)  # fmt: skip
def test_points_that_cannot_be_used_are_one_clear_error(tmp_path, mapped, table, kind):
    design = draw(mapped, 60)
    table.to_csv(tmp_path / "points.csv", index=False)
    with pytest.raises(InputError) as error:
        assess(mapped, read_points(tmp_path / "points.csv"), design)
    assert error.value.kind == kind and error.value.fix


def test_points_that_several_people_answer_alike_count_once_and_are_said(tmp_path, mapped, truth):
    design = draw(mapped, 60)
    wanted = answers(design, truth)
    pd.concat([wanted, wanted.loc[[9]]]).rename("reference").rename_axis("id").to_csv(tmp_path / "points.csv")
    with pytest.warns(InputWarning, match=r"1 row of .* repeats a point with the same answer \(id 9\)"):
        found = read_points(tmp_path / "points.csv")
    pd.testing.assert_series_equal(found, wanted.sort_index(), check_names=False)


@pytest.mark.parametrize("form", ["points.gpkg", "sepal.csv"])
def test_points_that_were_moved_are_refused_and_those_outside_the_map_named(tmp_path, mapped, form):
    design = draw(mapped, 60)
    places = locations(design, mapped).assign(reference="Water")
    other = {7: (30, 0), 9: (-9e4, 0)}
    for moved in ({}, other):
        for number, (x, y) in moved.items():
            places.loc[places["id"] == number, "geometry"] = places.geometry[places["id"] == number].translate(x, y)
        degrees = places.to_crs(4326)
        if form == "points.gpkg":
            degrees.to_file(tmp_path / form)
        else:
            table = degrees.assign(YCoordinate=degrees.geometry.y.round(6), XCoordinate=degrees.geometry.x.round(6))
            table.drop(columns="geometry").to_csv(tmp_path / form, index=False)
        if not moved:
            check_places(tmp_path / form, design, mapped)
    with pytest.raises(
        InputError, match=r"2 points of .* design: id 7, 9, 1 of them outside the map \(id 9\)"
    ) as error:
        check_places(tmp_path / form, design, mapped)
    assert error.value.kind == "points.place"


def test_a_map_changed_since_the_design_is_refused(mapped, truth):
    design = draw(mapped, 60)
    with rasterio.open(mapped.path, "r+") as file:
        codes = file.read(1)
        codes[100, 100] = 7
        file.write(codes, 1)
    with pytest.raises(InputError) as error:
        assess(ClassMap.open(mapped.path), answers(design, truth), design)
    assert error.value.kind == "design.map"


def test_the_better_map_is_found_with_points_where_maps_differ(tmp_path, mapped, truth):
    with rasterio.open(mapped.path) as file:
        codes = file.read(1)
    better = np.where(np.random.default_rng(1).random(codes.shape) < 0.5, truth, codes)
    other = write_map(tmp_path / "other", np.where(codes == 0, 0, better))
    design = draw_differences(mapped, other, 60)
    assert (design.table()["code"] != design.table()["other_code"]).all()
    found = compare(mapped, other, answers(design, truth), design)
    assert (found.first, found.second, found.neither) == (0, 60, 0) and found.p_value < 1e-9
    gap = ((codes == truth) & (codes > 0)).sum() - ((better == truth) & (codes > 0)).sum()
    assert found.low <= gap / (codes > 0).sum() <= found.high and json.dumps(design.points)
