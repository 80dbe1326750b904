"""Monthly syntheses of Sentinel-2 L2A acquisitions, written as Theia L3A product folders.

The idea is that of CNES's WASP (Hagolle, Morin and Kadiri, 2018, doi:10.5281/zenodo.1401360): the reflectance of a pixel
is the mean of its cloud-free acquisitions in a window of about 46 days, weighted by nearness in time and distance to cloud.
Unlike WASP, it weighs no aerosol, which SCL does not give, corrects no directional effect, and takes SCL or CLM as the whole
truth about clouds. Snow counts only where a pixel has no acquisition without snow.
"""

import re
import shutil
import warnings
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pandas as pd
import rasterio
from filelock import FileLock
from rasterio.errors import RasterioError
from rasterio.warp import transform_bounds
from tqdm import tqdm

from ..errors import NOTHING_TO_DO, InputError, InputWarning
from ..outputs import check_place, no_room, replace
from ..scenes.formats.l2a import OFFSET, Acquisition
from ..scenes.formats.theia import FINE
from ..scenes.meaning.dates import parse_dates
from ..scenes.rasters import Grid
from ..scenes.sensors import BANDS_10M, BANDS_20M
from ..scenes.windowing import windows
from .acquisitions import Area, Reader, Unreadable
from .weighting import OffsetFound, map_threads, weighted_mean
from .writing import (
    Month,
    check_product,
    close_target,
    lacking_acquisitions,
    open_target,
    read_again,
    store_block,
    write_metadata,
)

#: Side of a block in pixels of 20 m: one internal tile of the 20 m files of Earth Search and ESA, four of the 10 m files.
BLOCK = 1024
THREADS = 8  # that read, and write
CACHE = 256_000_000  # bytes that GDAL may keep of files, all together; its default is a share of the machine's memory
#: Bytes that a product takes at least for each pixel of 20 m: ten bands and six masks, compressed to less than half.
PIXEL_BYTES = 32


def months(year: int) -> list[str]:
    """The 15th of each month of a year, the dates of Theia's syntheses."""
    return season(f"{year:04}-01", f"{year:04}-12")


def season(start: str, end: str, only: str = "") -> list[str]:
    """The 15th of each month from `start` to `end`, texts like "2017-10"; `only` some months of each year.

    `only`: months like "3-10" (March to October), "10-5" (October to May), or "3,5,7".
    Raises `InputError` for another text, an end before the start, and where no month is left.
    """
    try:
        days = pd.date_range(pd.Timestamp(f"{start}-01"), pd.Timestamp(f"{end}-01"), freq="MS") + pd.Timedelta(days=14)
    except ValueError as error:
        problem = f"The season from {start!r} to {end!r} is not understood;"
        raise InputError(
            problem, "months like --from 2017-10 --to 2018-09 are expected.", kind="fetch.season"
        ) from error
    wanted = _months(only) if only else set(range(1, 13))
    kept = [f"{day:%Y-%m-%d}" for day in days if day.month in wanted]
    if not kept:
        problem = f"No month is left of {start} to {end}{' with months ' + only if only else ''}."
        raise InputError(problem, "Give a later --to, or other --months.", kind="fetch.season")
    return kept


def _months(text: str) -> set[int]:
    found: set[int] = set()
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d{1,2})(?:\s*-\s*(\d{1,2}))?\s*", part)
        first, last = (int(number or match[1]) for number in match.groups()) if match else (0, 0)
        if not (1 <= first <= 12 and 1 <= last <= 12):
            problem = f"months = {text!r} is not understood;"
            raise InputError(problem, "months like --months 3-10 or --months 3,5,7 are expected.", kind="fetch.season")
        found |= {(first - 1 + step) % 12 + 1 for step in range((last - first) % 12 + 1)}
    return found


