"""The package's front: it loads fast, and what it offers is there."""

import subprocess
import sys

import pytest

import paperlib


def test_import_loads_nothing_heavy():
    code = (
        "import sys, paperlib; "
        "print(*sorted({'torch', 'rasterio', 'sklearn', 'numpy', 'pandas', 'xarray', 'geopandas'} & set(sys.modules)))"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == ""


def test_names_lead_to_their_modules():
    from paperlib import errors, models, settings
    from paperlib.labels import splitting
    from paperlib.scenes import scene

    assert paperlib.open_scene is scene.open_scene and paperlib.make is settings.make
    assert paperlib.split is splitting.split and paperlib.models is models and paperlib.InputError is errors.InputError
    assert set(paperlib.__all__) <= set(dir(paperlib)) and paperlib.__version__ == "0.1.0"
    for name in paperlib.__all__:
        assert getattr(paperlib, name) is not None


def test_unknown_names_are_refused():
    with pytest.raises(AttributeError, match="no attribute 'open_scenes'"):
        _ = paperlib.open_scenes
