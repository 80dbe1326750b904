"""Vector files, archives and folders as one table of labels."""

import warnings
import zipfile
from pathlib import Path, PurePosixPath

import geopandas as gpd
import pandas as pd
import pyogrio

from ...errors import InputError, InputWarning
from ...settings import Labels
from .columns import POOL, TEST, choose_columns
from .encodings import MARKS, choose_encoding, known_name, restored
from .tables import read_points

VECTORS = (".gpkg", ".shp", ".geojson", ".json", ".fgb", ".kml", ".kmz", ".gml", ".gpx", ".tab", ".sqlite", ".geojsonl")
PARQUETS, POINTS = (".parquet", ".geoparquet", ".pq"), (".csv", ".tsv", ".txt")
KML = (".kml", ".kmz")
#: Layers that programs keep for themselves.
HIDDEN = ("layer_styles", "qgis_projects")
#: Columns that the KML driver adds to every file.
KML_COLUMNS = (
    "timestamp",
    "begin",
    "end",
    "altitudemode",
    "tessellate",
    "extrude",
    "visibility",
    "draworder",
    "icon",
    "snippet",
)


def read_table(path: str | Path, options: Labels | None = None) -> gpd.GeoDataFrame:
    """The rows of a label file as they are, with its columns and CRS.

    Reads what GDAL reads (GeoPackage, GeoJSON, shapefiles, FlatGeobuf, KML with all its folders, file geodatabases),
    GeoParquet, CSV files of points, zipped files in any folder of an archive, and a folder with a file a class. Of
    `options`, `layer` chooses among several, `encoding` is that of shapefiles and CSV files, and `field` is where the
    class is. The CRS is None for points whose coordinates are in the scene's.

    Raises `InputError` for a path that does not exist, cannot be read, is empty, has several layers of which none is
    chosen, or has no CRS. Warns with `InputWarning` where an encoding is guessed.
    """
    path, options = Path(path), options or Labels()
    if not path.exists():
        raise InputError(
            f"The label file {path} does not exist.", f"Check the path, seen from {Path.cwd()}.", kind="labels.file"
        )
    members = _members(path)
    table = _read_members(path, members, options) if members else _read_file(path, str(path), options)
    if table.empty:
        raise InputError(f"{path} holds no polygons.", "Choose another file or --layer.", kind="labels.file")
    return table


def _members(path: Path) -> dict[str, str]:
    """Vector files in an archive or folder: name -> what GDAL opens. Empty for a single file."""
    if path.is_dir() and path.suffix.lower() != ".gdb":
        files = [
            file for file in sorted(path.rglob("*")) if file.suffix.lower() in (*VECTORS, *PARQUETS, *POINTS, ".gdb")
        ]
        files = [file for file in files if not file.name.endswith(".classes.csv")]
        if not files:
            raise InputError(f"{path} is a folder without vector files.", "Give a vector file.", kind="labels.file")
        return {file.stem: str(file) for file in files}
    if path.suffix.lower() != ".zip":
        return {}
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if PurePosixPath(name).suffix.lower() in VECTORS]
    except (OSError, zipfile.BadZipFile) as error:
        raise _unreadable(path, error) from error
    names = [name for name in names if "__MACOSX" not in name]
    if not names:
        raise InputError(f"{path} is an archive without vector files.", "Give a vector file.", kind="labels.file")
    return {PurePosixPath(name).stem: f"/vsizip/{path}/{name}" for name in names}


def _read_members(path: Path, members: dict[str, str], options: Labels) -> gpd.GeoDataFrame:
    """One of several files, by `options.layer`; or all of them, where each is a class or a set."""
    if options.layer in members:
        members = {options.layer: members[options.layer]}
    if len(members) == 1:
        (place,) = members.values()
        return _read_file(path if path.suffix.lower() == ".zip" else Path(place), place, options)
    tables = {name: _read_file(Path(place), place, options) for name, place in members.items()}
    labelled = [_has_class(table, options) for table in tables.values()]
    sets = all(name.lower() in (*POOL, *TEST) for name in tables)
    if options.layer or (any(labelled) and not (all(labelled) and sets)):
        raise _several(path, {name: len(table) for name, table in tables.items()}, options.layer)
    column = "set" if sets and all(labelled) else "code"
    what = "sets" if column == "set" else "classes"
    problem = f"{path.name}: its {len(tables)} files are taken for the {what} {', '.join(tables)}."
    warnings.warn(InputWarning(problem, "Choose one of them with --layer.", kind="labels.files"), stacklevel=3)
    first = next(iter(tables.values())).crs
    parts = [table.to_crs(first).assign(**{column: name}) for name, table in tables.items()]
    return gpd.GeoDataFrame(pd.concat(parts, ignore_index=True), crs=first)


