"""Maps and weights as others use them: names and colours for a GIS, class areas, a STAC item, what a network needs."""

import re
import shutil
from importlib import metadata
from pathlib import Path

import pandas as pd
import pystac
import rasterio
from rasterio.warp import transform_bounds
from shapely import box
from shapely.geometry import mapping

from .. import store
from ..mapping.gis import class_areas, write_categories, write_style
from ..mapping.scene_maps import NODATA_CONFIDENCE
from ..nomenclature import NODATA_CLASS, LandCover
from .experiment import Experiment

COG = pystac.MediaType.COG
PROJECTION = "https://stac-extensions.github.io/projection/v2.0.0/schema.json"
PROCESSING = "https://stac-extensions.github.io/processing/v1.2.0/schema.json"
#: Settings of the simulated scene alone.
SIMULATED = ("scene.size", "scene.pool", "scene.test", "scene.seed")
CLASSIFICATION = "https://stac-extensions.github.io/classification/v2.0.0/schema.json"


def write_products(run: Experiment, names: tuple[str, ...], folder: Path) -> list[Path]:
    """Write the map of each classifier to `folder/NAME/` and return these folders; what is there is replaced.

    class.tif, confidence.tif (Cloud Optimized GeoTIFF); class.qml (QGIS style, which QGIS loads by itself);
    class.tif.aux.xml (category names, for GDAL); areas.csv (hectares of each class); item.json (STAC item).
    """
    written = []
    for name in names:
        target = folder / name
        target.mkdir(parents=True, exist_ok=True)
        for part in ("class.tif", "confidence.tif"):
            shutil.copyfile(run.map(name) / part, target / part)
        write_style(target / "class.qml", run.legend)
        write_categories(target / "class.tif.aux.xml", run.legend)
        class_areas(target / "class.tif", run.legend).to_csv(target / "areas.csv", index=False)
        describe(run, name, target).save_object(include_self_link=False, dest_href=str(target / "item.json"))
        written.append(target)
    return written


def write_weights(run: Experiment, names: tuple[str, ...], folder: Path) -> list[Path]:
    """Write the chosen training of each classifier to `folder` and return its files; what is there is replaced.

    NAME.safetensors (a forest: NAME.skops), and NAME.json with all that its use takes: channels and their normaliser,
    dates, classes in the order of the answers, and scores and provenance of the training.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name in names:
        best = run.trained.best(name)
        weights = next(path for path in best.iterdir() if path.stem in ("weights", "forest"))
        target = folder / f"{name}{weights.suffix}"
        shutil.copyfile(weights, target)
        about = {
            **store.read_json(best / "scores.json"), "dates": list(run.dates),
            "classes": [cover.name for cover in run.legend],
            "provenance": store.read_json(best / "provenance.json"),
        }  # fmt: skip
        store.write_json(folder / f"{name}.json", about)
        written.append(target)
    return written


def describe(run: Experiment, name: str, folder: Path) -> pystac.Item:
    """The STAC item of a classifier's map in `folder`, with relative addresses of its files."""
    facts = store.read_json(run.map(name) / "provenance.json")
    with rasterio.open(folder / "class.tif") as file:
        bounds = transform_bounds(file.crs, 4326, *file.bounds, densify_pts=21)
        place = {"proj:code": f"EPSG:{file.crs.to_epsg()}", "proj:shape": list(file.shape)}
        place |= {"proj:transform": list(file.transform)[:6], "proj:bbox": list(file.bounds)}
    settings = {key: value for key, value in facts["settings"].items() if key not in SIMULATED or run.simulated}
    settings |= {key: Path(settings[key]).name for key in ("scene.path", "scene.polygons")}
    first, last = (pd.Timestamp(run.scene.time.values[index]).tz_localize("UTC").to_pydatetime() for index in (0, -1))
    item = pystac.Item(
        id=f"{name}-{run.map(name).name.rsplit('-', 1)[-1]}", geometry=mapping(box(*bounds)), bbox=list(bounds),
        datetime=None, start_datetime=first, end_datetime=last, stac_extensions=[PROJECTION, CLASSIFICATION, PROCESSING],
        properties={
            "title": f"Land cover by {name}", "created": facts["created"],
            "processing:software": {"paperlib": metadata.version("paperlib")},
            "paperlib:commit": facts["commit"], "paperlib:settings": settings, **place,
        },
    )  # fmt: skip
    classes = [
        {
            "value": cover.code,
            "name": _plain(cover),
            "title": cover.name,
            "color_hint": cover.colour.lstrip("#").upper(),
        }
        for cover in run.legend
    ]
    assets = {
        "class": ("class.tif", COG, ["data"], {"classification:classes": classes, "nodata": NODATA_CLASS}),
        "confidence": ("confidence.tif", COG, ["data"], {"unit": "percent", "nodata": NODATA_CONFIDENCE}),
        "style": ("class.qml", "application/xml", ["metadata"], {}),
        "areas": ("areas.csv", "text/csv", ["metadata"], {}),
    }
    for key, (file, media, roles, fields) in assets.items():
        item.add_asset(key, pystac.Asset(f"./{file}", media_type=media, roles=roles, extra_fields=fields))
    return item


def _plain(cover: LandCover) -> str:
    """The name of a class for machines: letters, digits, - and _ alone, as the classification extension wants it."""
    return f"{re.sub('[^0-9A-Za-z]+', '-', cover.name).strip('-')}-{cover.code}".lstrip("-")
