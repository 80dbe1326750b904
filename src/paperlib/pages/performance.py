"""Parts of the page `performance`: goals beside the measurements, and the time that each stage of a whole tile takes."""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import pandas as pd
from matplotlib.artist import Artist
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from ..figures.styling import MARK
from ..figures.theme import WIDTH, Figure, styled
from ..reproduction.paper import MODELS, TABLE_4_INFERENCE_MINUTES

#: Pixels of a Sentinel-2 tile at 10 m.
TILE = 10980**2

#: Prefix of the stages of benchmarks/stages.py that differ between networks; the other stages are the same for all.
CLASSIFYING = "normalise and classify, "

#: Colour by stage, as drawn.
STAGES = {"read, decompress, double": "#0072b2", "gaps, indices": "#e69f00", "normalise, classify": "0.75"}
DOT: dict[str, Any] = {"marker": "o", "linestyle": "", "markersize": 5}

Values = Callable[[pd.DataFrame], pd.Series]


class Goal(NamedTuple):
    """A range that a measurement should reach, set before it was taken."""

    quantity: str
    table: str  # name of the file in benchmarks/results
    low: float
    high: float
    values: Values  # measured values in the table, indexed by the item measured


def _column(name: str, **where: str | list[str]) -> Values:
    """Values of a column, indexed by the first column, in the rows with these values in other columns."""

    def values(table: pd.DataFrame) -> pd.Series:
        for column, wanted in where.items():
            table = table[table[column].isin([wanted] if isinstance(wanted, str) else wanted)]
        return table.set_index(table.columns[0])[name]

    return values


def _gain(table: pd.DataFrame) -> pd.Series:
    """Macro F1 of our training loop minus that of the plain loop."""
    f1 = table.pivot_table(index="model", columns="way", values="best validation macro F1, mean")
    return (f1["ours"] - f1["plain loop"]).dropna()


def _orfeo(table: pd.DataFrame) -> pd.Series:
    """Seconds of the Orfeo ToolBox for a forest, over ours."""
    return table.set_index("preset")["Orfeo ToolBox, from a file (s)"] / table.set_index("preset")["in steps (s)"]


def _pages(table: pd.DataFrame) -> pd.Series:
    """Seconds until the map of page `explore` can be used, and until the slowest other page is open."""
    seconds = table.set_index("page")["seconds"].drop("empty page")
    others = seconds.drop("explore")
    return pd.Series({"explore": seconds["explore"], f"slowest other page, {others.idxmax()}": others.max()})


#: What benchmarks/busy.py measures side by side.
FOUR = "four trainings of TempCNN, 10 epochs, each on one thread"
DEMO = "all trainings of preset demo, each on all cores"
#: Ways in which trainings, maps and forests run; the others are measured to compare.
AS_RUN = ["one thread", "windows side by side", "trees side by side"]
ONE_STREAM = ["TempCNN", "2D-CNN", "3D-CNN"]
SPATIAL = ["2D-CNN", "3D-CNN", "SpatioTempCNN"]
GOALS = (
    Goal("map of a whole tile (min)", "whole", 0, 40, _column("whole tile (min)", model=ONE_STREAM)),
    Goal("map of a whole tile (min)", "whole", 0, 65, _column("whole tile (min)", model="SpatioTempCNN")),
    Goal("whole tile over computing alone", "whole", 0.9, math.inf, _column("over compute alone")),
    Goal("square over computing alone", "maps", 0.9, math.inf, _column("over compute alone")),
    Goal("square over the usual way", "maps", 2, math.inf, _column("over the usual way")),
    Goal("seconds for four times the area", "maps", 3.8, 4.2, _column("four times the area (times the seconds)")),
    Goal("peak memory of 4096 x 4096 (GB)", "memory", 0, 3, _column("4096 x 4096 (GB)")),
    Goal("memory for twice the rows", "memory", 0.95, 1.05, _column("twice the rows")),
    Goal("memory for twice the columns", "memory", 0.95, 1.05, _column("twice the columns")),
    Goal("forest's map over prediction alone", "forests", 0.85, math.inf, _column("ratio")),
    Goal("plain loop's seconds an epoch over ours", "trainings", 2, math.inf, _column("times ours", way="plain loop")),
    *(
        Goal(
            f"training steps in float32 over padded ones, preset {preset}",
            "steps",
            wanted,
            math.inf,
            _column("times as fast", preset=preset, precision="float32", model=SPATIAL),
        )
        for preset, wanted in (("demo", 2.2), ("paper", 1.5))
    ),
    Goal("macro F1 minus that of the plain loop", "trainings", 0, math.inf, _gain),
    Goal("breizhcrops' seconds over ours", "trainings", 1.5, math.inf, _column("times ours", way="breizhcrops")),
    Goal("trainings one after the other over side by side", "together", 1, math.inf, _column("ratio", work=FOUR)),
    Goal("trainings one after the other over side by side", "together", 1.4, math.inf, _column("ratio", work=DEMO)),
    *(
        Goal(f"seconds beside {others}, over quiet", "busy", 0, 2.2, _column(f"{column} over quiet", way=AS_RUN))
        for others, column in (("one busy process", "one busy"), ("a busy process on each core", "all busy"))
    ),
    Goal("Orfeo ToolBox's seconds for a forest over ours", "growth", 1, math.inf, _orfeo),
    Goal("import paperlib (s)", "startup", 0, 0.5, _column("seconds", command="import paperlib")),
    Goal("page of the book open from disk (s)", "pages", 0, 2, _pages),
)


