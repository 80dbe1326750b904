"""STAC item collections whose images lie behind addresses: a service on this machine, signatures, object storage."""

import json
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import rasterio

from paperlib import InputError, open_scene
from paperlib.scenes.fingerprints import fingerprint
from paperlib.scenes.formats import remote
from support import imagery
from support.series import DAYS, GRID, VALUES, quiet, stored

NAMES = {"B4": "red", "B8": "nir"}
BANDS = {"B4": 2, "B8": 3}  # places in VALUES


@pytest.fixture
def service(tmp_path):
    with imagery.service(tmp_path / "served") as running:
        yield running


def write_items(service, path, base: str = ""):
    """Cloud optimised images of two bands and SCL a date, and the items that name them below an address."""
    items = []
    for t, day in enumerate(DAYS):
        assets = {}
        for name, image in [(NAMES[band], stored(1000, 0, "uint16")[BANDS[band], t]) for band in NAMES] + [
            ("scl", np.where(np.arange(40)[:, None] < 8, 9, 4).repeat(30, 1).astype("uint8"))
        ]:
            file = service.root / "x" / f"{t}_{name}.tif"
            file.parent.mkdir(parents=True, exist_ok=True)
            shape = {"count": 1, "height": image.shape[0], "width": image.shape[1], "dtype": image.dtype}
            with rasterio.open(
                file, "w", driver="COG", crs=32631, transform=GRID, compress="deflate", **shape
            ) as target:
                target.write(image, 1)
            about = {} if name == "scl" else {"raster:bands": [{"scale": 1e-4, "offset": -0.1, "nodata": 0}]}
            assets[name] = {"href": f"{base or service.base}/x/{file.name}", **about}
        facts = {"datetime": f"{day:%Y-%m-%d}T10:56:21Z", "platform": "sentinel-2c"}
        items.append({"type": "Feature", "id": f"i{t}", "properties": facts, "assets": assets})
    path.write_text(json.dumps({"type": "FeatureCollection", "features": items}))
    return path


def same(scene) -> None:
    expected = VALUES[list(BANDS.values())]
    np.testing.assert_allclose(scene.values, expected, atol=1e-6)
    mask = np.isnan(expected).any(axis=0)
    mask[:, :8] = True
    np.testing.assert_array_equal(scene.mask.values, mask)


@pytest.mark.form(
    "images",
    "any STAC service",
    "STAC item collection with images behind https",
    "paperlib check items.json labels.gpkg",
)
def test_images_behind_addresses_are_read_as_they_are_needed(service, tmp_path):
    path = write_items(service, tmp_path / "items.json")
    scene = open_scene(path)
    opened = len(service.log)
    assert list(scene.band.values) == list(NAMES) and scene.attrs["sensor"] == "sentinel-2"
    before = fingerprint(path)
    part = scene[:, 1:2, 10:20, 3:9].compute()
    np.testing.assert_allclose(part.values, VALUES[[2, 3], 1:2, 10:20, 3:9], atol=1e-6)
    asked = {name.rpartition("/")[2] for _, name in service.log[opened:]}
    assert asked <= {"1_red.tif", "1_nir.tif", "1_scl.tif"}  # one date alone
    same(scene.compute())
    path.write_text(path.read_text().replace("i0", "other"))
    assert fingerprint(path) != before


def test_an_image_that_is_not_there_is_named(service, tmp_path):
    path = write_items(service, tmp_path / "items.json")
    (service.root / "x" / "2_nir.tif").unlink()
    with pytest.raises(InputError, match=r"2_nir\.tif cannot be read"):
        open_scene(path)


@pytest.mark.parametrize(
    "href", ["http://example.org/red.tif", "ftp://127.0.0.1/red.tif", "//host/red.tif", "https://a b/red.tif"]
)
def test_other_addresses_are_not_opened(tmp_path, href):
    item = {"id": "i", "properties": {"datetime": "2018-08-15"}, "assets": {"red": {"href": href}}}
    (tmp_path / "items.json").write_text(json.dumps(item))
    with pytest.raises(InputError, match="Give an https address"):
        open_scene(tmp_path / "items.json")


@pytest.mark.form(
    "images", "CDSE", "STAC item collection with images in object storage (s3)", "paperlib check items.json labels.gpkg"
)
def test_object_storage_needs_keys_and_is_read_with_them(service, tmp_path, monkeypatch):
    path = write_items(service, tmp_path / "items.json", "s3://eodata")
    for key in remote.KEYS:
        monkeypatch.delenv(key, raising=False)
    with pytest.raises(InputError, match=r"keys of eodata\.dataspace.*AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"):
        open_scene(path)
    (service.root / "eodata").symlink_to(service.root)
    for name, value in zip(remote.KEYS, ("AKEY", "SECRET"), strict=True):
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_S3_ENDPOINT", service.base.removeprefix("http://"))
    monkeypatch.setenv("AWS_HTTPS", "NO")
    monkeypatch.setenv("AWS_VIRTUAL_HOSTING", "FALSE")
    same(quiet(path))
    assert any(name.startswith("/eodata/x/") for _, name in service.log)


@pytest.mark.form(
    "images",
    "Planetary Computer",
    "STAC item collection whose images need a signature",
    "paperlib check items.json labels.gpkg",
)
def test_planetary_computer_is_signed_by_its_package(service, tmp_path, monkeypatch):
    """The package is imported only where an address needs it; without it, the error names it."""
    monkeypatch.setattr(remote, "SIGNED", "127.0.0.1")
    path = write_items(service, tmp_path / "items.json")
    monkeypatch.setitem(sys.modules, "planetary_computer", None)
    with pytest.raises(InputError, match=r"needs a signature.*pip install 'paperlib\[signing\]'"):
        open_scene(path)
    signed = []
    fake = SimpleNamespace(sign=lambda href: signed.append(href) or f"{href}?sig=abc")
    monkeypatch.setitem(sys.modules, "planetary_computer", fake)
    same(quiet(path))
    assert len(set(signed)) == 12 and all(href.startswith(service.base) for href in signed)

    def broken(href):
        raise OSError("no network")

    monkeypatch.setitem(sys.modules, "planetary_computer", SimpleNamespace(sign=broken))
    with pytest.raises(InputError, match=r"could not be signed \(OSError: no network\)"):
        open_scene(path)
