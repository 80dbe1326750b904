"""Tables beside the paper's own: networks, normalisation, separability, epochs, areas. Data in, DataFrame out."""

import itertools

import numpy as np
import pandas as pd
import xarray as xr

from .. import ground
from ..features.samples import Normaliser
from ..nomenclature import LandCover
from . import area, geometry, intervals


def normaliser_table(normaliser: Normaliser, channels: tuple[str, ...]) -> pd.DataFrame:
    """The percentiles that become 0 and 1 in each channel."""
    return pd.DataFrame(
        {"2nd percentile": normaliser.low.numpy().round(4), "98th percentile": normaliser.high.numpy().round(4)},
        index=pd.Index(channels, name="channel"),
    )


def separability_table(series: pd.DataFrame) -> pd.DataFrame:
    """For each pair of classes the channel and date where their means lie furthest apart, hardest pair first.

    The distance is in pooled standard deviations, sqrt((s1^2 + s2^2) / 2). `series` as of `class_series`.
    """
    rows = []
    for (one, first), (other, second) in itertools.combinations(series.groupby("class_name", sort=False), 2):
        pair = first.merge(second, on=["channel", "date"])
        spread = np.sqrt((pair["std_x"] ** 2 + pair["std_y"] ** 2) / 2)
        distance = (pair["mean_x"] - pair["mean_y"]).abs() / spread.where(spread > 0)
        best = pair.loc[distance.idxmax()]
        rows.append((f"{one} / {other}", best["channel"], best["date"].date(), distance.max()))
    table = pd.DataFrame(rows, columns=["classes", "channel", "date", "distance (std)"])
    return table.sort_values("distance (std)", ignore_index=True).round(2)


def epochs_table(history: pd.DataFrame, legend: tuple[LandCover, ...]) -> pd.DataFrame:
    """Every epoch of every training: losses, overall accuracy, macro F1 and class F1 on the validation set."""
    names = {"training_loss": "training loss", "loss": "validation loss", "oa": "OA", "macro_f1": "macro F1"}
    names |= {f"f1_{index}": cover.name for index, cover in enumerate(legend)}
    return history.set_index(["training", "epoch"])[list(names)].rename(columns=names)


def areas_table(maps: dict[str, xr.DataArray], legend: tuple[LandCover, ...]) -> pd.DataFrame:
    """Per cent of the mapped pixels in each class, and agreement with a map called "truth" if given."""
    table = {}
    for name, codes in maps.items():
        mapped = codes.values > 0
        column = {cover.name: 100 * (codes.values[mapped] == cover.code).mean() for cover in legend}
        if "truth" in maps:
            column["agreement with truth"] = 100 * (codes.values == maps["truth"].values)[mapped].mean()
        table[f"{name} (%)"] = column
    return pd.DataFrame(table)


def geometry_table(maps: dict[str, xr.DataArray], edges_found: np.ndarray | None = None) -> pd.DataFrame:
    """Speckle of each map, and how its class borders match those of the map called "truth" within one pixel.

    `edges_found` bool (y, x): borders seen in the image (`geometry.image_edges`), for a scene without truth.
    """
    edges = {name: geometry.edges(codes.values) for name, codes in maps.items()}
    reference = edges.get("truth", edges_found)
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
    """Edges (`geometry.image_edges`) of a scene's mean over its usable dates in B8, or else in its last band."""
    held = scene["band"].values.tolist()
    image = scene.sel(band="B8" if "B8" in held else held[-1])
    return geometry.image_edges(image.where(~image["mask"]).mean("time").values)


def recall_tables(maps: dict[str, xr.DataArray]) -> dict[str, pd.DataFrame]:
    """`geometry.recall_by_width` of each map against the one called "truth"; none where there is no truth."""
    if "truth" not in maps:
        return {}
    truth = maps["truth"].values
    return {name: geometry.recall_by_width(truth, codes.values) for name, codes in maps.items() if name != "truth"}


def area_table(
    counts: np.ndarray, reference: np.ndarray, codes: xr.DataArray, legend: tuple[LandCover, ...]
) -> tuple[float, float, pd.DataFrame]:
    """Accuracy of a map and its half-width, and the area of each class in hectares, by `area.area_weighted`.

    `counts` (polygon, predicted) and `reference` (polygon,) of the map's classifier on test; `codes` its map. Half-widths
    are of polygons resampled. A class that is mapped but given to no test pixel has only its mapped area.
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
    table = table.assign(mapped_area=mapped).rename(columns=names)
    return overall, half_width, table.set_index(pd.Index([cover.name for cover in legend], name="class"))
