"""Commands that help to label: which polygons are doubtful, where to label next, what matters, how early in the season."""

from pathlib import Path
from typing import Annotated

import typer

from .. import settings
from ..outputs import check_place
from .options import PolygonsArgument, PresetOption, SceneArgument, StoreOption, takes_settings

JudgeOption = Annotated[str, typer.Option("--model", help="the classifier that judges")]


@takes_settings
def suspects(
    scene: SceneArgument,
    polygons: PolygonsArgument,
    out: Annotated[Path, typer.Option(help="folder for suspects.gpkg and suspects.html")],
    overrides: dict,
    model: JudgeOption = "iota2_base",
    folds: Annotated[int, typer.Option(help="parts of the polygons, each judged by a training on the others")] = 5,
    seeds: Annotated[int, typer.Option(help="how often the polygons are divided anew")] = 3,
    number: Annotated[int, typer.Option(help="polygons shown on the page")] = 30,
    preset: PresetOption = "",
    store: StoreOption = None,
) -> None:
    """Rank labelled POLYGONS by how surely their series contradict their class. Those of the test set are left alone.

    Writes suspects.gpkg, which QGIS opens with a style, and suspects.html, with each suspect's series beside its class's.

    paperlib suspects scenes/31TCJ polygons.gpkg --out suspects
    """
    from ..models.registry import find

    settings.make(preset, str(scene), str(polygons), settings=overrides)
    find(model)
    check_place(out, folder=True)
    from ..labelling.suspects import find_suspects, write_suspects
    from ..runs.experiment import Experiment

    run = Experiment(preset, scene, polygons, settings=overrides, store=store)
    found = find_suspects(run, model, folds, range(seeds), lambda text: typer.echo(text, err=True))
    columns = ["rank", "polygon_id", "class_name", "looks_like", "probability", "other_probability", "suspect"]
    typer.echo(found.table[columns].head(10).round(2).to_string(index=False))
    typer.echo(str(found.verdict()))
    typer.echo(f"suspects: {write_suspects(found, out, number) / 'suspects.gpkg'}")


@takes_settings
def suggest(
    scene: SceneArgument,
    polygons: PolygonsArgument,
    out: Annotated[Path, typer.Option(help="folder for suggestions.gpkg and suggestions.html")],
    overrides: dict,
    number: Annotated[int, typer.Option(help="places to label")] = 30,
    model: JudgeOption = "iota2_base",
    side: Annotated[int, typer.Option(help="pixels along a side of a place; 0: superpixels of about 100 pixels")] = 5,
    seed: Annotated[int, typer.Option(help="seed of the places that are compared")] = 0,
    preset: PresetOption = "",
    store: StoreOption = None,
) -> None:
    """Choose places to label next: where a classifier is unsure, unlike the labelled POLYGONS and unlike each other.

    Writes suggestions.html, with images of each place, and suggestions.gpkg, the places and the polygons in one file: once
    its column `code` is filled, `paperlib train` takes it as it is.

    paperlib suggest scenes/31TCJ polygons.gpkg --number 30 --out suggestions
    """
    from ..models.registry import find

    settings.make(preset, str(scene), str(polygons), settings=overrides)
    find(model)
    check_place(out, folder=True)
    from ..labelling.suggest import suggest_places, write_suggestions
    from ..runs.experiment import Experiment

    run = Experiment(preset, scene, polygons, settings=overrides, store=store)
    found = suggest_places(run, number, model, side, seed=seed)
    for looks_like, count in found.table["looks_like"].value_counts().items():
        typer.echo(f"{count:6} {'place that looks' if count == 1 else 'places that look'} like {looks_like}")
    typer.echo(f"places to label: {write_suggestions(found, out) / 'suggestions.gpkg'}")


@takes_settings
def importance(
    scene: SceneArgument,
    polygons: PolygonsArgument,
    out: Annotated[Path, typer.Option(help="folder for importance.html, importance.csv and dates.csv")],
    overrides: dict,
    model: JudgeOption = "iota2_base",
    repeats: Annotated[int, typer.Option(help="exchanges of each date and band")] = 5,
    preset: PresetOption = "",
    store: StoreOption = None,
) -> None:
    """Measure which dates and bands of SCENE a classifier needs, on the validation part of POLYGONS, with intervals.

    paperlib importance scenes/31TCJ polygons.gpkg --model TempCNN --out importance
    """
    from ..models.registry import find

    settings.make(preset, str(scene), str(polygons), settings=overrides)
    find(model)
    check_place(out, folder=True)
    from ..labelling import importance as module
    from ..runs.experiment import Experiment

    run = Experiment(preset, scene, polygons, settings=overrides, store=store)
    classifier, samples = run.classifier(model), run.trained.samples(model)["validation"]
    table = module.importance(classifier, samples, run.dates, repeats, run.settings.seed)
    steps = module.fewest_dates(classifier, samples, run.dates)
    typer.echo(table.round(3).to_string(index=False))
    typer.echo(module.sentence(steps))
    typer.echo(f"importance: {module.write_importance(table, steps, model, out) / 'importance.html'}")


@takes_settings
def early(
    scene: SceneArgument,
    polygons: PolygonsArgument,
    out: Annotated[Path, typer.Option(help="folder for early.html, scores.csv and earliest.csv")],
    overrides: dict,
    model: Annotated[list[str] | None, typer.Option(help="a classifier; repeatable; default: iota2_base")] = None,
    until: Annotated[
        list[str] | None, typer.Option(help="a last date to try, as 2018-07-08; repeatable; default: every date")
    ] = None,
    preset: PresetOption = "",
    store: StoreOption = None,
) -> None:
    """Measure how early in the season SCENE can be mapped: scores on validation POLYGONS by the last date available.

    Each classifier is trained on the dates up to that one alone, also where gaps are filled.

    paperlib early scenes/31TCJ polygons.gpkg --model iota2_base --model TempCNN --out early
    """
    from ..models.registry import find

    names = tuple(dict.fromkeys(model or ["iota2_base"]))
    settings.make(preset, str(scene), str(polygons), settings=overrides)
    for name in names:
        find(name)
    check_place(out, folder=True)
    from ..labelling import early as module
    from ..runs.experiment import Experiment

    run = Experiment(preset, scene, polygons, settings=overrides, store=store)
    found = module.find_early(run, names, until or (), lambda text: typer.echo(text, err=True))
    typer.echo(found.earliest().round(3).to_string(index=False))
    for sentence in found.sentences():
        typer.echo(sentence)
    typer.echo(f"early: {module.write_early(found, out) / 'early.html'}")
