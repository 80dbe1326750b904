"""Parts of the page `your-own-tile`: a small scene in other formats than the paper's, and commands with their real output.

The scene is derived from the simulated one, with another year, monthly dates, nine bands, months without data and other
classes.
"""

import atexit
import shlex
import shutil
import subprocess
import sys
import tempfile
from html import escape
from pathlib import Path
from xml.etree import ElementTree

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
import rasterio.shutil
import shapely
import xarray as xr
from affine import Affine
from rasterio.io import MemoryFile

from .. import environment
from ..errors import InputError, counted
from ..labels.classes import classes_file
from ..nomenclature import LandCover
from ..scenes.rasters import NODATA
from ..scenes.scene import open_scene
from ..scenes.sensors import BANDS, BANDS_10M
from ..simulation.scene import simulate_scene
from .page import Html

#: Bands of the scene; B8, which NDVI, NDWI and near infrared composites need, is missing.
HELD = tuple(band for band in BANDS if band != "B8")
YEAR = 2021
MONTHS = pd.date_range(f"{YEAR}-01-01", periods=12, freq="MS") + pd.Timedelta(days=14)
EMPTY = [2, 9]  # positions in MONTHS without data
#: Class code of this scene by code of CLC+: two classes become one, two are left out, 1 and 7 change their meaning.
CODES = {1: 7, 2: 1, 3: 1, 6: 41, 7: 42, 11: 210}
LEGEND = {
    "code": [1, 7, 41, 42, 210],
    "name": ["Forest", "Towns & roads", "Pasture", "Irrigated <crops>", "Lagoon"],
    "colour": ["#1a6b1a", "#d7191c", "#a6d96a", "#fdae61", "#2b83ba"],
}


