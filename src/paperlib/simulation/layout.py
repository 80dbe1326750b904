"""The layout of the simulated scene: tile, dates, and how many polygons and pixels of each class are drawn."""

from importlib.resources import files

import pandas as pd

TILE = "T31TCJ"
DATES = (
    "2018-02-15", "2018-03-15", "2018-04-15", "2018-05-15", "2018-06-15", "2018-07-08",
    "2018-08-15", "2018-09-15", "2018-10-15", "2018-11-15", "2018-12-15",
)  # fmt: skip
POOL_POLYGONS, TEST_POLYGONS = 290, 131

_table = pd.read_csv(files(__package__) / "layout.csv", index_col="code")
#: Labelled pixels by class code, of a scene of 2048 pixels with as many polygons as above.
POOL_PIXELS, TEST_PIXELS = _table["pool"].to_dict(), _table["test"].to_dict()
