"""A region beside the one scene that its tiles were cut from, its tiles on Dask, and what many tiles cost.

    python benchmarks/region.py [equal|dask|memory|many|reckoning ...]

Everything is computed on the simulated region (`simulation.tiles`): four tiles, one of them in the UTM zone beside.
  equal      one scene and its four tiles, without clouds of their own: series of the samples, and maps by one classifier,
             away from what a border changes (the halo of the classifier, and bands of 20 m that are interpolated); in the
             zone beside also what bounds them, see `same_map`
  dask       maps of the four tiles by one and by two workers of a core each: seconds, and seconds of the processors; then
             with a worker that is killed on the way
  memory     peak memory of a worker that maps a tile, and of one that maps a tile of twice the rows, with a cache of GDAL
             for one row of windows
  many       the plan, the VRT and the areas of 100 tiles, made by repeating files, beside the mapping of as many whole tiles
             of Sentinel-2; peak memory of the mosaic of 100 tiles and of two
  reckoning  hours and disk of 1, 31, 100 and 1,000 whole tiles, from the cost of a tile
Results are kept in results/region.csv and results/region-reckoning.csv.
"""

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import rasterio
import torch
import xarray as xr
from affine import Affine
from distributed import Client, LocalCluster
from peak import peak_memory
from pyproj import Transformer
from rasterio.crs import CRS
from record import keep
from scipy.ndimage import binary_erosion

from paperlib import Experiment, allocation, open_scene
from paperlib.mapping.gis import class_areas
from paperlib.mapping.layers import NODATA_PROBABILITY
from paperlib.mapping.overlaps import FILE
from paperlib.mapping.scene_maps import map_scene, read_map
from paperlib.nomenclature import CLASSES
from paperlib.regions.mosaic import layers_in, mosaic_grid, overlaps_of, write_mosaic, write_overlaps
from paperlib.regions.region import Region
from paperlib.regions.virtual import write_vrt
from paperlib.runs.regional.spread import Task, draw, finish
from paperlib.scenes.rasters import Grid, RasterFile
from paperlib.scenes.shaping.saving import save_cube
from paperlib.simulation.tiles import simulate_tiles

SIZE, SIDE, SEED = 384, 224, 31  # of the landscape and of each tile, in pixels
MODELS = ("TempCNN", "SpatioTempCNN")
WHOLE = 10980  # pixels along a side of a tile of Sentinel-2
INTERPOLATED = 2  # pixels of 10 m beside a border or a gap in which bands of 20 m are interpolated otherwise
UTM = CRS.from_epsg(32631)
SETTINGS = {"train.trainings": 1, "train.epochs": 12, "sample.patch": 24}


def region(folder: Path, clouds: float) -> Path:
    """The simulated region."""
    return simulate_tiles(folder, size=SIZE, side=SIDE, pool=70, test=50, seed=SEED, clouds=clouds)


def experiment(folder: Path, scene: str, store: Path) -> Experiment:
    """A run on the tiles or on the whole scene."""
    return Experiment("tiny", folder / scene, folder / "polygons.gpkg", settings=SETTINGS, store=store)


def row(case: str, value: float, unit: str, bar: str = "") -> dict:
    """One row of the results."""
    return {"case": case, "value": value, "unit": unit, "bar": bar}


# -- equal -------------------------------------------------------------------------------------------------------------


def equal(home: Path) -> list[dict]:
    """Four tiles beside the scene that they were cut from."""
    folder = region(home / "clear", clouds=0)
    whole, tiles = (experiment(folder, part, home / "store") for part in ("whole", "tiles"))
    rows = same_samples(whole, tiles)
    for name in ("iota2_base", *MODELS):
        rows += same_map(whole, tiles, name, home / name)
    return rows


def same_samples(whole: Experiment, tiles: Experiment) -> list[dict]:
    """Share of the labelled pixels of tiles in the scene's zone whose 10 m bands are those of the one scene, bit by bit."""
    here = [name for name, grid in tiles.dataset.region.grids.items() if grid.crs == whole.scene.rio.crs]
    owner = tiles.dataset.tile_of_polygon()
    found, total = 0, 0
    labelled = [pd.concat([_pixels(samples) for samples in run.samples.values()]) for run in (whole, tiles)]
    for polygon in owner.index[owner.isin(here)]:
        one, other = ({tuple(series) for series in table.loc[[polygon]].to_numpy()} for table in labelled)
        found, total = found + len(one & other), total + len(one | other)
    return [row("samples of tiles in the scene's zone, the same series", 100 * found / total, "% of pixels", "same")]


