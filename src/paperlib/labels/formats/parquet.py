"""Write polygons as GeoParquet 1.1, by arro3: geopandas would need pyarrow, which is ten times as large."""

import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd

from ...errors import InputError

SUFFIX = ".parquet"


def require_writer() -> None:
    """Raise `InputError` where nothing that writes GeoParquet is installed."""
    try:
        import arro3.io  # noqa: F401
    except ImportError as error:
        raise InputError(
            "What writes GeoParquet is not installed.", "pip install 'paperlib[parquet]', or name a .gpkg file.",
            kind="output.format",
        ) from error  # fmt: skip


def write_geoparquet(polygons: gpd.GeoDataFrame, path: Path) -> None:
    """Write polygons with all their columns to a GeoParquet file; geometries are WKB. Raises `InputError` without arro3."""
    require_writer()
    from arro3.core import Array, DataType, Table
    from arro3.io import write_parquet

    columns = {str(name): _array(polygons[name], Array, DataType) for name in polygons if name != "geometry"}
    columns["geometry"] = Array(polygons.to_wkb()["geometry"].tolist(), DataType.binary())
    kinds = sorted(polygons.geom_type.unique())
    crs = None if polygons.crs is None else polygons.crs.to_json_dict()
    geometry = {"encoding": "WKB", "geometry_types": kinds, "crs": crs, "bbox": polygons.total_bounds.tolist()}
    about = {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": geometry}}
    table = Table.from_pydict(columns)
    write_parquet(table.with_schema(table.schema.with_metadata({"geo": json.dumps(about)})), str(path))


def _array(column: pd.Series, array: Any, kind: Any) -> Any:
    """A column as Arrow: whole numbers, numbers (missing ones as null), truth values, everything else as text."""
    values = [None if pd.isna(value) else value for value in column.tolist()]
    if pd.api.types.is_bool_dtype(column):
        return array(values, kind.bool())
    if pd.api.types.is_integer_dtype(column):
        return array(values, kind.int64())
    if pd.api.types.is_float_dtype(column):
        return array(values, kind.float64())
    return array([None if value is None else str(value) for value in values], kind.string())
