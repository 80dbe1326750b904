"""Ground truth: polygons read and checked, split by polygon, burned onto the grid (section 3.2)."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from .. import nomenclature
from ..errors import InputError
from ..nomenclature import check_nomenclature, read_nomenclature

#: What files call the training pool.
POOL = ("pool", "train", "training")
#: The burned grid holds polygon numbers as int32.
LARGEST_ID = 2**31 - 1


def load_polygons(
    path: str | Path, crs=None, bounds: tuple[float, float, float, float] | None = None
) -> gpd.GeoDataFrame:
    """Labelled polygons of any vector file that geopandas reads, reprojected to `crs`.

    Needs a column `code`: class codes of `nomenclature.CLASSES`, or of a nomenclature of its own, which a table beside the
    file gives (`NAME.classes.csv` beside NAME.gpkg: columns code, name, colour), or its columns `class_name` and `colour`
    (like #ff0000). A column `set` says which polygons are the test set ("test")
    and which the training pool ("pool", "train" or "training"); without it all are the pool. A column `polygon_id` is
    kept where it holds unique whole numbers from 0; else polygons are numbered from 1 in the order of the file.

    Returns columns polygon_id, code, class_name, set, geometry, and `colour` for a nomenclature of its own. Raises
    `InputError` for a file that does not exist, cannot be read, is empty or has no CRS; for geometries that are not
    valid polygons; unknown codes or sets; polygons that do not touch `bounds` (left, bottom, right, top in `crs`).
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"The polygon file {path} does not exist; check the path (seen from {Path.cwd()}).")
    try:
        table = gpd.read_file(path)
    except Exception as error:  # each driver raises its own
        raise InputError(f"{path} cannot be read as a vector file ({error}). GeoPackage or GeoJSON will do.") from error
    if not isinstance(table, gpd.GeoDataFrame) or table.empty:
        raise InputError(f"{path} holds no polygons.")
    if table.crs is None:
        raise InputError(f"{path} has no coordinate reference system; assign one (QGIS: Layer CRS) and save it again.")
    if "code" not in table:
        found = ", ".join(column for column in table.columns if column != "geometry")
        raise InputError(f"{path} has no column `code` with class codes; it has {found}. Rename or add the column.")
    result = gpd.GeoDataFrame(
        {
            "polygon_id": _numbers(table),
            "code": _codes(table["code"], path),
            "set": _sets(table.get("set"), len(table), path),
            "geometry": table.geometry.to_numpy(),
        },
        crs=table.crs,
    )
    _check_geometry(result, path)
    own = own_nomenclature(table.assign(code=result["code"]), path)
    result.insert(2, "class_name", _class_names(result, own or nomenclature.CLASSES, path))
    if own:
        result["colour"] = result["code"].map({cover.code: cover.colour for cover in own})
    if crs is not None:
        result = result.to_crs(crs)
    if bounds is not None:
        _check_place(result, bounds, path)
    if crs is not None:
        _check_geometry(result, path)  # again: far from home, a projection can make an outline cross itself
    return result


def _numbers(table: gpd.GeoDataFrame) -> np.ndarray:
    given = pd.to_numeric(table.get("polygon_id"), errors="coerce") if "polygon_id" in table else None
    if given is not None and given.is_unique and given.between(0, LARGEST_ID).all() and (given % 1 == 0).all():
        return given.astype(int).to_numpy()
    return np.arange(1, len(table) + 1)


def _codes(column: pd.Series, path: Path) -> np.ndarray:
    codes = pd.to_numeric(column, errors="coerce")
    wrong = column[codes.isna() | (codes % 1 != 0)]
    if len(wrong):
        raise InputError(
            f"{path}: {len(wrong)} class codes are no whole numbers, like {wrong.tolist()[0]!r} in row "
            f"{wrong.index[0] + 1}. Mend the column `code`."
        )
    return codes.astype(int).to_numpy()


def classes_file(path: Path) -> Path:
    """Where a nomenclature of its own lies beside a polygon file."""
    return path.with_suffix(".classes.csv")


def own_nomenclature(table: gpd.GeoDataFrame, path: Path) -> tuple[nomenclature.LandCover, ...]:
    """The classes that a polygon file brings along; none where its codes are those of the paper."""
    if classes_file(path).is_file():
        return read_nomenclature(classes_file(path))
    if not {"class_name", "colour"} <= set(table.columns):
        return ()
    classes = table[["code", "class_name", "colour"]].drop_duplicates().sort_values("code")
    twice = classes[classes["code"].duplicated()]
    if len(twice):
        raise InputError(
            f"{path}: class {twice['code'].iloc[0]} has several names or colours. Give each code one `class_name` and "
            f"one `colour`, or a table {classes_file(path).name} with columns code, name, colour."
        )
    return check_nomenclature([nomenclature.LandCover(*row) for row in classes.itertuples(index=False)], path)


def _class_names(polygons: gpd.GeoDataFrame, classes: tuple[nomenclature.LandCover, ...], path: Path) -> pd.Series:
    names = {cover.code: cover.name for cover in classes}
    unknown = polygons[~polygons["code"].isin(names)]
    if len(unknown):
        raise InputError(
            f"{path}: unknown class codes {sorted(unknown['code'].unique().tolist())} in {len(unknown)} polygons: "
            f"polygon_id {unknown['polygon_id'].tolist()[:10]}. Known: {names}. Recode them to these, or say your own "
            f"classes in {classes_file(path).name} (columns code, name, colour)."
        )
    return polygons["code"].map(names)


def _sets(column: pd.Series | None, number: int, path: Path) -> np.ndarray:
    if column is None:
        return np.full(number, "pool", object)
    unknown = sorted({str(value) for value in column if value not in (*POOL, "test")})
    if unknown:
        raise InputError(f"{path}: unknown values {unknown} in `set`; expected 'pool' (or 'train') and 'test'.")
    return np.where(column == "test", "test", "pool")


def _check_geometry(polygons: gpd.GeoDataFrame, path: Path) -> None:
    shapes = polygons.geometry
    for wrong, what, cure in (
        (shapes.isna() | shapes.is_empty, "no geometry", "delete them"),
        (~shapes.geom_type.isin(["Polygon", "MultiPolygon"]), "a geometry that is no polygon", "delete or redraw them"),
        (
            ~shapes.is_valid,
            "an invalid outline (it crosses itself, say)",
            "repair them (QGIS: Fix geometries; geopandas: make_valid)",
        ),
    ):
        if wrong.any():
            ids, kinds = polygons.loc[wrong, "polygon_id"].tolist(), sorted(shapes[wrong].geom_type.dropna().unique())
            found = f" ({', '.join(kinds)})" if kinds else ""
            raise InputError(f"{path}: {len(ids)} features have {what}{found}: polygon_id {ids[:10]}; {cure}.")


def _check_place(polygons: gpd.GeoDataFrame, bounds, path: Path) -> None:
    outside = ~polygons.intersects(shapely.box(*bounds))
    if outside.any():
        ids = polygons.loc[outside, "polygon_id"].tolist()
        # a wrong CRS can put corners at infinity, which round() could not take
        scene, own = ([float(f"{value:.0f}") for value in extent] for extent in (bounds, polygons.total_bounds))
        hint = "Is the file's CRS right?" if outside.all() else "Delete them, or give a scene that holds them."
        raise InputError(
            f"{path}: {len(ids)} of {len(polygons)} polygons lie outside the scene: polygon_id {ids[:10]}. "
            f"Scene: {scene}, polygons: {own} (left, bottom, right, top in {polygons.crs.name}). {hint}"
        )
