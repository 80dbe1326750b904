"""Monthly syntheses: the weighted mean, the files written, and the effect of faults of files and processes."""

import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from paperlib import open_scene
from paperlib.compositing import acquisitions, stac
from paperlib.compositing.acquisitions import local_acquisitions
from paperlib.compositing.synthesis import months, season, synthesise
from paperlib.compositing.weighting import far_from_cloud, map_threads, near_date
from paperlib.errors import InputError
from paperlib.scenes.formats.l2a import Acquisition, BandFile
from paperlib.scenes.sensors import BANDS, BANDS_10M
from support import imagery

MONTH = ["2018-08-15"]
DAY = pd.Timestamp(MONTH[0])
CLEAR, CLOUDY, NONE = 4, 9, 0  # SCL
HALF = 23


def place(folder: Path, days: int, values, scl, offset: float = 0.0, size: int = imagery.SIZE) -> Acquisition:
    """An acquisition `days` after the middle: values (a number, an image of 20 m, or either by band) and SCL."""
    date = DAY + pd.Timedelta(days=days)
    folder = folder / f"acquisition{days}"
    bands = {}
    for band in BANDS:
        path = folder / f"{band}.tif"
        content = imagery.image(imagery.stored(values, band), imagery.pixels(band), size=size)
        imagery.write(path, content, imagery.pixels(band))
        bands[band] = BandFile(str(path), offset=offset)
    imagery.write(folder / "SCL.tif", imagery.image(scl, 20, "uint8", size), 20)
    return Acquisition(f"acquisition{days}", "2A", date, "T31TCJ", 2.08, bands, {"SCL": str(folder / "SCL.tif")})


def layers(product: Path) -> dict[str, np.ndarray]:
    """Every raster of a product by the end of its name: B2, FLG_R1, ..."""
    result = {}
    for path in sorted(product.rglob("*.tif")):
        with rasterio.open(path) as source:
            result[path.stem.partition("_V1-1_")[2].removeprefix("FRC_")] = source.read(1)
    return result


def made(found, folder, **options) -> dict[str, np.ndarray]:
    (product,) = synthesise(found, MONTH, folder, **options)
    return layers(product)


def halves(left, right) -> np.ndarray:
    """An image of 20 m with one value at the left and one at the right."""
    return np.where(np.arange(64) < 32, left, right) * np.ones((64, 1), int)


images = arrays(np.uint16, (8, 8), elements=st.integers(0, 12000))
classes = arrays(np.uint8, (8, 8), elements=st.sampled_from([0, 1, 3, 4, 5, 6, 7, 9, 10, 11]))
many = st.lists(
    st.tuples(st.integers(-HALF, HALF), images, classes), min_size=1, max_size=4, unique_by=lambda one: one[0]
)


@settings(max_examples=25, deadline=None)
@given(many)
def test_a_pixel_lies_within_its_clear_acquisitions_and_is_empty_without_one(passages):
    with tempfile.TemporaryDirectory() as folder:
        found = [place(Path(folder), days, values, scl, size=16) for days, values, scl in passages]
        out = made(found, Path(folder) / "out")
    values, scl = (np.stack([one[part] for one in passages]) for part in (1, 2))
    clear = np.isin(scl, [4, 5, 6, 7, 11]) & (values != 0)
    bare = clear & (scl != 11)
    clear = np.where(bare.any(0), bare, clear)  # snow counts only where nothing else does
    low, high = np.where(clear, values, 99999).min(0), np.where(clear, values, -1).max(0)
    seen = clear.any(0)
    for name, image in out.items():
        fine = name in BANDS_10M or name.endswith("R1")
        usable, least, most = (part.repeat(2, 0).repeat(2, 1) if fine else part for part in (seen, low, high))
        if name in BANDS:
            assert (image[usable] >= least[usable]).all() and (image[usable] <= most[usable]).all()
        else:
            assert ((image > 0) == usable).all() or name.startswith("DTS")
        assert (image[~usable] == (-10000 if name in BANDS or name.startswith("DTS") else 0)).all()
        if name.startswith("DTS"):
            assert (abs(image[usable]) <= HALF).all()


