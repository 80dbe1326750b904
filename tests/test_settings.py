"""Presets, keys and the refusal of settings that make no sense."""

import dataclasses
import datetime
import json
from dataclasses import dataclass, replace

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from paperlib import fields, settings
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


OTHER_VALUES = {
    "scene.path": "a.tif", "scene.polygons": "a.gpkg", "scene.resampling": "cubic", "scene.size": 256, "scene.pool": 7,
    "scene.test": 7, "scene.seed": 7, "labels.field": "crop", "labels.name_field": "name", "labels.set_field": "part",
    "labels.group_field": "farm", "labels.near": 30.0, "labels.blocks": 500.0, "labels.layer": "final",
    "labels.encoding": "cp850",
    "labels.nomenclature": "clcplus", "labels.buffer": 15.0, "labels.repair": True, "labels.join_spellings": True,
    "sample.patch": 20, "sample.validation": 0.25, "sample.oversample": False,
    "sample.split": "pixel", "sample.training_share": 0.5, "sample.dates": "2018-07-08", "sample.indices": False,
    "train.epochs": 40, "train.patience": 7, "train.trainings": 7, "train.learning_rate": 1e-4, "train.patches": 7,
    "train.dropout": 0.25, "train.average": 0.05, "train.fusion": 0.25, "train.largest_leaf": 5,
    "train.imitated": 900, "map.window": 64,
    "map.probabilities": True, "map.palette": "safe",
    "region.crs": "EPSG:3035", "region.mixed_years": True, "seed": 7,
    "scene.bands": ["B4", "B8"], "scene.sensor": "landsat-8", "scene.scale": 0.0002, "scene.offset": -0.1,
    "scene.nodata": 7.0, "scene.mask_classes": [3, 8], "scene.pixel": "corner", "scene.every": "16D",
    "scene.pattern": "{date}_{band}", "scene.offset_dates": "2018-03..",
}  # fmt: skip
PATHS = {"scene.path": "a.tif", "scene.polygons": "a.gpkg"}


def test_the_table_of_other_values_is_complete():
    assert set(OTHER_VALUES) == set(settings.known())


@pytest.mark.parametrize("name", OTHER_VALUES)
def test_every_setting_is_overridden_in_the_same_way_everywhere(name, tmp_path, monkeypatch):
    """A mapping, a nested one, text as --set and papermill give it, a file, and the environment."""
    value = OTHER_VALUES[name]
    given = {**PATHS, name: value} if name in PATHS else {name: value}
    made = settings.make("demo", settings=given)
    assert settings.describe(made)[name] == (tuple(value) if isinstance(value, list) else value)
    nested = {}
    for key, content in given.items():
        section, _, last = key.rpartition(".")
        (nested.setdefault(section, {}) if section else nested)[last] = content
    (tmp_path / "nested.yml").write_text(yaml.safe_dump(nested))
    (tmp_path / "flat.yml").write_text(yaml.safe_dump(given))
    texts = {
        key: ",".join(map(str, content)) if isinstance(content, list) else str(content)
        for key, content in given.items()
    }
    texts = {key: text.lower() if text in ("True", "False") else text for key, text in texts.items()}
    for form in (nested, texts, json.dumps(given), tmp_path / "nested.yml", str(tmp_path / "flat.yml")):
        assert settings.make("demo", settings=form) == made
    monkeypatch.setenv("PAPERLIB_SETTINGS", yaml.safe_dump(given, default_flow_style=True))
    assert settings.make("demo") == made


