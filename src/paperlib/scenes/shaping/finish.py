"""From a series of acquisitions to the lazy array of a scene: days, periods, and a grid in metres."""

import warnings
from collections.abc import Callable, Sequence

import pandas as pd
import xarray as xr

from ...errors import InputWarning
from ..meaning.choices import Choices
from ..meaning.dates import select_dates
from ..rasters import Grid
from ..series import Series, Values, assemble
from .merging import GroupedSeries, group_days, group_every
from .regrid import RegriddedSeries, metric_grid


def finish_scene(
    make: Callable[[list[int]], Series], bands: Sequence[str], times: pd.DatetimeIndex, grid: Grid, choices: Choices,
    about: Values, **attrs,
) -> xr.DataArray:  # fmt: skip
    """The lazy array that `scene.open_scene` describes.

    Parameters
    ----------
    make: gives the series of some of the acquisitions, in the order of their indices.
    bands: names in the scene.
    times: of all acquisitions, in any order; several may be of one day.
    grid: of the series; anything but a north-up grid in metres is brought to one, with a warning.
    choices: dates, periods (`every`) and resampling are taken from it.
    about: what is known of the stored values.
    attrs: of the scene; `source` is for messages.
    """
    where = str(attrs["source"])
    days, groups = group_days(times, where)
    kept = select_dates(days, choices.dates, where)
    days, groups = days[kept], [groups[index] for index in kept]
    how = "first"
    if choices.every:
        how = "median"
        days, members = group_every(days, choices.every)
        groups = [[index for day in period for index in groups[day]] for period in members]
    order = [index for group in groups for index in group]
    series = make(order)
    if any(len(group) != 1 for group in groups):
        counts = iter(range(len(order)))
        series = GroupedSeries(series, [[next(counts) for _ in group] for group in groups], how)
    target = metric_grid(grid, where)
    if target != grid:
        if target.crs != grid.crs:
            warnings.warn(
                InputWarning(
                    f"{where} is in degrees ({grid.crs}); it is read on a grid of {target.transform.a:g} m in {target.crs}.",
                    "To choose another, bring it to one with gdalwarp -t_srs and -tr.",
                    kind="scene.grid",
                ),
                stacklevel=3,
            )
        series = RegriddedSeries(series, grid, target, choices.resampling)
    scene = assemble(series, bands, days, target, **attrs)
    scene.encoding["values"] = about
    return scene