@settings(max_examples=15, deadline=None)
@given(many, st.integers(1, 12000), st.sampled_from([0.0, -0.1]))
def test_a_constant_series_stays_constant_whatever_the_clouds(passages, value, offset):
    with tempfile.TemporaryDirectory() as folder:
        found = [place(Path(folder), days, value, scl, offset, size=16) for days, _, scl in passages]
        out = made(found, Path(folder) / "out")
    expected = value + round(offset * 10000)
    assert all(set(np.unique(out[band])) <= {expected, -10000} for band in BANDS)


@given(arrays(np.uint8, (9, 9), elements=st.integers(0, 4)), st.integers(-HALF, HALF))
def test_weights_are_above_0_outside_clouds_and_at_most_1(flags, days):
    weight = near_date(days, HALF) * far_from_cloud(flags)
    assert ((weight > 0) == (flags != 1)).all() and weight.max() <= 1


def test_nearer_dates_and_farther_clouds_weigh_more():
    assert [near_date(days, 23) for days in (0, 23, -23)] == [1, 0.5, 0.5]
    assert near_date(-5, 23) == near_date(5, 23) > near_date(6, 23)
    flags = np.full((3, 200), 4, np.uint8)
    flags[:, 0] = 1
    weight = far_from_cloud(flags)[1]
    np.testing.assert_allclose(weight[:3], [0, 0.02, 0.04], rtol=1e-6)
    assert (np.diff(weight[:51]) > 0).all() and (weight[50:] == 1).all()
    assert (far_from_cloud(np.full((3, 3), 4, np.uint8)) == 1).all()


def test_the_mean_is_weighted_by_date_and_cloud(tmp_path):
    cloud = halves(CLEAR, CLEAR)
    cloud[:, 63] = CLOUDY
    found = [place(tmp_path, 0, 1000, CLEAR), place(tmp_path, 23, 4000, cloud)]
    out = made(found, tmp_path / "out")
    near = np.minimum((63 - np.arange(64)) / 50, 1)  # distance to the cloud, over 1 km
    expected = np.rint((1000 + 0.5 * near * 4000) / (1 + 0.5 * near))
    assert abs(out["B5"] - expected).max() <= 1 and abs(out["B2"] - expected.repeat(2)).max() <= 1
    assert out["B5"][0, 0] == 2000 and out["B5"][0, 63] == 1000
    assert out["WGT_R2"][0, 0] == 1500 and out["WGT_R1"][0, 127] == 1000
    assert out["DTS_R2"][0, 0] == round(23 * 0.5 / 1.5) and out["DTS_R2"][0, 63] == 0
    assert out["FLG_R1"].shape == (128, 128) and (out["FLG_R1"] == 4).all()


def test_flags_tell_land_water_snow_and_nothing_and_snow_counts_only_alone(tmp_path):
    first, second = halves(11, 11), halves(11, CLEAR)
    first[0], second[0] = 6, 6
    first[1], second[1] = CLOUDY, NONE
    found = [place(tmp_path, -2, 9000, first), place(tmp_path, 2, 1000, second), place(tmp_path, 5, 9000, first)]
    out = made(found, tmp_path / "out")
    assert (out["FLG_R2"][0] == 3).all() and (out["FLG_R2"][1] == 0).all()
    assert (out["FLG_R2"][2:, :32] == 2).all() and (out["FLG_R2"][2:, 32:] == 4).all()
    assert (out["B5"][2:, 32:] == 1000).all() and (out["B2"][4:, 64:] == 1000).all()
    assert (out["B5"][1] == -10000).all() and (out["B2"][2:4] == -10000).all()


