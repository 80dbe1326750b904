"""Commands that make data: labels from a land cover raster, the simulated scene, syntheses of a tile."""

from pathlib import Path
from typing import Annotated

import typer

from ..errors import InputError, counted
from .options import SceneArgument, refuse_region, takes_settings

#: Side of the tiles of the simulated region, in sides of its landscape.
SIDE = 0.6


def labels(
    raster: Annotated[
        Path, typer.Argument(metavar="RASTER", help="land cover raster: CLC+ Backbone, WorldCover, OSO, or any other")
    ],
    mapping: Annotated[
        str, typer.Argument(metavar="MAPPING", help="clcplus, worldcover, oso, or a CSV with columns source and code")
    ],
    scene: SceneArgument,
    out: Annotated[Path, typer.Option(help="vector file to write, like polygons.gpkg")],
    nomenclature: Annotated[
        Path | None, typer.Option(help="CSV with columns code, name, colour; codes are numbers or texts")
    ] = None,
    per_class: Annotated[int, typer.Option(help="polygons of each class")] = 50,
    erosion: Annotated[float, typer.Option(help="metres that polygons stay away from pixels of other classes")] = 20,
    smallest: Annotated[float, typer.Option(help="square metres of the smallest polygon")] = 500,
    largest: Annotated[float, typer.Option(help="square metres of the largest polygon")] = 20_000,
    test: Annotated[float, typer.Option(help="share of each class that is marked as the test set")] = 0.3,
    seed: Annotated[int, typer.Option(help="of the draw: the same gives the same polygons")] = 0,
) -> None:
    """Draw polygons for SCENE from an existing land cover RASTER, eroded and spread in space.

    paperlib labels worldcover.tif worldcover scenes/31TCJ --out polygons.gpkg
    """
    from ..labels.formats.writing import check_target, write_polygons
    from ..labels.from_raster import draw_labels
    from ..nomenclature import CLASSES, read_classes, read_mapping
    from ..scenes.scene import open_scene

    legend = read_classes(nomenclature) if nomenclature else CLASSES
    check_target(out, per_class * len(legend))
    refuse_region(scene)
    found = draw_labels(
        raster,
        read_mapping(mapping, legend),
        open_scene(scene),
        legend,
        per_class,
        erosion,
        smallest,
        largest,
        seed,
        test,
    )
    write_polygons(found, out)  # names and colours of the classes go along
    typer.echo(found.groupby(["class_name", "set"]).size().unstack(fill_value=0).to_string())
    typer.echo(f"{counted(len(found), 'polygon')}: {out}")


def simulate(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="new folder for the scene")],
    preset: Annotated[str, typer.Option(help="tiny, demo or paper: size of the scene, number of polygons")] = "demo",
    year: Annotated[
        int, typer.Option(help="another year than 2018: a later season, other crops, some places of another class")
    ] = 2018,
    tiles: Annotated[
        bool, typer.Option("--tiles", help="also cut it into four overlapping tiles of two UTM zones: FOLDER/tiles")
    ] = False,
) -> None:
    """Write the simulated scene of a preset to FOLDER: product folders, polygons, and the true class of every pixel.

    paperlib simulate scenes/2019 --preset tiny --year 2019

    paperlib simulate scenes/region --preset tiny --tiles
    """
    from pyogrio.errors import DataLayerError, DataSourceError
    from rasterio.errors import RasterioError

    from .. import settings
    from ..outputs import writing
    from ..simulation.scene import simulate_scene
    from ..simulation.tiles import simulate_tiles
    from ..simulation.years import FIRST_YEAR, simulate_year

    if not FIRST_YEAR <= year <= 2100:
        raise InputError(f"--year {year} is not possible.", f"Give {FIRST_YEAR} to 2100.", kind="simulation.year")
    if folder.is_dir() and any(folder.iterdir()):
        raise InputError(f"{folder} is not empty.", "Name a new folder.", kind="output.place")
    choice = settings.make(preset).scene
    # bytes a pixel of ten bands and their masks on twelve dates, compressed
    needed = (250 if tiles else 100) * choice.size**2
    with writing(folder, folder=True, needed=needed, errors=(RasterioError, DataLayerError, DataSourceError)) as part:
        wanted = {"size": choice.size, "pool": choice.pool, "test": choice.test, "seed": choice.seed}
        if tiles:
            simulate_tiles(part, **wanted, side=2 * round(SIDE * choice.size / 2), year=year)
        elif year == FIRST_YEAR:
            simulate_scene(part, **wanted)
        else:
            simulate_year(part, **wanted, year=year)
    typer.echo(f"simulated scene: {folder}")
    if tiles:
        typer.echo(f"its tiles, a region: {folder / 'tiles'}")


