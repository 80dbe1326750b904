"""Commands on finished maps: draw points to interpret, estimate accuracy from them, compare two maps."""

from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import InputError

MAP_HELP = "class map, or folder that `paperlib map` wrote"
MapArgument = Annotated[Path, typer.Argument(metavar="MAP", help=MAP_HELP)]
FirstArgument = Annotated[Path, typer.Argument(metavar="FIRST", help=MAP_HELP)]
SecondArgument = Annotated[Path, typer.Argument(metavar="SECOND", help=MAP_HELP)]
FieldOption = Annotated[str, typer.Option(help="column of the reference class; default: the one its program writes")]
DesignOption = Annotated[
    Path | None, typer.Option("--design", help="design.json of the points; default: the one beside them")
]


def design(
    maps: Annotated[list[Path], typer.Argument(metavar="MAP [OTHER]", help="class map; two maps: to compare them")],
    out: Annotated[Path, typer.Option(help="folder for the points and design.json")],
    number: Annotated[int, typer.Option(help="points to draw", show_default=False)] = 0,
    error: Annotated[
        float, typer.Option(help="instead: standard error of overall accuracy to reach, as 0.02", show_default=False)
    ] = 0.0,
    accuracy: Annotated[float, typer.Option(help="user's accuracy expected of the classes")] = 0.8,
    allocation: Annotated[str, typer.Option(help="equal, proportional or neyman")] = "equal",
    floor: Annotated[int, typer.Option(help="least points of a stratum")] = 2,
    strata: Annotated[Path | None, typer.Option(help="raster of strata; default: the classes of the map")] = None,
    edges: Annotated[int, typer.Option(help="pixels from another class that form a stratum of their own")] = 0,
    simple: Annotated[bool, typer.Option("--simple", help="no strata: a simple random sample")] = False,
    seed: Annotated[int, typer.Option(help="seed of the draw")] = 0,
) -> None:
    """Draw random points on a class MAP for people to interpret; with two maps, only where they differ.

    Writes points.gpkg (QGIS, AcATaMa), ceo_plots.csv (Collect Earth Online), area_rast.csv (SEPAL) and design.json.

    paperlib design maps/TempCNN --number 400 --out points
    """
    import numpy as np

    from ..accuracy import comparison, stratified
    from ..accuracy.design import draw, write_design
    from ..mapping.class_map import ClassMap

    if len(maps) > 2 or (number > 0) == (error > 0) or (len(maps) == 2 and error):
        raise InputError(
            f"{len(maps)} maps, --number {number} and --error {error:g} are given.",
            "Give one map with either --number or --error, or two maps with --number.",
            kind="design.number",
        )
    opened = [ClassMap.open(path) for path in maps]
    if len(opened) == 2:
        drawn = comparison.draw_differences(opened[0], opened[1], number, seed)
    else:
        hectares = np.array(list(opened[0].hectares.values()))
        expected = np.full(len(hectares), accuracy)
        number = number or stratified.sample_size(hectares / hectares.sum(), expected, error)
        drawn = draw(opened[0], number, allocation, accuracy, floor, edges, strata, simple, seed)
    folder = write_design(drawn, opened[0], out)
    for stratum in drawn.strata:
        typer.echo(f"{stratum['points']:6} points of {stratum['units']:12,} pixels: {stratum['name']}")
    typer.echo(f"points to interpret: {folder / 'points.gpkg'}")


def accuracy(
    class_map: MapArgument,
    points: Annotated[Path, typer.Argument(metavar="POINTS", help="interpreted points: vector file or CSV with ids")],
    field: FieldOption = "",
    design_file: DesignOption = None,
    out: Annotated[Path | None, typer.Option(help="folder for the report (HTML and CSV)")] = None,
    guaranteed: Annotated[bool, typer.Option("--guaranteed", help="wider intervals, by the union bound")] = False,
    new_classes: Annotated[
        bool, typer.Option("--new-classes", help="accept reference classes that the map lacks")
    ] = False,
    zone: Annotated[
        float,
        typer.Option(
            help="state the largest part of the map that is wrong in at most this share, as 0.1", show_default=False
        ),
    ] = 0.0,
) -> None:
    """Estimate the accuracy of a MAP and the areas of its classes from interpreted POINTS, with intervals.

    paperlib accuracy maps/TempCNN points/points.gpkg --out report
    """
    from ..accuracy import report
    from ..accuracy.answers import check_places
    from ..accuracy.zones.map_zone import certify_map
    from ..mapping.class_map import ClassMap

    opened = ClassMap.open(class_map)
    reference, drawn = _interpreted(points, field, design_file)
    found = report.assess(opened, reference, drawn, guaranteed=guaranteed, new_classes=new_classes)
    check_places(points, drawn, opened)
    certified = certify_map(opened, reference, drawn, error=zone) if zone else None
    shown = found.scores[["score", "class", "estimate", "low", "high"]]
    typer.echo(shown.round(3).to_string(index=False, na_rep="-"))
    typer.echo(found.sentence)
    if certified:
        typer.echo(certified.sentence)
    if out is not None:
        title = f"Accuracy of {class_map.resolve().name}"
        folder = report.write_report(found, out, title, opened, certified)
        typer.echo(f"report: {folder / 'accuracy.html'}")
        if certified and certified.hectares:
            typer.echo(f"mask of the zone: {folder / 'zone.tif'}")


def compare(
    first: FirstArgument,
    second: SecondArgument,
    points: Annotated[Path, typer.Argument(metavar="POINTS", help="interpreted points where the maps differ")],
    field: FieldOption = "",
    design_file: DesignOption = None,
) -> None:
    """Say which of two maps is right more often, from points where they differ (paperlib design MAP OTHER).

    paperlib compare maps/TempCNN maps/2D-CNN points/points.gpkg
    """
    from ..accuracy import comparison
    from ..accuracy.answers import check_places
    from ..mapping.class_map import ClassMap

    reference, drawn = _interpreted(points, field, design_file)
    maps = ClassMap.open(first), ClassMap.open(second)
    found = comparison.compare(*maps, reference, drawn)
    check_places(points, drawn, maps[0])
    typer.echo(
        f"{first} alone is right at {found.first} points, {second} alone at {found.second}, neither at {found.neither}."
    )
    typer.echo(
        f"Overall accuracy of the first less the second: {found.difference:+.3f} [{found.low:+.3f}, {found.high:+.3f}]; "
        f"exact sign test: p = {found.p_value:.2g}."
    )


def _interpreted(points: Path, field: str, design_file: Path | None) -> tuple[Any, Any]:
    """Reference classes by id, and the design of the points."""
    from ..accuracy.design import read_design
    from ..accuracy.points import read_points

    return read_points(points, field), read_design(design_file or points.parent / "design.json")
