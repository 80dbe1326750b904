"""The figure of early.py is whole, and marks the earliest date."""

import numpy as np
import pandas as pd

from paperlib.figures.trust.early_figure import early_figure
from paperlib.labelling.early import Early
from paperlib.nomenclature import legend

LEGEND = legend([1, 3, 7])


def test_scores_by_the_last_date(is_whole):
    random = np.random.default_rng(0)
    reference = np.repeat([0, 1, 2], 5)
    counts = random.integers(0, 5, (4, 15, 3)) + 9.0 * np.eye(3)[reference] * np.arange(4)[:, None, None]
    dates = ("2018-03-15", "2018-05-15", "2018-07-15", "2018-09-15")
    found = Early({"iota2_base": counts, "TempCNN": counts[::-1]}, reference, dates, LEGEND)
    is_whole(lambda: early_figure(found.scores(), found.earliest(), LEGEND))
    curve, ring, *_ = early_figure(found.scores(), found.earliest(), LEGEND).axes[0].lines
    earliest = found.earliest().query("classifier == 'iota2_base' and score == 'macro F1'")["earliest"].iloc[0]
    assert pd.Timestamp(ring.get_xdata()[0]) == pd.Timestamp(earliest) and len(curve.get_xdata()) == 4