def temporary_folder() -> Path:
    """A new folder that is removed when the process of the page ends."""
    folder = Path(tempfile.mkdtemp(prefix="walkthrough-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def write_scene(folder: Path, size: int = 128, pool: int = 40, test: int = 24) -> tuple[Path, Path]:
    """Write lagoon.nc (integers) and lagoon.gpkg (in degrees, no sets) with lagoon.classes.csv; return the first two."""
    with tempfile.TemporaryDirectory() as place:
        source = simulate_scene(Path(place) / "simulated", size=size, pool=pool, test=test, seed=5)
        scene = open_scene(source, bands=HELD).compute()
        polygons = gpd.read_file(source / "polygons.gpkg")
    clear = scene.where(~scene.mask).interpolate_na("time", fill_value="extrapolate")
    days = [day.replace(year=2018) for day in MONTHS]
    monthly = clear.interp(time=days, kwargs={"fill_value": "extrapolate"}).clip(0.0001, 1)
    stored = (monthly * 10_000).round().fillna(NODATA).astype(np.int16).assign_coords(time=MONTHS)
    stored = stored.drop_vars("mask", errors="ignore").transpose("band", "time", "y", "x").copy()
    stored[:, 5, :, : size // 2] = NODATA
    stored[:, EMPTY] = NODATA
    stored.attrs = {}  # those of the simulated scene do not describe the stored integers
    cube, labels = folder / "lagoon.nc", folder / "lagoon.gpkg"
    xr.Dataset({"reflectance": stored.rio.write_crs(scene.rio.crs)}).to_netcdf(cube, engine="h5netcdf")
    polygons = polygons[polygons["code"].isin(CODES)]
    polygons = polygons.assign(code=polygons["code"].map(CODES))[["code", "geometry"]]
    polygons.to_crs(4326).to_file(labels)
    pd.DataFrame(LEGEND).to_csv(classes_file(labels), index=False)
    return cube, labels


def write_draft(polygons: Path, draft: Path) -> None:
    """Write a copy of `polygons` with faults: an outline that crosses itself, one outside, a tiny one, a duplicate."""
    table = gpd.read_file(polygons).to_crs(32631)
    first, second = table.iloc[[0]], table.iloc[[1]]
    left, bottom, right, top = first.geometry.iloc[0].bounds
    crossing = shapely.Polygon([(left, bottom), (right, top), (right, bottom), (left, top)])
    speck = shapely.box(left + 1, bottom + 1, left + 3, bottom + 3)
    other = next(code for code in table["code"] if code != second["code"].iloc[0])
    added = [
        first.set_geometry([crossing], crs=table.crs),
        first.set_geometry([speck], crs=table.crs),
        first.assign(geometry=first.translate(50_000, 0)),
        second.assign(code=other),
    ]
    pd.concat([table, *added], ignore_index=True).to_crs(4326).to_file(draft)
    shutil.copyfile(classes_file(polygons), classes_file(draft))


def write_acquisitions(folder: Path, size: int = 64) -> None:
    """Write a smooth simulated Theia L2A product for the middle of each month to a folder, with a cloud that moves."""
    rows, columns = np.mgrid[:size, :size]
    for number, day in enumerate(MONTHS):
        name = f"SENTINEL2A_{day:%Y%m%d}-105021-460_L2A_T31TCJ_C_V2-2"
        for band in BANDS:
            step = 1 if band in BANDS_10M else 2
            values = 800 + 200 * BANDS.index(band) + 10 * (rows + columns + 20 * number)[::step, ::step]
            _write(folder / name / f"{name}_FRE_{band}.tif", values.astype(np.int16), 10 * step)
        cloud = np.hypot(rows - 5 * number, columns - size / 2) < size / 6
        _write(folder / name / "MASKS" / f"{name}_CLM_R1.tif", cloud.astype(np.uint8), 10)


def _write(path: Path, image: np.ndarray, pixel: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    shape = {"count": 1, "height": image.shape[0], "width": image.shape[1], "dtype": image.dtype}
    place = {"crs": "EPSG:32631", "transform": Affine(pixel, 0, 300000, 0, -pixel, 4900020)}
    with rasterio.open(path, "w", driver="GTiff", **shape, **place) as file:
        file.write(image, 1)


def run_command(command: str, folder: Path, expected: int = 0) -> Html:
    """Run `paperlib ...` in a folder; return the command, its output, and its exit code where that is not 0, as HTML.

    Raises `InputError` with the output where the exit code is not the expected one.
    """
    program, *words = shlex.split(command)
    if program != "paperlib":
        raise InputError(f"{command} is no command of paperlib.", kind="walkthrough.command")
    done = subprocess.run(
        [sys.executable, "-m", "paperlib", *words], env=environment.for_child({"QUIET": "1"}, keep=False),
        cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
    )  # fmt: skip
    if done.returncode != expected:
        problem = f"{command} exited with {done.returncode}, not {expected}:\n{done.stdout}"
        raise InputError(problem, kind="walkthrough.command")
    code = f"(exit code {done.returncode})\n" if done.returncode else ""
    return _text(f"$ {command}\n{done.stdout}{code}")


def list_files(folder: Path, deepest: int = 9) -> Html:
    """Files below a folder with their sizes down to a depth, as HTML; deeper files are counted, hidden ones left out."""
    rows = []
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if len(parts) > deepest or any(part.startswith(".") for part in parts):
            continue
        if path.is_dir():
            files = sum(1 for file in path.rglob("*") if file.is_file())
            name, size = f"{path.name}/", counted(files, "file") if len(parts) == deepest else ""
        else:
            name, size = path.name, f"{path.stat().st_size:,} bytes"
        rows.append(("    " * (len(parts) - 1) + name, size))
    wide, most = (max((len(row[column]) for row in rows), default=0) for column in (0, 1))
    return _text("\n".join(f"{name:{wide}}  {size:>{most}}".rstrip() for name, size in rows))


def read_areas(maps: Path) -> pd.DataFrame:
    """Hectares of each class, from areas.csv in a folder of maps."""
    return pd.read_csv(maps / "areas.csv")


def write_mapping(path: Path, legend: tuple[LandCover, ...]) -> None:
    """Write a mapping table in which each code of a land cover raster stays the same."""
    pd.DataFrame({"source": [cover.code for cover in legend], "code": [cover.code for cover in legend]}).to_csv(
        path, index=False
    )


def read_gis_classes(path: Path) -> pd.DataFrame:
    """Code, name and colour of each class, as GDAL reads them from a class map and the file beside it."""
    with rasterio.open(path) as file, MemoryFile(ext=".vrt") as copy:
        rasterio.shutil.copy(
            file, copy.name, driver="VRT"
        )  # rasterio does not read category names; GDAL writes them into a VRT
        names = [element.text or "" for element in ElementTree.fromstring(copy.read()).iter("Category")]
        colours = file.colormap(1)
    rows = [(code, name, "#{:02x}{:02x}{:02x}".format(*colours[code])) for code, name in enumerate(names) if name]
    return pd.DataFrame(rows, columns=["code", "class", "colour"])


def _text(text: str) -> Html:
    return Html(f'<div class="highlight"><pre>{escape(text)}</pre></div>')
