"""Writes finished maps: classes, confidence and categories, as `paperlib map` does."""

from pathlib import Path

import numpy as np
import rasterio
from rasterio.transform import from_origin

from paperlib.mapping.gis import write_categories
from paperlib.nomenclature import LandCover

LEGEND = (LandCover(1, "Water", "#0000ff"), LandCover(2, "Crops", "#00ff00"))


def write_map(folder: Path, codes: np.ndarray) -> Path:
    """A map of the classes of `LEGEND` (y, x) in pixels of 10 m: water with a confidence of 70 %, crops with 90 %."""
    folder.mkdir()
    shape = {"height": codes.shape[0], "width": codes.shape[1], "count": 1, "dtype": "uint8", "nodata": 0}
    place = {"crs": "EPSG:32631", "transform": from_origin(300_000, 4_900_020, 10, 10)}
    for name, values in {"class": codes, "confidence": np.where(codes == 1, 70, 90)}.items():
        with rasterio.open(folder / f"{name}.tif", "w", driver="GTiff", **shape, **place) as file:
            file.write(values.astype(np.uint8), 1)
    write_categories(folder / "class.tif.aux.xml", LEGEND)
    return folder
