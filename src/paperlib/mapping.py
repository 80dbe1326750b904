"""Whole-scene maps: a classifier over overlapping windows, written as class and confidence GeoTIFF."""

from pathlib import Path

import numpy as np
import rasterio
import rioxarray
import torch
import xarray as xr
from rasterio.shutil import copy as copy_raster
from rasterio.windows import Window as RasterWindow
from tqdm import tqdm

from .indices import add_indices, fill_gaps
from .paper import NODATA_CLASS, LandCover, colour_table
from .samples import Normaliser, days_since_first
from .scene import windows

NODATA_CONFIDENCE = 255


def features(scene: xr.DataArray) -> np.ndarray:
    """Gap-filled bands and indices of a (band, time, y, x) scene or window, float32 (channel, time, y, x), loaded.

    NaN where a pixel has no usable date.
    """
    scene = scene.compute()
    filled = fill_gaps(scene.values, scene.mask.values, days_since_first(scene))
    return add_indices(filled, tuple(scene.band.values), axis=0)


def classify(
    model: torch.nn.Module,
    values: np.ndarray,
    normaliser: Normaliser,
    device: torch.device | str = "cpu",
    superpixels: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Class index (y, x), -1 where no date is usable, and its probability (y, x), of features (channel, time, y, x).

    `superpixels` (y, x), for a model that takes them.
    """
    inputs = [normaliser.apply(torch.from_numpy(values)[None].to(device))]
    if superpixels is not None:
        inputs.append(torch.from_numpy(superpixels)[None])
    with torch.inference_mode(), torch.autocast(inputs[0].device.type, torch.bfloat16, enabled=inputs[0].is_cuda):
        probability, index = model(*inputs).float().softmax(1).max(1)
    index = index[0].cpu().numpy().astype(np.int16)
    usable = ~np.isnan(values).any(axis=(0, 1))
    return np.where(usable, index, -1), probability[0].cpu().numpy()


def map_scene(
    model: torch.nn.Module,
    scene: xr.DataArray,
    normaliser: Normaliser,
    legend: tuple[LandCover, ...],
    folder: Path,
    window: int = 128,
    superpixels: xr.DataArray | None = None,
    device: torch.device | str | None = None,
    progress: bool = False,
) -> None:
    """Classify every pixel of a scene and write `class.tif` and `confidence.tif` (Cloud Optimized GeoTIFF) to `folder`.

    Windows of `window` pixels are read with a halo of half the model's receptive field, so the result equals that of
    one pass over the whole scene; memory depends on the window, not on the scene. `superpixels` (y, x) of the whole
    scene, lazy, for a model that takes them.

    class.tif: uint8 class codes with colour table and names, 0 where no date of the pixel is usable.
    confidence.tif: uint8, probability of that class in percent, 255 where there is none.
    """
    device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    model = model.to(device).eval()
    codes = np.array([cover.code for cover in legend] + [NODATA_CLASS], np.uint8)  # index -1 takes the last
    shape = scene.sizes["y"], scene.sizes["x"]
    parts = list(windows(shape, window, model.receptive_field // 2))
    profile = {
        "driver": "GTiff", "dtype": "uint8", "count": 1, "height": shape[0], "width": shape[1],
        "crs": scene.rio.crs, "transform": scene.rio.transform(), "tiled": True, "compress": "deflate",
        "bigtiff": "if_safer",
    }  # fmt: skip
    raw = {name: folder / f"{name}.raw.tif" for name in ("class", "confidence")}
    with (
        rasterio.open(raw["class"], "w", nodata=NODATA_CLASS, **profile) as classes,
        rasterio.open(raw["confidence"], "w", nodata=NODATA_CONFIDENCE, **profile) as confidence,
    ):
        classes.write_colormap(1, colour_table(legend))
        classes.update_tags(1, **{f"class_{cover.code}": cover.name for cover in legend})
        confidence.update_tags(1, unit="percent")
        for part in tqdm(parts, desc="map", unit="window", disable=not progress):
            values = features(scene.isel(y=part.read[0], x=part.read[1]))
            around = None if superpixels is None else superpixels[part.read].values
            found = classify(model, values, normaliser, device, around)
            index, probability = (array[part.inner] for array in found)
            percent = np.where(index < 0, NODATA_CONFIDENCE, np.rint(100 * probability)).astype(np.uint8)
            place = RasterWindow.from_slices(*part.core)
            classes.write(codes[index], 1, window=place)
            confidence.write(percent, 1, window=place)
    for name, resampling in (("class", "nearest"), ("confidence", "average")):
        copy_raster(raw[name], folder / f"{name}.tif", driver="COG", compress="deflate", resampling=resampling)
        raw[name].unlink()


def read_map(path: Path) -> xr.DataArray:
    """A map as written by `map_scene`: uint8 (y, x) with coordinates in metres and `.rio` georeference."""
    return rioxarray.open_rasterio(path).squeeze("band", drop=True)
