"""The dissimilarity index of a whole scene and the area of applicability, as layers beside a map."""

from pathlib import Path

import numpy as np
import torch
import xarray as xr

from ..mapping.layers import Layer, profile_of, write_layer
from ..mapping.scene_maps import on_every_core
from ..outputs import writing
from ..scenes.series import rows_cached
from ..scenes.windowing import Window, windows
from ..training.classifier import Classifier
from .area import Area

NODATA_INDEX, NODATA_MASK = 65535, 255
#: The index is stored in whole numbers of this size.
STEP = 1e-3


def write_area(classifier: Classifier, area: Area, scene: xr.DataArray, folder: Path, window: int = 256) -> float:
    """Write dissimilarity.tif and applicability.tif of a scene (band, time, y, x), and return the share outside the area.

    dissimilarity.tif: uint16 in steps of `STEP`, 65535 where no date is usable. applicability.tif: 1 inside the area of
    applicability, 0 outside, 255 where no date is usable. `window`: rows that are read at once by each core; memory depends
    on it alone. Raises `InputError` where `folder` cannot be written.
    """
    shape = scene.sizes["y"], scene.sizes["x"]
    profile = profile_of(scene.rio.crs, scene.rio.transform(), shape)
    strips = [part.core for part in windows(shape, (window, shape[1]))]
    with writing(folder, folder=True, needed=5 * shape[0] * shape[1]) as target:
        index, inside = (
            np.lib.format.open_memmap(target / f"{name}.npy", "w+", kind, shape=shape)
            for name, kind in (("index", np.uint16), ("inside", np.uint8))
        )

        def compare(part: Window) -> None:
            values = classifier.inputs.read(scene, *part.core)
            usable = ~np.isnan(values[0, 0])
            found = area.index(classifier.normaliser.apply(torch.from_numpy(values[..., usable])[None])[0])
            stored, mask = np.full(usable.shape, NODATA_INDEX, np.uint16), np.full(usable.shape, NODATA_MASK, np.uint8)
            stored[usable] = np.rint(found / STEP).clip(0, NODATA_INDEX - 1)
            mask[usable] = found <= area.threshold
            index[part.core], inside[part.core] = stored, mask

        with rows_cached(scene, window):
            on_every_core(compare, list(windows(shape, (window, 2 * window))), False)
        tags = {"threshold": f"{area.threshold:.6g}"}
        layer = Layer("dissimilarity", NODATA_INDEX, "average", "uint16", step=STEP)
        write_layer(target, layer, profile, (), lambda: ((part, index[part]) for part in strips), tags, folder)
        layer = Layer("applicability", NODATA_MASK, "nearest")
        write_layer(target, layer, profile, (), lambda: ((part, inside[part]) for part in strips), tags, folder)
        within, beyond = (sum(int((inside[part] == value).sum()) for part in strips) for value in (1, 0))
        for name in ("index.npy", "inside.npy"):
            (target / name).unlink()
    return beyond / max(1, within + beyond)
