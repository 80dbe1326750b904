"""Monthly composites of Landsat Collection 2 and HLS: the median of what is usable, of the bands that all sensors share."""

import re
import warnings
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

import numpy as np
import rasterio
import xarray as xr
from rasterio.errors import RasterioError
from rasterio.warp import transform_bounds
from rasterio.windows import Window
from tqdm import tqdm

from ..errors import InputError, InputWarning
from ..outputs import check_place, writing
from ..scenes.formats.layers import LayerSource, join_sensors, open_layers
from ..scenes.formats.stac_items import item_layers
from ..scenes.meaning.choices import check_choices
from ..scenes.meaning.dates import parse_dates
from ..scenes.quality import rule_of
from ..scenes.rasters import NODATA, Grid, read_header
from ..scenes.series import read_window
from ..scenes.windowing import windows
from .stac import Found, asset_address, check_address, tile_bounds

SENTINEL = re.compile(r"(?i)sentinel-?2")
#: Side in pixels of the blocks that are composed at once.
BLOCK = 512
QUANTIFICATION = 10000
#: Tag of a file with the service and the collections that it was made of.
SOURCE = "SOURCE"
#: Days around the 15th in which a month lies.
WINDOW = 32


def is_sentinel(collection: str) -> bool:
    """Whether a collection, by its name, is one of Sentinel-2, whose syntheses `synthesis` makes."""
    return bool(SENTINEL.match(collection))


def compose(
    found: Found,
    dates: Iterable,
    folder: str | Path,
    name: str,
    tile: str | None = None,
    bounds: Collection[float] | None = None,
    progress: bool = False,
) -> list[Path]:
    """Write one GeoTIFF a month to `folder`/`name`; return their paths by date.

    Parameters
    ----------
    found: the items; see `stac.find_items`. One whose images lie on another host is left out with a warning.
    dates: a day of each month.
    tile, bounds: the area: a Sentinel-2 tile, or west, south, east, north in degrees.

    A file has one layer a band (int16, reflectance x 10000, -10000 where nothing is usable), described by the band's name
    or, of several sensors, by the role that they share. Scale and offset are those that items or files declare, or
    Landsat's; QA_PIXEL or Fmask masks clouds. A file appears whole or not at all, and one that is there is kept.
    Raises `InputError` for a month without an image, and where nothing can be read or written.
    """
    days = parse_dates(dates, "argument dates").sort_values()
    sources, sensor = _sources(found)
    months = {source.time.to_period("M") for source in sources}
    if bare := [f"{day:%Y-%m}" for day in days if day.to_period("M") not in months]:
        raise InputError(
            f"No image of {found.where} is of {', '.join(bare)}.", "Leave these months out with --from, --to or --months.",
            kind="fetch.season",
        )  # fmt: skip
    scene = open_layers(sources, check_choices(every="month"), sensor, "stac", found.where)
    if not any(map(rule_of, {source.name for source in sources})):
        problem = f"{found.where}: no layer of quality is known, so clouds are not masked."
        warnings.warn(InputWarning(problem, "Choose another collection.", kind="fetch.quality"), stacklevel=2)
    scene = scene[:, :, *_area(scene, tile, bounds)]
    paths = {day: Path(folder) / name / f"{name}_{day:%Y%m%d}.tif" for day in days}
    lacking = [day for day, path in paths.items() if not path.exists()]
    check_place(Path(folder) / name, folder=True, needed=len(lacking) * scene.sizes["y"] * scene.sizes["x"])
    (Path(folder) / name).mkdir(parents=True, exist_ok=True)
    for day, path in paths.items():
        (month,) = np.flatnonzero(scene.indexes["time"].to_period("M") == day.to_period("M"))
        if day in lacking:
            _write(scene.isel(time=[month]), path, found.source, progress)
        elif fault := _other(path, scene, found.source):
            fix = "Delete it to make it again, or name another folder."
            raise InputError(f"{path} holds {fault}.", fix, kind="fetch.product")
    return list(paths.values())