def _pixels(samples) -> pd.DataFrame:
    """10 m bands of each labelled pixel, by polygon."""
    pixels = samples.pixels()
    return pd.DataFrame(pixels.x[:, :4, :, 0, 0].flatten(1).numpy(), index=pixels.polygon.flatten().numpy())


def same_map(whole: Experiment, tiles: Experiment, name: str, home: Path) -> list[dict]:
    """Share of the pixels with the same class in the mosaic as in the map of the one scene, by the same classifier.

    Of the tile of the zone beside also what bounds it: the one map there and back, and the mosaic where that tile holds the
    very pixels of the scene, as they are read at 10 m, so that its images are not resampled a second time.
    """
    classifier, region = whole.classifier(name), tiles.dataset.region
    grids, parts = region.grids, overlaps_of(region.grids)
    maps = {tile: home / tile for tile in grids}
    for tile in grids:
        map_scene(classifier, region.scene(tile), maps[tile], overlaps=parts[tile], every=tile == beside(whole, grids))
    map_scene(classifier, whole.scene, home / "whole")
    one = read_map(home / "whole" / "class.tif")
    grid = Grid(CRS.from_user_input(one.rio.crs), one.rio.transform(), *one.shape)
    other = beside(whole, grids)
    exact = maps | {other: home / "exact"}
    scene = as_in(whole.scene, grids[other], home / "exact.nc")
    map_scene(classifier, scene, exact[other], overlaps=parts[other])
    usable = one.values > 0
    reached, smooth = {}, probabilities_on(grid, maps[other], classifier.legend)
    for tile in grids:
        reached[tile] = on_grid(grid, maps[tile]) > 0
        usable &= ~(
            reached[tile] & ~binary_erosion(reached[tile], iterations=classifier.halo + INTERPOLATED, border_value=1)
        )
    across = reached[other]
    truth = read_map(home.parent / "clear" / "truth.tif").values
    found = {kind: mosaic_as(grid, chosen, grids, region.crs, classifier, home / kind)
             for kind, chosen in (("mosaic", maps), ("same", exact))}  # fmt: skip
    usable &= found["mosaic"] > 0

    def share(image: np.ndarray, where: np.ndarray, wanted: np.ndarray = one.values) -> float:
        return float(100 * (image == wanted)[usable & where].mean())

    return [
        row(f"{name}: mosaic as the one map, tiles in its zone", share(found["mosaic"], ~across), "% of pixels", "99.9"),
        row(f"{name}: mosaic as the one map, tile of the zone beside", share(found["mosaic"], across), "% of pixels", "98"),
        row(f"{name}: the same with the scene's pixels in that tile", share(found["same"], across), "% of pixels", "98"),
        row(f"{name}: the one map itself, there and back",
            share(there_and_back(home / "whole" / "class.tif", grids[other], grid), across), "% of pixels"),
        row(f"{name}: that tile alone, nearest class", share(on_grid(grid, maps[other]), across), "% of pixels"),
        row(f"{name}: that tile alone, bilinear probabilities", share(smooth, across), "% of pixels"),
        row(f"{name}: mosaic right there", share(found["mosaic"], across, truth), "% of pixels"),
        row(f"{name}: the one map right there", share(one.values, across, truth), "% of pixels"),
    ]  # fmt: skip


def beside(whole: Experiment, grids: dict[str, Grid]) -> str:
    """The tile of another zone than the scene."""
    return next(name for name, grid in grids.items() if grid.crs != whole.scene.rio.crs)


def on_grid(grid: Grid, folder: Path) -> np.ndarray:
    """The classes (y, x) of a map on a grid, each of the nearest pixel."""
    return RasterFile(folder / "class.tif", 0, grid).read([1], slice(0, grid.height), slice(0, grid.width))[0]


