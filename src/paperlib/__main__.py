"""The command line: the commands of the package `commands`, and what becomes of errors and warnings."""

import atexit
import gc
import sys
import traceback
import warnings
from pathlib import Path
from typing import Annotated

import typer

from . import allocation
from .commands import assessment, checking, data, labelling, map_products, scene_runs, transfer
from .commands.options import StoreOption
from .errors import InputError, InputWarning

cli = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # help in half the time
)
_state = {"traceback": False}


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"paperlib {version('paperlib')}")
        raise typer.Exit()


@cli.callback()
def about(
    verbose: Annotated[
        bool, typer.Option("-v", "--verbose", help="show tracebacks, and warnings of libraries")
    ] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="print the version")
    ] = False,
) -> None:
    """Land cover maps from Sentinel-2 time series and labelled polygons, with convolutional networks and forests.

    paperlib check scenes/31TCJ polygons.gpkg

    paperlib run scenes/31TCJ polygons.gpkg --out delivery
    """
    _state["traceback"] = verbose


for command in (checking.check, data.labels, scene_runs.train):
    cli.command()(command)
cli.command("map")(scene_runs.map_scene)
for command in (
    transfer.score,
    transfer.change,
    scene_runs.run,
    scene_runs.report,
    assessment.design,
    assessment.accuracy,
    assessment.compare,
    data.simulate,
):
    cli.command()(command)
for command in (
    map_products.vectorise,
    map_products.smooth,
    labelling.suspects,
    labelling.suggest,
    labelling.importance,
    labelling.early,
    data.fetch,
    data.convert,
):
    cli.command()(command)
cli.command("settings")(scene_runs.list_settings)


@cli.command()
def batch(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="YAML file of notebooks and parameters")],
    scheduler: Annotated[str, typer.Option(help="Dask scheduler, tcp://HOST:PORT; default: this machine")] = "",
    store: StoreOption = None,
) -> None:
    """Execute every notebook of FILE with every combination of its parameters.

    Runs that are done are skipped; a failed run does not stop the others.
    """
    from .runs.batches.notebooks import run_batch

    failed = run_batch(file, scheduler, report=typer.echo, store=store)
    if failed:
        typer.echo(f"{len(failed)} failed: " + ", ".join(run.output.stem for run in failed), err=True)
        raise typer.Exit(1)


def _show_warning(message, category, filename, lineno, file=None, line=None) -> None:
    """Print warnings of paperlib in one line; those of libraries concern no user, except with --verbose."""
    if issubclass(category, InputWarning):
        typer.echo(f"paperlib: {message}", err=True)
    elif _state["traceback"]:
        typer.echo(warnings.formatwarning(message, category, filename, lineno, line), err=True, nl=False)


def app() -> None:
    """Entry point: an `InputError` prints its message without a traceback and exits with 2."""
    allocation.configure()  # before anything starts threads
    atexit.register(gc.freeze)  # a search for cycles among all objects of torch at the end takes a second
    warnings.showwarning = _show_warning
    try:
        cli()
    except SystemExit as end:
        if end.code == 130:  # of Ctrl-C, by typer
            typer.echo("paperlib: stopped. What is complete is kept; the same command goes on from it.", err=True)
        raise
    except InputError as error:
        if _state["traceback"]:
            traceback.print_exc()
        typer.echo(f"paperlib: {error}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    app()
