"""Derive simulation/spectra.csv, on which the simulated scene is calibrated, from real Theia L3A crops of tile 31TCJ.

    python data/derive_spectra.py FOLDER

FOLDER contains bouconne/ (seven dates, with the project's polygons) and theia_l3a/ (2018-08-15, with ROI.gpkg, eight
types named in French); see data/README.md for their origin. Only the derived numbers are part of the project, not the
images. Columns: material, date, band, mean, between (standard deviation of polygon means), within (standard deviation
inside polygons), polygons, pixels; reflectance 0 to 1, interpolated to 10 m bilinearly.
"""

import sys
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
from rasterio.features import rasterize

from paperlib import open_scene
from paperlib.reproduction.real_scene import DATES

CLASSES = {1: "built", 2: "needle", 3: "broad", 5: "shrub", 6: "herb", 7: "strip", 11: "lake"}
TYPES = {"culture": "crop", "sol nu": "soil", "bati": "roof", "route": "road", "eau": "pond", "milieu ouvert": "open"}
OUTPUT = Path(__file__).parents[1] / "src" / "paperlib" / "simulation" / "spectra.csv"


def statistics(scene, polygons: gpd.GeoDataFrame, source: str) -> pd.DataFrame:
    """Mean and spread by material, date and band over the pixels whose centres lie in a polygon."""
    shapes = ((shape, number) for number, shape in enumerate(polygons.to_crs(scene.rio.crs).geometry))
    number = rasterize(shapes, (scene.sizes["y"], scene.sizes["x"]), fill=-1, transform=scene.rio.transform())
    values = scene.values[:, :, number >= 0]
    index = pd.MultiIndex.from_product(
        [scene.band.values, scene.time.dt.strftime("%Y-%m-%d").values], names=["band", "date"]
    )
    wide = pd.DataFrame(values.reshape(len(index), -1).T, columns=index)
    polygon = pd.Series(number[number >= 0], name="polygon")
    material = polygon.map(polygons["material"].reset_index(drop=True)).rename("material")
    long = wide.stack(["band", "date"], future_stack=True).rename("value").reset_index(["band", "date"])
    long = long.join(polygon).join(material)
    groups = long.groupby(["material", "date", "band", "polygon"])["value"].agg(["mean", "var", "size"])
    by = groups.groupby(["material", "date", "band"])
    table = by.agg(mean=("mean", "mean"), between=("mean", "std"), polygons=("mean", "size"), pixels=("size", "sum"))
    table.insert(2, "within", np.sqrt(by["var"].mean()))
    return table.reset_index().assign(source=source)


def main(folder: Path) -> None:
    """Read both crops and write the table."""
    stack = open_scene(folder / "bouconne" / "2018_3A_Theia_Bouconne.tif", dates=DATES)
    polygons = gpd.read_file(folder / "bouconne" / "bouconne_polygons.gpkg")
    polygons = polygons.assign(material=polygons["code"].map(CLASSES))
    crops = open_scene(folder / "theia_l3a")
    types = gpd.read_file(folder / "theia_l3a" / "ROI.gpkg")
    types = types.assign(material=types["type"].map(TYPES)).dropna(subset="material").reset_index(drop=True)
    table = pd.concat([statistics(stack, polygons, "bouconne"), statistics(crops, types, "crops of 2018-08-15")])
    table["between"] = table["between"].fillna(0)
    table.round({"mean": 4, "between": 4, "within": 4}).to_csv(OUTPUT, index=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
