"""The raster layers of a map, and how each is written: a Cloud Optimized GeoTIFF, window by window, read again to see."""

import math
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
from rasterio._err import CPLE_BaseError
from rasterio.errors import RasterioError
from rasterio.shutil import copy as copy_raster
from rasterio.windows import Window as RasterWindow

from .. import allocation
from ..errors import InputError
from ..nomenclature import NODATA_CLASS, LandCover, colour_table
from ..outputs import size

NODATA_PERCENT = 255
NODATA_PROBABILITY = 65535
#: Probabilities are stored as whole numbers of this size.
STEP = 1e-4

#: Layers that a map holds where they are asked for.
ON_REQUEST = ("margin", "entropy", "probabilities")

#: Windows of a map (rows, columns) with their values: (y, x), or (band, y, x) of a layer with several bands.
Images = Iterable[tuple[tuple[slice, slice], np.ndarray]]


@dataclass(frozen=True)
class Layer:
    """One GeoTIFF of a map; `name` is that of its file."""

    name: str
    nodata: int
    resampling: str  # of its overviews
    dtype: str = "uint8"
    bands: tuple[str, ...] = ()  # names of its bands, where it has several
    unit: str = ""
    step: float = 1.0  # value of a stored 1
    coded: bool = False  # whether its values are codes, with colours and names


def class_layer() -> Layer:
    """Class codes."""
    return Layer("class", NODATA_CLASS, "nearest", coded=True)


def percent_layer(name: str) -> Layer:
    """A layer in whole per cent: confidence, margin, entropy."""
    return Layer(name, NODATA_PERCENT, "average", unit="percent")


def probability_layer(legend: tuple[LandCover, ...]) -> Layer:
    """The probability of every class, a band each, in steps of `STEP`."""
    names = tuple(cover.name for cover in legend)
    return Layer("probabilities", NODATA_PROBABILITY, "average", "uint16", names, step=STEP)


def bytes_of(pixels: int, classes: int, every: bool = False) -> int:
    """Bytes that the layers of a map of so many pixels take before they are compressed."""
    return pixels * (4 + 2 * classes if every else 2)


def layers_of(legend: tuple[LandCover, ...], every: bool = False, several: bool = False) -> list[Layer]:
    """The layers of a map: classes and confidence.

    `every`: margin, entropy and, last, the probability of every class as well. `several`: the disagreement of an ensemble.
    """
    names = ["confidence", *(["margin", "entropy"] if every else []), *(["disagreement"] if several else [])]
    return [class_layer(), *map(percent_layer, names), *([probability_layer(legend)] if every else [])]


def margin(probability: np.ndarray) -> np.ndarray:
    """How much the most probable class exceeds the next one, in per cent (y, x), of probabilities (class, y, x)."""
    second, first = np.partition(probability, len(probability) - 2, axis=0)[-2:]
    return 100 * (first - second)


def entropy(probability: np.ndarray) -> np.ndarray:
    """Entropy in per cent of its largest value (y, x), of probabilities (class, y, x): 0 certain, 100 all alike."""
    return -100 * (probability * np.log(np.maximum(probability, 1e-12))).sum(0) / math.log(len(probability))


def percent(values: np.ndarray) -> np.ndarray:
    """Values in per cent as stored, uint8."""
    return np.rint(values).clip(0, 100).astype(np.uint8)


def stored(probability: np.ndarray) -> np.ndarray:
    """Probabilities as stored, uint16 in steps of `STEP`."""
    return np.rint(probability / STEP).astype(np.uint16)


def profile_of(crs: object, transform: rasterio.Affine, shape: tuple[int, int]) -> dict:
    """What rasterio must know of a grid to write a layer on it."""
    return {
        "driver": "GTiff", "height": shape[0], "width": shape[1], "crs": crs, "transform": transform, "tiled": True,
        "bigtiff": "if_safer",
    }  # fmt: skip


def write_layer(
    folder: Path, layer: Layer, profile: dict, legend: tuple[LandCover, ...], images: Callable[[], Images],
    tags: dict[str, str], place: Path | None = None,
) -> Path:  # fmt: skip
    """Write a layer to `folder` as a Cloud Optimized GeoTIFF, and return its path.

    Parameters
    ----------
    profile: see `profile_of`.
    legend: of a layer of codes, which gets names and colours.
    images: gives all windows, each time it is called: they are written, then compared with what the file holds.
    tags: of the file.
    place: the folder as the user knows it, for messages.

    Raises `InputError` where the file does not hold what was written: the disk is full.
    """
    raw, final = folder / f"{layer.name}.raw.tif", folder / f"{layer.name}.tif"
    count = max(1, len(layer.bands))
    predictor = {"predictor": "standard"} if layer.dtype != "uint8" else {}
    try:
        with rasterio.open(raw, "w", nodata=layer.nodata, dtype=layer.dtype, count=count, **profile) as file:
            _describe(file, layer, legend)
            file.update_tags(**tags)
            for (rows, columns), image in images():
                file.write(image if layer.bands else image[None], window=RasterWindow.from_slices(rows, columns))
        copy_raster(
            raw, final, driver="COG", compress="deflate", resampling=layer.resampling,
            num_threads=allocation.processors(), **predictor,
        )  # fmt: skip
        whole = _holds(final, images())
    except (RasterioError, CPLE_BaseError):  # rasterio lets some of GDAL's errors through as they are
        whole = False
    if not whole:  # GDAL says little, or nothing, when it closes a file on a full disk
        place = place or folder
        raise InputError(
            f"{place / final.name} could not be written whole: {size(shutil.disk_usage(folder).free)} are free there.",
            "Make room and give the same command again; what is classified is kept.", kind="disk.full",
        )  # fmt: skip
    raw.unlink()
    return final


def _describe(file: rasterio.io.DatasetWriter, layer: Layer, legend: tuple[LandCover, ...]) -> None:
    """Names, colours, units and scales of a layer's bands."""
    if layer.coded:
        file.write_colormap(1, colour_table(legend))
        file.update_tags(1, **{f"class_{cover.code}": cover.name for cover in legend})
    if layer.unit:
        file.update_tags(1, unit=layer.unit)
    for number, name in enumerate(layer.bands, start=1):
        file.set_band_description(number, name)
    if layer.step != 1:
        file.scales = (layer.step,) * max(1, len(layer.bands))


def _holds(path: Path, images: Images) -> bool:
    """Whether a written layer gives back all windows."""
    with rasterio.open(path) as file:
        return all(
            np.array_equal(file.read(window=RasterWindow.from_slices(*place)).reshape(image.shape), image)
            for place, image in images
        )
