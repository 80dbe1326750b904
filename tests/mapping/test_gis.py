"""Areas, names and codes beside a class map, in any CRS; areas are compared with pyproj's geodesic ones."""

from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
import rasterio
from affine import Affine
from pyproj import CRS, Geod, Transformer
from rasterio.transform import array_bounds
from rasterio.warp import calculate_default_transform, reproject

from paperlib.mapping.gis import class_areas, write_gis_files
from paperlib.nomenclature import LandCover, read_nomenclature
from paperlib.pages.walkthrough import read_gis_classes

SHAPE, HOME = (192, 192), Affine(10, 0, 356040, 0, -10, 4835680)
LEGEND = (LandCover(1, "Forêt", "#1b7837", "0611"), LandCover(2, "Pré fauché", "#a6dba0", "3301010000"))
LEGEND += (LandCover(7, "Water", "#0080ff"),)
LOCAL = "+proj=tmerc +lat_0=43.6 +lon_0=1.2 +k=1 +x_0=5000 +y_0=5000 +ellps=GRS80 +units=m +no_defs"
#: CRS and pixel size; None as warping chooses.
GRIDS = {
    "UTM": ("EPSG:32631", 10), "next UTM zone": ("EPSG:32630", 10), "Mercator": ("EPSG:3857", 10),
    "Mercator, as warping chooses": ("EPSG:3857", None), "degrees": ("EPSG:4326", None),
    "US feet": ("+proj=tmerc +lat_0=43 +lon_0=1 +ellps=GRS80 +units=us-ft", 33), "no code": (LOCAL, 10),
    "Lambert 93": ("EPSG:2154", 10), "sinusoidal": ("ESRI:54008", 10),
}  # fmt: skip


def warped(path, crs: str, step: float | None) -> np.ndarray:
    """Write the same three classes in a CRS, with corners without data where it is turned; return the codes."""
    codes = np.ones(SHAPE, np.uint8)
    codes[60:, 40:], codes[150:, :90] = 2, 7
    transform, width, height = calculate_default_transform(
        "EPSG:32631", crs, *SHAPE[::-1], *array_bounds(*SHAPE, HOME), resolution=step
    )
    out = np.zeros((height, width), np.uint8)
    given = {
        "src_transform": HOME,
        "src_crs": "EPSG:32631",
        "dst_transform": transform,
        "dst_crs": crs,
        "dst_nodata": 0,
    }
    reproject(codes, out, **given)
    profile = {"driver": "GTiff", "width": width, "height": height, "count": 1, "dtype": "uint8", "nodata": 0}
    with rasterio.open(
        path, "w", crs=crs, transform=transform, tiled=True, blockxsize=64, blockysize=64, **profile
    ) as file:
        file.write(out, 1)
    return out


def geodesic_hectares(path, codes: np.ndarray, code: int) -> float:
    """Each pixel of a class as a polygon on the ellipsoid of WGS 84."""
    with rasterio.open(path) as file:
        crs, transform = CRS.from_user_input(file.crs), file.transform
    degrees, geod, total = Transformer.from_crs(crs, "OGC:CRS84", always_xy=True), Geod(ellps="WGS84"), 0.0
    for row in np.flatnonzero((codes == code).any(axis=1)):
        columns = np.flatnonzero(codes[row] == code)
        # the pixels of a row are alike: that in the middle stands for all
        middle = columns[len(columns) // 2]
        corners = [transform @ (middle + x, row + y) for x, y in ((0, 0), (1, 0), (1, 1), (0, 1))]
        area = geod.polygon_area_perimeter(*degrees.transform(*np.array(corners).T))[0]
        total += abs(area) * len(columns)
    return total / 10_000


@pytest.mark.parametrize(("crs", "step"), GRIDS.values(), ids=GRIDS.keys())
def test_hectares_are_those_on_the_ground(tmp_path, crs, step):
    codes = warped(tmp_path / "class.tif", crs, step)
    table = class_areas(tmp_path / "class.tif", LEGEND).set_index("code")["hectares"]
    for code in (1, 2, 7):
        assert table[code] == pytest.approx(geodesic_hectares(tmp_path / "class.tif", codes, code), rel=1e-4, abs=0.01)
    assert 365 < table.sum() < 372 and (codes == 0).any() == (crs != "EPSG:32631")  # corners are no class


def test_codes_of_the_labels_stand_in_every_file(tmp_path):
    warped(tmp_path / "class.tif", "EPSG:32631", 10)
    write_gis_files(tmp_path, LEGEND)
    areas = pd.read_csv(tmp_path / "areas.csv", dtype={"source": str})
    assert areas.columns.tolist() == ["code", "source", "class_name", "hectares", "share (%)"]
    assert areas["source"].tolist() == ["0611", "3301010000", "7"]
    table = pd.read_csv(tmp_path / "classes.csv", dtype=str)
    assert table.to_numpy().tolist() == [
        ["1", "0611", "Forêt", "#1b7837"], ["2", "3301010000", "Pré fauché", "#a6dba0"], ["7", "7", "Water", "#0080ff"],
    ]  # fmt: skip
    names = ["Forêt (0611)", "Pré fauché (3301010000)", "Water"]
    entries = ElementTree.parse(tmp_path / "class.qml").iter("paletteEntry")
    assert [entry.get("label") for entry in entries] == names
    with rasterio.open(tmp_path / "class.tif", "r+") as file:
        file.write_colormap(1, {code: (1, 2, 3, 255) for code in (1, 2, 7)})
    assert read_gis_classes(tmp_path / "class.tif")["class"].tolist() == names


def test_the_table_of_classes_is_a_nomenclature(tmp_path):
    warped(tmp_path / "class.tif", "EPSG:32631", 10)
    write_gis_files(tmp_path, LEGEND)
    assert [cover[:3] for cover in read_nomenclature(tmp_path / "classes.csv")] == [cover[:3] for cover in LEGEND]


def test_classes_with_codes_of_their_own_need_no_second_column(tmp_path):
    warped(tmp_path / "class.tif", "EPSG:32631", 10)
    assert "source" not in class_areas(tmp_path / "class.tif", LEGEND[2:])