def mosaic_as(grid: Grid, maps: dict, grids: dict, crs: CRS, classifier, folder: Path) -> np.ndarray:
    """The classes (y, x) of the mosaic of some maps, on a grid."""
    folder.mkdir()
    write_mosaic(maps, grids, crs, classifier.legend, folder)
    return on_grid(grid, folder)


def probabilities_on(grid: Grid, folder: Path, legend) -> np.ndarray:
    """The classes (y, x) of a map whose probabilities are interpolated to a grid before the class is taken."""
    file = RasterFile(folder / "probabilities.tif", NODATA_PROBABILITY, grid, "bilinear")
    shares = np.stack(file.read(range(1, len(legend) + 1), slice(0, grid.height), slice(0, grid.width)))
    codes = np.array([cover.code for cover in legend], np.uint8)[
        np.where(shares < NODATA_PROBABILITY, shares, 0).argmax(0)
    ]
    return np.where(shares[0] < NODATA_PROBABILITY, codes, 0)


def as_in(scene: xr.DataArray, grid: Grid, path: Path) -> xr.DataArray:
    """The pixels of a scene (band, time, y, x) on another grid, each the nearest one, written to a cube and opened again."""
    columns, rows = np.meshgrid(np.arange(grid.width) + 0.5, np.arange(grid.height) + 0.5)
    x, y = grid.transform @ (columns, rows)
    there = Transformer.from_crs(grid.crs, scene.rio.crs, always_xy=True).transform(x, y)
    column, row = (np.floor(place).astype(int) for place in ~scene.rio.transform() @ there)
    held = (row >= 0) & (row < scene.sizes["y"]) & (column >= 0) & (column < scene.sizes["x"])
    row, column = row.clip(0, scene.sizes["y"] - 1), column.clip(0, scene.sizes["x"] - 1)
    coords = {"band": scene.band, "time": scene.time, "y": y[:, 0], "x": x[0]}
    values = xr.DataArray(scene.values[..., row, column], coords, scene.dims, attrs=scene.attrs)
    values = values.assign_coords(mask=(("time", "y", "x"), scene.mask.values[..., row, column] | ~held))
    save_cube(values.rio.write_crs(grid.crs).rio.write_transform(grid.transform), path)
    return open_scene(path)


def there_and_back(path: Path, beside: Grid, grid: Grid) -> np.ndarray:
    """A map on its own grid after it was resampled to the nearest pixel of another grid, and back."""
    (image,) = RasterFile(path, 0, beside).read([1], slice(0, beside.height), slice(0, beside.width))
    profile = {
        "driver": "GTiff",
        "dtype": "uint8",
        "count": 1,
        "height": beside.height,
        "width": beside.width,
        "nodata": 0,
    }
    with rasterio.open(path.with_name("there.tif"), "w", crs=beside.crs, transform=beside.transform, **profile) as file:
        file.write(image, 1)
    return RasterFile(path.with_name("there.tif"), 0, grid).read([1], slice(0, grid.height), slice(0, grid.width))[0]


# -- Dask --------------------------------------------------------------------------------------------------------------


def dask(home: Path) -> list[dict]:
    """Maps of the tiles by one and by two workers, and with a worker that is killed."""
    folder, name = region(home / "clouds", clouds=0.03), MODELS[1]
    run = experiment(folder, "tiles", home / "dask")
    run.trained.training(name)
    seconds, wanted = {}, {}
    loads = []
    for workers in (1, 2, 1, 2, 1, 2):
        loads.append(os.getloadavg()[0])
        seconds.setdefault(workers, []).append(maps_by(run, name, workers))
        wanted = files(run)
    one, two = (np.min(seconds[workers], axis=0) for workers in (1, 2))
    rows = [
        row("four maps, one worker", one[0], "s"), row("four maps, two workers", two[0], "s"),
        row("two workers, times as fast", one[0] / two[0], "times", "1.8"),
        row("four maps, one worker, processor", one[1], "core s"),
        row("four maps, two workers, processor", two[1], "core s"),
    ]  # fmt: skip
    rows.append(
        row("four maps: load of the machine before, least and most of six times", min(loads), f"to {max(loads):.1f}")
    )
    killed = maps_by(run, name, 2, kill=True)
    same = wanted == files(run)
    return [
        *rows,
        row("a killed worker: the same bytes", float(same), "1: yes", "1"),
        row("a killed worker", killed[0], "s"),
    ]


