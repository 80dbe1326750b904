"""Commands on a scene and its polygons: train, map, run."""

from pathlib import Path
from typing import Annotated

import typer

from .. import settings
from ..errors import InputError
from ..fields import expected
from ..outputs import check_place
from .checking import estimate_of
from .options import (
    JsonOption,
    ModelOption,
    PolygonsArgument,
    PresetOption,
    ProbabilitiesOption,
    SceneArgument,
    SchedulerOption,
    StoreOption,
    takes_settings,
)
from .transfer import map_trained


def list_settings(preset: PresetOption = "") -> None:
    """List every setting that --set overrides: its name, its value in the preset, and the values that it takes."""
    described = settings.describe(settings.make(preset, settings={"scene.path": "", "scene.polygons": ""}))
    rows = [(name, str(described[name]), expected(declared)) for name, declared in settings.known().items()]
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    for name, value, words in rows:
        typer.echo(f"{name:{widths[0]}}  {value:{widths[1]}}  {words}")


@takes_settings
def train(
    scene: SceneArgument,
    polygons: PolygonsArgument,
    overrides: dict,
    model: ModelOption = None,
    preset: PresetOption = "",
    save: Annotated[
        Path | None,
        typer.Option(help="folder for the trained model, which `map --trained` takes; of several: a sub-folder each"),
    ] = None,
    by_tile: Annotated[
        bool,
        typer.Option("--by-tile", help="of a region: score each tile too, learned from all, itself, and the others"),
    ] = False,
    licence: Annotated[str, typer.Option(help="licence of the saved model, for its card, as 'CC BY 4.0'")] = "",
    store: StoreOption = None,
    as_json: JsonOption = False,
    scheduler: SchedulerOption = "",
) -> None:
    """Check SCENE and POLYGONS, train classifiers on them and print their scores. Stored trainings are not repeated.

    paperlib train scenes/31TCJ polygons.gpkg --model TempCNN --model 2D-CNN --set train.epochs=40

    paperlib train scenes/31TCJ polygons.gpkg --model TempCNN --save models/TempCNN
    """
    names = _check_options(scene, polygons, overrides, preset, model)
    from ..runs.experiment import Experiment
    from ..runs.workflow import check_first
    from ..transfer import write_models
    from ..transfer.context import shared_context

    run = Experiment(preset, scene, polygons, settings=overrides, store=store)
    if save:
        check_place(save, folder=True)
    check_first(run, lambda text: typer.echo(text, err=True))
    if by_tile:
        from ..runs.regional.folds import score_tiles

        scores = score_tiles(run, names, scheduler, lambda text: typer.echo(text, err=True))
        typer.echo(scores.to_json(orient="records", indent=1) if as_json else scores.round(3).to_string(index=False))
        return
    table = run.trainings(names)
    columns = ["model", "training", "macro_f1_validation", "macro_f1_test", "training_seconds", "chosen"]
    typer.echo(table.to_json(orient="records", indent=1) if as_json else table[columns].round(3).to_string(index=False))
    for sentence in shared_context(run, names):
        typer.echo(sentence, err=True)
    for folder in write_models(run, names, save, licence) if save else ():
        typer.echo(f"model: {folder}", err=as_json)


@takes_settings
def map_scene(
    scene: SceneArgument,
    out: Annotated[Path, typer.Option(help="folder for the maps")],
    overrides: dict,
    polygons: Annotated[
        Path | None,
        typer.Argument(
            metavar="POLYGONS", help="vector file of labelled polygons; none with --trained", show_default=False
        ),
    ] = None,
    trained: Annotated[list[Path] | None, typer.Option(help="folder of `train --save`; repeatable")] = None,
    model: ModelOption = None,
    probabilities: ProbabilitiesOption = False,
    applicability: Annotated[
        bool, typer.Option("--applicability", help="with --trained: also write how far each pixel is from the training")
    ] = False,
    ensemble: Annotated[
        bool,
        typer.Option("--ensemble", help="one map, by the mean of all trainings, or of all trained models"),
    ] = False,
    preset: PresetOption = "",
    store: StoreOption = None,
    scheduler: SchedulerOption = "",
) -> None:
    """Map the whole SCENE, after training on POLYGONS what is not stored yet, or with trained models.

    Writes class and confidence maps, a style, the area of each class and a STAC item; with --probabilities also the margin
    to the next class, the entropy, and the probability of every class.

    paperlib map scenes/31TCJ polygons.gpkg --model TempCNN --out maps

    paperlib map scenes/31TCK --trained models/TempCNN --out maps
    """
    overrides |= {"map.probabilities": True} if probabilities else {}
    if (polygons is None) == (not trained):
        problem = "A map needs either polygons to train on or a trained model."
        raise InputError(problem, "Give POLYGONS, or --trained FOLDER.", kind="map.trained")
    if polygons is None:
        map_trained(scene, out, overrides, trained or [], preset, applicability, scheduler, store, ensemble)
        return
    names = _check_options(scene, polygons, overrides, preset, model)
    from ..regions.tiles import find_tiles
    from ..runs.experiment import Experiment
    from ..runs.products import check_room
    from ..runs.workflow import check_first, map_all, spread, train_all

    if ensemble and find_tiles(scene):
        problem = f"{scene} is a region, and --ensemble maps a single scene."
        raise InputError(problem, "Leave --ensemble out, or map one tile.", kind="map.ensemble")
    check_place(out, folder=True)
    run = Experiment(preset, scene, polygons, settings=overrides, store=store)
    check_first(run, lambda text: typer.echo(text, err=True))
    check_room(run, names, out)
    if scheduler:
        spread(run, names, scheduler, lambda text: typer.echo(text, err=True))
    expected = train_all(run, names, lambda text: typer.echo(text, err=True), ensemble)
    if ensemble:
        from ..runs.ensembles import write_ensemble

        typer.echo(f"mapped: {write_ensemble(run, names, out / 'ensemble')}")
        return
    map_all(run, names, out, typer.echo, expected)


