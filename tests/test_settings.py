"""Presets, keys and the refusal of settings that make no sense."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperlib import settings
from paperlib.errors import InputError
from support import spoiling


def test_presets_keep_what_the_paper_prints():
    printed = settings.PRESETS["paper"]
    assert (printed.scene.pool, printed.scene.test) == (290, 131)
    assert (printed.sample.patch, printed.sample.validation) == (32, 0.3)
    assert (printed.train.patience, printed.train.trainings) == (5, 5)


def test_preset_comes_from_the_environment_unless_named(monkeypatch):
    monkeypatch.setenv("PAPERLIB_PRESET", "tiny")
    assert settings.make() == settings.PRESETS["tiny"]
    assert settings.make("demo") == settings.PRESETS["demo"]
    monkeypatch.delenv("PAPERLIB_PRESET")
    assert settings.make() == settings.PRESETS["demo"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"preset": "huge"}, "'huge'.*tiny, demo, paper"),
        ({"preset": 3}, "preset = 3 is not possible"),
        ({"scene": "a.tif"}, "scene is given without polygons"),
        ({"polygons": "a.gpkg"}, "polygons is given without scene"),
        ({"seed": -1}, "seed = -1"),
        ({"seed": "0"}, "seed = '0'"),
        ({"seed": True}, "seed = True"),
    ],
)
def test_bad_settings_say_what_is_expected(arguments, message):
    with pytest.raises(InputError, match=message):
        settings.make(**arguments)


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_keys_differ_exactly_when_the_values_do(one, other):
    def make(seed):
        return settings.key(replace(settings.PRESETS["demo"], seed=seed))

    assert (make(one) == make(other)) == (one == other)


def test_key_is_stable_over_versions_of_this_code():
    """Artifacts of an earlier run are found again only if this never changes."""
    assert settings.key({"b": 1, "a": [1.5, "x"]}, "part") == "12aad8f52ee8"


def test_description_names_every_setting_once():
    flat = settings.describe(settings.PRESETS["demo"])
    assert flat["train.epochs"] == settings.PRESETS["demo"].train.epochs
    assert {"seed", "scene.size", "sample.patch", "map.window"} <= set(flat)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(["preset", "scene", "polygons", "seed"], spoiling.VALUES)))
def test_anything_in_place_of_settings_gives_settings_or_an_error(arguments):
    try:
        made = settings.make(**arguments)
    except InputError as error:
        assert len(str(error)) < 1000
    else:
        assert made.seed == arguments.get("seed", 0) and made.seed + made.train.trainings < 2**32
        assert len(settings.key(made)) == 12 and settings.describe(made)["scene.path"] == arguments.get("scene", "")