def files(run: Experiment) -> dict[str, bytes]:
    """The maps of the tiles."""
    return {path.relative_to(run.store).as_posix(): path.read_bytes() for path in (run.store / "map").rglob("*.tif")}


def maps_by(run: Experiment, name: str, workers: int, kill: bool = False) -> tuple[float, float]:
    """Seconds, and seconds of the processors, of the maps of all tiles; `kill`: the first worker is killed on the way."""
    subprocess.run(["rm", "-rf", str(run.store / "map"), str(run.store / ".partial")], check=True)
    with (
        LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=":0") as cluster,
        Client(cluster) as client,
    ):
        client.run(_warm)
        before = sum(client.run(time.process_time).values())
        started = time.perf_counter()
        tasks = [Task(tile, draw, (run.maps, name, tile)) for tile in run.maps.tiles]
        if kill:
            victim = client.run(os.getpid).popitem()[1]
            threading.Timer(1.5, os.kill, (victim, signal.SIGKILL)).start()
        finish(client, tasks, lambda line: None)
        seconds = time.perf_counter() - started
        return seconds, float("nan") if kill else sum(client.run(time.process_time).values()) - before


def _warm() -> None:
    """Load what a task needs."""
    import paperlib.mapping.scene_maps
    import paperlib.runs.regional.spread  # noqa: F401


# -- memory ------------------------------------------------------------------------------------------------------------

ROWS, COLUMNS = 768, 512  # of the tile: three rows of windows


def memory(home: Path) -> list[dict]:
    """Peak memory of a worker before it has a task, and where it maps a tile, or one of twice the rows.

    GDAL's cache, which otherwise has 512 MB and fills with all of a small tile, is that of one row of windows.
    """
    folder = region(home / "memory", clouds=0.03)
    run = experiment(folder, "tiles", home / "store-memory")
    classifier, opened = run.classifier(MODELS[0]), run.dataset.region
    scene = opened.scene(next(name for name, grid in opened.grids.items() if grid.crs == UTM))
    peaks = []
    for rows in (ROWS, 2 * ROWS):
        scene_of_rows = open_scene(tall(scene, rows, home / f"{rows}.tif"))
        with (
            LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=":0") as cluster,
            Client(cluster) as client,
        ):
            client.run(_warm)
            client.run(_cache_rows_alone)
            (before,) = client.run(peak_memory).values()
            arguments = classifier, scene_of_rows, home / f"map-{rows}"
            finish(client, [Task("map", map_scene, arguments)], lambda line: None)
            (peak,) = client.run(peak_memory).values()
            peaks.append((before, peak))
    (before, once), (_, twice) = peaks
    held = scene.sizes["band"] * scene.sizes["time"] * ROWS * COLUMNS * 4 / 1e9
    return [
        row("a worker before its first task, peak memory", before, "GB"),
        row(f"a worker that maps {ROWS} x {COLUMNS} pixels, peak memory", once, "GB"),
        row("a worker that maps twice the rows, peak memory", twice, "GB"),
        row("twice the rows, peak memory of the worker, times", twice / once, "times", "1.1"),
        row("values of the rows that are added", held, "GB"),
    ]


def _cache_rows_alone() -> None:
    """Give GDAL what a row of windows takes, without the least that a map gives it."""
    from paperlib.scenes import series

    series.CACHE = 0