def test_a_band_without_data_takes_its_pixel_from_that_acquisition_alone(tmp_path):
    lacking = {band: 2000 for band in BANDS} | {"B8": halves(0, 2000), "B12": halves(2000, 0)}
    found = [place(tmp_path, 0, lacking, CLEAR), place(tmp_path, 1, 1000, CLEAR)]
    out = made(found, tmp_path / "out")
    assert (out["B2"][:, :64] == 1000).all() and (out["B2"][:, 64:] > 1400).all()
    assert (out["B5"][:, :32] > 1400).all() and (out["B5"][:, 32:] == 1000).all()


def test_products_open_as_a_scene_at_their_place(tmp_path):
    dates = ["2018-08-15", "2018-09-15"]
    found = [place(tmp_path, days, 1000 + days, halves(CLEAR, CLOUDY)) for days in (0, 31)]
    products = synthesise(found, dates, tmp_path / "out")
    scene = open_scene(tmp_path / "out")
    assert [path.parent.name for path in products] == ["T31TCJ", "T31TCJ"]
    assert [str(date)[:10] for date in scene.time.values] == dates and tuple(scene.band.values) == BANDS
    assert scene.rio.crs == imagery.CRS_TILE and scene.rio.transform() == imagery.transform(10)
    assert scene.attrs["product"] == "theia_l3a" and scene.attrs["scale"] == 10000
    np.testing.assert_allclose(scene.isel(band=0).values[:, :, :64], [[[0.1]], [[0.1031]]] * np.ones((1, 128, 64)))
    assert (scene.mask.values == (np.arange(128) >= 64)).all() and np.isnan(scene.isel(x=127).values).all()
    grids = {path.name: rasterio.open(path).transform.a for path in products[0].glob("*.tif")}
    assert {name.partition("FRC_")[2][:-4] for name, step in grids.items() if step == 10} == set(BANDS_10M)


def test_a_part_of_a_tile_equals_the_same_part_of_the_whole(tmp_path, monkeypatch):
    random = np.random.default_rng(1)
    scl = np.where(random.random((64, 64)) < 0.02, CLOUDY, CLEAR)
    found = [place(tmp_path, days, random.integers(1, 9000, (64, 64)), np.roll(scl, days)) for days in (-9, 0, 8)]
    whole = made(found, tmp_path / "whole")
    west, south, east, north = imagery.bbox()
    bounds = west + 0.3 * (east - west), south + 0.4 * (north - south), east, north
    part = made(found, tmp_path / "part", bounds=bounds)
    height, width = part["B5"].shape
    assert 30 < height < 64 and 30 < width < 64 and part["B2"].shape == (2 * height, 2 * width)
    for name, image in part.items():
        assert (image == whole[name][: image.shape[0], -image.shape[1] :]).all()
    assert open_scene(tmp_path / "part").y.values[0] == open_scene(tmp_path / "whole").y.values[0]
    monkeypatch.setattr("paperlib.compositing.synthesis.BLOCK", 24)  # and blocks join without a seam
    for name, image in made(found, tmp_path / "blocks").items():
        assert (image == whole[name]).all()


def test_another_tile_and_crs(tmp_path, monkeypatch):
    monkeypatch.setattr(imagery, "CRS_TILE", rasterio.crs.CRS.from_epsg(32722))
    monkeypatch.setattr(imagery, "ORIGIN", (199980, 5900020))
    monkeypatch.setattr(imagery.write, "__defaults__", (imagery.CRS_TILE,))
    acquisition = place(tmp_path, 0, 1500, CLEAR)._replace(tile="T22HBD")
    synthesise([acquisition], MONTH, tmp_path / "out", tile="22HBD")
    scene = open_scene(tmp_path / "out")
    assert scene.rio.crs.to_epsg() == 32722 and scene.rio.transform().f == 5900020 and (scene == 0.15).all()


