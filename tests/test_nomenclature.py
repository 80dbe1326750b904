"""Packaged nomenclatures: each reads, has colours and codes that maps can hold, and says what figures and checks need."""

import pytest

from paperlib import nomenclature
from paperlib.nomenclature import NOMENCLATURES, is_vegetation, read_nomenclature, short_name


@pytest.mark.parametrize("name", NOMENCLATURES)
def test_packaged_nomenclatures_are_read_by_name(name):
    classes = read_nomenclature(name)
    assert len(classes) >= 8
    assert len({cover.colour for cover in classes}) == len(classes)  # no two classes look the same
    assert any(is_vegetation(cover.name) for cover in classes)
    assert all(len(short_name(cover.name)) <= 18 for cover in classes if cover.name != short_name(cover.name))


def test_the_default_is_one_of_them():
    assert read_nomenclature("clcplus") == nomenclature.CLASSES


def test_a_name_of_another_nomenclature_is_kept_and_no_vegetation():
    assert short_name("Lagoon") == "Lagoon" and not is_vegetation("Lagoon")
    assert short_name("Woodland needle-leaved trees") == "Needle-leaved" and is_vegetation("Shrubland")
