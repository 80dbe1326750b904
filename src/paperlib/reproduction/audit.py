"""The paper against itself: every check is a function of printed values that finds nothing in values that agree."""

import itertools
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import integrate, stats

from .. import nomenclature
from ..features import indices
from . import paper, tables

LABELS_BELOW = 80_000  # abstract and section 4: "less than 80 000 labeled time series"
TILE_KM = 110  # section 3.1
TILE_PIXELS = 10_980  # side of a Sentinel-2 tile at 10 m; of the format, not printed
STREAMS = ("TempCNN", "3D-CNN")  # section 2.2.4: what SpatioTempCNN combines
FORESTS = ("iota2_ctx", "iota2_base")
WOODLANDS = {2: 3, 3: 2}
NEAR = 0.02  # a cell is like its neighbours if this close to the range of the other models' F1
NAMES = {cover.code: cover.name for cover in nomenclature.CLASSES}
TABLE_4 = {part: (rows, means) for part, (_, rows, means) in tables.PRINTED_F1.items()}
TEST_ROWS, TEST_MEANS = TABLE_4["test"]
#: Sentence, where it stands, the models that it puts first, those that it puts behind them.
CLAIMS = (
    ("3D-CNN is the best performing model", "Section 3.6", ("3D-CNN",), {*paper.MODELS} - {"3D-CNN"}),
    ("CNNs using 3D convolutions are more accurate than 1D temporal, stacked 2D and RF", "Abstract",
     ("3D-CNN", "SpatioTempCNN"), ("TempCNN", "2D-CNN", *FORESTS)),
    ("All CNNs exploiting spatio-temporal features outperform RF", "Section 4",
     ("3D-CNN", "2D-CNN", "SpatioTempCNN"), FORESTS),
    ("iota2_ctx is followed by TempCNN", "Section 3.6", ("iota2_ctx",), ("TempCNN",)),
)  # fmt: skip


class Inconsistency(NamedTuple):
    """One disagreement, as text: where, what is printed, what follows from other printed values, and what of it."""

    place: str
    printed: str
    recomputed: str
    difference: str
    consequence: str


def means_table(table_4=TABLE_4, tolerance: float = 0.001) -> pd.DataFrame:
    """The printed means of Table 4 beside the means of the rows printed above them; `table_4`: set -> (rows, means)."""
    parts = []
    for part, (rows, means) in table_4.items():
        ours = np.mean(list(rows.values()), axis=0)
        parts.append(pd.DataFrame({"set": part, "model": paper.MODELS, "printed mean": means, "mean of rows": ours}))
    table = pd.concat(parts, ignore_index=True)
    table["difference"] = table["printed mean"] - table["mean of rows"]
    return table.assign(agrees=table["difference"].abs() <= tolerance + 1e-9)


def candidates_table(table_4=TABLE_4, tolerance: float = 0.001) -> pd.DataFrame:
    """The single cells that could be misprints: what each must have been for the printed mean to follow from its rows.

    Only cells whose needed value can lie within 0..1, given that all is rounded to three decimals. "near": within
    `NEAR` of what the other models reach in that class.
    """
    found = []
    for _, mean in means_table(table_4, tolerance).query("~agrees").iterrows():
        rows, place = table_4[mean["set"]][0], paper.MODELS.index(mean["model"])
        slack = 0.0005 * (2 * len(rows) - 1)  # of the mean, times the classes, and of the other cells
        for code, cells in rows.items():
            needed = cells[place] + len(rows) * mean["difference"]
            if -slack <= needed <= 1 + slack:
                others = [*cells[:place], *cells[place + 1 :]]
                away = max(min(others) - needed, needed - max(others), 0.0)
                found.append((mean["set"], mean["model"], NAMES[code], cells[place], needed, min(others), max(others)))
                found[-1] += (away, away <= NEAR)
    columns = ["set", "model", "class", "printed", "needed", "lowest of others", "highest of others", "away", "near"]
    return pd.DataFrame(found, columns=columns)


def ranking_table(rows=TEST_ROWS, means=TEST_MEANS, counts=paper.TABLE_3) -> pd.DataFrame:
    """Models by printed mean, by the mean of the printed rows, and by F1 weighted by labelled pixels, with the ranks."""
    f1 = np.array([rows[code] for code in counts])
    table = pd.DataFrame(index=pd.Index(paper.MODELS, name="model"))
    weighted = np.average(f1, axis=0, weights=list(counts.values()))
    for name, values in {"printed mean": means, "mean of rows": f1.mean(axis=0), "by pixels": weighted}.items():
        table[name] = values
        table[f"rank, {name}"] = table[name].round(6).rank(ascending=False, method="min").astype(int)
    return table.sort_values("printed mean", ascending=False)


