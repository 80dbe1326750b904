"""Tables of a run: normalisation, separability of classes, epochs, areas and geometry of maps."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import xarray as xr

from .. import ground
from ..nomenclature import LandCover
from ..scenes.sensors import roles_of
from . import area, geometry, intervals

if TYPE_CHECKING:  # torch comes with it
    from ..features.normaliser import Normaliser


def normaliser_table(normaliser: Normaliser, channels: tuple[str, ...]) -> pd.DataFrame:
    """The percentiles of the training pixels that are mapped to 0 and 1, by channel."""
    return pd.DataFrame(
        {"2nd percentile": normaliser.low.numpy().round(4), "98th percentile": normaliser.high.numpy().round(4)},
        index=pd.Index(channels, name="channel"),
    )


def separability_table(series: pd.DataFrame) -> pd.DataFrame:
    """For each pair of classes, the channel and date where their means lie furthest apart; the closest pair comes first.

    The distance is in pooled standard deviations, sqrt((s1^2 + s2^2) / 2). `series` is a table as `class_series` returns it.
    """
    rows = []
    for (first_name, first), (second_name, second) in itertools.combinations(
        series.groupby("class_name", sort=False), 2
    ):
        pair = first.merge(second, on=["channel", "date"])
        spread = np.sqrt((pair["std_x"] ** 2 + pair["std_y"] ** 2) / 2)
        distance = (pair["mean_x"] - pair["mean_y"]).abs() / spread.where(spread > 0)
        best = pair.loc[distance.idxmax()]
        rows.append((f"{first_name} / {second_name}", best["channel"], best["date"].date(), distance.max()))
    table = pd.DataFrame(rows, columns=["classes", "channel", "date", "distance (std)"])
    return table.sort_values("distance (std)", ignore_index=True).round(2)


def epochs_table(history: pd.DataFrame, legend: tuple[LandCover, ...]) -> pd.DataFrame:
    """Losses, overall accuracy, macro F1 and class F1 on the validation set, by training and epoch."""
    names = {"training_loss": "training loss", "loss": "validation loss", "oa": "OA", "macro_f1": "macro F1"}
    names |= {f"f1_{index}": cover.name for index, cover in enumerate(legend)}
    return history.set_index(["training", "epoch"])[list(names)].rename(columns=names)


def areas_table(maps: dict[str, xr.DataArray], legend: tuple[LandCover, ...]) -> pd.DataFrame:
    """Per cent of the mapped pixels in each class, and agreement with the map called "truth" where there is one.

    `maps` are class codes (y, x) by name.
    """
    table = {}
    for name, codes in maps.items():
        mapped = codes.values > 0
        column = {cover.name: 100 * (codes.values[mapped] == cover.code).mean() for cover in legend}
        if "truth" in maps:
            column["agreement with truth"] = 100 * (codes.values == maps["truth"].values)[mapped].mean()
        table[f"{name} (%)"] = column
    return pd.DataFrame(table)


def geometry_table(maps: dict[str, xr.DataArray], edges_of_image: np.ndarray | None = None) -> pd.DataFrame:
    """Speckle of each map, and the agreement of its class borders with those of the map called "truth" within one pixel.

    Parameters
    ----------
    maps: class codes, uint8 (y, x), by name.
    edges_of_image: bool (y, x), see `scene_edges`; the reference for a scene without truth.
    """
    edges = {name: geometry.edges(codes.values) for name, codes in maps.items()}
    reference = edges.get("truth", edges_of_image)
    rows = {}
    for name, codes in maps.items():
        speckle = geometry.speckle(codes.values)
        rows[name] = {
            "objects": speckle["components"],
            f"pixels in objects of less than {geometry.SMALL} (%)": 100 * speckle["isolated_share"],
        }
        if reference is not None:
            borders = geometry.boundary_f1(edges[name], reference)
            rows[name] |= {f"borders, {key}": value for key, value in borders.items()}
    return pd.DataFrame(rows).T.astype({"objects": int})


def scene_edges(scene: xr.DataArray) -> np.ndarray:
    """Edges of the mean near infrared, or last band, over the usable dates, bool (y, x); see `geometry.image_edges`."""
    held = scene["band"].values.tolist()
    image = scene.sel(band=roles_of(held, scene.attrs.get("sensor", "")).get("nir", held[-1]))
    return geometry.image_edges(image.where(~image["mask"]).mean("time").values)


def recall_tables(maps: dict[str, xr.DataArray]) -> dict[str, pd.DataFrame]:
    """`geometry.recall_by_width` of each map against the one called "truth"; empty without truth."""
    if "truth" not in maps:
        return {}
    truth = maps["truth"].values
    return {name: geometry.recall_by_width(truth, codes.values) for name, codes in maps.items() if name != "truth"}


def area_table(
    counts: np.ndarray, reference: np.ndarray, codes: xr.DataArray, legend: tuple[LandCover, ...]
) -> tuple[float, float, pd.DataFrame]:
    """Accuracy of a map, its half-width, and the area of each class in hectares; see `area.area_weighted`.

    Parameters
    ----------
    counts, reference: pixels of the test polygons (polygon, predicted class) and their class indices (polygon,).
    codes: class codes (y, x) of the map by the same classifier.
    legend: its classes, in the order of the class indices.

    Half-widths come from resampled polygons; NaN where they would rest on one polygon, which shows no spread. A class that
    is mapped but predicted for no test pixel has a mapped area alone.
    """
    hectares = ground.areas_of_codes(codes.values, codes.rio.transform(), codes.rio.crs) / 10_000
    mapped = hectares[[cover.code for cover in legend]]
    confusion = intervals.resampled_confusions(counts, reference, np.ones((1, len(reference)), int))[0]
    resampled = intervals.resampled_confusions(counts, reference, intervals.draws(reference))
    seen = np.where(confusion.sum(0) > 0, mapped, 0)
    overall, half_width, table = area.area_weighted(confusion, seen, resampled)
    names = {
        "mapped_area": "mapped (ha)", "estimated_area": "estimated (ha)", "area_half_width": "± (ha)",
        "users_accuracy": "user's accuracy", "users_half_width": "± user's",
        "producers_accuracy": "producer's accuracy", "producers_half_width": "± producer's",
    }  # fmt: skip
    each = np.arange(len(legend))
    alone = {"users": (counts > 0).sum(0) < 2, "producers": (reference[:, None] == each).sum(0) < 2}
    for part, one in (alone | {"area": alone["users"] | alone["producers"]}).items():
        table.loc[one, f"{part}_half_width"] = np.nan
    table = table.assign(mapped_area=mapped).rename(columns=names)
    return overall, half_width, table.set_index(pd.Index([cover.name for cover in legend], name="class"))