def goals_table(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """One row for each goal, case (such as a network) and machine: target range, value measured, whether it fits.

    `tables` by name, as `read_measurements` returns them; a goal without its table is left out.
    """
    rows: dict[tuple, dict] = {}
    for goal in GOALS:
        if goal.table not in tables:
            continue
        for machine, part in _with_machine(tables[goal.table]).groupby("machine", sort=False):
            for item, value in goal.values(part).dropna().items():
                row = goal.quantity, item, _target(goal), str(machine).removeprefix("Linux x86_64, ")
                # three digits, so that a narrow miss does not look like a hit
                rows[row] = {"measured": f"{value:.3g}", "met": MARK if goal.low <= value <= goal.high else "no"}
    names = ["goal", "case", "target", "machine"]
    table = pd.DataFrame(rows.values(), index=pd.MultiIndex.from_tuples(rows, names=names))
    goals = list(dict.fromkeys(goal.quantity for goal in GOALS))
    return table.loc[
        sorted(rows, key=lambda row: (goals.index(row[0]), MODELS.index(row[1]) if row[1] in MODELS else -1))
    ]


def _with_machine(table: pd.DataFrame) -> pd.DataFrame:
    """A table of measurements with a column machine, also where all rows share one machine."""
    return table if "machine" in table else table.assign(machine=table.attrs["machine"])


def _target(goal: Goal) -> str:
    if math.isinf(goal.high):
        return f"≥ {goal.low:g}"
    return f"{goal.low:g} to {goal.high:g}" if goal.low else f"≤ {goal.high:g}"


@styled
def tile_figure(stages: pd.DataFrame, whole: pd.DataFrame, squares: pd.DataFrame) -> Figure:
    """Minutes of a whole tile, one panel for each machine and one bar for each network: its stages, and dots for whole maps.

    Tables as `read_measurements` returns them: of benchmarks/stages.py; of whole.py, drawn as full dots; of maps.py, drawn
    as hollow dots where no whole tile was measured. A line marks the minutes of the paper, on two V100.
    """
    drawn, maps = _stage_minutes(_with_machine(stages)), _map_minutes(whole, squares)
    machines, names = drawn["machine"].unique(), drawn["model"].unique()
    figure = Figure((WIDTH, 0.8 + len(machines) * (0.32 * len(names) + 0.6)), layout="constrained")
    axes = figure.subplots(len(machines), 1, squeeze=False)[:, 0]
    for ax, machine in zip(axes, machines, strict=True):
        start = pd.Series(0.0, names)
        for stage, colour in STAGES.items():
            part = drawn[(drawn["machine"] == machine) & (drawn["stage"] == stage)].set_index("model")["minutes"]
            ax.barh(names, part[names], left=start, color=colour, height=0.6)
            start += part
        for row in maps[(maps["machine"] == machine) & maps["model"].isin(names)].itertuples():
            ax.plot([row.minutes], [row.model], color="black", markerfacecolor="black" if row.whole else "white", **DOT)
        ax.axvline(TABLE_4_INFERENCE_MINUTES[0], color="0.3", linestyle="--", linewidth=1)
        ax.set_title(machine, loc="left")
        ax.invert_yaxis()  # the first network on top
        ax.grid(axis="x", color="0.93")
        ax.set_axisbelow(True)
        ax.tick_params(axis="y", length=0)
    axes[-1].set_xlabel("time for a tile of 10980 x 10980 pixels and eleven dates (min)")
    handles: list[Artist] = [Patch(color=colour, label=stage) for stage, colour in STAGES.items()]
    handles += [
        Line2D([], [], color="black", **DOT, label="measured"),
        Line2D([], [], color="black", markerfacecolor="white", **DOT, label="extrapolated from a square"),
        Line2D([], [], color="0.3", linestyle="--", linewidth=1, label="paper, two V100"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3)
    minutes = drawn.groupby(["machine", "model"])["minutes"].sum()
    alt = f"Bars: a tile takes {minutes.min():.0f} to {minutes.max():.0f} minutes by network and machine; "
    return figure.describe(alt + "nearly all of it is classifying.", drawn)


def _stage_minutes(stages: pd.DataFrame) -> pd.DataFrame:
    """Minutes of a whole tile on all cores: columns machine, model, stage, minutes."""
    rows = []
    for machine, part in stages.groupby("machine", sort=False):
        cores = int(re.findall(r"(\d+) cores", str(machine))[0])
        minutes = part.set_index("stage")["core microseconds a pixel"] * TILE / cores / 60e6
        minutes = minutes.drop("GDAL alone", errors="ignore")  # part of reading
        own = minutes[minutes.index.str.startswith(CLASSIFYING)]
        reading = minutes[minutes.index.str.startswith("read")].sum()
        preparing = minutes.sum() - own.sum() - reading
        for name in sorted(own.index.str.removeprefix(CLASSIFYING), key=MODELS.index):
            rows += [
                (machine, name, stage, value)
                for stage, value in zip(STAGES, (reading, preparing, own[CLASSIFYING + name]), strict=True)
            ]
    return pd.DataFrame(rows, columns=["machine", "model", "stage", "minutes"])


def _map_minutes(whole: pd.DataFrame, squares: pd.DataFrame) -> pd.DataFrame:
    """Minutes of maps: columns machine, model, minutes, whole (False where they are extrapolated from a square)."""
    parts = [
        _with_machine(table)[["machine", "model"]].assign(minutes=table[column], whole=column in whole)
        for table, column in ((whole, "whole tile (min)"), (squares, "whole tile, extrapolated (min)"))
    ]
    return pd.concat(parts).drop_duplicates(["machine", "model"])