def claim_margins_table(rows=TEST_ROWS, means=TEST_MEANS) -> pd.DataFrame:
    """By how much the models that a sentence puts first stand above those behind them; the claim fails at 0 or below.

    "at worst": each model taken by the one of its two means that suits the claim least.
    """
    table = pd.DataFrame([claim[:2] for claim in CLAIMS], columns=["claim", "place"])
    ours = np.mean(list(rows.values()), axis=0)
    for name, pair in {
        "printed means": (means, means),
        "means of rows": (ours, ours),
        "at worst": (means, ours),
    }.items():
        least, most = (dict(zip(paper.MODELS, pick(pair, axis=0), strict=True)) for pick in (np.min, np.max))
        table[name] = [min(least[m] for m in high) - max(most[m] for m in low) for *_, high, low in CLAIMS]
    return table


def reliability_table(means=TABLE_4["validation"][1], reliability=paper.TABLE_4_RELIABILITY) -> pd.DataFrame:
    """The printed validation mean as the best of n trainings with the printed mean and std: z, its range by rounding.

    "chance": that the best of n normal draws is as high. "possible": the largest of n numbers lies 1/sqrt(n) to
    sqrt(n - 1) deviations above their mean, whichever deviation is meant.
    """
    n, printed = paper.TRAININGS, zip(paper.MODELS, means, reliability, strict=True)
    rows = []
    for model, best, (mean, std) in (entry for entry in printed if entry[2]):
        corners = itertools.product((-0.0055, 0.0055), (max(std - 0.005, 1e-9), std + 0.005))
        ends = [(best - mean + shift) / spread for shift, spread in corners]
        z = (best - mean) / std
        possible = min(ends) <= np.sqrt(n - 1) and max(ends) >= 1 / np.sqrt(n)
        rows.append((model, mean, std, best, z, min(ends), max(ends), 1 - stats.norm.cdf(z) ** n, possible))
    columns = ["model", "mean", "std", "best", "z", "lowest z", "highest z", "chance", "possible"]
    return pd.DataFrame(rows, columns=columns)


def expected_best(n: int = paper.TRAININGS) -> float:
    """Mean of the largest of n standard normal draws."""
    return integrate.quad(lambda x: x * n * stats.norm.pdf(x) * stats.norm.cdf(x) ** (n - 1), -10, 10)[0]


def shares_table(pool=paper.TABLE_2, test=paper.TABLE_3) -> pd.DataFrame:
    """Labelled pixels and share of each class in both sets, and how many times its share macro F1 gives it on test."""
    table = pd.DataFrame({"pool": pd.Series(pool), "test": pd.Series(test)})
    table[["pool (%)", "test (%)"]] = 100 * table / table.sum()
    table["weight in macro F1 / share of test"] = 100 / len(table) / table["test (%)"]
    return table.rename(index=NAMES).rename_axis("class")


def highest_geometric(f1):
    """The largest geometric mean of precision and recall whose harmonic mean is `f1`: where one of the two is 1."""
    f1 = np.asarray(f1, float)
    return np.sqrt(f1 / (2 - f1))


def exchange(f1, other_f1, count: int, other_count: int):
    """Recall of a class, and share of another class taken for it, if two classes are mistaken only for each other."""
    f1, other_f1 = np.asarray(f1, float), np.asarray(other_f1, float)
    predicted = (2 * other_count + f1 * count - other_f1 * (2 * other_count + count)) / (2 - f1 - other_f1)
    right = f1 * (count + predicted) / 2
    return right / count, (predicted - right) / other_count


def check_means(table_4=TABLE_4, tolerance: float = 0.001) -> list[Inconsistency]:
    """Printed means that are not those of their rows, with the single cells that would mend them."""
    cells, found = candidates_table(table_4, tolerance), []
    for _, row in means_table(table_4, tolerance).query("~agrees").iterrows():
        mine = cells[(cells["set"] == row["set"]) & (cells["model"] == row["model"])]
        one = "; ".join(f"{c['class']} {c['needed']:.3f} for {c['printed']:.3f}" for _, c in mine.iterrows()) or "none"
        near = ", ".join(mine.loc[mine["near"], "class"]) or "none"
        numbers = (f"{row[name]:.3f}" for name in ("printed mean", "mean of rows", "difference"))
        text = f"One misprinted cell would do: {one}. Near the other models: {near}. Cell or mean: not decided."
        found.append(Inconsistency(f"Table 4, {row['set']}: mean of {row['model']}", *numbers, text))
    return found


