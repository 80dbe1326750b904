"""Sentences and tables of what the benchmarks on trust kept."""

import pandas as pd

from ...labelling.early import ACCEPTED

#: Pixels of a Sentinel-2 tile of 10 m.
TILE = 10980**2


def bias_table(measured: pd.DataFrame, score: str = "overall accuracy") -> pd.DataFrame:
    """What validations say of a score beside what the map is worth, means over draws, by case and method.

    `measured` as benchmarks/validation.py keeps it. Columns case, method, draws, said, worth, bias (said less worth), spread
    (standard deviation of that over draws), error (its root mean square), "bias inside objects" (said less the worth of the
    map inside objects).
    """
    said, worth, inner = (measured[f"{score}, {name}"] for name in ("said", "worth", "worth inside objects"))
    table = measured.assign(said=said, worth=worth, bias=said - worth, inner=said - inner)
    found = table.groupby(["case", "method"], sort=False).agg(
        draws=("said", "count"), said=("said", "mean"), worth=("worth", "mean"), bias=("bias", "mean"),
        spread=("bias", "std"), error=("bias", lambda bias: (bias**2).mean() ** 0.5), inner=("inner", "mean"),
    )  # fmt: skip
    return found.rename(columns={"inner": "bias inside objects"}).reset_index()


def validation_answer(table: pd.DataFrame, case: str) -> str:
    """What a case of `bias_table` says, in a sentence: every method with its bias, the nearest to the truth first."""
    rows = table[table["case"] == case].sort_values("bias", key=abs)
    parts = [f"{row['method']} {row['bias']:+.2f} (± {row['spread']:.2f})" for _, row in rows.iterrows()]
    return f"{', '.join(parts)}; the map is worth {rows['worth'].mean():.2f} ({rows['draws'].max()} draws)."


def season_curves(measured: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Scores and earliest dates as `labelling.early` gives them, of what benchmarks/early.py keeps: means over scenes."""
    every = measured["scenes"] == measured.groupby("classifier")["scenes"].transform(
        "max"
    )  # dates that all scenes have
    measured = measured[every].sort_values("date", kind="stable")
    wide = measured["map ±"].fillna(0)
    scores = measured.assign(estimate=measured["map"], low=measured["map"] - wide, high=measured["map"] + wide)
    rows = []
    for (name, score), curve in scores.groupby(["classifier", "score"], sort=False):
        fine = (curve["loss"] <= ACCEPTED).to_numpy()[::-1].cumprod()[::-1]
        first = curve.iloc[int(fine.argmax())]
        rows.append((name, score, curve["map"].iloc[-1], first["date"], first["map"]))
    return scores, pd.DataFrame(rows, columns=["classifier", "score", "whole season", "earliest", "estimate"])


def season_answer(measured: pd.DataFrame) -> str:
    """When maps come near those of the whole season, in a sentence."""
    _, earliest = season_curves(measured)
    rows = earliest[earliest["score"] == "macro F1"]
    parts = [f"{row['classifier']} from {row['earliest']} on" for _, row in rows.iterrows()]
    return f"within {ACCEPTED} of the macro F1 of the whole season: {', '.join(parts)}"


def tile_hours(measured: pd.DataFrame, pixels: int) -> pd.DataFrame:
    """Hours for a whole tile on the core that benchmarks/applicability.py ran on, from seconds for a scene of `pixels`.

    Columns classifier, representatives, same_answer, "area (h)", "map (h)". Both grow with the number of pixels.
    """
    scale = TILE / pixels / 3600
    table = measured[["classifier", "representatives", "outside", "same_answer"]]
    return table.assign(**{"area (h)": measured["seconds"] * scale, "map (h)": measured["map_seconds"] * scale})


def tile_answer(hours: pd.DataFrame, representatives: int = 600) -> str:
    """How long the area of a whole tile takes beside the map, by classifier of `tile_hours`, in a sentence."""
    rows = hours[hours["representatives"] == representatives]
    parts = [
        f"{row['area (h)']:.1f} hours beside {row['map (h)']:.1f} for the map of {row['classifier']}"
        for _, row in rows.iterrows()
    ]
    return f"With {representatives} of them, as a map takes, the area of a tile takes {', '.join(parts)}."


def default_answer(table: pd.DataFrame, method: str = "polygons, alike together") -> str:
    """How far the folds of trainings are from the truth in each case of `bias_table`, beside random pixels."""
    rows = table[table["method"] == method]
    said = [f"{row['bias']:+.2f} ({row['case']})" for _, row in rows.iterrows()]
    pixels = table.loc[table["method"] == "pixels", "bias"]
    return f"Its bias is {', '.join(said)}; that of random pixels is {pixels.min():+.2f} to {pixels.max():+.2f}."


def errors_answer(
    table: pd.DataFrame, methods: tuple[str, ...] = ("blocks", "kNNDM", "polygons, alike together")
) -> str:
    """The errors of some methods in each case of `bias_table` that has all of them, in a sentence."""
    errors = table.pivot(index="case", columns="method", values="error")[list(methods)].dropna()
    said = [
        f"{', '.join(f'{100 * value:.0f} points ({name})' for name, value in row.items())} in {case}"
        for case, row in errors.iterrows()
    ]
    return f"The root mean square error of the accuracy that is said is {'; '.join(said)}."


def offered_answer(table: pd.DataFrame, method: str = "kNNDM", other: str = "blocks") -> str:
    """In how many cases of `bias_table` a method has a smaller error than another, in a sentence."""
    error = table.pivot(index="case", columns="method", values="error")[[method, other]].dropna()
    better = int((error[method] < error[other]).sum())
    return f"its error is smaller than that of {other} in {better} of {len(error)} cases."


def season_held(dates: pd.DataFrame) -> str:
    """In how many scenes the earliest date of the map lies in the interval that `early` gives, in a sentence."""
    held = (dates["map"] >= dates["low"]) & (dates["map"] <= dates["high"])
    return f"The earliest date of the map lies in the interval in {held.sum()} of {len(dates)} scenes."


def false_answer(measured: pd.DataFrame) -> str:
    """How rarely a zone is stated falsely in what benchmarks/points.py keeps, in a sentence."""
    worst = measured.loc[measured["false"].idxmax()]
    return (
        f"Over {measured['draws'].max():,} draws of points from each of {len(measured)} designs, at most "
        f"{100 * worst['false']:.1f} % of the draws state a zone that is in truth worse "
        f"({worst['map']}, {worst['points']} points)."
    )


def comparison_answer(measured: pd.DataFrame) -> str:
    """How many points each way takes to find the better of two maps, in a sentence; means over scenes."""
    where, both, apart = (
        measured[name].mean() for name in ("points where they differ", "one sample for both", "two samples")
    )
    return (
        f"{where:.0f} points where maps differ find the better one as often as {both:.0f} of one sample of the whole map, "
        f"or {apart:.0f} of two separate assessments: {apart / where:.1f} times fewer."
    )