@takes_settings
def convert(
    scene: SceneArgument,
    out: Annotated[Path, typer.Argument(metavar="OUT.zarr", help="cube to write: OUT.zarr or OUT.nc")],
    overrides: dict,
) -> None:
    """Write SCENE as one clean cube, as it was understood: names, scale, offset, masks, dates and grid.

    paperlib convert downloads/ scene.zarr --every month
    """
    from .. import settings
    from ..scenes.meaning.choices import keywords_of
    from ..scenes.scene import open_scene
    from ..scenes.shaping.saving import save_cube

    choices = settings.make(settings=overrides).scene
    refuse_region(scene)
    opened = open_scene(scene, **keywords_of(choices))
    save_cube(opened, out)
    shape = f"{counted(opened.sizes['band'], 'band')}, {counted(opened.sizes['time'], 'date')}"
    typer.echo(f"{shape}, {opened.sizes['y']} x {opened.sizes['x']} pixels: {out}")


def fetch(
    name: Annotated[
        str, typer.Argument(metavar="bouconne|galileo|FOLDER", help="bouconne, galileo, or the folder for syntheses")
    ],
    tile: Annotated[list[str] | None, typer.Option(help="Sentinel-2 tile, as 31TCJ; repeatable")] = None,
    year: Annotated[int, typer.Option(help="year of the twelve monthly syntheses", show_default=False)] = 0,
    start: Annotated[str, typer.Option("--from", help="first month of a season, as 2017-10")] = "",
    end: Annotated[str, typer.Option("--to", help="last month of a season, as 2018-09")] = "",
    only: Annotated[str, typer.Option("--months", help="some months of each year, as 3-10 or 3,5,7")] = "",
    bbox: Annotated[
        tuple[float, float, float, float] | None, typer.Option(help="west south east north in degrees")
    ] = None,
    l2a: Annotated[Path | None, typer.Option(help="folder of L2A products of Theia or ESA, not a service")] = None,
    endpoint: Annotated[str, typer.Option(help="STAC API; default: Earth Search, without an account")] = "",
    collection: Annotated[
        str, typer.Option(help="collection of the STAC API, several with commas; default: sentinel-2-l2a")
    ] = "",
    host: Annotated[list[str] | None, typer.Option(help="another host that images may come from; repeatable")] = None,
    window: Annotated[float, typer.Option(help="days of acquisitions that enter a synthesis")] = 46,
    address: Annotated[str, typer.Option(help="of galileo: another file or web address; default: its authors'")] = "",
) -> None:
    """Get the real scene of the book (bouconne), the weights of the model Galileo (galileo), or make monthly syntheses.

    Syntheses of a year or a season are written to FOLDER.

    Of several tiles, or with a --bbox over several, FOLDER becomes a region: one sub-folder a tile.

    Of Landsat Collection 2 and HLS, monthly medians of the bands that all sensors share are made.

    paperlib fetch bouconne

    paperlib fetch galileo

    paperlib fetch scenes/31TCJ --tile 31TCJ --year 2018

    paperlib fetch scenes/region --tile 31TCJ --tile 31TCH --year 2018

    paperlib fetch scenes/hls --tile 31TCJ --year 2018 --collection hls2-s30,hls2-l30 --endpoint ADDRESS
    """
    if name == "bouconne":
        from ..reproduction.real_scene import fetch_bouconne
        from ..store import project

        typer.echo(f"real scene: {fetch_bouconne(project() / 'data' / 'bouconne')}")
        return
    if name == "galileo":
        from ..training.galileo_weights import LICENCE, PAPER, fetch_weights

        typer.echo(f"weights: {fetch_weights(address)}\n{LICENCE}; {PAPER}")
        return
    from ..compositing import stac
    from ..compositing.acquisitions import local_acquisitions
    from ..compositing.composites import WINDOW, compose, is_sentinel
    from ..compositing.synthesis import season, synthesise

    if not ((year or (start and end)) and (tile or bbox or l2a)):
        raise InputError(
            f"Syntheses in {name} need months and a place.",
            "Give --year, or --from and --to, and one of --tile, --bbox and --l2a; for the scene of the book: "
            "paperlib fetch bouconne.",
            kind="fetch.options",
        )
    dates = season(start or f"{year:04}-01", end or f"{year:04}-12", only)
    service = endpoint or stac.ENDPOINT, collection or stac.COLLECTION
    named = {stac.tile_name(text): text for text in tile or ()}
    for wanted, text in named.items() or [(None, None)]:
        if not l2a and not is_sentinel(service[1]):
            found = stac.find_items(dates, text, bbox, service[0], service[1].split(","), host or (), WINDOW)
            typer.echo(f"{len(found.items)} items of {service[1]}")
            place = wanted or service[1].replace(",", "_")
            for path in compose(found, dates, name, place, text, bbox, progress=True):
                typer.echo(f"composite: {path}")
            continue
        acquisitions = (
            local_acquisitions(l2a) if l2a else stac.search(dates, wanted, bbox, *service, host or (), window)
        )
        tiles = sorted({acquisition.tile for acquisition in acquisitions})
        typer.echo(f"{len(acquisitions)} acquisitions of {', '.join(tiles)}")
        for one in [wanted] if wanted else tiles:
            for product in synthesise(acquisitions, dates, Path(name), one, bbox, window, progress=True):
                typer.echo(f"synthesis: {product}")
