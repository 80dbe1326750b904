"""Commands on a scene and its polygons: check, train, map, run."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from .. import settings
from .options import (
    JsonOption,
    ModelOption,
    PolygonsArgument,
    PresetOption,
    SceneArgument,
    StoreOption,
    takes_settings,
)


@takes_settings
def check(
    scene: SceneArgument,
    polygons: PolygonsArgument,
    overrides: dict,
    preset: PresetOption = "",
    as_json: JsonOption = False,
) -> None:
    """Report everything wrong or doubtful in SCENE and POLYGONS before hours of work.

    Exits with 0 if nothing was found, 1 with warnings, 2 if a run is not possible.
    """
    chosen = settings.make(preset, str(scene), str(polygons), settings=overrides)
    from ..checks import preflight

    inspection = preflight.inspect(scene, polygons, chosen)
    as_rows = [asdict(finding) for finding in inspection.findings]
    typer.echo(json.dumps(as_rows, indent=1) if as_json else inspection.text())
    raise typer.Exit(preflight.exit_code(inspection.findings))


@takes_settings
def train(
    scene: SceneArgument,
    polygons: PolygonsArgument,
    overrides: dict,
    model: ModelOption = None,
    preset: PresetOption = "",
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check SCENE and POLYGONS, train classifiers on them and print their scores. Stored trainings are not repeated.

    paperlib train scenes/31TCJ polygons.gpkg --model TempCNN --model 2D-CNN --set train.epochs=40
    """
    settings.make(preset, str(scene), str(polygons), settings=overrides)  # mistakes are found before slow imports
    from ..runs.experiment import Experiment
    from ..runs.workflow import check_first, known

    names, run = known(model), Experiment(preset, scene, polygons, settings=overrides, store=store)
    check_first(run, lambda text: typer.echo(text, err=True))
    table = run.trainings(names)
    columns = ["model", "training", "macro_f1_validation", "macro_f1_test", "training_seconds", "chosen"]
    typer.echo(table.to_json(orient="records", indent=1) if as_json else table[columns].round(3).to_string(index=False))


@takes_settings
def map_scene(
    scene: SceneArgument,
    polygons: PolygonsArgument,
    out: Annotated[Path, typer.Option(help="folder for the maps")],
    overrides: dict,
    model: ModelOption = None,
    preset: PresetOption = "",
    store: StoreOption = None,
) -> None:
    """Check SCENE and POLYGONS, train what is not stored yet, and map the whole scene.

    Writes class and confidence maps, a style, the area of each class and a STAC item.

    paperlib map scenes/31TCJ polygons.gpkg --model TempCNN --out maps
    """
    settings.make(preset, str(scene), str(polygons), settings=overrides)
    from ..runs.experiment import Experiment
    from ..runs.products import write_products
    from ..runs.workflow import check_first, known

    names, run = known(model), Experiment(preset, scene, polygons, settings=overrides, store=store)
    check_first(run, lambda text: typer.echo(text, err=True))
    for folder in write_products(run, names, out):
        typer.echo(f"mapped: {folder}")


@takes_settings
def run(
    scene: SceneArgument,
    polygons: PolygonsArgument,
    out: Annotated[Path, typer.Option(help="folder for all results")],
    overrides: dict,
    model: ModelOption = None,
    preset: PresetOption = "",
    store: Annotated[
        Path | None, typer.Option(help="folder of artifacts; default: $PAPERLIB_STORE, else artifacts in --out")
    ] = None,
    book: Annotated[bool, typer.Option(help="also build the book for this scene; needs all models")] = True,
) -> None:
    """Check, train, score and map SCENE, and build the book for it. The same command resumes an interrupted run.

    paperlib run scenes/31TCJ polygons.gpkg --out delivery
    """
    settings.make(preset, str(scene), str(polygons), settings=overrides)
    from ..models.registry import CLASSIFIERS
    from ..pages import scene_book
    from ..runs.workflow import known, run_all

    book = book and known(model) == tuple(CLASSIFIERS)
    if book:
        scene_book.require_checkout()
    done = run_all(
        str(scene), str(polygons), out, preset, model, settings=overrides, store=store, report=typer.echo
    )  # fmt: skip
    if book:
        typer.echo(f"book: {scene_book.build_book(done, out)}")
