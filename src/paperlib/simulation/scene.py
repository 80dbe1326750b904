"""A SIMULATED scene with known truth, written as product files so that it is read like a real scene.

Grid and CRS of a Sentinel-2 tile, eleven dates, ten bands at their native 10 and 20 m. A pixel is a mixture of
materials. Their spectra, and how these vary between and within objects, are measured (`spectra.csv`, derived from real
images of the same tile and year by data/derive_spectra.py). Assumed, not measured: the mixtures (`landscape.COVERS`),
the seasons of fields (green cover over measured soil), the spectra between November and April, clouds, and the
landscape itself. The differences between objects were chosen so that classifiers score about as high as Carpentier et
al. (2021) print, so such scores are no finding.
"""

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import rasterio
from affine import Affine
from rasterio.crs import CRS
from scipy.ndimage import gaussian_filter

from .. import nomenclature
from ..errors import InputError
from ..scenes import sensors
from .landscape import NAMES, Landscape, draw_landscape
from .objects import Objects
from .polygons import draw_polygons
from .spectra import DATES, DAYS

TILE = "T31TCJ"
CRS_TILE = CRS.from_epsg(32631)
ORIGIN = (356040, 4835680)  # upper left corner in metres, on the 10 m and 20 m grids of the tile
NODATA = -10000
PSF = {10: 0.6, 20: 1.0}  # standard deviation of the imaging blur in pixels of 10 m, by pixel size of the band


def write_product(root: Path, number: int, date: str, objects: Objects, random: np.random.Generator) -> None:
    """Write one monthly synthesis as a Theia L3A product folder: bands, masks, metadata."""
    name = f"SENTINEL2X_{date.replace('-', '')}-000000-000_L3A_{TILE}_D_V1-1"
    folder = root / name
    (folder / "MASKS").mkdir(parents=True)
    truth = objects.reflectance(number, random)
    cloud, thickness = _clouds(objects.cover.shape, number, random)
    missing = _coarse(cloud == 2)
    for band, image in zip(sensors.BANDS, truth, strict=True):
        pixel = 10 if band in sensors.BANDS_10M else 20
        image = gaussian_filter(image, PSF[pixel])
        image = image * (1 - thickness) + 0.45 * thickness
        image = _mean(image) if pixel == 20 else image
        image = image * random.normal(1, 0.015, image.shape) + random.normal(0, 0.0015, image.shape)
        stored = np.clip(np.rint(image * 10000), 1, 16000).astype(np.int16)
        stored[missing if pixel == 20 else np.kron(missing, np.ones((2, 2), bool))] = NODATA
        write_raster(folder / f"{name}_FRC_{band}.tif", stored, _transform(pixel))
    nodata = np.kron(missing, np.ones((2, 2), bool))
    land = np.where(np.isin(objects.cover, [NAMES.index("river"), NAMES.index("pond")]), 3, 4)
    flag = np.where(nodata, 0, np.where(cloud == 1, 1, land)).astype(np.uint8)
    weight = np.where(nodata, 0, 1000).astype(np.int16)
    days = np.where(nodata, NODATA, 0).astype(np.int16)
    for mask, image in (("FLG", flag), ("WGT", weight), ("DTS", days)):
        write_raster(folder / "MASKS" / f"{name}_{mask}_R1.tif", image, _transform(10))
        write_raster(folder / "MASKS" / f"{name}_{mask}_R2.tif", image[::2, ::2], _transform(20))
    write_metadata(folder / f"{name}_MTD_ALL.xml", date, objects.cover.shape)