def check_claims(rows=TEST_ROWS, means=TEST_MEANS, reliability=paper.TABLE_4_RELIABILITY) -> list[Inconsistency]:
    """Sentences that fail by the printed means or by the means of the rows; a lead within the spread of trainings."""
    found = []
    for _, row in claim_margins_table(rows, means).iterrows():
        both = [row["printed means"], row["means of rows"]]
        if min(both) <= 0:
            says = ["holds" if margin > 0 else "fails" for margin in both]
            text = f"The sentence {says[0]} by the printed means and {says[1]} by the means of the rows."
            numbers = (f"{margin:+.3f}" for margin in (*both, both[1] - both[0]))
            found.append(Inconsistency(f"{row['place']}: {row['claim']} (margin)", *numbers, text))
    place = int(np.argmax(means))
    lead, spread = means[place] - sorted(means)[-2], reliability[place]
    top = highest_geometric(list(rows.values())).mean(axis=0)
    gap = (top - np.mean(list(rows.values()), axis=0)).max()
    if spread and lead < spread[1]:
        text = f"{lead / spread[1]:.1f} deviations of the winner's trainings (on validation; none is printed for test)."
        found.append(Inconsistency("Table 4, test: lead of the best", f"{lead:.3f}", f"± {spread[1]:.2f}", "", text))
    if gap > lead:
        text = f"Means could differ by {gap:.3f}, the lead is {lead:.3f}; geometric, the best's rows reach {top[place]:.3f}."
        found.append(Inconsistency("Section 3.5.2: F1", "geometric average", "harmonic average", f"≤ {gap:.3f}", text))
    return found


def check_labels(pool=paper.TABLE_2, test=paper.TABLE_3, bound: int = LABELS_BELOW) -> list[Inconsistency]:
    """Label counts that fit the text badly, sets that differ in class shares by a tenth or in size of polygons by two."""
    total, size = sum(pool.values()), [sum(pool.values()) / paper.POLYGONS_POOL]
    size.append(sum(test.values()) / paper.POLYGONS_TEST)
    shares, whole, found = shares_table(pool, test), total / (1 - paper.VALIDATION_SHARE), []
    if bound - total > bound / 4:
        text = f"True but loose. Were Table 2 the training part alone, the pool would be {whole:,.0f}: not decided."
        found.append(Inconsistency("Abstract: labels", f"< {bound:,}", f"{total:,}", f"{bound - total:,}", text))
    change = (shares["test (%)"] - shares["pool (%)"]).abs()
    if change.max() > 10:
        row, name = shares.loc[change.idxmax()], change.idxmax()
        numbers = (f"{row['pool (%)']:.1f} %", f"{row['test (%)']:.1f} %", f"{row['test (%)'] - row['pool (%)']:+.1f}")
        few = ", ".join(f"{n} {v:.1f} %" for n, v in shares["test (%)"].nsmallest(2).items())
        text = f"Overall accuracy on test is mostly that of {name}; macro F1 gives {few} {100 / len(test):.1f} % each."
        found.append(Inconsistency(f"Tables 2 and 3: share of {name}", *numbers, text))
    if max(size) > 2 * min(size):
        text = f"Pool and test are not labelled alike; the mean test polygon is {size[1] / paper.PATCH**2:.1f} patches."
        numbers = (f"{size[0]:.0f}", f"{size[1]:.0f}", f"x {size[1] / size[0]:.1f}")
        found.append(Inconsistency("Tables 2 and 3: pixels a polygon", *numbers, text))
    return found


def check_classes(validation=TABLE_4["validation"][0], test=TEST_ROWS, counts=paper.TABLE_3) -> list[Inconsistency]:
    """Classes in which every model loses 0.3 of F1 or more between validation and test."""
    found = []
    for code in counts:
        lost = np.subtract(validation[code], test[code])
        if lost.min() >= 0.3:
            other = WOODLANDS.get(code)
            text = "What do labels of the two sets not share here, that forests and networks lose alike? Not decided."
            if other:
                recall = exchange(test[code], test[other], counts[code], counts[other])[0]
                seen = ", ".join(f"{100 * r:.0f}" for r in recall)
                text += f" Confused with {NAMES[other]} only, its recall would be {seen} % (models as in Table 4)."
            ranges = (f"{np.min(values):.3f} to {np.max(values):.3f}" for values in (validation[code], test[code]))
            found.append(Inconsistency(f"Table 4: {NAMES[code]}", *ranges, f"≥ {lost.min():.3f} lost", text))
    return found


