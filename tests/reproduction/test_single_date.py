"""The second check on real data: native crops of one date."""

from paperlib.reproduction.studies.single_date import TYPES, swap_polygons


def test_a_forest_on_one_date_both_ways(shared_data):
    """One polygon of each type trains, the other tests: 0.77 and 0.91 were measured with a full forest."""
    table = swap_polygons(shared_data / "theia_l3a")
    assert table["training"].tolist() == ["first", "second"]
    assert (table["oa"] > 0.6).all() and (table["oa"] < 0.98).all()
    assert table[list(TYPES.values())].notna().all(axis=None)
