"""The fingerprint of a scene or a vector file covers all that is read; each part is changed here, one at a time."""

import json
import os
import sqlite3
import zipfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import rasterio.shutil
from shapely import box

from paperlib.labels.formats import files
from paperlib.scenes import fingerprints
from paperlib.scenes.fingerprints import fingerprint
from support import imagery


def image(path: Path, value: int = 1) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with rasterio.open(
        path, "w", driver="GTiff", count=1, height=4, width=5, dtype="int16", crs="EPSG:32631",
        transform=rasterio.Affine(10, 0, 0, 0, -10, 0),
    ) as file:  # fmt: skip
        file.write(np.full((1, 4, 5), value, "int16"))
    return path


def touch(path: Path) -> None:
    """A change that keeps the size."""
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1_000_000))


def changes(path: Path, change) -> bool:
    before = fingerprint(path)
    assert fingerprint(path) == before
    change()
    return fingerprint(path) != before


def test_a_vrt_over_a_vrt(tmp_path):
    source = image(tmp_path / "data" / "source.tif")
    rasterio.shutil.copy(source, tmp_path / "inner.vrt", driver="VRT")
    xml = (tmp_path / "inner.vrt").read_text()
    (tmp_path / "outer.vrt").write_text(xml.replace("data/source.tif", "inner.vrt"))
    for path in (tmp_path / "inner.vrt", tmp_path / "outer.vrt"):
        assert changes(path, lambda: touch(source))
    assert changes(tmp_path / "outer.vrt", lambda: touch(tmp_path / "inner.vrt"))
    assert changes(tmp_path / "outer.vrt", source.unlink)


@pytest.mark.parametrize("name", [
    "s.dates.txt", "s.tif.msk", "s.tif.aux.xml", "s.aux.xml", "s.prj", "s.tfw", "s.tif.json", "s.json", "s.classes.csv",
])  # fmt: skip
def test_files_beside_an_image(tmp_path, name):
    path, beside = image(tmp_path / "s.tif"), tmp_path / name
    assert changes(path, lambda: beside.write_text("1"))
    assert changes(path, lambda: touch(beside))
    assert not changes(path, lambda: (tmp_path / "notes.txt").write_text("1"))


@pytest.mark.parametrize("name", ["p.cpg", "p.prj", "p.dbf", "p.shx", "p.classes.csv"])
def test_files_beside_a_shapefile(tmp_path, name):
    (tmp_path / "p.shp").write_text("x")
    assert changes(tmp_path / "p.shp", lambda: (tmp_path / name).write_text("1"))
    assert changes(tmp_path / "p.shp", lambda: touch(tmp_path / name))


def test_a_folder_of_images_and_what_lies_beside_them(tmp_path):
    first = image(tmp_path / "2018-02-15" / "B4.tif")
    hidden = image(tmp_path / "elsewhere" / "B8.tif")
    rasterio.shutil.copy(hidden, tmp_path / "2018-02-15" / "B8.vrt", driver="VRT")
    folder = tmp_path / "2018-02-15"
    assert changes(folder, lambda: touch(first)) and changes(folder, lambda: touch(hidden))
    assert changes(folder, lambda: first.with_name("B4.tif.msk").write_text("1"))
    assert not changes(folder, lambda: (folder / "readme.md").write_text("1"))


def test_images_behind_stac_items(tmp_path):
    source = image(tmp_path / "data" / "a.tif")
    item = {
        "type": "Feature",
        "properties": {},
        "assets": {"red": {"href": "data/a.tif"}, "far": {"href": "https://a/b.tif"}},
    }
    (tmp_path / "items.json").write_text(json.dumps({"type": "FeatureCollection", "features": [item]}))
    assert changes(tmp_path / "items.json", lambda: touch(source))
    assert changes(tmp_path / "items.json", lambda: touch(tmp_path / "items.json"))


def test_products_of_l2a(tmp_path):
    product = imagery.write_safe(tmp_path)
    for pattern in ("*_B04_10m.jp2", "*_SCL_20m.jp2", "MTD_MSIL2A.xml"):
        (file,) = product.rglob(pattern)
        assert changes(tmp_path, lambda file=file: touch(file))


def polygons(path: Path) -> Path:
    gpd.GeoDataFrame({"code": [1, 2]}, geometry=[box(0, 0, 1, 1), box(2, 2, 3, 3)], crs=32631).to_file(path)
    return path


def test_an_edit_in_the_write_ahead_log_of_a_geopackage(tmp_path):
    """QGIS edits so: the file stays as it is, the edit lies in -wal."""
    path = polygons(tmp_path / "p.gpkg")
    before = path.stat().st_mtime_ns
    database = sqlite3.connect(path)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA wal_autocheckpoint=0")
    first = fingerprint(path)
    database.execute("UPDATE gpkg_contents SET identifier = 'another'")
    database.commit()
    os.utime(path, ns=(before, before))
    second = fingerprint(path)
    assert (tmp_path / "p.gpkg-wal").stat().st_size and second != first
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert fingerprint(path) == second  # the same content, now in the file
    database.close()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["p.gpkg"]  # nothing is left beside the user's file


def test_a_geopackage_that_is_only_touched_stays_the_same(tmp_path):
    path = polygons(tmp_path / "p.gpkg")
    assert not changes(path, lambda: touch(path))
    path.write_bytes(b"no database")
    assert changes(path, lambda: touch(path))


def labels(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    gpd.GeoDataFrame({"code": [1]}, geometry=[box(0, 0, 9, 9)], crs=32631).to_file(path)
    return path


def test_a_zipped_shapefile_and_the_table_beside_it(tmp_path):
    folder, archive = labels(tmp_path / "in" / "p.shp").parent, tmp_path / "labels.zip"

    def pack() -> None:
        with zipfile.ZipFile(archive, "w") as file:
            for part in sorted(folder.iterdir()):
                file.write(part, part.name)

    pack()
    os.utime(archive, ns=(0, 10**18))
    gpd.GeoDataFrame({"code": [2]}, geometry=[box(0, 0, 9, 9)], crs=32631).to_file(folder / "p.shp")
    assert changes(archive, pack)
    assert changes(archive, lambda: (tmp_path / "labels.classes.csv").write_text("code,name\n2,Water\n"))


def test_a_folder_of_label_files_and_what_lies_beside_them(tmp_path):
    folder = tmp_path / "classes"
    first, second = labels(folder / "Water.shp"), labels(folder / "Forest.geojson")
    for part in (first, first.with_suffix(".dbf"), second):
        assert changes(folder, lambda part=part: touch(part))
    assert changes(folder, lambda: labels(folder / "Crops.gpkg"))
    assert changes(folder, lambda: (folder / "Water.cpg").write_text("cp1252"))
    assert not changes(folder, lambda: (folder / "notes.pdf").write_text("not read"))
    assert set(fingerprints.TABLES) == {*files.VECTORS, *files.PARQUETS, *files.POINTS}
