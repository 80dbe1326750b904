"""Goals beside measurements, and the figure of a tile, which is compared with a reference image."""

import pandas as pd
import pytest
from matplotlib.colors import to_rgba

from paperlib.figures.styling import MARK
from paperlib.pages import performance
from paperlib.pages.measurements import read_measurements
from paperlib.pages.performance import goals_table, tile_figure

MACHINES = "one, 2 cores", "other, 4 cores"


def stages() -> pd.DataFrame:
    """On one machine 1 + 0.5 + 8 and 1 + 0.5 + 2 core microseconds a pixel, on the other twice that."""
    names = "GDAL alone", "read, decompress, double", "fill gaps", "indices"
    own = [performance.CLASSIFYING + name for name in ("2D-CNN", "TempCNN")]
    spent = dict(zip([*names, *own], (0.7, 1, 0.3, 0.2, 2, 8), strict=True))
    rows = [
        (stage, factor * value, machine)
        for machine, factor in zip(MACHINES, (1, 2), strict=True)
        for stage, value in spent.items()
    ]
    return pd.DataFrame(rows, columns=["stage", "core microseconds a pixel", "machine"])


def whole() -> pd.DataFrame:
    table = pd.DataFrame(
        {"model": ["TempCNN", "2D-CNN"], "whole tile (min)": [41.0, 4.0], "over compute alone": [0.9, 0.7]}
    )
    table.attrs["machine"] = MACHINES[0]
    return table


def squares() -> pd.DataFrame:
    columns = {
        "model": ["TempCNN", "TempCNN"],
        "machine": MACHINES,
        "whole tile, extrapolated (min)": [12.0, 11.0],
        "over compute alone": [0.8, 0.95],
        "over the usual way": [2.5, 1.5],
        "four times the area (times the seconds)": [4.1, float("nan")],
    }
    return pd.DataFrame(columns)


def drawing():
    return tile_figure(stages(), whole(), squares())


@pytest.mark.mpl_image_compare(baseline_dir="../baseline", tolerance=3, style="default", savefig_kwargs={"dpi": 40})
def test_figure_tile():
    return drawing()


def test_figure_is_whole_and_leaves_no_trace(is_whole):
    is_whole(drawing, rows_are_named=True)


def test_bars_are_the_minutes_of_all_cores_and_dots_those_measured():
    panels = drawing().axes
    for panel, cores, factor in zip(panels, (2, 4), (1, 2), strict=True):
        # the bar of TempCNN, first in the paper, ends where its stages do; what GDAL takes is a part of reading
        ends = [bar.get_x() + bar.get_width() for bar in panel.patches]
        assert [label.get_text() for label in panel.get_yticklabels()] == [
            "TempCNN",
            "2D-CNN",
        ] and panel.yaxis_inverted()
        for end, spent in zip(ends[-2:], (9.5, 3.5), strict=True):
            assert end == pytest.approx(factor * spent * 10980**2 / cores / 60e6)
    dots = [
        [(line.get_xdata()[0], line.get_markerfacecolor()) for line in panel.lines if line.get_marker() == "o"]
        for panel in panels
    ]
    assert dots == [[(41.0, "black"), (4.0, "black")], [(11.0, "white")]]
    assert to_rgba(panels[0].patches[0].get_facecolor()) == to_rgba(performance.STAGES["read, decompress, double"])


def test_goals_say_for_each_machine_what_was_measured_and_whether_it_is_met():
    table = goals_table({"whole": whole(), "maps": squares()})
    (one, other), rows = MACHINES, table.T.to_dict("list")
    assert rows["map of a whole tile (min)", "TempCNN", "≤ 40", one] == ["41", "no"]
    assert rows["map of a whole tile (min)", "2D-CNN", "≤ 40", one][1] == MARK
    assert rows["whole tile over computing alone", "TempCNN", "≥ 0.9", one][1] == MARK
    assert rows["square over computing alone", "TempCNN", "≥ 0.9", one] == ["0.8", "no"]
    assert rows["square over computing alone", "TempCNN", "≥ 0.9", other] == ["0.95", MARK]
    assert rows["seconds for four times the area", "TempCNN", "3.8 to 4.2", one] == ["4.1", MARK]
    assert ("seconds for four times the area", "TempCNN", "3.8 to 4.2", other) not in rows  # was not measured
    assert list(table.index.get_level_values("case"))[:2] == ["TempCNN", "2D-CNN"]  # as in the paper


def test_every_goal_finds_its_measurement():
    tables = {goal.table: read_measurements(goal.table) for goal in performance.GOALS}
    found = set(goals_table(tables).index.get_level_values("goal"))
    assert found == {goal.quantity for goal in performance.GOALS}


def test_training_that_learns_less_than_the_plain_loop_misses_its_goal():
    rows = [("3D-CNN", "ours", 1.0, 0.70), ("3D-CNN", "plain loop", 9.0, 0.75), ("3D-CNN", "channel dropout", 0.9, 0.9)]
    table = pd.DataFrame(rows, columns=["model", "way", "times ours", "best validation macro F1, mean"])
    table.attrs["machine"] = MACHINES[0]
    table = goals_table({"trainings": table})
    rows = table.T.to_dict("list")
    assert rows["macro F1 minus that of the plain loop", "3D-CNN", "≥ 0", MACHINES[0]] == ["-0.05", "no"]
    assert rows["plain loop's seconds an epoch over ours", "3D-CNN", "≥ 2", MACHINES[0]] == ["9", MARK]