def _has_class(table: gpd.GeoDataFrame, options: Labels) -> bool:
    try:
        choose_columns(table, options)
    except InputError:
        return False
    return True


def _several(path: Path, counts: dict[str, int], asked: str) -> InputError:
    listed = ", ".join(f"{name} ({count})" for name, count in counts.items())
    problem = f"{path} has no layer {asked!r}; it has" if asked else f"{path} has {len(counts)} layers of features:"
    return InputError(f"{problem} {listed}.", "Choose one with --layer.", kind="labels.layer")


#: What to do about files of other kinds.
OTHERS = {
    (".xlsx", ".xls", ".ods"): "Save the sheet as CSV (UTF-8), with columns longitude and latitude.",
    (
        ".tif",
        ".tiff",
        ".img",
        ".vrt",
    ): "It is a raster: draw polygons from it with `paperlib labels`, or polygonise it in QGIS.",
    (".gz", ".tar", ".tgz", ".7z", ".rar"): "Unpack it and give what was in it.",
    (".shp",): "The files of a shapefile belong together: copy .shp, .shx, .dbf and .prj.",
}


def _unreadable(path: Path, error: object) -> InputError:
    reason = str(error).split("\n")[0].split("; It might help")[0].split(". Set SHAPE")[0].rstrip(".")
    others = (fix for endings, fix in OTHERS.items() if path.suffix.lower() in endings)
    return InputError(
        f"{path} cannot be read as a vector file ({reason}).", next(others, "GeoPackage or GeoJSON will do."),
        kind="labels.file",
    )  # fmt: skip


def _read_file(path: Path, place: str, options: Labels) -> gpd.GeoDataFrame:
    """One file; `place` is what GDAL opens, `path` its name in messages."""
    suffix = PurePosixPath(place).suffix.lower()
    if suffix in POINTS:
        return _restore(read_points(path, options.encoding), path.name)
    if suffix in PARQUETS:
        table = _read_parquet(path)
    else:
        if suffix == ".shp" and not _beside(place[:-4], "dbf"):
            raise InputError(
                f"{path} has no .dbf beside it, which holds the classes.", OTHERS[".shp",], kind="labels.file"
            )
        encoding = _shapefile_encoding(place, options.encoding) if suffix == ".shp" else options.encoding or None
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of drivers; what matters is checked below
                table = _read_layers(path, place, encoding, options)
        except InputError:
            raise
        except UnicodeDecodeError as error:
            raise InputError(
                f"{path}: its texts are not in the encoding that it states ({error}).",
                "Give the encoding with --encoding, such as cp1252, or save it as a GeoPackage.",
                kind="labels.encoding",
            ) from error
        except Exception as error:  # each driver raises its own
            raise _unreadable(path, error) from error
    if not isinstance(table, gpd.GeoDataFrame):
        raise InputError(f"{path} holds no polygons: it has no geometry.", "Choose another file.", kind="labels.file")
    if table.crs is None and len(table):
        raise InputError(
            f"{path} has no coordinate reference system.", "Assign one (QGIS: Layer CRS) and save it again.",
            kind="labels.crs",
        )  # fmt: skip
    return _restore(table, path.name)


def _restore(table: gpd.GeoDataFrame, name: str) -> gpd.GeoDataFrame:
    """The table with texts restored that are UTF-8 read as another encoding; warns where there are any."""
    for column in table.columns:
        if column == table.geometry.name or not pd.api.types.is_string_dtype(table[column]):
            continue
        before = table[column]
        after = before.map(lambda text: restored(text) if isinstance(text, str) and not text.isascii() else text)
        wrong = before.notna() & (before != after)
        if wrong.any():
            problem = f"{name}: texts in `{column}` are UTF-8 read as another encoding, like {before[wrong].iloc[0]!r}"
            problem += f"; they are restored to {after[wrong].iloc[0]!r}."
            fix = "If they were right, rename these classes."
            warnings.warn(InputWarning(problem, fix, kind="labels.encoding"), stacklevel=4)
            table = table.assign(**{str(column): after})
    return table