def _clouds(shape: tuple[int, int], number: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Clouds of a synthesis (y, x): 1 flagged, 2 no data, 0 neither; and their thickness (y, x) from 0 to 1."""
    winter = abs(DAYS[number] - 195) / 195  # more clouds are left in winter, when clear days are few
    field = gaussian_filter(random.normal(size=shape), 11)
    field /= field.std()
    edge = np.quantile(field, 1 - 0.01 - 0.03 * winter)
    core = np.quantile(field, 1 - 0.004 - 0.012 * winter)
    thickness = np.clip((field - edge) / max(core - edge, 1e-6), 0, 1) * 0.6
    hole = np.quantile(field, 0.002 + 0.004 * winter)
    return np.where(field > core, 1, np.where(field < hole, 2, 0)), thickness


def _mean(image: np.ndarray) -> np.ndarray:
    """Mean of each block of 2 x 2 pixels."""
    return image.reshape(image.shape[0] // 2, 2, -1, 2).mean((1, 3))


def _coarse(mask: np.ndarray) -> np.ndarray:
    """Blocks of 2 x 2 pixels with any pixel of the mask."""
    return np.asarray(mask.reshape(mask.shape[0] // 2, 2, -1, 2).any((1, 3)))


def _transform(pixel: int) -> Affine:
    return Affine(pixel, 0, ORIGIN[0], 0, -pixel, ORIGIN[1])


def write_raster(
    path: Path,
    image: np.ndarray,
    transform: Affine,
    nodata: float | None = None,
    colours: dict | None = None,
    crs: CRS = CRS_TILE,
) -> None:
    """Write an image (y, x) as a GeoTIFF."""
    profile = {"driver": "GTiff", "count": 1, "height": image.shape[0], "width": image.shape[1], "compress": "deflate"}
    with rasterio.open(path, "w", dtype=image.dtype, crs=crs, transform=transform, nodata=nodata, **profile) as file:
        file.write(image, 1)
        if colours:
            file.write_colormap(1, colours)


def write_metadata(
    path: Path, date: str, shape: tuple[int, int], tile: str = TILE, origin: tuple[float, float] = ORIGIN
) -> None:
    """Write the fields of a Theia L3A MTD_ALL.xml that readers use; `shape` (rows, columns) in pixels of 10 m."""
    root = ElementTree.Element("Muscate_Metadata_Document")
    root.append(ElementTree.Comment(" SIMULATED by paperlib.simulation.scene: not a real product "))
    product = ElementTree.SubElement(root, "Product_Characteristics")
    ElementTree.SubElement(product, "SYNTHESIS_DATE").text = f"{date}T00:00:00.000Z"
    ElementTree.SubElement(product, "GEOGRAPHICAL_ZONE").text = tile
    radiometry = ElementTree.SubElement(root, "Radiometric_Informations")
    ElementTree.SubElement(radiometry, "REFLECTANCE_QUANTIFICATION_VALUE").text = "10000"
    values = ElementTree.SubElement(radiometry, "SPECIAL_VALUES_LIST")
    ElementTree.SubElement(values, "SPECIAL_VALUE", name="nodata").text = str(NODATA)
    place = ElementTree.SubElement(root, "Geoposition_Informations")
    for group, pixel in (("R1", 10), ("R2", 20)):
        entry = ElementTree.SubElement(place, "Group_Geopositioning", group_id=group)
        rows, columns = shape[0] * 10 // pixel, shape[1] * 10 // pixel
        fields = {"ULX": origin[0], "ULY": origin[1], "XDIM": pixel, "YDIM": -pixel, "NROWS": rows, "NCOLS": columns}
        for name, value in fields.items():
            ElementTree.SubElement(entry, name).text = str(value)
    ElementTree.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def simulate_scene(folder: Path, size: int, pool: int, test: int, seed: int) -> Path:
    """Write a simulated scene to a new or empty folder and return the folder.

    Parameters
    ----------
    size: side in pixels of 10 m; an even number, since 20 m bands have half as many pixels.
    pool, test: number of polygons for training and validation, and for testing.
    seed: of the random numbers.

    Writes product folders below `TILE`, polygons.gpkg (polygon_id, code, class_name, set) and truth.tif (class code of every
    pixel). Raises `InputError` for an odd or too small size, and where the scene has no room for the polygons.
    """
    folder = describe_scene(folder, size, seed)
    random = np.random.default_rng(seed)
    landscape = draw_landscape(size, random)
    transform = Affine(10, 0, ORIGIN[0], 0, -10, ORIGIN[1])
    polygons = draw_polygons(landscape, transform, CRS_TILE.to_string(), pool, test, random)
    polygons.to_file(folder / "polygons.gpkg", driver="GPKG")
    write_truth(folder, landscape)
    objects = Objects(landscape, random)
    for number, date in enumerate(DATES):
        write_product(folder / TILE, number, date, objects, random)
    return folder


def describe_scene(folder: Path, size: int, seed: int, more: str = "") -> Path:
    """Make the folder of a scene, with a README that says what it is, and return it.

    Raises `InputError` for an odd or too small size.
    """
    if size % 2 or size < 64:
        problem = f"scene.size = {size}; 20 m bands have half as many pixels."
        raise InputError(problem, "Give an even number of 64 or more.", kind="simulation.size")
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "README.txt").write_text(
        f"SIMULATED scene (seed {seed}, {size} x {size} pixels{more}), not real imagery. Spectra calibrated on real Theia "
        "L3A images of tile 31TCJ; see paperlib.simulation.scene.\n"
    )
    return folder


def write_truth(folder: Path, landscape: Landscape) -> None:
    """Write truth.tif: the class code of every pixel, with colours."""
    colours = nomenclature.colour_table(nomenclature.CLASSES)
    write_raster(folder / "truth.tif", landscape.codes, _transform(10), nodata=0, colours=colours)
