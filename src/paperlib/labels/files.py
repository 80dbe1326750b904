"""Label files of any program as one table."""

from pathlib import Path

import geopandas as gpd

from ..errors import InputError


def read_table(path: Path, layer: str = "", encoding: str = "") -> gpd.GeoDataFrame:
    """The rows of a label file as they are, with their columns and CRS."""
    if not path.exists():
        raise InputError(
            f"The label file {path} does not exist.", f"Check the path, seen from {Path.cwd()}.", kind="labels.file"
        )
    try:
        table = gpd.read_file(path)
    except Exception as error:  # each driver raises its own
        raise InputError(
            f"{path} cannot be read as a vector file ({error}).", "GeoPackage or GeoJSON will do.", kind="labels.file"
        ) from error
    if not isinstance(table, gpd.GeoDataFrame) or table.empty:
        raise InputError(f"{path} holds no polygons.", "Write the labels again.", kind="labels.file")
    if table.crs is None:
        raise InputError(
            f"{path} has no coordinate reference system.",
            "Assign one (QGIS: Layer CRS) and save it again.", kind="labels.crs",
        )  # fmt: skip
    return table
