"""Spectra of the materials of the simulated scene over the year, and the seasons of its fields."""

from importlib.resources import files

import numpy as np
import pandas as pd

from ..scenes import sensors

#: Dates of the simulated scene.
DATES = (
    "2018-02-15", "2018-03-15", "2018-04-15", "2018-05-15", "2018-06-15", "2018-07-08",
    "2018-08-15", "2018-09-15", "2018-10-15", "2018-11-15", "2018-12-15",
)  # fmt: skip
#: Days since 1 January by date.
DAYS = (pd.to_datetime(DATES) - pd.Timestamp("2018-01-01")).days.to_numpy().astype(float)


#: Growth periods of the green cover of fields, by cover type: mean and standard deviation over the objects of the day
#: when it rises (day 1 is 1 January), the day when it falls, and its largest share. Weeds, volunteers and stubble are
#: periods of their own. Assumed from the crop calendar of the region.
SEASONS = {
    "winter cereal": [(-20, 12, 168, 6, 0.8, 0.06), (215, 12, 330, 20, 0.3, 0.12)],
    "rapeseed": [(-60, 12, 158, 5, 0.85, 0.05), (205, 12, 330, 20, 0.3, 0.12)],
    "sunflower": [(165, 8, 245, 7, 0.7, 0.07), (-60, 15, 85, 15, 0.3, 0.15)],
    "irrigated maize": [(160, 7, 275, 7, 0.9, 0.04), (-60, 15, 85, 15, 0.25, 0.12)],
    "fallow field": [(-60, 20, 190, 30, 0.65, 0.1), (250, 25, 420, 20, 0.55, 0.12)],
    "mown meadow": [(-150, 15, 152, 9, 0.75, 0.07), (175, 8, 225, 12, 0.6, 0.1), (250, 10, 450, 15, 0.65, 0.07)],
    "bare parcel": [(90, 25, 200, 30, 0.25, 0.12), (260, 20, 420, 30, 0.25, 0.12)],
}


def materials(days: np.ndarray = DAYS) -> dict[str, np.ndarray]:
    """Mean, spread between objects, spread within objects, and daily change of each material: (4, date, band).

    `days` (date,): those of the season of 2018, since 1 January.
    "green" is the dense cover of fields (measured: meadow in May, a crop in August). The spread between objects is
    at least 5 % of the mean (assumed), since the images hold few objects of some materials.
    """
    table = pd.read_csv(files(__package__) / "spectra.csv", parse_dates=["date"])
    measured = {name: _over_the_year(rows, days) for name, rows in table.groupby("material")}
    dense = _over_the_year(table[table["material"] == "herb"], DAYS)[:, [3]]  # in May
    measured["green"] = 0.5 * (dense + measured.pop("crop"))
    for values in measured.values():
        values[1] = np.maximum(values[1], 0.05 * values[0])
    return {
        name: np.concatenate([values, np.gradient(values[:1], days, axis=1)]).astype(np.float32)
        for name, values in measured.items()
    }


def _over_the_year(rows: pd.DataFrame, wanted: np.ndarray) -> np.ndarray:
    """Mean, spread between and spread within objects of one material at the wanted days: (3, date, band).

    Seven dates from late April to mid November are measured. From mid March on, the spectrum of November changes
    linearly into that of April. A material that was measured in August alone keeps its spectrum, a third darker in
    winter, when mineral surfaces are wet.
    """
    grid = rows.pivot(index="date", columns="band", values=["mean", "between", "within"])
    values = np.stack([grid[name][list(sensors.BANDS)].to_numpy() for name in ("mean", "between", "within")])
    if len(grid) == 1:
        wet = np.interp(wanted, [75, 135, 260, 320], [0.67, 1, 1, 0.67])
        return values * wet[None, :, None]
    days = (grid.index - pd.Timestamp("2018-01-01")).days.to_numpy().astype(float)
    days, values = np.concatenate([[75.0], days]), np.concatenate([values[:, -1:], values], axis=1)
    return np.stack([[np.interp(wanted, days, series) for series in part.T] for part in values]).transpose(0, 2, 1)


def green_cover(periods: list[tuple], number: int, random: np.random.Generator, days: np.ndarray = DAYS) -> np.ndarray:
    """Green cover of `number` fields, (date, object): the largest over growth periods, each a double logistic function."""
    covers = []
    for rise, rise_spread, fall, fall_spread, height, height_spread in periods:
        start, stop = random.normal(rise, rise_spread, number), random.normal(fall, fall_spread, number)
        top = np.clip(random.normal(height, height_spread, number), 0, 0.97)
        moments = days[:, None]
        covers.append(top / (1 + np.exp(-(moments - start) / 14)) / (1 + np.exp((moments - stop) / 6)))
    return np.max(covers, axis=0)
