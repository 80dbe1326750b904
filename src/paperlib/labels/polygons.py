"""Ground truth: polygons read and checked, split by polygon, burned onto the grid (section 3.2)."""

import warnings
from collections.abc import Mapping
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
import xarray as xr
from rasterio.enums import MergeAlg
from rasterio.features import rasterize

from .. import nomenclature
from ..errors import InputError
from ..nomenclature import check_nomenclature, read_nomenclature

SETS = ("train", "validation", "test")
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


def legend_of(polygons: gpd.GeoDataFrame) -> tuple[nomenclature.LandCover, ...]:
    """The classes of the polygons, in the order of class indices: of Table 2, or by code for their own nomenclature."""
    if "colour" not in polygons:
        return nomenclature.legend(polygons["code"].unique())
    own = polygons[["code", "class_name", "colour"]].drop_duplicates().sort_values("code")
    return tuple(nomenclature.LandCover(*row) for row in own.itertuples(index=False))


def split(polygons: gpd.GeoDataFrame, validation: float = 0.3, seed: int = 0, test: float = 0.3) -> gpd.GeoDataFrame:
    """Polygons with `set` train, validation or test, drawn by polygon and class by class (section 3.2).

    Of each class the share `validation` of the pool's polygons goes to validation, at least one and never all. Where no
    polygon is marked test, the share `test` of each class is set aside first. The same seed gives the same split,
    whatever the order of the file, where it numbers its polygons. Raises `InputError` for a class with too few polygons
    and a share that is not between 0 and 1.
    """
    for name, share in (("validation", validation), ("test", test)):
        if not 0 < share < 1:
            raise InputError(f"{name} = {share!r}; a share of the polygons between 0 and 1 is expected, like 0.3.")
    result = polygons.sort_values("polygon_id", ignore_index=True)
    random = np.random.default_rng(seed)
    drawn = [("validation", validation)]
    if not (result["set"] == "test").any():
        drawn.insert(0, ("test", test))
    for cover in legend_of(result):
        pool = random.permutation(result.index[(result["code"] == cover.code) & (result["set"] == "pool")])
        if len(pool) <= len(drawn):
            parts, needed = (("train and validation", "two"), ("train, validation and test", "three"))[len(drawn) - 1]
            raise InputError(
                f"Class {cover.code} {cover.name} has {len(pool)} polygons to divide among {parts} (polygon_id "
                f"{result['polygon_id'][pool].tolist()}); it needs {needed} or more. Draw more, or drop the class."
            )
        for left, (name, share) in zip(range(len(drawn), 0, -1), drawn, strict=True):
            number = min(max(1, round(share * len(pool))), len(pool) - left)
            result.loc[pool[:number], "set"] = name
            pool = pool[number:]
        result.loc[pool, "set"] = "train"
    return result


def burn(polygons: gpd.GeoDataFrame, scene: xr.DataArray, legend: tuple[nomenclature.LandCover, ...]) -> xr.Dataset:
    """Polygons on the scene's grid: `label` (y, x) int16 class index, `polygon` (y, x) int32 polygon_id, -1 elsewhere.

    A pixel belongs to a polygon when its centre lies inside. A pixel inside two polygons belongs to neither: it must
    not count for two classes or two sets; attrs["contested"] is how many there are, and a warning says so, as it does
    of polygons left without a pixel. Raises `InputError` for a class that has no pixel in one of the sets it has
    polygons in.
    """
    grid = {"out_shape": (scene.sizes["y"], scene.sizes["x"]), "transform": scene.rio.transform()}
    position = {cover.code: index for index, cover in enumerate(legend)}
    shapes, index = polygons.geometry, polygons["code"].map(position)
    number = rasterize(zip(shapes, polygons["polygon_id"], strict=True), fill=-1, dtype="int32", **grid)
    label = rasterize(zip(shapes, index, strict=True), fill=-1, dtype="int16", **grid)
    contested = rasterize(shapes, default_value=1, dtype="uint16", merge_alg=MergeAlg.add, **grid) > 1
    number[contested] = label[contested] = -1
    burned = xr.Dataset(
        {"label": (("y", "x"), label), "polygon": (("y", "x"), number)}, {"y": scene.y, "x": scene.x},
        {"contested": int(contested.sum())},
    )  # fmt: skip
    _check_pixels(burned, polygons, legend, f"{abs(scene.rio.resolution()[0]):g} m")
    return burned


