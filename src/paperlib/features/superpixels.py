"""Superpixels for iota2_ctx: SLIC on a grid fixed to the scene, so that windows can be segmented one by one.

iota2 segments the full feature stack with the Orfeo ToolBox's SLIC at a grid of 10 pixels (its documentation of
auto-context). Here it is scikit-image's: the same algorithm (Achanta et al., 2012) with another distance, so the
superpixels are alike, not equal.
"""

from pathlib import Path

import geopandas as gpd
import numpy as np
import rasterio
import torch
import xarray as xr
from rasterio.windows import Window as RasterWindow

from ..scenes.series import rows_cached
from ..scenes.windowing import windows
from .inputs import Inputs
from .normaliser import Normaliser
from .samples import Samples

#: Side of the grid of seeds in pixels.
SPACING = 10

#: Weight of nearness against likeness. Chosen by the validation macro F1 of iota2_ctx (benchmarks/compactness.py).
COMPACTNESS = 0.05

ITERATIONS = 10

#: No superpixel reaches further than this from a pixel of its own: SLIC looks two grid steps around each centre.
REACH = 4 * SPACING

#: Pixels around a window that are segmented with it. A centre moves by what it finds within two steps, ten times over;
#: beyond some steps nothing arrives any more (tests compare with one pass).
HALO = 8 * SPACING

#: Pixels that are segmented at once, a side.
WINDOW = 240


def segment(values: np.ndarray) -> np.ndarray:
    """Superpixels of normalised features (channel, date, y, x): int32 (y, x), the number of the grid cell each grew from.

    Cells are counted row by row. Features count from -1 to 2 (normalised ones lie mostly within 0 to 1), divided by the
    root of their number, so that `COMPACTNESS` means the same for any number of channels and dates.
    """
    height, width = values.shape[-2:]
    stack = values.reshape(-1, height, width).transpose(1, 2, 0)
    # slic stretches the image to 0..1 by its own extremes; two constant channels make that the same in every window
    image = np.empty((height, width, stack.shape[2] + 2), np.float32)
    np.clip(stack, -1, 2, out=image[..., :-2])
    image[..., :-2] += 1
    image[..., :-2] /= 3 * np.sqrt(stack.shape[2])
    image[..., -2:] = 0, 1
    from skimage.segmentation import slic  # here, since it takes long

    padding = [(0, -side % SPACING) for side in (height, width)]
    image = np.pad(image, [*padding, (0, 0)], mode="edge")
    labels = slic(
        image, n_segments=image.shape[0] * image.shape[1] // SPACING**2, compactness=COMPACTNESS,
        max_num_iter=ITERATIONS, enforce_connectivity=False, convert2lab=False, start_label=0, channel_axis=2,
    )  # fmt: skip
    return labels[:height, :width].astype(np.int32)


def segment_scene(
    scene: xr.DataArray, normaliser: Normaliser, path: Path, window: int = WINDOW, inputs: Inputs | None = None
) -> None:
    """Write the superpixels of a scene as an int32 GeoTIFF (y, x); memory depends on `window`, not on the scene.

    `window` is in pixels, rounded to whole cells. A superpixel keeps its number over the borders of windows. `inputs`:
    what is read of the scene (None: all bands, dates and possible indices), `normaliser`: that of its channels.
    """
    inputs = inputs or Inputs.of(scene)
    shape = scene.sizes["y"], scene.sizes["x"]
    columns = -(-shape[1] // SPACING)
    profile = {
        "driver": "GTiff", "dtype": "int32", "count": 1, "height": shape[0], "width": shape[1], "tiled": True,
        "compress": "deflate", "crs": scene.rio.crs, "transform": scene.rio.transform(), "bigtiff": "if_safer",
    }  # fmt: skip
    with rows_cached(scene, window + 2 * HALO), rasterio.open(path, "w", **profile) as file:
        for part in windows(shape, max(1, window // SPACING) * SPACING, HALO):
            values = inputs.read(scene, *part.read)
            normaliser.apply_in_place(values)
            local = segment(values)
            row, column = np.divmod(local, -(-local.shape[1] // SPACING))
            top, left = (axis.start // SPACING for axis in part.read)
            numbers = ((row + top) * columns + column + left)[part.inner]
            file.write(numbers.astype(np.int32), 1, window=RasterWindow.from_slices(*part.core))


def extract_superpixels(
    scene: xr.DataArray,
    burned: xr.Dataset,
    superpixels: xr.DataArray,
    polygons: gpd.GeoDataFrame,
    window: int = 512,
    inputs: Inputs | None = None,
) -> Samples:
    """Every pixel of the superpixels that these polygons touch, as one sample of 1 x n pixels; only theirs are labelled.

    Bands and indices are gap-filled, not normalised. `superpixels`: (y, x), lazy. `window`: pixels of the scene read at
    once, a side. `inputs`: what is read of the scene; None: all bands, dates and possible indices.
    """
    inputs = inputs or Inputs.of(scene)
    parts = list(windows((scene.sizes["y"], scene.sizes["x"]), window))
    number = burned["polygon"].values
    inside = np.isin(number, polygons["polygon_id"])
    touched = np.unique(
        np.concatenate([superpixels[part.core].values[inside[part.core]] for part in parts if inside[part.core].any()])
    )
    x, label, polygon, superpixel = [], [], [], []
    for part in parts:
        numbers = superpixels[part.core].values
        wanted = np.isin(numbers, touched)
        if not wanted.any():
            continue
        rows, columns = (slice(places.min(), places.max() + 1) for places in np.nonzero(wanted))
        top, left = part.core[0].start, part.core[1].start
        place = slice(top + rows.start, top + rows.stop), slice(left + columns.start, left + columns.stop)
        values = inputs.read(scene, *place)
        x.append(values[:, :, wanted[rows, columns]])
        labelled = inside[part.core] & wanted
        label.append(np.where(labelled, burned["label"].values[part.core], -1)[wanted])
        polygon.append(np.where(labelled, number[part.core], -1)[wanted])
        superpixel.append(numbers[wanted])
    series = torch.from_numpy(np.concatenate(x, axis=2))[None, :, :, None]
    labels, polygon_ids, superpixel_ids = (
        torch.from_numpy(np.concatenate(part).astype(np.int64))[None, None] for part in (label, polygon, superpixel)
    )
    usable = ~series.isnan().any(1).any(1)
    labels, polygon_ids = (values.where(usable, -1) for values in (labels, polygon_ids))
    return Samples(series, labels, polygon_ids, inputs.channels(), superpixel_ids)
