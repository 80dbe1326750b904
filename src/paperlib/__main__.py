"""The command line: thin over the library."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from .errors import InputError

cli = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Land cover mapping with CNNs: the paper, executable."
)


@cli.callback()
def about() -> None:
    """Commands beside the book: make a simulated scene, get the real one, run notebooks in a batch."""


@cli.command()
def simulate(folder: Path, preset: str = "demo") -> None:
    """Write the SIMULATED scene of a preset (product folders, polygons, truth) to a new FOLDER."""
    from . import settings
    from .simulate import simulate as write

    if folder.exists() and any(folder.iterdir()):
        raise InputError(f"{folder} is not empty; name a new folder.")
    choice = settings.make(preset).scene
    write(folder, size=choice.size, pool=choice.pool, test=choice.test, seed=choice.seed)
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
        from .fetch import fetch_bouconne
        from .store import project

        typer.echo(f"real scene: {fetch_bouconne(project() / 'data' / 'bouconne')}")
        return
    from . import stac
    from .looks import local_looks
    from .synthesis import months, synthesise

    if not (year and (tile or bbox or l2a)):
        raise InputError(
            f"To make syntheses in {name}, say --year and one of --tile, --bbox, --l2a. For the scene of the book: bouconne."
        )
    tile = stac.tile_name(tile) if tile else None
    if l2a:
        found = local_looks(l2a)
    else:
        service = endpoint or stac.ENDPOINT, collection or stac.COLLECTION
        found = stac.search(months(year), tile, bbox, *service, host or (), window)
    typer.echo(f"{len(found)} looks of {', '.join(sorted({look.tile for look in found}))}")
    for product in synthesise(found, months(year), Path(name), tile, bbox, window, progress=True):
        typer.echo(f"synthesis: {product}")


@cli.command()
def batch(
    file: Path, scheduler: Annotated[str, typer.Option(help="Dask scheduler, tcp://HOST:PORT; default: local")] = ""
) -> None:
    """Execute the notebooks x parameters of a YAML FILE; skip what is done, go on past failures."""
    from .batch import run_batch

    failed = run_batch(file, scheduler, report=typer.echo)
    if failed:
        typer.echo(f"{len(failed)} failed: " + ", ".join(run.output.stem for run in failed), err=True)
        raise typer.Exit(1)


def app() -> None:
    """Entry point: a user's mistake prints its message, without a traceback, and exits with 2."""
    try:
        cli()
    except InputError as error:
        typer.echo(f"paperlib: {error}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    app()