def _check_pixels(burned: xr.Dataset, polygons: gpd.GeoDataFrame, legend, pixel: str) -> None:
    held = polygons["polygon_id"].isin(np.unique(burned["polygon"].values[burned["polygon"].values >= 0]))
    counts = pixel_counts(burned, polygons, legend).query("polygons > 0 and pixels == 0")
    if len(counts):
        which = "; ".join(
            f"{row.class_name}, {row.set}: polygon_id "
            f"{polygons['polygon_id'][(polygons['code'] == row.code) & (polygons['set'] == row.set)].tolist()[:10]}"
            for row in counts.itertuples()
        )
        raise InputError(
            f"No pixel is labelled for {which}. No centre of a pixel of {pixel} lies inside these polygons, or other "
            "polygons overlap them there. Draw larger ones, or remove the overlap."
        )
    if burned.attrs["contested"]:
        warnings.warn(f"{burned.attrs['contested']} pixels lie in several polygons and are left out.", stacklevel=3)
    if not held.all():
        ids = polygons.loc[~held, "polygon_id"].tolist()
        warnings.warn(f"{len(ids)} polygons hold no pixel of {pixel}: polygon_id {ids[:10]}.", stacklevel=3)


def pixel_counts(
    burned: xr.Dataset, polygons: gpd.GeoDataFrame, legend: tuple[nomenclature.LandCover, ...]
) -> pd.DataFrame:
    """Polygons and labelled pixels by class and set: columns code, class_name, set, polygons, pixels."""
    number = burned["polygon"].values
    ids, pixels = np.unique(number[number >= 0], return_counts=True)
    table = polygons[["polygon_id", "code", "set"]].assign(
        pixels=polygons["polygon_id"].map(dict(zip(ids, pixels, strict=True))).fillna(0).astype(int)
    )
    counts = table.groupby(["code", "set"]).agg(polygons=("polygon_id", "size"), pixels=("pixels", "sum"))
    sets = SETS if polygons["set"].isin(SETS).all() else ("pool", "test")  # before the split
    every = pd.MultiIndex.from_product([[cover.code for cover in legend], sets], names=["code", "set"])
    counts = counts.reindex(every, fill_value=0).reset_index()
    counts.insert(1, "class_name", counts["code"].map({cover.code: cover.name for cover in legend}))
    return counts


def separation(polygons: gpd.GeoDataFrame, reach: Mapping[str, float]) -> pd.DataFrame:
    """How far the polygons of validation and test are from those of training; `reach` names distances in metres.

    One row a pair of sets: the polygons of the first set; how many of them are also in the second, by number or by
    outline (0 proves the split); how many overlap one there, and the area of that overlap in square metres; the
    smallest distance in metres; and for each reach how many polygons of the first set, and which share of them, lie
    nearer than that to a polygon of the second. Distances are between outlines.
    """
    rows = []
    for first in ("validation", "test"):
        ours, theirs = (polygons[polygons["set"] == name].reset_index(drop=True) for name in (first, "train"))
        same = ours["polygon_id"].isin(theirs["polygon_id"])
        same |= ours.normalize().to_wkb().isin(theirs.normalize().to_wkb())
        mine, other = theirs.sindex.query(ours.geometry, predicate="intersects")
        shared = shapely.area(shapely.intersection(ours.geometry.values[mine], theirs.geometry.values[other]))
        _, distance = theirs.sindex.nearest(ours.geometry, return_all=False, return_distance=True)
        row = {
            "pair": f"{first} - train", "polygons": len(ours), "on both sides": int(same.sum()),
            "overlapping": len(np.unique(mine[shared > 0])), "overlap (m2)": round(float(shared.sum()), 1),
            "smallest distance (m)": round(float(distance.min()), 1) if len(distance) else np.nan,
        }  # fmt: skip
        for name, metres in reach.items():
            near = int((distance < metres).sum())
            row |= {f"within {name} ({metres:g} m)": near, f"{name} (%)": round(100 * near / max(1, len(ours)), 1)}
        rows.append(row)
    return pd.DataFrame(rows)