def synthesise(
    acquisitions: Sequence[Acquisition],
    dates: Iterable,
    folder: str | Path,
    tile: str | None = None,
    bounds: Sequence[float] | None = None,
    window_days: float = 46,
    progress: bool = False,
) -> list[Path]:
    """Write one synthesis a date to `folder`/TILE/ as a Theia L3A product; return the products' folders by date.

    Parameters
    ----------
    acquisitions: of `stac.search` or `acquisitions.local_acquisitions`; of several tiles, say which with `tile`.
    dates: middles of the windows; each needs an acquisition within half of `window_days`.
    bounds: part of the tile, west, south, east, north in degrees, widened to whole pixels of 20 m. Default: all of it.

    A synthesis appears whole or not at all, and one that is there is kept: a run that was broken off goes on where it
    was. An acquisition that cannot be read after retries is left out of the whole synthesis with a warning, as long as
    others remain. Memory depends on the block, not on the area or on the number of acquisitions.

    Products hold ten bands at native resolution (int16, reflectance x 10000, -10000 nodata) and masks at 10 m (R1) and
    20 m (R2): FLG (0 no clear acquisition, 2 snow, 3 water, 4 land), WGT (sum of the weights x 1000) and DTS (weighted
    mean of the acquisitions' dates, in days after the date of the synthesis; -10000 nodata).
    Raises `InputError` for acquisitions of several tiles, a date without readable acquisitions, bounds
    beside the tile, and a product in `folder` of another area or window.
    """
    if not window_days > 0:
        fix = "a number of days above 0 is expected, 46 for Theia's window."
        raise InputError(f"window_days = {window_days} is not possible.", fix, kind="fetch.window")
    days = parse_dates(dates, "argument dates").sort_values()
    acquisitions, half = _of_tile(acquisitions, tile), window_days / 2
    name = acquisitions[0].tile
    wanted = [
        Month(
            f"SENTINEL2X_{day:%Y%m%d}-000000-000_L3A_{name}_D_V1-1", day, half,
            [acquisition for acquisition in acquisitions if abs((acquisition.date - day).days) <= half],
        )
        for day in days
    ]  # fmt: skip
    if bare := [f"{month.day:%Y-%m-%d}" for month in wanted if not month.acquisitions]:
        raise InputError(
            f"No acquisition of {name} lies within {half:g} days of {', '.join(bare)}; the {len(acquisitions)} "
            f"acquisitions are of {acquisitions[0].date:%Y-%m-%d} to {acquisitions[-1].date:%Y-%m-%d}.",
            "Leave these months out with --from and --to, or with --months 3-10; or choose a wider --window.",
            kind="fetch.season",
        )
    area = _area(*_grids(acquisitions), bounds)
    # one reader for all months: windows overlap, and what GDAL still holds of a file is not read from it again
    lacking = [month for month in wanted if not (Path(folder) / name / month.name).exists()]
    pixels = (area.rows.stop - area.rows.start) * (area.columns.stop - area.columns.start)  # of 20 m
    check_place(folder, folder=True, needed=PIXEL_BYTES * pixels * len(lacking))
    with rasterio.Env(GDAL_CACHEMAX=CACHE), Reader() as reader, ThreadPoolExecutor(THREADS) as pool:
        for month in wanted:
            reader.keep(month.acquisitions)
            _find_or_make(Path(folder), month, area, reader, pool, progress)
    return [Path(folder) / name / month.name for month in wanted]


def _of_tile(acquisitions: Sequence[Acquisition], tile: str | None) -> list[Acquisition]:
    tiles = sorted({acquisition.tile for acquisition in acquisitions})
    wanted = f"T{tile.removeprefix('T')}" if tile else tiles[0] if len(tiles) == 1 else None
    if wanted not in tiles:
        raise InputError(f"Tiles {', '.join(tiles)}: one is needed.", "Choose one with --tile.", kind="fetch.tile")
    return sorted(
        (acquisition for acquisition in acquisitions if acquisition.tile == wanted),
        key=lambda acquisition: (acquisition.date, acquisition.name),
    )


def _grids(acquisitions: Sequence[Acquisition]) -> tuple[Grid, Grid]:
    """The grids of 10 m and of 20 m, of the first acquisition that can be read."""
    with Reader() as reader:
        for acquisition in acquisitions:
            try:
                fine, coarse = (
                    reader.grid(acquisition, acquisition.bands[bands[0]].href) for bands in (BANDS_10M, BANDS_20M)
                )
            except Unreadable as error:
                fault = error
                continue
            if abs(fine.transform.a - FINE) > 1e-6 or abs(coarse.transform.a - 2 * FINE) > 1e-6:
                problem = f"{acquisition.name} lies on {fine} and {coarse};"
                raise InputError(problem, "pixels of 10 m and of 20 m are expected.", kind="fetch.grid")
            return fine, coarse
    raise fault