def _read_layers(path: Path, place: str, encoding: str | None, options: Labels) -> gpd.GeoDataFrame:
    layers = [name for name, kind in pyogrio.list_layers(place) if kind is not None and name not in HIDDEN]
    if PurePosixPath(place).suffix.lower() in KML and not options.layer:
        parts = [gpd.read_file(place, layer=name).assign(Folder=name) for name in layers]
        table = pd.concat([part for part in parts if len(part)], ignore_index=True)
        return table.drop(columns=[name for name in table.columns if name.lower() in KML_COLUMNS])
    if len(layers) > 1 or options.layer:
        counts = {name: pyogrio.read_info(place, layer=name, force_feature_count=True)["features"] for name in layers}
        filled = [name for name, count in counts.items() if count]
        wanted = [options.layer] if options.layer else filled
        if len(layers) > 1 and (len(wanted) != 1 or wanted[0] not in counts):
            raise _several(path, counts, options.layer)
        layers = wanted if len(layers) > 1 else layers
    if not layers:
        raise InputError(
            f"{path} holds no polygons: it has no layer of features.", "Choose another file.", kind="labels.file"
        )
    return gpd.read_file(place, layer=layers[0], encoding=encoding)


def _shapefile_encoding(place: str, asked: str) -> str:
    """The encoding of the DBF file beside a shapefile, which may lie in an archive."""
    base = place.removesuffix(".shp").removesuffix(".SHP")
    content, stated = _beside(base, "dbf"), _beside(base, "cpg").decode("ascii", "ignore").strip()
    if len(content) < 32:
        return "utf-8"
    said = known_name(stated) or MARKS.get(content[29], "")
    start = int.from_bytes(content[8:10], "little")
    return choose_encoding(content[start:], said, PurePosixPath(place).name, asked)


def _beside(base: str, suffix: str) -> bytes:
    """The content of a file beside a shapefile; nothing where there is none."""
    names = [f"{base}.{suffix}", f"{base}.{suffix.upper()}"]
    if not base.startswith("/vsizip/"):
        return next((Path(name).read_bytes() for name in names if Path(name).is_file()), b"")
    end = base.lower().index(".zip/") + 4
    with zipfile.ZipFile(base.removeprefix("/vsizip/")[: end - len("/vsizip/")]) as archive:
        return next((archive.read(name[end + 1 :]) for name in names if name[end + 1 :] in archive.namelist()), b"")


def _read_parquet(path: Path) -> gpd.GeoDataFrame:
    """GeoParquet with its geometries as WKB."""
    import json

    try:
        from arro3.io import read_parquet
    except ImportError as error:
        raise InputError(
            f"{path} is GeoParquet, and what reads it is not installed.", "pip install 'paperlib[parquet]'",
            kind="labels.parquet",
        ) from error  # fmt: skip
    try:
        held = read_parquet(path).read_all()
        about = json.loads(held.schema.metadata[b"geo"])
        name = about["primary_column"]
        geometry = about["columns"][name]
        if geometry["encoding"] != "WKB":
            raise InputError(
                f"{path} holds its geometries as {geometry['encoding']}; WKB is expected.",
                "Write it with geopandas, GDAL or QGIS.", kind="labels.parquet",
            )  # fmt: skip
        columns = {column: held.column(column).to_pylist() for column in held.schema.names if column != name}
        shapes = gpd.GeoSeries.from_wkb(held.column(name).to_pylist())
        crs = geometry.get("crs", "OGC:CRS84")
        return gpd.GeoDataFrame(pd.DataFrame(columns), geometry=shapes.set_crs(crs) if crs else shapes)
    except (KeyError, ValueError, OSError) as error:
        if isinstance(error, InputError):
            raise
        raise _unreadable(path, error) from error