@pytest.mark.parametrize(
    ("overrides", "message", "kind"),
    [
        ({"train.epoch": 3}, "Unknown setting 'train.epoch'. Did you mean 'train.epochs'?", "settings.name"),
        ({"epochs": 3}, "Unknown setting 'epochs'. Did you mean 'train.epochs'?", "settings.name"),
        ({"train": 3}, "Unknown setting 'train'.", "settings.name"),
        ({"train.epochs": "many"}, "train.epochs = 'many' is not possible. Expected: a whole number from 1 to 100000.",
         "settings.value"),
        ({"train.epochs": 2.5}, "train.epochs = 2.5", "settings.value"),
        ({"train.epochs": True}, "train.epochs = True", "settings.value"),
        ({"train.epochs": 0}, "train.epochs = 0", "settings.value"),
        ({"train.dropout": float("nan")}, "Expected: a number from 0 to 0.99", "settings.value"),
        ({"train.learning_rate": 0}, "Expected: a number above 0 to 1", "settings.value"),
        ({"sample.split": "block"}, "sample.split = 'block' is not possible. Choose polygon or pixel.", "settings.value"),
        ({"sample.oversample": "perhaps"}, "Expected: true or false", "settings.value"),
        ({"scene.resampling": None}, "Choose nearest, bilinear or cubic", "settings.value"),
        ({"scene.path": "a.tif"}, "scene is given without polygons", "settings.scene"),
        ("epochs", "no pairs of name and value", "settings.format"),
        ("{a: [", "cannot be read as YAML", "settings.format"),
        ("gone.yml", "gone.yml cannot be read", "settings.file"),
        ([1], "no pairs of name and value", "settings.format"),
    ],
)  # fmt: skip
def test_bad_overrides_say_what_is_expected(overrides, message, kind):
    with pytest.raises(InputError) as caught:
        settings.make("demo", settings=overrides)
    assert message in str(caught.value) and caught.value.kind == kind


def test_the_constructor_checks_as_overrides_do():
    with pytest.raises(InputError, match=r"train.epochs = '40' is not possible"):  # text is parsed in overrides alone
        settings.Train(epochs="40")
    assert settings.Train(learning_rate=1).learning_rate == 1.0 and isinstance(settings.Train(dropout=0).dropout, float)
    assert (
        settings.override(settings.make("demo"), {"sample.dates": datetime.date(2018, 7, 8)}).sample.dates
        == "2018-07-08"
    )


@dataclass(frozen=True)
class Wide:
    """Types of fields that the settings may have."""

    bands: tuple[str, ...] = ()
    classes: tuple[int, ...] = fields.bounded((), 0, 255)
    nodata: float | None = None
    scale: float | None = fields.bounded(None, 0, 1, above=True)


@pytest.mark.parametrize(
    ("name", "given", "value"),
    [
        ("bands", "B2, B3,B4", ("B2", "B3", "B4")), ("bands", ["B2"], ("B2",)), ("bands", "", ()),
        ("classes", "3,8", (3, 8)), ("classes", [3, 8], (3, 8)), ("nodata", "-9999", -9999.0), ("nodata", "none", None),
        ("nodata", None, None), ("scale", "1e-4", 1e-4),
    ],
)  # fmt: skip
def test_lists_and_values_that_may_be_missing(name, given, value):
    declared = {field.name: field for field in dataclasses.fields(Wide)}[name]
    assert fields.convert(name, declared, given, parse=True) == value


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("bands", 3, "a list, each a text"), ("classes", "3,x", "a list, each a whole number from 0 to 255"),
        ("classes", [256], "0 to 255"), ("scale", "0", "a number above 0 to 1 or none"), ("nodata", "x", "a number or none"),
    ],
)  # fmt: skip
def test_lists_and_missing_values_are_checked(name, given, expected):
    declared = {field.name: field for field in dataclasses.fields(Wide)}[name]
    with pytest.raises(InputError, match=expected):
        fields.convert(name, declared, given, parse=True)


def test_what_was_overridden_is_told_apart_from_the_preset():
    assert settings.overridden(settings.make("paper", "a.tif", "a.gpkg", seed=3)) == ("paper", {})
    changed = settings.make("tiny", "a.tif", "a.gpkg", settings={"train.epochs": 40, "scene.size": 128})
    assert settings.overridden(changed) == ("tiny", {"train.epochs": 40})


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(["preset", "scene", "polygons", "seed"], spoiling.VALUES)))
def test_anything_in_place_of_settings_gives_settings_or_an_error(arguments):
    try:
        made = settings.make(**arguments)
    except InputError as error:
        assert len(str(error)) < 1000
    else:
        assert made.seed == arguments.get("seed", 0) and made.seed + made.train.trainings < 2**32
        assert len(settings.key(made)) == 12 and settings.describe(made)["scene.path"] == arguments.get("scene", "")
