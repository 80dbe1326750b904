"""Commands that make other products of finished maps: polygons, smoothed maps."""

from pathlib import Path
from typing import Annotated

import typer

from .assessment import MapArgument


def vectorise(
    class_map: MapArgument,
    out: Annotated[Path, typer.Option(help="vector file: .gpkg, .parquet, .geojson, .fgb or .shp; it must not exist")],
    minimum_area: Annotated[float, typer.Option(help="m2 on the ground; smaller objects join their neighbour")] = 0,
    tolerance: Annotated[float, typer.Option(help="units of the map: smaller bends of outlines are smoothed")] = 0,
) -> None:
    """Write the objects of a class MAP as polygons with class, hectares and mean confidence, without gaps or overlaps.

    QGIS opens the file in the colours of the map.

    paperlib vectorise maps/TempCNN --minimum-area 500 --tolerance 10 --out fields.gpkg
    """
    from ..labels.formats.styles import class_style
    from ..labels.formats.writing import check_target, write_polygons
    from ..mapping.class_map import ClassMap
    from ..mapping.vectors import vectorise as polygons_of

    check_target(out, 0)
    shown = ClassMap.open(class_map)
    polygons = polygons_of(shown, minimum_area, tolerance)
    write_polygons(polygons, out, class_style(shown.legend, "class_name", filled=True))
    for name, hectares in polygons.groupby("class_name", sort=False)["hectares"].agg(["count", "sum"]).iterrows():
        objects = "polygon, " if hectares["count"] == 1 else "polygons,"
        typer.echo(f"{hectares['count']:10,.0f} {objects} {hectares['sum']:12,.1f} ha: {name}")
    typer.echo(f"polygons: {out}")


def smooth(
    class_map: MapArgument,
    out: Annotated[Path, typer.Option(help="folder for the smoothed map")],
    method: Annotated[
        str, typer.Option(help="objects (by their size alone), bayesian (needs map --probabilities) or majority")
    ] = "objects",
    side: Annotated[int, typer.Option(help="pixels along a side of the neighbourhood, odd")] = 5,
    smoothness: Annotated[float, typer.Option(help="bayesian: how much a pixel follows its neighbours")] = 0.1,
    minimum_pixels: Annotated[int, typer.Option(help="smaller objects join a neighbour, after the rest")] = 4,
    minimum_area: Annotated[float, typer.Option(help="the same in m2 on the ground; the larger of both counts")] = 0,
) -> None:
    """Smooth a MAP after classification, by the size of objects, by the probabilities of neighbours, or by majority.

    paperlib smooth maps/TempCNN --out smoothed/TempCNN
    """
    from ..mapping.smoothing.maps import Smoothing, smooth_map

    choice = Smoothing(method, side, smoothness, minimum_pixels=minimum_pixels, minimum_area=minimum_area)
    typer.echo(f"smoothed: {smooth_map(class_map, out, choice)}")
