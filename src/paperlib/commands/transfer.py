"""Commands of models that travel: map and score another scene, and what changed between two maps."""

import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .. import environment, settings
from ..errors import Finding, InputError
from ..outputs import check_place
from .assessment import FirstArgument, SecondArgument
from .options import JsonOption, PolygonsArgument, SceneArgument, takes_settings

if TYPE_CHECKING:
    from ..transfer import TrainedModel

TrainedOption = Annotated[Path, typer.Option(help="folder of a trained model, of `train --save`")]


def map_trained(
    scene: Path, out: Path, overrides: dict, folders: list[Path], preset: str, applicability: bool, scheduler: str,
    store: Path | None, ensemble: bool = False,
) -> None:  # fmt: skip
    """Map a scene or region with trained models into `out/NAME/`, or with their mean, without samples or polygons."""
    chosen = _settings(overrides, preset)
    from ..regions import find_tiles
    from ..scenes.fingerprints import fingerprint
    from ..store import open_store
    from ..transfer import find_models, load_model, map_region, open_for, write_map

    check_place(out, folder=True)
    models = [load_model(path).recolour(chosen.map.palette) for folder in folders for path in find_models(folder)]
    if ensemble:
        models = [_mean(models, bool(find_tiles(scene)), applicability)]
    names = [model.name for model in models]
    if twice := {name for name in names if names.count(name) > 1}:
        raise InputError(
            f"{', '.join(sorted(twice))} is given twice; both maps would lie in one folder.",
            "Give one command, with its own --out, for each.", kind="map.trained",
        )  # fmt: skip
    region = bool(find_tiles(scene))
    if scheduler and not region:
        raise InputError(
            f"{scene} is a single scene: it has no tiles to spread.", "Leave --scheduler out, or give a region.",
            kind="region.scheduler",
        )  # fmt: skip
    for model in models:
        if region:
            of_region = settings.override(chosen, {"scene.path": str(scene)})
            typer.echo(f"{model.name}, trained on {model.facts['scene']['name']}:", err=True)
            report = partial(typer.echo, err=True)
            map_region(model, of_region, out / model.name, open_store(store), applicability, scheduler, report)
            typer.echo(f"mapped: {out / model.name}")
            continue
        series = open_for(model.classifier.inputs, scene, chosen.scene)
        target = out / model.name
        resume = settings.key(model.digest, fingerprint(scene), chosen.scene, chosen.map)
        typer.echo(f"{model.name}, trained on {model.facts['scene']['name']}:", err=True)
        write_map(
            model, series, target, chosen.map.window, not environment.quiet(), resume, chosen.map.probabilities,
            applicability, report=lambda text: typer.echo(text, err=True),
        )  # fmt: skip
        typer.echo(f"mapped: {target}")


def _mean(models: list["TrainedModel"], region: bool, applicability: bool) -> "TrainedModel":
    """Trained models as one. Its scores are not known; the first says how like a scene is to that of the training."""
    from ..runs.ensembles import combine

    for asked, problem, fix in (
        (len(models) < 2, "--ensemble needs two models or more, and there is one.", "Give --trained twice."),
        (region, "--ensemble maps a single scene, and a region is given.", "Map one tile."),
        (applicability, "The area of applicability is that of one model.", "Leave --applicability or --ensemble out."),
    ):
        if asked:
            raise InputError(problem, fix, kind="map.ensemble")
    classifier = combine(model.classifier for model in models)
    digest = settings.key([model.digest for model in models])
    return replace(
        models[0], classifier=classifier, home=replace(models[0].home, confidence=None), scores={}, digest=digest
    )


def check_trained(scene: Path, folders: list[Path], chosen: settings.Settings) -> tuple[list[Finding], list[str]]:
    """What keeps trained models from mapping a scene or region, and what they see in it, in lines of text."""
    from ..transfer import find_models, load_model
    from ..transfer.fitness import inspect_for

    findings: list[Finding] = []
    models = [load_model(path) for folder in folders for path in find_models(folder)]
    lines = inspect_for(models, scene, chosen, findings)
    return findings, lines


