"""Maps as others use them: names and colours for a GIS, class areas, scores, a STAC item."""

import shutil
from datetime import datetime
from pathlib import Path

import pandas as pd
import pystac
import xarray as xr

from .. import store
from ..mapping.gis import write_gis_files
from ..mapping.layers import ON_REQUEST, bytes_of
from ..mapping.stac_item import map_item
from ..outputs import check_place, writing
from .experiment import Experiment

#: Settings of the simulated scene alone.
SIMULATED = ("scene.size", "scene.pool", "scene.test", "scene.seed")


def check_room(run: Experiment, names: tuple[str, ...], folder: Path) -> None:
    """Raise `InputError` unless `folder` can take the products of these classifiers: before hours of work.

    A map takes at most about half of the bytes of its layers.
    """
    needed = len(names) * bytes_of(run.maps.pixels(), len(run.legend), run.settings.map.probabilities) // 2
    for name in names:
        check_place(folder / name, folder=True, needed=needed)


def write_products(run: Experiment, names: tuple[str, ...], folder: Path) -> list[Path]:
    """Write the map of each classifier to `folder/NAME/` and return these folders; what is there is replaced.

    class.tif, confidence.tif, and with `map.probabilities` the other layers (Cloud Optimized GeoTIFF); class.qml
    (QGIS style, loaded by itself); class.tif.aux.xml (category names, for GDAL); classes.csv (code in the map, code in
    the user's file, name, colour); areas.csv (hectares); scores.json (on the test polygons); item.json (STAC item); of
    a region also tiles/TILE/ with the map of each tile, and class.vrt and confidence.vrt, which show them as one. A folder
    gets its files when all of them are complete; other files in it stay. Raises `InputError` where `folder` cannot be
    written, and when its disk is full.
    """
    written, left_out = [], () if run.settings.map.probabilities else ON_REQUEST
    for name in names:
        source = [path for path in sorted(run.map(name).glob("*.tif")) if path.stem not in left_out]
        with writing(folder / name, folder=True, needed=sum(path.stat().st_size for path in source)) as target:
            for path in source:
                shutil.copyfile(path, target / path.name)
            run.maps.write_parts(name, target)
            write_gis_files(target, run.legend)
            store.write_json(target / "scores.json", run.trained.polygon_scores(name).to_dict())
            item = describe(run, name, target)
            item.save_object(include_self_link=False, dest_href=str(target / "item.json"))
        written.append(folder / name)
    return written


def describe(run: Experiment, name: str, folder: Path) -> pystac.Item:
    """The STAC item of a classifier's map in `folder`: its place and classes, the settings and the commit behind it."""
    facts = store.read_json(run.map(name) / "provenance.json")
    settings = {key: value for key, value in facts["settings"].items() if key not in SIMULATED or run.simulated}
    settings |= {key: Path(settings[key]).name for key in ("scene.path", "scene.polygons")}
    properties = {"created": facts["created"], "paperlib:commit": facts["commit"], "paperlib:settings": settings}
    identifier = f"{name}-{run.map(name).name.rsplit('-', 1)[-1]}"
    return map_item(folder, identifier, f"Land cover by {name}", run.legend, period(run.scene), properties)


def period(scene: xr.DataArray) -> tuple[datetime, datetime]:
    """The first and the last date of a series, in UTC."""
    first, last = (pd.Timestamp(scene.time.values[index]).tz_localize("UTC").to_pydatetime() for index in (0, -1))
    return first, last
