"""The scores of a trained model on polygons of another place or year, inside and outside its area of applicability."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import geopandas as gpd
import numpy as np
import pandas as pd
import torch
import xarray as xr

from ..errors import InputError, counted
from ..evaluation.scoring import by_polygon, polygon_counts
from ..features.patches import extract
from ..features.superpixels import extract_superpixels, segment_scene
from ..labels import burn, legend_of, load_polygons, pixel_of
from ..mapping.scene_maps import read_map
from ..nomenclature import LandCover
from ..scenes.fingerprints import fingerprint
from ..settings import Labels
from ..training.polygon_scores import PolygonScores
from .model_folder import TrainedModel

#: Pixels of a patch without what the model sees around it.
INNER = 16


@dataclass(frozen=True)
class Scored:
    """Scores on polygons of another place, and what must be known to read them.

    `inside` and `outside`: of the pixels inside and outside the area of applicability; None where there are none.
    """

    scores: PolygonScores
    inside: PolygonScores | None
    outside: PolygonScores | None
    remarks: list[str]

    @classmethod
    def of(cls, answers: pd.DataFrame, legend: tuple[LandCover, ...], where: str, remarks: list[str]) -> Self:
        """From a table as `classify_polygons` makes it."""

        def scores(rows: pd.DataFrame) -> PolygonScores | None:
            rows = rows.groupby(["polygon", "reference", "predicted"], as_index=False)["pixels"].sum()
            return PolygonScores(*polygon_counts(rows, len(legend)), legend, where) if len(rows) else None

        outside = answers["outside"]
        every = scores(answers)
        if every is None:
            raise InputError("No pixel of the polygons has a usable date.", "Draw other polygons.", kind="labels.empty")
        return cls(every, scores(answers[~outside]), scores(answers[outside]), remarks)

    @property
    def share_outside(self) -> float:
        """Share of the labelled pixels outside the area of applicability."""
        return float(self.outside.counts.sum() / self.scores.counts.sum()) if self.outside else 0.0

    @property
    def table(self) -> pd.DataFrame:
        """That of the scores, with the overall accuracy inside and outside the area of applicability; NaN without pixels."""
        rows = [self.scores.table]
        for name, part in (("inside", self.inside), ("outside", self.outside)):
            row = (part or self.scores).table.query("score == 'overall accuracy'").assign(score=f"accuracy {name}")
            rows.append(row if part else row.assign(estimate=np.nan, low=np.nan, high=np.nan, polygons=0, pixels=0))
        return pd.concat(rows, ignore_index=True)

    def to_dict(self) -> dict[str, Any]:
        """For JSON: that of the scores, with the rows of `table`."""
        table = self.table.round(4).astype(object)
        return self.scores.to_dict() | {"scores": table.where(self.table.notna(), None).to_dict("records")}


def score(model: TrainedModel, scene: xr.DataArray, polygons: str | Path, labels: Labels | None = None) -> Scored:
    """Classify the pixels of labelled polygons of a scene (band, time, y, x), and compare.

    Classes are matched with the legend of the model by code and name (`match_classes`). Polygons of a class that the model
    does not know are left out and said, as are classes without polygons. All sets of the polygons count.
    Raises `InputError` where `load_polygons` does, for a legend that contradicts that of the model (kind
    "labels.legend"), and for a scene that lacks what the model reads.
    """
    model.classifier.inputs.check(scene)
    place = {"crs": scene.rio.crs, "bounds": scene.rio.bounds(), "pixel": pixel_of(scene)}
    table = load_polygons(polygons, **place, options=labels)
    table, remarks = known_polygons(model, table, polygons)
    where = f"{Path(polygons).name} in {Path(scene.attrs['source']).name}"
    return Scored.of(classify_polygons(model, scene, table), model.legend, where, remarks)


def classify_polygons(model: TrainedModel, scene: xr.DataArray, table: gpd.GeoDataFrame) -> pd.DataFrame:
    """Columns polygon, reference, predicted (class indices), pixels, outside (the area of applicability, bool).

    `table`: polygons in the scene's CRS with the classes of the model's legend.
    """
    burned = burn(table, scene, model.legend)
    classifier, size = model.classifier, INNER + 2 * model.classifier.halo
    if classifier.model.needs_superpixels:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "superpixels.tif"
            segment_scene(scene, classifier.normaliser, path, inputs=classifier.inputs)
            samples = extract_superpixels(scene, burned, read_map(path), table, inputs=classifier.inputs)
    else:
        samples = extract(scene, burned, table, size, classifier.halo, classifier.inputs)
    pixels, predicted = samples.pixels(), classifier.evaluate(samples).predicted
    index = model.area.index(classifier.normaliser.apply(pixels.x)[..., 0, 0].permute(1, 2, 0))
    outside = index > model.area.threshold
    parts = [
        by_polygon(pixels[torch.from_numpy(np.flatnonzero(outside == far))], predicted[outside == far]).assign(
            outside=far
        )
        for far in (False, True)
    ]
    return pd.concat(parts, ignore_index=True)


def known_polygons(
    model: TrainedModel, table: gpd.GeoDataFrame, path: str | Path
) -> tuple[gpd.GeoDataFrame, list[str]]:
    """The polygons of a file whose classes the model knows, with its codes, and what must be known of them."""
    codes = match_classes(legend_of(table), model.legend)
    remarks = _remarks(table, codes, model.legend)
    if model.facts["polygons"].get("fingerprint") == fingerprint(path):
        remarks.append("These are the polygons of the training: the scores flatter the model.")
    return table[table["code"].isin(codes)].assign(code=lambda known: known["code"].map(codes)), remarks


def match_classes(classes: tuple[LandCover, ...], legend: tuple[LandCover, ...]) -> dict[int, int]:
    """Code of a class in the polygons -> its code in the model, of the classes that the model knows.

    A class is known by its name (capitals do not count), and where one side has codes alone, by its code. Raises
    `InputError` for a code that both have under different names: one of the two is not what it seems.
    """
    by_name = {cover.name.casefold(): cover for cover in legend}
    by_code = {cover.own_code: cover for cover in legend}
    found, contradictions = {}, []
    for cover in classes:
        same = by_name.get(cover.name.casefold())
        other = by_code.get(cover.own_code)
        if same is None and other is not None and (_is_code(cover) or _is_code(other)):
            same = other
        if other is not None and other is not same:
            contradictions.append(f"{cover.own_code} is {cover.name} here and {other.name} in the model")
        elif same is not None:
            found[cover.code] = same.code
    if contradictions or not found:
        names = ", ".join(f"{cover.own_code} {cover.name}" for cover in legend)
        raise InputError(
            f"The classes of the polygons are not those of the model: {'; '.join(contradictions) or 'none is shared'}. "
            f"The model knows {names}.",
            "Give the polygons these codes and names, or the classes by --nomenclature.", kind="labels.legend",
        )  # fmt: skip
    return found


def _is_code(cover: LandCover) -> bool:
    """Whether a class has no name of its own, as where labels have codes alone."""
    return cover.name == f"class {cover.own_code}"


def _remarks(table: gpd.GeoDataFrame, codes: dict[int, int], legend: tuple[LandCover, ...]) -> list[str]:
    """Classes that one side alone has."""
    remarks = []
    unknown = table[~table["code"].isin(codes)]
    if len(unknown):
        counts = unknown.groupby("class_name").size()
        named = ", ".join(f"{name} ({counted(number, 'polygon')})" for name, number in counts.items())
        remarks.append(f"Unknown to the model and left out, wrong wherever they are mapped: {named}.")
    if absent := [cover.name for cover in legend if cover.code not in codes.values()]:
        remarks.append(f"Without polygons here: {', '.join(absent)}.")
    return remarks
