"""Products of finished maps by the command line."""

import sys

import geopandas as gpd
import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin

from paperlib.__main__ import app
from paperlib.mapping.gis import write_categories
from paperlib.nomenclature import LandCover

LEGEND = (LandCover(1, "Water", "#0000ff"), LandCover(2, "Crops", "#00ff00"))


@pytest.fixture
def paperlib(monkeypatch, capsys):
    def run(*words) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["paperlib", *map(str, words)])
        with pytest.raises(SystemExit) as end:
            app()
        said = capsys.readouterr()
        return end.value.code, said.out, said.err

    return run


def write_map(folder, codes: np.ndarray):
    folder.mkdir()
    shape = {"height": codes.shape[0], "width": codes.shape[1], "count": 1, "dtype": "uint8", "nodata": 0}
    place = {"crs": "EPSG:32631", "transform": from_origin(300_000, 4_900_020, 10, 10)}
    for name, values in {"class": codes, "confidence": np.where(codes == 1, 70, 90)}.items():
        with rasterio.open(folder / f"{name}.tif", "w", driver="GTiff", **shape, **place) as file:
            file.write(values.astype(np.uint8), 1)
    write_categories(folder / "class.tif.aux.xml", LEGEND)
    return folder


def test_a_map_becomes_polygons_in_a_file_that_is_never_replaced(paperlib, tmp_path):
    codes = np.full((120, 100), 2)
    codes[:, :30] = 1
    codes[50, 60] = 1
    write_map(tmp_path / "map", codes)
    out = tmp_path / "polygons.gpkg"
    code, said, _ = paperlib("vectorise", tmp_path / "map", "--minimum-area", 500, "--out", out)
    polygons = gpd.read_file(out)
    assert code == 0 and "Water" in said and str(out) in said
    assert dict(zip(polygons["class_name"], polygons["hectares"].round(1), strict=True)) == {
        "Water": 36.0,
        "Crops": 84.0,
    }
    before = out.read_bytes()
    code, _, told = paperlib("vectorise", tmp_path / "map", "--out", out)
    assert code == 2 and "is there already" in told and out.read_bytes() == before
    code, _, told = paperlib("vectorise", tmp_path / "map", "--out", tmp_path / "polygons.kml")
    assert code == 2 and ".gpkg" in told and not (tmp_path / "polygons.kml").exists()