@takes_settings
def score(
    scene: SceneArgument,
    polygons: PolygonsArgument,
    trained: TrainedOption,
    overrides: dict,
    out: Annotated[Path | None, typer.Option(help="JSON file for scores and counts, which `change` takes")] = None,
    as_json: JsonOption = False,
) -> None:
    """Score a trained model on labelled POLYGONS of another SCENE, with 95 % intervals that rest on the polygons.

    The accuracy of the pixels inside and outside the area of applicability of the model stands in rows of its own.

    paperlib score scenes/31TCK polygons-31TCK.gpkg --trained models/TempCNN
    """
    chosen = _settings(overrides)
    from .. import store
    from ..outputs import writing
    from ..regions import find_tiles
    from ..transfer import load_model, open_for, score_region
    from ..transfer import score as score_model

    if out:
        check_place(out)
    model = load_model(trained)
    if find_tiles(scene):
        found = score_region(model, settings.override(chosen, {"scene.path": str(scene)}), polygons)
    else:
        series = open_for(model.classifier.inputs, scene, chosen.scene)
        found = score_model(model, series, polygons, chosen.labels)
    for remark in found.remarks:
        typer.echo(remark, err=True)
    content = found.to_dict()
    if as_json:
        typer.echo(json.dumps(content["scores"], indent=1))
    else:
        typer.echo(found.table.round(3).to_string(index=False, na_rep="-"))
        typer.echo(f"outside the area of applicability: {100 * found.share_outside:.1f} % of the labelled pixels")
    if out:
        with writing(out) as part:
            store.write_json(part, content)
        typer.echo(f"scores: {out}", err=as_json)


def change(
    first: FirstArgument,
    second: SecondArgument,
    out: Annotated[Path, typer.Option(help="folder for the map of changes and the areas")],
    scores: Annotated[
        list[Path] | None,
        typer.Option(
            help="scores of the first and of the second map, of `score --out`; default: those beside the maps"
        ),
    ] = None,
) -> None:
    """Say what changed from the FIRST to the SECOND map: hectares of each transition, a map of them, its confidence.

    Areas are corrected by the confusion of both maps where their scores are known. That is rough: points drawn on the map
    of changes (paperlib design CHANGE/change.tif) estimate them without bias.

    paperlib change maps-2018/TempCNN maps-2019/TempCNN --out change
    """
    from .. import store
    from ..mapping.class_map import ClassMap
    from ..training.polygon_scores import PolygonScores
    from ..transfer import write_change

    if scores and len(scores) != 2:
        raise InputError(
            f"{len(scores)} files of scores are given.", "Give --scores twice, for the first and the second map.",
            kind="change.scores",
        )  # fmt: skip
    check_place(out, folder=True)
    given = [PolygonScores.from_dict(store.read_json(path)) for path in scores] if scores else None
    found = write_change(ClassMap.open(first), ClassMap.open(second), out, given)
    table = found.table()
    shown = table[(table["from"] != table["to"]) & (table["hectares"] > 0)].sort_values("hectares", ascending=False)
    typer.echo(shown.head(20).round(2).to_string(index=False))
    typer.echo(f"changed on the maps: {found.mapped_change:,.1f} ha of {found.mapped.sum():,.1f} ha")
    if found.change is None:
        typer.echo("not corrected: the scores of both maps are not known (paperlib score --out, --scores)", err=True)
    else:
        value, low, high = found.change
        typer.echo(
            f"corrected by the confusion of both maps: {value:,.1f} ha, 95 % interval {low:,.1f} to {high:,.1f} ha"
        )
        typer.echo(
            f"not explained by independent errors: {100 * found.misfit:.1f} % of the area; the more, the rougher"
        )
    typer.echo(f"map of changes: {out / 'change.tif'}")


def _settings(overrides: dict, preset: str = "") -> settings.Settings:
    """Settings of a command that trains nothing: those of the simulated scene do not count."""
    return settings.make(preset, settings={"scene.path": "", "scene.polygons": "", **overrides})
