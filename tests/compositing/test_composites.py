"""Monthly composites of Landsat and HLS from a STAC service on this machine."""

import json

import numpy as np
import pytest
import rasterio
from affine import Affine

from paperlib import open_scene
from paperlib.compositing import acquisitions
from paperlib.errors import InputError
from support import imagery
from support.commands import paperlib

GRID, SIDE = Affine(30, 0, 300000, 0, -30, 4900020), 40
ROLES = ("blue", "green", "red", "nir", "swir1", "swir2")
#: Reflectance of vegetation by role.
PLANTS = dict(zip(ROLES, (0.03, 0.06, 0.04, 0.35, 0.18, 0.09), strict=True))
OLI = dict(zip(("SR_B2", "SR_B3", "SR_B4", "SR_B5", "SR_B6", "SR_B7"), ROLES, strict=True))
ETM = dict(zip(("SR_B1", "SR_B2", "SR_B3", "SR_B4", "SR_B5", "SR_B7"), ROLES, strict=True))
COMMON = dict(zip(("blue", "green", "red", "nir08", "swir16", "swir22"), ROLES, strict=True))
L30 = dict(zip(("B02", "B03", "B04", "B05", "B06", "B07"), ROLES, strict=True))
S30 = dict(zip(("B02", "B03", "B04", "B8A", "B11", "B12"), ROLES, strict=True)) | {"B05": "rededge1", "B08": "broad"}


@pytest.fixture
def service(tmp_path, monkeypatch):
    monkeypatch.setattr(acquisitions, "PAUSE", 0.01)
    with imagery.service(tmp_path / "service") as running:
        yield running


def add(service, day: str, bands: dict, kind: str, factor: float = 1.0, declared: bool = True, cloud=np.s_[:0]) -> dict:
    """Write an item of "landsat-8", "landsat-7", "hls-s30" or "hls-l30", and make the service find it."""
    hls = kind.startswith("hls")
    name = f"HLS.{kind[4:].upper()}.T31TCJ.{day}" if hls else f"{'LC08' if kind == 'landsat-8' else 'LE07'}_{day}"
    gain, offset = (1e-4, 0.0) if hls else (2.75e-5, -0.2)
    quality, clear, bad, empty = ("Fmask", 64, 2, 255) if hls else ("qa_pixel", 21824, 22280, 1)
    assets = {}
    for band in (*bands, quality):
        values = np.full(
            (SIDE, SIDE), clear if band == quality else 0, "uint8" if hls and band == quality else "uint16"
        )
        if band == quality:
            values[cloud] = bad
        else:
            values[:] = round((factor * PLANTS.get(bands[band], 0.9) - offset) / gain)
            values[:2] = 0  # nothing
        path = service.root / name / f"{band}.tif"
        path.parent.mkdir(parents=True, exist_ok=True)
        shape = {"height": SIDE, "width": SIDE, "count": 1, "dtype": values.dtype, "crs": 32631, "transform": GRID}
        with rasterio.open(path, "w", driver="GTiff", nodata=empty if band == quality else 0, **shape) as file:
            file.write(values, 1)
            if hls:
                file.scales = (gain if band != quality else 1.0,)
        assets[band] = {"href": f"{service.base}/{name}/{band}.tif", "roles": ["data"]}
        if not hls and declared and band != quality:
            assets[band]["raster:bands"] = [{"scale": gain, "offset": offset, "nodata": 0}]
    platform = {"landsat-8": "landsat-8", "landsat-7": "landsat-7", "hls-s30": "sentinel-2a", "hls-l30": "landsat-8"}[
        kind
    ]
    box = list(rasterio.warp.transform_bounds(32631, 4326, *rasterio.transform.array_bounds(SIDE, SIDE, GRID)))
    item = {
        "type": "Feature", "stac_version": "1.0.0", "id": name, "collection": "any", "bbox": box, "links": [],
        "geometry": None, "assets": assets,
        "properties": {"datetime": f"{day}T10:30:00Z", "platform": platform},
    }  # fmt: skip
    service.items.append(json.loads(json.dumps(item)))
    return service.items[-1]


def fetch(service, folder, *options, collection="landsat-c2-l2"):
    box = service.items[0]["bbox"]
    place = ["--bbox", *box, "--from", "2018-07", "--to", "2018-08", "--endpoint", service.endpoint]
    return paperlib("fetch", "out", *place, "--collection", collection, *options, folder=folder)


