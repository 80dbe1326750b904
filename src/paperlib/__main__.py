"""The command line: thin over the library."""

import json
import os
import shutil
import sys
import traceback
import warnings
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from . import allocation
from .errors import InputError

cli = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Land cover mapping with CNNs: the paper, executable."
)


#: What several commands take.
SceneArgument = Annotated[Path, typer.Argument(help="folder of products, GeoTIFF stack, NetCDF or Zarr cube")]
PolygonsArgument = Annotated[Path, typer.Argument(help="vector file of labelled polygons, with a column `code`")]
PresetOption = Annotated[str, typer.Option(help="tiny, demo or paper: size of patches, epochs, trainings")]
ModelOption = Annotated[list[str] | None, typer.Option(help="a classifier; may be given again; default: all")]
JsonOption = Annotated[bool, typer.Option("--json", help="print JSON for scripts")]

_state = {"traceback": False}


@cli.callback()
def about(verbose: Annotated[bool, typer.Option("-v", "--verbose", help="show tracebacks of errors")] = False) -> None:
    """From a folder of Sentinel-2 images and some polygons to land cover maps, and a book about how good they are.

    paperlib check scenes/31TCJ polygons.gpkg

    paperlib run scenes/31TCJ polygons.gpkg --out delivery
    """
    _state["traceback"] = verbose


@cli.command()
def check(scene: SceneArgument, polygons: PolygonsArgument, as_json: JsonOption = False) -> None:
    """Everything wrong or doubtful in SCENE and POLYGONS, before hours of work.

    Exits with 0 where nothing was found, 1 with warnings, 2 where a run is not possible.
    """
    from .checks import preflight

    findings = preflight.check(scene, polygons)
    typer.echo(json.dumps([asdict(found) for found in findings], indent=1) if as_json else preflight.report(findings))
    raise typer.Exit(preflight.exit_code(findings))