@pytest.mark.parametrize("kind", ["safe", "theia"])
def test_local_products_make_a_scene(tmp_path, kind):
    if kind == "safe":
        imagery.write_safe(
            tmp_path / "in", "20180810", values=3000, scl=halves(CLEAR, CLOUDY), baseline="0400", offset=-1000
        )
        imagery.write_safe(tmp_path / "in", "20180820", values=2000, scl=halves(CLOUDY, CLEAR))
    else:
        imagery.write_theia(tmp_path / "in", "20180810", values=halves(2000, -10000))
        imagery.write_theia(tmp_path / "in", "20180820", values=2000, clm=halves(1, 0))
    synthesise(local_acquisitions(tmp_path / "in"), MONTH, tmp_path / "out")
    scene = open_scene(tmp_path / "out")
    assert (abs(scene - 0.2) < 1e-6).all() and not scene.mask.any()


def test_offsets_of_both_kinds_meet_in_one_reflectance(tmp_path):
    with imagery.service(tmp_path) as service:
        service.add("2018-08-10", values=2000)
        service.add("2018-08-15", values=3000, **{"s2:processing_baseline": "05.00"})
        applied = {"s2:processing_baseline": "05.00", "earthsearch:boa_offset_applied": True}
        for asset in service.add("2018-08-20", values=2000, **applied)["assets"].values():
            asset["raster:bands"] = [{"scale": 0.0001, "offset": -0.1}]
        out = made(stac.search(MONTH, tile="31TCJ", endpoint=service.endpoint), tmp_path / "out")
    assert all((out[band] == 2000).all() for band in BANDS)


def test_an_offset_taken_off_against_its_metadata_is_noticed(tmp_path):
    found = [place(tmp_path, 0, 300, CLEAR, offset=-0.1), place(tmp_path, 1, 400, CLEAR)]
    with pytest.warns(UserWarning, match=r"without acquisition0: .*seems to be taken off already"):
        assert (made(found, tmp_path / "out")["B2"] == 400).all()


@pytest.fixture(scope="module")
def three(tmp_path_factory):
    """A service with three acquisitions, which are its `acquisitions`; their files lie under its `root`."""
    with imagery.service(tmp_path_factory.mktemp("remote")) as service:
        random = np.random.default_rng(0).integers(1000, 3000, (64, 64))
        for date in ("2018-08-10", "2018-08-15", "2018-08-20"):
            service.add(date, values=random)
        service.acquisitions = stac.search(MONTH, tile="31TCJ", endpoint=service.endpoint)
        yield service


@pytest.fixture(scope="module")
def whole(three, tmp_path_factory) -> dict[str, np.ndarray]:
    """The synthesis of all three."""
    return made(three.acquisitions, tmp_path_factory.mktemp("whole"))


@pytest.fixture(scope="module")
def without_the_second(three, tmp_path_factory) -> dict[str, np.ndarray]:
    """The synthesis of the first and the third."""
    return made([three.acquisitions[0], three.acquisitions[2]], tmp_path_factory.mktemp("two"))


@pytest.fixture
def served(three, monkeypatch):
    """The service, whose answers and files a test may spoil."""
    monkeypatch.setattr(acquisitions, "PAUSE", 0.01)
    monkeypatch.setattr(acquisitions, "OPTIONS", acquisitions.OPTIONS | {"GDAL_HTTP_TIMEOUT": 1})
    before = {path: path.read_bytes() for path in three.root.rglob("*.tif")}
    yield three
    three.faults, three.lasting = {}, ()
    for path, content in before.items():
        path.write_bytes(content)


FILES = [f"/S2A_31TCJ_20180815_0_L2A/{name}.tif" for name in ("nir", "scl", "swir22")]