@pytest.mark.parametrize("declared, bands", [(True, COMMON), (False, OLI)])
def test_landsat_gives_a_month_each_without_clouds(service, tmp_path, declared, bands):
    """Scale and offset of the items or, where they declare none, of Collection 2; QA_PIXEL masks."""
    add(service, "2018-07-05", bands, "landsat-8", 0.9, declared)
    add(service, "2018-07-21", bands, "landsat-8", 1.1, declared)
    add(service, "2018-08-06", bands, "landsat-8", 1.0, declared, cloud=np.s_[10:20])
    done = fetch(service, tmp_path)
    assert done.returncode == 0 and done.stdout.count("composite: ") == 2, done.stderr
    scene = open_scene(tmp_path / "out" / "landsat-c2-l2").compute()
    assert tuple(scene.band.values) == tuple(bands) and scene.rio.transform() == GRID
    assert [f"{day:%Y-%m-%d}" for day in scene.indexes["time"]] == ["2018-07-15", "2018-08-15"]
    for band, role in bands.items():
        np.testing.assert_allclose(scene.sel(band=band)[0, 2:], PLANTS[role], atol=1e-4)
    mask = np.zeros((2, SIDE, SIDE), bool)
    mask[:, :2] = mask[1, 10:20] = True
    np.testing.assert_array_equal(scene.mask, mask)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.tif")}
    assert fetch(service, tmp_path).returncode == 0  # what is there is kept
    assert before == {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.tif")}


@pytest.mark.parametrize("kinds", [("hls-s30", "hls-l30"), ("landsat-8", "landsat-7")])
def test_sensors_meet_by_the_roles_of_their_bands(service, tmp_path, kinds):
    names = {"hls-s30": S30, "hls-l30": L30, "landsat-8": OLI, "landsat-7": ETM}
    for day, kind in zip(("2018-07-05", "2018-08-06"), kinds, strict=True):
        add(service, day, names[kind], kind)
    done = fetch(service, tmp_path, collection="one,other")
    assert done.returncode == 0 and "read by their roles" in done.stderr, done.stderr
    scene = open_scene(tmp_path / "out" / "one_other").compute()
    near = "nir08" if "hls-s30" in kinds else "nir"
    assert set(scene.band.values) == {*ROLES} - {"nir"} | {near}
    for role, value in PLANTS.items():
        np.testing.assert_allclose(scene.sel(band=near if role == "nir" else role)[:, 2:], value, atol=1e-4)


@pytest.mark.fault("an image address on another host in a Landsat item", "left out with a warning", "that image")
def test_items_elsewhere_and_months_without_images_are_said(service, tmp_path):
    add(service, "2018-07-05", COMMON, "landsat-8")
    add(service, "2018-08-06", COMMON, "landsat-8")["assets"]["red"]["href"] = "https://example.org/red.tif"
    done = fetch(service, tmp_path)
    assert done.returncode == 2 and "Left out" in done.stderr and "is of 2018-08" in done.stderr
    assert not (tmp_path / "out").exists()
    service.items.clear()
    add(service, "2018-07-05", COMMON, "landsat-8")["assets"].pop("qa_pixel")
    done = fetch(service, tmp_path, "--months", "7")
    assert done.returncode == 0 and "clouds are not masked" in done.stderr


def test_a_month_of_another_area_is_refused(service, tmp_path):
    from paperlib.compositing import composites, stac

    add(service, "2018-07-05", COMMON, "landsat-8")
    west, south, east, north = service.items[0]["bbox"]
    found = stac.find_items(["2018-07-15"], None, [west, south, east, north], service.endpoint, ["any"])
    composites.compose(found, ["2018-07-15"], tmp_path / "out", "any")
    half = (west, south, (west + east) / 2, north)
    with pytest.raises(InputError, match="holds another area"):
        composites.compose(found, ["2018-07-15"], tmp_path / "out", "any", bounds=half)
    (path,) = composites.compose(found, ["2018-07-15"], tmp_path / "half", "any", bounds=half)
    with rasterio.open(path) as file:
        assert file.width < SIDE and file.height == SIDE
    with pytest.raises(InputError, match=r"holds images of .*, collection any"):
        composites.compose(found._replace(source="another"), ["2018-07-15"], tmp_path / "half", "any", bounds=half)
    with pytest.raises(InputError, match="outside the area"):
        composites.compose(found, ["2018-07-15"], tmp_path / "no", "any", bounds=(west + 5, south, east + 5, north))