@takes_settings
def run(
    scene: SceneArgument,
    polygons: PolygonsArgument,
    out: Annotated[Path, typer.Option(help="folder for all results")],
    overrides: dict,
    model: ModelOption = None,
    probabilities: ProbabilitiesOption = False,
    preset: PresetOption = "",
    store: Annotated[
        Path | None, typer.Option(help="folder of artifacts; default: $PAPERLIB_STORE, else artifacts in --out")
    ] = None,
    book: Annotated[bool, typer.Option(help="also build the book for this scene; needs all models")] = True,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="check, and measure for some seconds what the run would cost; nothing else"),
    ] = False,
    scheduler: SchedulerOption = "",
) -> None:
    """Check, train, score and map SCENE, and build the book for it. The same command resumes an interrupted run.

    paperlib run scenes/31TCJ polygons.gpkg --out delivery

    paperlib run scenes/31TCJ polygons.gpkg --out delivery --dry-run
    """
    overrides |= {"map.probabilities": True} if probabilities else {}
    names = _check_options(scene, polygons, overrides, preset, model)
    if dry_run:
        from ..runs.experiment import Experiment
        from ..runs.workflow import check_first, store_of

        check_first(Experiment(preset, scene, polygons, settings=overrides), typer.echo)
        told = estimate_of(scene, polygons, overrides, preset, names, store_of(store, out))
        typer.echo(f"\n{told.text()}")
        return
    from ..models.registry import CLASSIFIERS
    from ..pages import scene_book
    from ..runs.workflow import run_all

    book = book and names == tuple(CLASSIFIERS)
    if book:
        scene_book.require_checkout()
    done = run_all(
        str(scene), str(polygons), out, preset, names, settings=overrides, store=store, report=typer.echo,
        scheduler=scheduler,
    )  # fmt: skip
    if book:
        typer.echo(f"book: {scene_book.build_book(done, out)}")


@takes_settings
def report(
    scene: SceneArgument,
    polygons: PolygonsArgument,
    out: Annotated[Path, typer.Option(help="HTML file of the report")],
    overrides: dict,
    model: ModelOption = None,
    preset: PresetOption = "",
    store: StoreOption = None,
) -> None:
    """Write a report of SCENE for a client: map, areas, accuracy, weaknesses, origin, in one HTML file that prints well.

    Of several models, the one with the best validation score is reported. What is not stored yet is trained first.

    paperlib report scenes/31TCJ polygons.gpkg --model TempCNN --out report.html
    """
    names = _check_options(scene, polygons, overrides, preset, model)
    from ..pages.client_report import write_report
    from ..runs.experiment import Experiment
    from ..runs.workflow import check_first

    check_place(out)
    run = Experiment(preset, scene, polygons, settings=overrides, store=store)
    findings = check_first(run, lambda text: typer.echo(text, err=True))
    chosen = run.trainings(names).query("chosen").sort_values("macro_f1_validation")["model"].iloc[-1]
    typer.echo(f"report: {write_report(run, chosen, out, findings)}")


def _check_options(
    scene: Path, polygons: Path, overrides: dict, preset: str, model: list[str] | None
) -> tuple[str, ...]:
    """Names of the classifiers. Raises `InputError` for mistakes in options, before anything slow is imported."""
    from ..models.registry import choose

    settings.make(preset, str(scene), str(polygons), settings=overrides)
    return choose(model)
