"""The probability of every class in a part of a scene, coarse enough for a page."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import rasterio
from rasterio.windows import Window

from ...mapping import layers
from ...mapping.scene_maps import map_scene
from ...nomenclature import LandCover
from ...runs.experiment import Experiment
from .packing import pack

#: Per cent between two levels of a stored probability: the first that leaves a page light enough is taken.
STEPS = (1, 5, 10, 20)


def probabilities(run: Experiment, name: str, part: dict[str, slice]) -> np.ndarray:
    """Probability of every class (class, y, x) in a part of the scene, 0 where a pixel has none.

    Parameters
    ----------
    name: the classifier, whose map holds them, or whose chosen training classifies the part again, with all that it sees
        around it.
    part: slices by dimension (y, x).
    """
    if (whole := run.map(name) / "probabilities.tif").is_file():
        return _read(whole, part["y"], part["x"])
    classifier = run.classifier(name)
    reach = classifier.model.receptive_field // 2
    wide = {side: slice(max(0, edge.start - reach), edge.stop + reach) for side, edge in part.items()}
    superpixels = run.dataset.superpixels.isel(wide) if classifier.model.needs_superpixels else None
    rows, columns = (
        slice(part[side].start - wide[side].start, part[side].stop - wide[side].start) for side in ("y", "x")
    )
    with TemporaryDirectory() as folder:
        map_scene(classifier, run.scene.isel(wide), Path(folder), run.settings.map.window, superpixels, every=True)
        return _read(Path(folder) / "probabilities.tif", rows, columns)


def _read(path: Path, rows: slice, columns: slice) -> np.ndarray:
    """Probabilities (class, y, x) of a window of a map, 0 where a pixel has none."""
    with rasterio.open(path) as file:
        stored = file.read(window=Window.from_slices(rows, columns))
    return np.where(stored == layers.NODATA_PROBABILITY, 0, stored * layers.STEP).astype(np.float32)


def pack_levels(shares: np.ndarray, codes: np.ndarray, legend: tuple[LandCover, ...], step: int) -> str:
    """Probabilities (class, y, x) in whole steps of `step` per cent, packed.

    That of the class which a pixel has on the map, `codes` (y, x), is 0: its confidence says it better.
    """
    levels = np.rint(100 * shares / step).astype(np.uint8)
    levels[codes == np.array([cover.code for cover in legend], np.uint8)[:, None, None]] = 0
    return pack(levels, 6)


def add_probabilities(
    data: dict, shares: dict[str, np.ndarray], codes: dict[str, np.ndarray], legend: tuple[LandCover, ...], room: int
) -> bool:
    """Add "probabilities" to each map of `contents.contents`, in the finest of the `STEPS` that fits into `room` characters.

    `shares` and `codes`: probabilities (class, y, x) and class codes (y, x) by name of the map. Returns whether one fits;
    "step" of the data says which.
    """
    for step in STEPS:
        packed = {name: pack_levels(share, codes[name], legend, step) for name, share in shares.items()}
        if sum(map(len, packed.values())) <= room:
            data["step"] = step
            for one in data["maps"]:
                one["probabilities"] = packed.get(one["name"])
            return True
    return False