def tall(scene: xr.DataArray, rows: int, path: Path) -> Path:
    """A stack of so many rows that repeats a scene."""
    times = -(-rows // scene.sizes["y"]), -(-COLUMNS // scene.sizes["x"])
    names = [f"{day:%Y-%m-%d} {band}" for day in scene.indexes["time"] for band in scene.band.values]
    shape = {"height": rows, "width": COLUMNS, "count": len(names), "dtype": "int16", "nodata": -10000, "crs": UTM}
    images = scene.transpose("time", "band", "y", "x").values.reshape(-1, *scene.shape[2:])
    with rasterio.open(path, "w", driver="GTiff", transform=scene.rio.transform(), compress="deflate", **shape) as file:
        for number, image in enumerate(np.nan_to_num(images * 10000, nan=-10000).astype(np.int16), start=1):
            file.write(np.tile(image, times)[:rows, :COLUMNS], number)
        file.descriptions = names
    return path


# -- many --------------------------------------------------------------------------------------------------------------

ACROSS, OVERLAP = 10, 32
LARGE = 4096  # pixels along a side of the map whose areas are measured


def many(home: Path) -> list[dict]:
    """The plan, the VRT and the areas of 100 tiles; what mapping a pixel costs; memory of the mosaic."""
    folder = region(home / "many", clouds=0.03)
    run = experiment(folder, "tiles", home / "store-many")
    classifier = run.classifier(MODELS[0])
    listed = repeated(run.dataset.region, home)
    opened, plan = seconds(lambda: Region(listed).problems())
    region_of = Region(listed)
    parts, overlapping = seconds(lambda: overlaps_of(region_of.grids))
    _, mapping = seconds(
        lambda: map_scene(classifier, run.scene, home / "one", overlaps=[(slice(0, SIDE), slice(0, 40))])
    )
    mapping /= SIDE**2
    grids = region_of.grids
    maps = dict.fromkeys(grids, home / "one")
    grid = mosaic_grid(grids, UTM)
    (home / "mosaic-many").mkdir()
    _, overlap = seconds(lambda: write_overlaps(maps, grids, grid, classifier.legend, home / "mosaic-many"))
    _, virtual = seconds(
        lambda: [write_vrt(home / "mosaic-many" / f"{layer.name}.vrt", layer, maps, grids, grid, classifier.legend)
                 for layer in layers_in(maps, classifier.legend)]
    )  # fmt: skip
    large = enlarged(home / "one" / "class.tif", home / "large.tif")
    _, area = seconds(lambda: class_areas(large, classifier.legend))
    area /= LARGE**2
    pixels = WHOLE**2 * len(grids)
    total = plan + overlapping + virtual + area * pixels
    memory = {count: peak_of_mosaic(count) for count in (2, 100)}
    disk = sum(path.stat().st_size for path in (home / "one").glob("*.tif") if path.name != FILE) / SIDE**2
    assert len(parts) == len(grids) == ACROSS**2 and opened is not None and overlap > 0
    return [
        row("100 tiles: headers and plan", plan + overlapping, "s"), row("100 tiles: both VRTs", virtual, "s"),
        row("areas", 1e6 * area, "core microseconds a pixel"),
        row(f"mapping by {MODELS[0]}", 1e6 * mapping, "core microseconds a pixel"),
        row("100 whole tiles: plan, VRT and areas, of mapping", 100 * total / (mapping * pixels), "%", "1"),
        row("mosaic of 100 tiles, peak memory", memory[100], "GB"), row("mosaic of 2 tiles, peak memory", memory[2], "GB"),
        row("map and confidence", disk, "bytes a pixel"),
    ]  # fmt: skip


def enlarged(path: Path, target: Path) -> Path:
    """A map of `LARGE` x `LARGE` pixels that repeats another one: areas of a small one are mostly what each map costs."""
    with rasterio.open(path) as source:
        profile, image = source.profile, source.read(1)
    times = -(-LARGE // min(image.shape))
    profile |= {"driver": "COG", "height": LARGE, "width": LARGE, "compress": "deflate"}
    profile = {
        name: profile[name] for name in ("driver", "height", "width", "compress", "crs", "transform", "nodata", "dtype")
    }
    with rasterio.open(target, "w", count=1, **profile) as file:
        file.write(np.tile(image, (times, times))[:LARGE, :LARGE], 1)
    return target


def seconds(work) -> tuple[object, float]:
    """What a function returns, and the seconds of the processor that it took."""
    started = time.process_time()
    return work(), time.process_time() - started


def repeated(opened: Region, home: Path) -> Path:
    """A list of 100 tiles that all show the pixels of one, each at its own place, with overlaps."""
    scene = opened.scene(next(name for name, grid in opened.grids.items() if grid.crs == UTM))
    scene = scene.isel(y=slice(0, 64), x=slice(0, 64)).compute()
    names = [f"{day:%Y-%m-%d} {band}" for day in scene.indexes["time"] for band in scene.band.values]
    values = np.nan_to_num(scene.transpose("time", "band", "y", "x").values.reshape(-1, 64, 64) * 10000, nan=-10000)
    shape = {"height": 64, "width": 64, "count": len(names), "dtype": "int16", "nodata": -10000, "crs": UTM}
    step, paths = 64 - OVERLAP // 2, []
    for place in range(ACROSS**2):
        path = home / "repeated" / f"tile-{place:02}.tif"
        path.parent.mkdir(exist_ok=True)
        corner = Affine(10, 0, 400000 + 10 * step * (place % ACROSS), 0, -10, 4800000 - 10 * step * (place // ACROSS))
        with rasterio.open(path, "w", driver="GTiff", transform=corner, compress="deflate", **shape) as file:
            file.write(values.astype(np.int16))
            file.descriptions = names
        paths.append(f"- {path}\n")
    listed = home / "region.yml"
    listed.write_text("".join(paths))
    return listed


def peak_of_mosaic(count: int) -> float:
    """Peak memory (GB) of a process that writes the mosaic of so many maps of 512 x 512 pixels."""
    done = subprocess.run([sys.executable, __file__, "mosaic", str(count)], capture_output=True, text=True, check=True)
    return float(done.stdout.splitlines()[-1])


def mosaic_of(count: int) -> None:
    """Write the mosaic of so many maps, and print the peak memory in GB."""
    side, legend = 512, CLASSES[:8]
    with tempfile.TemporaryDirectory() as folder:
        home, maps, grids = Path(folder), {}, {}
        random = np.random.default_rng(0)
        for place in range(count):
            name = f"t{place}"
            corner = (400000 + 4480 * (place % ACROSS), 4800000 - 4480 * (place // ACROSS))
            grids[name] = Grid(UTM, Affine(10, 0, corner[0], 0, -10, corner[1]), side, side)
            maps[name] = home / name
            maps[name].mkdir()
            code = np.array([cover.code for cover in legend], np.uint8)[random.integers(0, 8, (side, side))]
            share = np.full((8, side, side), 1250, np.uint16)
            profile = {"driver": "GTiff", "height": side, "width": side, "crs": UTM, "transform": grids[name].transform}
            profile |= {"tiled": True, "compress": "deflate"}
            for file, values, nodata in (
                ("class", code[None], 0), ("confidence", code[None], 255), ("overlaps", share, NODATA_PROBABILITY),
            ):  # fmt: skip
                kind = {"dtype": values.dtype, "count": len(values), "nodata": nodata}
                with rasterio.open(maps[name] / f"{file}.tif", "w", **profile, **kind) as target:
                    target.write(values)
        (home / "mosaic").mkdir()
        write_mosaic(maps, grids, UTM, legend, home / "mosaic")
    print(peak_memory())


# -- reckoning ---------------------------------------------------------------------------------------------------------


def reckoning() -> pd.DataFrame:
    """Hours and disk for regions of whole tiles, from the cost of a pixel that `many` has measured."""
    measured = pd.read_csv(Path(__file__).parent / "results" / "region.csv").set_index("case")["value"]
    core = measured[f"mapping by {MODELS[0]}"] * 1e-6 * WHOLE**2 / 3600  # core hours a tile
    disk = measured["map and confidence"] * WHOLE**2 / 1e9
    rows = []
    for tiles, place in ((1, "a tile"), (31, "31 tiles"), (100, "a country of France's size"), (1000, "1,000 tiles")):
        rows.append(
            {"tiles": tiles, "region": place, "core hours": tiles * core, "one core (h)": tiles * core,
             "ten workers of a core (h)": np.ceil(tiles / 10) * core, "maps (GB)": tiles * disk}
        )  # fmt: skip
    return pd.DataFrame(rows)


def main(*parts: str) -> None:
    """Measure these parts, all by default."""
    allocation.configure()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory(prefix="region-") as folder:
        for part in parts or ("equal", "dask", "memory", "many", "reckoning"):
            if part == "reckoning":
                keep("region-reckoning", reckoning(), model=MODELS[0])
            else:
                work = {"equal": equal, "dask": dask, "memory": memory, "many": many}[part]
                keep("region", pd.DataFrame(work(Path(folder))), size=SIZE, side=SIDE)


if __name__ == "__main__":
    if sys.argv[1:2] == ["mosaic"]:
        mosaic_of(int(sys.argv[2]))
    else:
        main(*sys.argv[1:])