@cli.command()
def labels(
    raster: Annotated[Path, typer.Argument(help="land cover raster: CLC+ Backbone, WorldCover, OSO, or any other")],
    mapping: Annotated[str, typer.Argument(help="clcplus, worldcover, oso, or a CSV with columns source and code")],
    scene: SceneArgument,
    out: Annotated[Path, typer.Option(help="vector file to write, like polygons.gpkg")],
    nomenclature: Annotated[Path | None, typer.Option(help="CSV with columns code, name, colour")] = None,
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
    from .labels.from_raster import draw_labels
    from .nomenclature import CLASSES, read_mapping, read_nomenclature
    from .scenes.scene import open_scene

    if out.exists():
        raise InputError(f"{out} is there already; name another file.")
    legend = read_nomenclature(nomenclature) if nomenclature else CLASSES
    found = draw_labels(
        raster, read_mapping(mapping), open_scene(scene), legend, per_class, erosion, smallest, largest, seed, test
    )
    found.to_file(out)  # names and colours of the classes go along
    typer.echo(found.groupby(["class_name", "set"]).size().unstack(fill_value=0).to_string())
    typer.echo(f"{len(found)} polygons: {out}")


@cli.command()
def train(
    scene: SceneArgument,
    polygons: PolygonsArgument,
    model: ModelOption = None,
    preset: PresetOption = "",
    as_json: JsonOption = False,
) -> None:
    """Check, then train classifiers on SCENE and POLYGONS and print their scores. What is in the store is not repeated.

    paperlib train scenes/31TCJ polygons.gpkg --model TempCNN --model 2D-CNN
    """
    from .runs.experiment import Experiment
    from .runs.workflow import check_first, known

    names, run = known(model), Experiment(preset, str(scene), str(polygons))
    check_first(run, lambda text: typer.echo(text, err=True))
    table = run.trainings(names)
    columns = ["model", "training", "macro_f1_validation", "macro_f1_test", "training_seconds", "chosen"]
    typer.echo(table.to_json(orient="records", indent=1) if as_json else table[columns].round(3).to_string(index=False))


@cli.command("map")
def map_command(
    scene: SceneArgument,
    polygons: PolygonsArgument,
    out: Annotated[Path, typer.Option(help="folder for the maps")],
    model: ModelOption = None,
    preset: PresetOption = "",
) -> None:
    """Check, train what is not trained yet, and map the whole SCENE: class and confidence, style, areas, STAC item.

    paperlib map scenes/31TCJ polygons.gpkg --model TempCNN --out maps
    """
    from .runs.experiment import Experiment
    from .runs.products import write_products
    from .runs.workflow import check_first, known

    names, run = known(model), Experiment(preset, str(scene), str(polygons))
    check_first(run, lambda text: typer.echo(text, err=True))
    for folder in write_products(run, names, out):
        typer.echo(f"mapped: {folder}")


@cli.command()
def run(
    scene: SceneArgument,
    polygons: PolygonsArgument,
    out: Annotated[Path, typer.Option(help="folder for all that comes out")],
    model: ModelOption = None,
    preset: PresetOption = "",
    book: Annotated[bool, typer.Option(help="build the book for this scene too; needs all models")] = True,
) -> None:
    """Everything: check, train, Table 4, whole maps, and the book for SCENE. Given again, it goes on where it stopped.

    paperlib run scenes/31TCJ polygons.gpkg --out delivery
    """
    from .models.registry import CLASSIFIERS
    from .pages import scene_book
    from .runs.workflow import known, run_all

    book = book and known(model) == tuple(CLASSIFIERS)
    if book:
        scene_book.require_checkout()
    done = run_all(str(scene), str(polygons), out, preset, model, report=typer.echo)
    if book:
        typer.echo(f"book: {scene_book.build_book(done, preset, out)}")


@cli.command()
def simulate(folder: Path, preset: str = "demo") -> None:
    """Write the SIMULATED scene of a preset (product folders, polygons, truth) to a new FOLDER."""
    from . import settings
    from .simulation.scene import simulate_scene

    if folder.exists() and any(folder.iterdir()):
        raise InputError(f"{folder} is not empty; name a new folder.")
    choice = settings.make(preset).scene
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        simulate_scene(partial, size=choice.size, pool=choice.pool, test=choice.test, seed=choice.seed)
        os.replace(partial, folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    typer.echo(f"simulated scene: {folder}")


@cli.command()
def fetch(
    name: Annotated[str, typer.Argument(metavar="bouconne|FOLDER", help="bouconne, or the folder for syntheses")],
    tile: Annotated[str, typer.Option(help="Sentinel-2 tile, as 31TCJ")] = "",
    year: Annotated[int, typer.Option(help="year of the twelve monthly syntheses")] = 0,
    bbox: Annotated[
        tuple[float, float, float, float] | None, typer.Option(help="west south east north in degrees")
    ] = None,
    l2a: Annotated[Path | None, typer.Option(help="folder of L2A products of Theia or ESA, not a service")] = None,
    endpoint: Annotated[str, typer.Option(help="STAC API; default: Earth Search, without an account")] = "",
    collection: Annotated[str, typer.Option(help="collection of the STAC API; default: sentinel-2-l2a")] = "",
    host: Annotated[list[str] | None, typer.Option(help="one more host that images may come from")] = None,
    window: Annotated[float, typer.Option(help="days that a synthesis gathers")] = 46,
) -> None:
    """Get the real scene of the book (bouconne), or make a year of monthly syntheses of any tile in FOLDER.

    paperlib fetch bouconne

    paperlib fetch scenes/31TCJ --tile 31TCJ --year 2018
    """
    if name == "bouconne":
        from .reproduction.real_scene import fetch_bouconne
        from .store import project

        typer.echo(f"real scene: {fetch_bouconne(project() / 'data' / 'bouconne')}")
        return
    from .compositing import stac
    from .compositing.acquisitions import local_acquisitions
    from .compositing.synthesis import months, synthesise

    if not (year and (tile or bbox or l2a)):
        raise InputError(
            f"To make syntheses in {name}, say --year and one of --tile, --bbox, --l2a. For the scene of the book: bouconne."
        )
    tile = stac.tile_name(tile) if tile else None
    if l2a:
        found = local_acquisitions(l2a)
    else:
        service = endpoint or stac.ENDPOINT, collection or stac.COLLECTION
        found = stac.search(months(year), tile, bbox, *service, host or (), window)
    typer.echo(f"{len(found)} acquisitions of {', '.join(sorted({acquisition.tile for acquisition in found}))}")
    for product in synthesise(found, months(year), Path(name), tile, bbox, window, progress=True):
        typer.echo(f"synthesis: {product}")


@cli.command()
def batch(
    file: Path, scheduler: Annotated[str, typer.Option(help="Dask scheduler, tcp://HOST:PORT; default: local")] = ""
) -> None:
    """Execute the notebooks x parameters of a YAML FILE; skip what is done, go on past failures."""
    from .runs.notebooks import run_batch

    failed = run_batch(file, scheduler, report=typer.echo)
    if failed:
        typer.echo(f"{len(failed)} failed: " + ", ".join(run.output.stem for run in failed), err=True)
        raise typer.Exit(1)


def app() -> None:
    """Entry point: a user's mistake prints its message, without a traceback, and exits with 2; warnings are one line."""
    allocation.configure()  # before anything starts threads
    warnings.formatwarning = lambda message, *_, **__: f"paperlib: {message}\n"
    try:
        cli()
    except SystemExit as end:
        if end.code == 130:  # typer's, of Ctrl-C
            typer.echo("paperlib: stopped. What is complete is kept; the same command goes on from it.", err=True)
        raise
    except InputError as error:
        if _state["traceback"]:
            traceback.print_exc()
        typer.echo(f"paperlib: {error}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    app()