def _area(fine: Grid, coarse: Grid, bounds: Sequence[float] | None) -> Area:
    """The pixels of 20 m that lie within both grids, or those of them within `bounds`."""
    shift = tuple(
        (start - own) / (step / 2)
        for start, own, step in (
            (coarse.transform.f, fine.transform.f, coarse.transform.e),
            (coarse.transform.c, fine.transform.c, coarse.transform.a),
        )
    )
    if any(abs(part - round(part)) > 1e-3 for part in shift):
        problem = f"Pixels of 10 m and of 20 m do not fit together: their grids are {fine} and {coarse}."
        raise InputError(problem, "Cut the products along pixels of 10 m.", kind="fetch.grid")
    shift = (round(shift[0]), round(shift[1]))
    whole = [
        slice(max(0, -(part // 2)), min(length, (size - part) // 2))
        for part, size, length in zip(shift, fine[2:], coarse[2:], strict=True)
    ]
    parts = list(whole)
    if bounds is not None:
        west, south, east, north = transform_bounds("EPSG:4326", coarse.crs, *bounds)
        (left, top), (right, bottom) = ~coarse.transform @ (west, north), ~coarse.transform @ (east, south)
        parts = [
            slice(max(int(np.floor(start)), part.start), min(int(np.ceil(stop)), part.stop))
            for start, stop, part in ((top, bottom, whole[0]), (left, right, whole[1]))
        ]
    if any(part.start >= part.stop for part in parts):
        lies = tuple(round(place, 4) for place in transform_bounds(coarse.crs, "EPSG:4326", *coarse.bounds))
        problem = f"The area {tuple(bounds or ())} (west, south, east, north in degrees) does not meet the tile;"
        raise InputError(problem, f"it lies in {lies}.", kind="fetch.area")
    return Area(fine, coarse, parts[0], parts[1], shift, (whole[0], whole[1]))


def _find_or_make(
    folder: Path, month: Month, area: Area, reader: Reader, pool: ThreadPoolExecutor, progress: bool
) -> None:
    tile = month.acquisitions[0].tile
    product, partial = folder / tile / month.name, folder / ".partial" / tile / month.name
    for place in (product.parent, partial.parent):
        place.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{partial}.lock"):
        if not product.exists():
            _make(partial, month, area, reader, pool, progress)
            replace(partial, product)
        elif lacking := lacking_acquisitions(product, month):
            problem = f"{product} is kept; it was made without {', '.join(lacking[:3])}"
            problem += f" and {len(lacking) - 3} more." if len(lacking) > 3 else "."
            fix = "Delete it to make it again with them."
            warnings.warn(InputWarning(problem, fix, kind="fetch.kept"), stacklevel=4)
        check_product(product, month, area)


def _make(partial: Path, month: Month, area: Area, reader: Reader, pool: ThreadPoolExecutor, progress: bool) -> None:
    """Write a product to `partial`; begin again where an acquisition proves unreadable or mended, so none has a seam."""
    acquisitions = list(month.acquisitions)
    while True:
        shutil.rmtree(partial, ignore_errors=True)
        try:
            return _write(partial, month._replace(acquisitions=acquisitions), area, reader, pool, progress)
        except Unreadable as error:
            acquisitions.remove(error.acquisition)
            if not acquisitions:
                raise InputError(
                    f"None of the {len(month.acquisitions)} acquisitions around {month.day:%Y-%m-%d} can be read; the last: "
                    f"{error}",
                    "What is done is kept: run it again to go on.",
                    kind="fetch.unreadable",
                ) from error
            problem = f"{month.name} is made without {error.acquisition.name}: {error.problem}"
            warnings.warn(InputWarning(problem, error.fix, kind="fetch.left_out"), stacklevel=5)
        except OffsetFound as found:
            acquisitions[acquisitions.index(found.acquisition)] = found.mended
            problem = f"{found.acquisition.name}: {found}: its values carry an offset that its metadata do not name."
            fix = f"It is taken off ({OFFSET:g} of reflectance). {NOTHING_TO_DO}"
            warnings.warn(InputWarning(problem, fix, kind="fetch.offset"), stacklevel=5)
        except (RasterioError, OSError) as error:
            reason = error.__cause__ if isinstance(error.__cause__, Exception) else error
            raise no_room(partial, reason) from error


def _write(partial: Path, month: Month, area: Area, reader: Reader, pool: ThreadPoolExecutor, progress: bool) -> None:
    (partial / "MASKS").mkdir(parents=True)
    grids = area.grids
    blocks = list(windows((grids["R2"].height, grids["R2"].width), BLOCK))
    with ExitStack() as stack:
        targets = {
            key: stack.enter_context(open_target(partial / file, key, grids)) for key, file in month.files.items()
        }
        for block in tqdm(blocks, desc=f"{month.day:%Y-%m-%d}", unit="block", disable=None if progress else True):
            y, x = (
                slice(whole.start + core.start, whole.start + core.stop)
                for whole, core in zip((area.rows, area.columns), block.core, strict=True)
            )
            layers = weighted_mean(reader, pool, month.acquisitions, area, y, x, month.day, month.half)
            starts = [core.start for core in block.core]
            map_threads(
                pool, lambda key, of=layers, at=starts: store_block(targets[key], of[key], grids["R2"], at), layers
            )
        map_threads(pool, close_target, targets.values())
    write_metadata(partial / month.metadata, month, grids)
    map_threads(pool, read_again, [partial / file for file in month.files.values()])
