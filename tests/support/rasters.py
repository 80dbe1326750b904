"""Series of images in formats other than product files."""

from itertools import product
from pathlib import Path

import rasterio
import xarray as xr


def write_stack(scene: xr.DataArray, path: Path) -> Path:
    """Write a scene as one GeoTIFF: all bands of the first date, then of the second, stored pixel by pixel."""
    raw = (scene * 10000).where(~scene.mask, -10000).round().astype("int16").transpose("time", "band", "y", "x")
    layers = raw.values.reshape(-1, *raw.shape[2:])
    grid = {"crs": scene.rio.crs, "transform": scene.rio.transform(), "compress": "deflate"}
    with rasterio.open(
        path, "w", driver="GTiff", dtype="int16", count=len(layers), height=layers.shape[1], width=layers.shape[2],
        interleave="pixel", nodata=-10000, **grid,
    ) as file:  # fmt: skip
        file.write(layers)
        for number, (date, band) in enumerate(product(scene.time.values, scene.band.values), start=1):
            file.set_band_description(number, f"{date:.10} {band}")
    return path
