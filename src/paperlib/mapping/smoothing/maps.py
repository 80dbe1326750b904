"""Smooth a finished map, window by window, and write the result as a map of its own."""

import math
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pystac
import rasterio
from rasterio.errors import RasterioError
from rasterio.windows import Window as RasterWindow

from ... import ground
from ...errors import InputError
from ...nomenclature import NODATA_CLASS, LandCover
from ...outputs import writing
from ...scenes.windowing import Window, windows
from .. import layers
from ..class_map import ClassMap
from ..gis import read_legend, write_gis_files
from ..scene_maps import on_every_core
from ..stac_item import map_item
from . import methods

METHODS = ("objects", "bayesian", "majority")
#: Side in pixels of the windows that are smoothed at once.
WINDOW = 512
#: Files of a smoothed window: its layers in bytes, and its probabilities.
KINDS = ("layers", "probabilities")


@dataclass(frozen=True)
class Smoothing:
    """How a map is smoothed; see `methods.bayesian` for side, smoothness and share."""

    method: str = "objects"  # one of `METHODS`; "objects": by their size alone
    side: int = 5  # of the neighbourhood in pixels, odd
    smoothness: float = 0.1
    share: float = 0.5
    minimum_pixels: int = 4  # smaller objects join a neighbour, after the rest
    minimum_area: float = 0.0  # the same in m2 on the ground; the larger of both counts

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise InputError(
                f"Unknown method {self.method!r}.", f"Choose one of {', '.join(METHODS)}.", kind="smoothing.method"
            )
        sound = self.side % 2 == 1 and self.side > 0 and self.smoothness >= 0 and 0 < self.share <= 1
        if not sound or self.minimum_area < 0 or self.minimum_pixels < 1:
            raise InputError(
                f"side = {self.side}, smoothness = {self.smoothness:g}, share = {self.share:g}, minimum area = "
                f"{self.minimum_area:g} and minimum pixels = {self.minimum_pixels} are not possible.",
                "Give an odd side, a smoothness and an area of 0 or more, a share above 0 and up to 1, 1 pixel or more.",
                kind="smoothing.choice",
            )

    def minimum(self, class_map: ClassMap) -> int:
        """The smallest object that stays, in pixels of a map."""
        crs, transform, shape = class_map.grid
        pixels = math.ceil(self.minimum_area / math.prod(ground.pixel_size(transform, crs, shape)) - 1e-6)
        return max(self.minimum_pixels, pixels)


