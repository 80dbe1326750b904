"""The printed facts agree with one another where the paper says they do, and legends keep the order of Table 2."""

import numpy as np
import pytest

from paperlib import nomenclature
from paperlib.errors import InputError
from paperlib.models.registry import CLASSIFIERS
from paperlib.reproduction import paper
from paperlib.scenes import sensors
from paperlib.settings import PRESETS
from paperlib.simulation import polygons, scene


def test_the_default_nomenclature_has_the_printed_classes():
    assert {cover.code: cover.name for cover in nomenclature.CLASSES} == paper.CLASSES
    assert [cover.code for cover in nomenclature.CLASSES] == list(paper.CLASSES)  # and their order


def test_presets_have_the_printed_sizes():
    settings = PRESETS["paper"]
    assert settings.scene.pool == paper.POLYGONS_POOL and settings.scene.test == paper.POLYGONS_TEST
    assert settings.sample.patch == paper.PATCH and settings.sample.validation == paper.VALIDATION_SHARE
    assert settings.train.patience == paper.PATIENCE and settings.train.trainings == paper.TRAININGS
    assert {preset.train.patience for preset in PRESETS.values()} == {paper.PATIENCE}


def test_the_simulated_scene_has_the_printed_layout():
    assert scene.TILE == paper.TILE and scene.DATES == paper.DATES
    assert polygons.POOL_PIXELS == paper.TABLE_2 and polygons.TEST_PIXELS == paper.TABLE_3
    assert (polygons.POOL_POLYGONS, polygons.TEST_POLYGONS) == (paper.POLYGONS_POOL, paper.POLYGONS_TEST)


def test_the_classifiers_are_the_printed_ones():
    assert CLASSIFIERS[: len(paper.MODELS)] == paper.MODELS  # those that a reader adds come after them


def test_tables_cover_the_same_eight_classes():
    codes = list(paper.CLASSES)
    assert codes == list(paper.TABLE_2) == list(paper.TABLE_3) == list(paper.TABLE_4_TEST)
    assert len(paper.DATES) == 11 and len(sensors.BANDS) == 10
    assert all(len(row) == len(paper.MODELS) for row in paper.TABLE_4_VALIDATION.values())


def test_printed_sums_and_means():
    """The sums stated in the design's facts; nine of twelve printed means agree with their own rows."""
    assert sum(paper.TABLE_2.values()) == 52707
    assert sum(paper.TABLE_3.values()) == 265902
    for rows, means, wrong in (
        (paper.TABLE_4_VALIDATION, paper.TABLE_4_VALIDATION_MEAN, {"iota2_base"}),
        (paper.TABLE_4_TEST, paper.TABLE_4_TEST_MEAN, {"3D-CNN", "iota2_ctx"}),
    ):
        computed = np.mean(list(rows.values()), axis=0)
        disagree = {
            name
            for name, ours, printed in zip(paper.MODELS, computed, means, strict=True)
            if abs(ours - printed) > 0.0011
        }
        assert disagree == wrong


def test_legend_keeps_the_papers_order():
    assert [cover.code for cover in nomenclature.legend([11, 2, 7, 2])] == [2, 7, 11]


def test_unknown_code_names_the_known_ones():
    with pytest.raises(InputError, match=r"\[4\].*11 Water"):
        nomenclature.legend([1, 4])