@pytest.mark.parametrize("faults", [[500], [503, 500], [None, 500], [None, None, 500], [None, "short"], ["hang"]])
@pytest.mark.parametrize("path", FILES)
@pytest.mark.fault("errors 500, timeouts and cut answers while reading images", "read again; the same bytes", "nothing")
def test_a_passing_fault_changes_nothing(served, whole, tmp_path, path, faults):
    served.faults = {path: list(faults)}
    out = made(served.acquisitions, tmp_path / "out")
    assert served.faults[path] == []
    assert all((out[name] == image).all() for name, image in whole.items())


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")  # of a file cut within its header
@pytest.mark.parametrize("fault", [500, 404, "short", "truncated", "missing"])
@pytest.mark.parametrize("path", FILES)
@pytest.mark.fault(
    "an image that stays unreadable", "left out of the whole month with a warning: no seam", "that acquisition"
)
def test_a_acquisition_that_stays_unreadable_is_left_out_of_the_whole_month(
    served, without_the_second, tmp_path, path, fault
):
    file = served.root / path[1:]
    if fault == "missing":
        file.unlink()
    elif fault == "truncated":
        os.truncate(file, file.stat().st_size * 2 // 3)
    else:
        served.faults, served.lasting = {path: [fault]}, (fault,)
    with pytest.warns(UserWarning, match=f"made without S2A_31TCJ_20180815_0_L2A: .*{path}"):
        out = made(served.acquisitions, tmp_path / "out")
    assert all((out[name] == image).all() for name, image in without_the_second.items())
    text = next((tmp_path / "out").rglob("*_MTD_ALL.xml")).read_text()
    assert "20180810" in text and "S2A_31TCJ_20180815" not in text


def test_when_no_acquisition_can_be_read_nothing_is_left_but_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(acquisitions, "PAUSE", 0.01)
    with imagery.service(tmp_path / "remote") as service:
        service.add("2018-08-15")
        found = stac.search(MONTH, tile="31TCJ", endpoint=service.endpoint)
    with pytest.raises(InputError, match="cannot be read"):
        synthesise(found, MONTH, tmp_path / "out")
    service_less = [
        acquisition._replace(masks={"SCL": acquisition.masks["SCL"] + ".no"})
        for acquisition in [place(tmp_path, 0, 1, CLEAR)]
    ]
    with pytest.raises(InputError, match="None of the 1 acquisitions around 2018-08-15 can be read"):
        synthesise(service_less, MONTH, tmp_path / "out")
    assert not list((tmp_path / "out").glob("T31TCJ/*"))


KILLED = """
import os, signal, sys
from paperlib.compositing import synthesis
from paperlib.compositing.acquisitions import local_acquisitions

weighted_mean, calls = synthesis.weighted_mean, []
def dying(*arguments):
    calls.append(1)
    if len(calls) == int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)
    return weighted_mean(*arguments)
synthesis.weighted_mean, synthesis.BLOCK = dying, 24
synthesis.synthesise(local_acquisitions(sys.argv[1]), ["2018-08-15", "2018-09-15"], sys.argv[2])
"""


@pytest.mark.parametrize("call", [5, 14])  # of nine blocks a month
@pytest.mark.fault("syntheses killed in the middle", "complete months are kept; the same bytes", "the month in work")
def test_after_a_kill_the_run_goes_on_and_ends_with_the_same_bytes(tmp_path, monkeypatch, call):
    random, dates = np.random.default_rng(0), ["2018-08-15", "2018-09-15"]
    for date in ("20180810", "20180825", "20180910"):
        imagery.write_theia(tmp_path / "in", date, random.integers(1, 5000, (64, 64)), random.random((64, 64)) < 0.05)
    found = local_acquisitions(tmp_path / "in")
    monkeypatch.setattr("paperlib.compositing.synthesis.BLOCK", 24)
    synthesise(found, dates, tmp_path / "whole")
    command = [sys.executable, "-c", KILLED, str(tmp_path / "in"), str(tmp_path / "out"), str(call)]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    done = [path.name[11:19] for path in (tmp_path / "out" / "T31TCJ").iterdir()]
    assert done == ["20180815"] * (call > 9)
    if done:
        assert [str(date)[:10] for date in open_scene(tmp_path / "out").time.values] == ["2018-08-15"]
    first = {path: path.stat().st_mtime_ns for path in (tmp_path / "out" / "T31TCJ").rglob("*.tif")}
    synthesise(found, dates, tmp_path / "out")
    assert {path: path.stat().st_mtime_ns for path in first} == first
    files = sorted((tmp_path / "whole" / "T31TCJ").rglob("*.*"))
    assert len([path for path in files if path.is_file()]) == 2 * 17
    for path in files:
        twin = tmp_path / "out" / path.relative_to(tmp_path / "whole")
        assert path.is_dir() or path.read_bytes() == twin.read_bytes()


@pytest.mark.parametrize("limit", [3000, 10_000, 200_000])
@pytest.mark.fault("disk full while a synthesis is written", "an error; no half product", "the month in work")
def test_a_full_disk_leaves_no_product(tmp_path, limit):
    """Small files are written when they are closed, where GDAL keeps silent; large ones before."""
    size = 1024 if limit > 100_000 else 128
    values = np.random.default_rng(0).integers(1, 9999, (size // 2, size // 2))
    found = [place(tmp_path, 0, values, CLEAR, size=size)]
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        with pytest.raises(InputError, match=r"cannot be written whole .* are free there\. Make room"):
            synthesise(found, MONTH, tmp_path / "out")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not list((tmp_path / "out" / "T31TCJ").iterdir())
    assert (made(found, tmp_path / "out")["B5"] == values).all()


def test_a_product_of_another_area_window_or_with_a_missing_file_is_not_taken_for_this_one(tmp_path):
    found = [place(tmp_path, 0, 1000, CLEAR)]
    (product,) = synthesise(found, MONTH, tmp_path / "out")
    west, south, east, north = imagery.bbox()
    with pytest.raises(InputError, match="holds another area"):
        synthesise(found, MONTH, tmp_path / "out", bounds=(west, south, (west + east) / 2, north))
    with pytest.raises(InputError, match="a window of 46 days; asked for is 30"):
        synthesise(found, MONTH, tmp_path / "out", window_days=30)
    next(product.glob("*_FRC_B11.tif")).unlink()
    with pytest.raises(InputError, match=r"has no .*_FRC_B11\.tif.*Delete"):
        synthesise(found, MONTH, tmp_path / "out")


def test_what_cannot_be_made_is_said_before_any_work(tmp_path):
    found = [place(tmp_path, 0, 1000, CLEAR)]
    with pytest.raises(InputError, match="No acquisition of T31TCJ lies within 23 days of 2018-06-15, 2018-10-15"):
        synthesise(found, ["2018-06-15", "2018-08-15", "2018-10-15"], tmp_path / "out")
    with pytest.raises(InputError, match="does not meet the tile"):
        synthesise(found, MONTH, tmp_path / "out", bounds=(10, 45, 11, 46))
    with pytest.raises(InputError, match="one is needed"):
        synthesise([found[0], found[0]._replace(tile="T31TDJ")], MONTH, tmp_path / "out")
    with pytest.raises(InputError, match="one is needed"):
        synthesise(found, MONTH, tmp_path / "out", tile="31TDJ")
    with pytest.raises(InputError, match="window_days = 0"):
        synthesise(found, MONTH, tmp_path / "out", window_days=0)
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="is a file; a folder is to be written there"):
        synthesise(found, MONTH, tmp_path / "file")
    assert not list((tmp_path).glob("out/*"))


def test_months_of_a_year():
    assert months(2018)[:2] == ["2018-01-15", "2018-02-15"] and len(months(2018)) == 12


@pytest.mark.parametrize(
    ("start", "end", "only", "expected"),
    [
        ("2017-10", "2018-02", "", ["2017-10", "2017-11", "2017-12", "2018-01", "2018-02"]),
        (
            "2017-01",
            "2018-12",
            "11-2",
            ["2017-01", "2017-02", "2017-11", "2017-12", "2018-01", "2018-02", "2018-11", "2018-12"],
        ),
        ("2018-01", "2018-12", "3, 5,7", ["2018-03", "2018-05", "2018-07"]),
    ],
)
def test_a_season_begins_and_ends_in_any_month(start, end, only, expected):
    assert season(start, end, only) == [f"{month}-15" for month in expected]


@pytest.mark.parametrize(
    "choice", [("2018-10", "2018-01", ""), ("2018", "x", ""), ("2018-01", "2018-12", "13"), ("2018-01", "2018-02", "3")]
)
def test_a_season_that_cannot_be_is_explained(choice):
    with pytest.raises(InputError, match=r"--to|--months|--from"):
        season(*choice)


def test_an_acquisition_of_two_months_is_opened_once(tmp_path, monkeypatch):
    for date in ("20180801", "20180901", "20180920"):
        imagery.write_theia(tmp_path / "l2a", date)
    opened, really = [], acquisitions._open
    monkeypatch.setattr(acquisitions, "_open", lambda href: opened.append(href) or really(href))
    synthesise(acquisitions.local_acquisitions(tmp_path / "l2a"), ["2018-08-15", "2018-09-15"], tmp_path / "l3a")
    shared = [href for href in opened if "20180901" in href]
    assert len(shared) >= 11 and len(shared) == len(set(shared))


def test_files_of_acquisitions_that_are_done_with_are_closed(tmp_path):
    imagery.write_theia(tmp_path, "20180801")
    imagery.write_theia(tmp_path, "20180901")
    first, second = acquisitions.local_acquisitions(tmp_path)
    with acquisitions.Reader() as reader:
        for acquisition in (first, second):
            reader.grid(acquisition, acquisition.bands["B2"].href)
        reader.keep([second])
        assert list(reader._sources) == [second.bands["B2"].href]


def test_work_that_fails_leaves_none_running():
    done = []

    def work(number):
        if not number:
            raise ValueError("broken")
        time.sleep(0.05)
        done.append(number)

    with ThreadPoolExecutor(2) as pool:
        with pytest.raises(ValueError, match="broken"):
            map_threads(pool, work, range(50))
        finished = len(done)
        time.sleep(0.2)
        assert len(done) == finished < 49


PLANTS = {band: 300 if band == "B2" else 3500 if band == "B8" else 500 for band in BANDS}


@pytest.mark.fault(
    "an item whose values carry an offset that its metadata say was taken off",
    "found by blue over vegetation; taken off, with a warning",
    "nothing",
)
def test_an_offset_that_metadata_deny_is_taken_off(tmp_path):
    carried = {band: value + 1000 for band, value in PLANTS.items()}
    found = [place(tmp_path, -3, PLANTS, CLEAR), place(tmp_path, 3, carried, CLEAR)]
    with pytest.warns(UserWarning, match=r"acquisition3: vegetation has 0\.130 and more in blue.*offset"):
        out = made(found, tmp_path / "out")
    assert all(set(np.unique(out[band])) == {PLANTS[band]} for band in BANDS)


@pytest.mark.parametrize("values", [1400, {band: 900 + 300 * n for n, band in enumerate(BANDS)}])
def test_bright_land_without_vegetation_is_left_as_it_is(tmp_path, values):
    """A desert is as bright in blue as vegetation with an offset; only vegetation tells."""
    out = made([place(tmp_path, 0, values, CLEAR)], tmp_path / "out")
    assert set(np.unique(out["B2"])) == {values if isinstance(values, int) else 900}


@pytest.mark.fault(
    "a month that was fetched before its end", "kept, with a warning that names what came later", "nothing"
)
def test_a_synthesis_that_lacks_later_acquisitions_is_said(tmp_path):
    first, later = place(tmp_path, -3, 1000, CLEAR), place(tmp_path, 3, 2000, CLEAR)
    before = made([first], tmp_path / "out")
    with pytest.warns(UserWarning, match="is kept; it was made without acquisition3"):
        again = made([first, later], tmp_path / "out")
    assert np.array_equal(before["B2"], again["B2"])