def check_costs(
    parameters=paper.TABLE_4_PARAMETERS, training=paper.TABLE_4_TRAINING_MINUTES,
    inference=paper.TABLE_4_INFERENCE_MINUTES, reliability=paper.TABLE_4_RELIABILITY,
) -> list[Inconsistency]:  # fmt: skip
    """Streams that do not add up, minutes that do not depend on the model or are not plain numbers, trainings not told."""
    found, place = [], paper.MODELS.index
    whole, parts = parameters[place("SpatioTempCNN")], sum(parameters[place(name)] for name in STREAMS)
    if abs(whole - parts) > 1.5:  # three numbers, each rounded to a thousand
        text = f"Its streams are not {' and '.join(STREAMS)} as listed; its score says nothing of combining those."
        found.append(Inconsistency("Table 4: SpatioTempCNN", f"{whole} k", f"{parts} k", f"{whole - parts} k", text))
    sizes = [count for count in parameters if count]
    if len(set(inference)) == 1 and len(set(sizes)) > 1:
        rate = TILE_PIXELS**2 / inference[0] / 60
        text = "The same for CPU forests and GPU networks: bound by reading? Not decided; no evidence on efficiency."
        spread = f"x {max(sizes) / min(sizes):.1f} parameters"
        numbers = (f"{inference[0]} min for all", f"{rate:,.0f} pixels/s", spread)
        found.append(Inconsistency("Table 4, section 3.6: inference", *numbers, text))
    odd = [f"{value} ({name})" for name, value in zip(paper.MODELS, training, strict=True) if value.startswith("+")]
    if odd:
        text = "More than, or in addition to? And not on the same device: no ratio of training times follows."
        found.append(Inconsistency("Table 4: training (min)", ", ".join(odd), "", "", text))
    untold = [name for name, value in zip(paper.MODELS, reliability, strict=True) if value is None]
    if untold:
        text = "Forests are random too: whether one lies within the deviation of its trainings cannot be told."
        printed = f"{paper.TRAININGS} trainings a model"
        found.append(Inconsistency("Section 3.5.2, Table 4", printed, f"NA for {', '.join(untold)}", "", text))
    impossible = reliability_table(reliability=reliability).query("~possible")
    for _, row in impossible.iterrows():
        numbers = (f"{row['mean']:.2f} ± {row['std']:.2f}", f"{row['best']:.3f}", f"{row['z']:.1f} std")
        found.append(
            Inconsistency(f"Table 4: {row['model']}", *numbers, "The Mean row is not the best of these trainings.")
        )
    return found


def check_data(dates=paper.DATES, brightness=None, side: float = TILE_KM) -> list[Inconsistency]:
    """Dates that are not monthly or not a year, a brightness index that brightness does not change, a rounded tile."""
    days, found = np.diff(pd.to_datetime(list(dates)).values).astype("timedelta64[D]").astype(int), []
    months = len({date[:7] for date in dates})
    if days.min() < 28 or days.max() > 31:
        text = "Kernels and stacks take steps as equal; intervals in days would have to come from the dates."
        numbers = ("monthly", f"{days.min()} to {days.max()} days", f"{days.max() - days.min()} days")
        found.append(Inconsistency(f"Table 1: before and after {dates[int(days.argmin()) + 1]}", *numbers, text))
    if months < 12:
        text = "The season without a date cannot help to separate classes; no check of its effect is printed."
        found.append(Inconsistency("Abstract: a year of monthly syntheses", "12", f"{months}", f"{months - 12}", text))
    bands = np.array([[0.1, 0.2, 0.05], [0.3, 0.1, 0.08]])  # B4, B3
    one, two = ((brightness or _printed_brightness)(*values) for values in (bands, 2 * bands))
    if np.allclose(one, two):
        gap = np.abs(one - bands[0] / bands[1]).max()
        text = "Twice the reflectance gives the same index: it measures colour, not brightness."
        found.append(Inconsistency("Equation 3: BI", "sqrt(B4²/B3²)", "|B4/B3|", f"{gap:.0e}", text))
    km = TILE_PIXELS / 100
    if abs(side - km) > 0.05:
        text = f"Rounded; {100 * (side**2 / km**2 - 1):.1f} % of the area, without consequence."
        numbers = (f"{side} km", f"{km} km", f"{side - km:.1f} km")
        found.append(Inconsistency("Section 3.1: side of the tile", *numbers, text))
    return found


def _printed_brightness(b4, b3):
    values = np.stack([b3, b4, np.zeros_like(b3)])[:, None]
    indices.write_indices(values, ("B3", "B4"))
    return values[-1, 0]


def inconsistencies(tolerance: float = 0.001) -> pd.DataFrame:
    """Every inconsistency that the checks find in the paper as printed, one row each."""
    checks = (check_claims, check_labels, check_classes, check_costs, check_data)
    rows = check_means(tolerance=tolerance) + [row for check in checks for row in check()]
    return pd.DataFrame(rows, columns=Inconsistency._fields)