def _sources(found: Found) -> tuple[list[LayerSource], str]:
    """Layers of all items that can be used, and their sensor, "" where there are several."""
    held: dict[str, list[LayerSource]] = {}
    faults = []
    for item in found.items:
        try:
            assets = {
                name: asset | {"href": check_address(asset_address(asset, found.allowed), found.allowed)}
                for name, asset in (item.get("assets") or {}).items()
                if isinstance(asset, dict) and _is_data(asset)
            }
            sensor, layers = item_layers(Path(str(item.get("id"))), item | {"assets": assets})
        except InputError as error:
            faults.append(error)
            warnings.warn(InputWarning(f"Left out: {error.problem}", error.fix, kind="fetch.left_out"), stacklevel=4)
            continue
        held.setdefault(sensor, []).extend(layers)
    if not any(held.values()):
        reason = f"the first cannot be used: {faults[0].problem}" if faults else "none was found"
        raise InputError(
            f"No image in {found.where}: {reason}", "Ask for another place or season.", kind="fetch.nothing"
        )
    (sensor,) = held if len(held) == 1 else ("",)
    return join_sensors(held, found.where), sensor


def _is_data(asset: dict) -> bool:
    href = str(asset.get("href", "")).partition("?")[0].lower()
    return href.endswith((".tif", ".tiff")) and not {"thumbnail", "overview", "visual"} & set(asset.get("roles") or ())


def _area(scene: xr.DataArray, tile: str | None, bounds: Collection[float] | None) -> tuple[slice, slice]:
    """Rows and columns of a scene in the tile and in the bounds."""
    parts = [slice(0, scene.sizes["y"]), slice(0, scene.sizes["x"])]
    places: list[tuple[str, Sequence[float]]] = [("EPSG:4326", tuple(bounds))] if bounds else []
    if tile:
        epsg, box = tile_bounds(tile)
        places.append((f"EPSG:{epsg}", box))
    for crs, edges in places:
        left, bottom, right, top = transform_bounds(crs, scene.rio.crs, *edges)
        (first, low), (last, high) = (~scene.rio.transform() @ corner for corner in ((left, top), (right, bottom)))
        parts = [
            slice(max(part.start, int(np.floor(start + 1e-6))), min(part.stop, int(np.ceil(stop - 1e-6))))
            for part, start, stop in ((parts[0], low, high), (parts[1], first, last))
        ]
    if any(part.start >= part.stop for part in parts):
        raise InputError("The images lie outside the area.", "Ask for another --bbox or --tile.", kind="fetch.area")
    return parts[0], parts[1]


def _grid_of(scene: xr.DataArray) -> Grid:
    return Grid(scene.rio.crs, scene.rio.transform(recalc=True), scene.sizes["y"], scene.sizes["x"])


def _other(path: Path, scene: xr.DataArray, source: str) -> str:
    """What tells a file that is there from the one that is asked for; "" for the same."""
    if read_header(path).grid != _grid_of(scene):
        return "another area"
    with rasterio.open(path) as file:
        held, bands = file.tags().get(SOURCE, ""), list(file.descriptions)
    if held != source:
        return f"images of {held or 'another source'}"
    return "" if bands == [str(band) for band in scene.band.values] else f"the bands {', '.join(map(str, bands))}"


def _write(scene: xr.DataArray, path: Path, source: str, progress: bool) -> None:
    """Write a scene of one date (band, 1, y, x)."""
    crs, transform, *shape = _grid_of(scene)
    profile = {
        "driver": "GTiff", "count": len(scene), "dtype": "int16", "nodata": NODATA, "height": shape[0], "width": shape[1],
        "crs": crs, "transform": transform, "tiled": True, "blockxsize": BLOCK, "blockysize": BLOCK,
        "compress": "deflate", "predictor": 2, "bigtiff": "if_safer",
    }  # fmt: skip
    blocks = list(windows((shape[0], shape[1]), BLOCK))
    with writing(path, errors=(RasterioError,)) as part, rasterio.open(part, "w", **profile) as file:
        file.descriptions = [str(band) for band in scene.band.values]
        file.update_tags(**{SOURCE: source})
        file.scales = [1 / QUANTIFICATION] * len(scene)
        for block in tqdm(blocks, desc=path.stem, unit="block", disable=None if progress else True):
            y, x = block.core
            values = np.empty((len(scene), 1, y.stop - y.start, x.stop - x.start), np.float32)
            mask = read_window(scene, y, x, values)
            stored = np.clip(np.rint(np.nan_to_num(values[:, 0]) * QUANTIFICATION), NODATA + 1, np.iinfo(np.int16).max)
            stored = np.where(mask, NODATA, stored).astype(np.int16)
            file.write(stored, window=Window.from_slices(y, x))