def smooth_map(source: str | Path, folder: Path, choice: Smoothing, window: int = WINDOW) -> Path:
    """Smooth the map in the folder `source` and write it to `folder`, as `paperlib map` writes maps: classes and confidence.

    Parameters
    ----------
    source: a folder that `paperlib map` wrote; the Bayesian method needs the layer of probabilities, and writes it smoothed,
        with the margin and the entropy that follow from it.
    choice: the method and its options.
    window: side in pixels of what is smoothed at once; memory follows from it. It does not change the result.

    Confidence is the (smoothed) probability of the class; without probabilities, that of the map where the class stays, and
    255 elsewhere. Raises `InputError` for a folder without a map, without classes.csv or without probabilities where they
    are needed, for a `folder` that is the source, and where it cannot be written.
    """
    source, class_map = Path(source), ClassMap.open(source)
    if folder.resolve() == class_map.path.parent.resolve():
        raise InputError(f"{folder} holds the map itself.", "Name another folder.", kind="output.place")
    legend, probabilities = read_legend(class_map.path.parent), class_map.path.with_name("probabilities.tif")
    if choice.method == "bayesian" and not probabilities.is_file():
        raise InputError(
            f"{source} holds no probabilities.tif, which the Bayesian method smooths.",
            "Map the scene again with --probabilities, or choose --method majority.", kind="map.probabilities",
        )  # fmt: skip
    minimum = choice.minimum(class_map)
    crs, transform, shape = class_map.grid
    halo = methods.reach_of_small(minimum) + (0 if choice.method == "objects" else choice.side // 2)
    parts, every = list(windows(shape, window, halo)), choice.method == "bayesian"
    needed = 2 * layers.bytes_of(math.prod(shape), len(legend), every)
    with writing(folder, folder=True, needed=needed, errors=(RasterioError,)) as target:

        def place(part: Window, kind: str) -> Path:
            return target / f"{part.core[0].start}-{part.core[1].start}.{kind}.npy"

        def smooth(part: Window) -> None:
            for kind, values in zip(KINDS, _smoothed(class_map.path, legend, part, choice, minimum), strict=True):
                np.save(place(part, kind), values)

        on_every_core(smooth, parts, progress=False)
        for number, layer in enumerate(layers.layers_of(legend, every)):

            def images(number: int = number, layer: layers.Layer = layer) -> layers.Images:
                several = bool(layer.bands)
                loaded = ((part.core, np.load(place(part, KINDS[several]))) for part in parts)
                return ((core, values if several else values[number]) for core, values in loaded)

            profile = layers.profile_of(crs, transform, shape)
            layers.write_layer(target, layer, profile, legend, images, {}, folder)
        for part in parts:
            for kind in KINDS:
                place(part, kind).unlink()
        write_gis_files(target, legend)
        _describe(class_map.path.with_name("item.json"), target, legend, choice)
    return folder


def _smoothed(
    path: Path, legend: tuple[LandCover, ...], part: Window, choice: Smoothing, minimum: int
) -> tuple[np.ndarray, np.ndarray]:
    """Layers uint8 (layer, y, x) and probabilities uint16 (class, y, x) of the core of a window.

    The layers are class and confidence, of the Bayesian method also margin and entropy; other methods smooth no
    probability, so that there is no class of them.
    """
    place = RasterWindow.from_slices(*part.read)
    names = np.array([cover.code for cover in legend], np.uint8)
    with rasterio.open(path) as file:
        before = codes = file.read(1, window=place)
    probability, smoothed = None, np.empty((0, *codes.shape), np.float32)
    if path.with_name("probabilities.tif").is_file():
        with rasterio.open(path.with_name("probabilities.tif")) as file:
            stored = file.read(window=place)
        probability = np.where(stored == layers.NODATA_PROBABILITY, np.nan, layers.STEP * stored).astype(np.float32)
    if choice.method == "bayesian" and probability is not None:
        probability = smoothed = methods.bayesian(probability, choice.side, choice.smoothness, choice.share)
        codes = np.where(codes == NODATA_CLASS, codes, names[probability.argmax(0)])
    elif choice.method == "majority":
        codes = methods.majority(codes, choice.side)
    codes = methods.without_small(codes, minimum)
    confidence = _confidence(path, place, before, codes, names, probability)
    found, kept = [codes, confidence], np.full(smoothed.shape, layers.NODATA_PROBABILITY, np.uint16)
    if len(smoothed):
        known = ~np.isnan(smoothed[0])
        np.copyto(kept, layers.stored(np.nan_to_num(smoothed)), where=known)
        for measure in (layers.margin, layers.entropy):
            found.append(np.where(known, layers.percent(np.nan_to_num(measure(smoothed))), layers.NODATA_PERCENT))
    return np.stack(found)[:, *part.inner], kept[:, *part.inner]


def _confidence(
    path: Path, place: RasterWindow, before: np.ndarray, codes: np.ndarray, names: np.ndarray,
    probability: np.ndarray | None,
) -> np.ndarray:  # fmt: skip
    """Confidence uint8 (y, x) of the classes `codes` that were `before`."""
    if probability is not None:
        index = np.searchsorted(names, codes, sorter=np.argsort(names)).clip(max=len(names) - 1)
        chosen = np.take_along_axis(probability, np.argsort(names)[index][None], 0)[0]
        return np.where(codes == NODATA_CLASS, layers.NODATA_PERCENT, np.rint(100 * np.nan_to_num(chosen))).astype(
            np.uint8
        )
    beside = path.with_name("confidence.tif")
    if not beside.is_file():
        return np.full(codes.shape, layers.NODATA_PERCENT, np.uint8)
    with rasterio.open(beside) as file:
        return np.where(codes == before, file.read(1, window=place), layers.NODATA_PERCENT).astype(np.uint8)


def _describe(item: Path, folder: Path, legend: tuple[LandCover, ...], choice: Smoothing) -> None:
    """Write the STAC item of the smoothed map beside it, where the map has one."""
    if not item.is_file():
        return
    before = pystac.Item.from_file(str(item))
    kept = {
        name: value for name, value in before.properties.items() if name.startswith("paperlib:") or name == "created"
    }
    period = before.common_metadata.start_datetime, before.common_metadata.end_datetime
    title = f"{before.properties.get('title', before.id)}, smoothed"
    facts = kept | {"paperlib:smoothing": asdict(choice)}
    after = map_item(folder, f"{before.id}-smoothed", title, legend, period, facts)  # type: ignore[arg-type]
    after.save_object(include_self_link=False, dest_href=str(folder / "item.json"))
