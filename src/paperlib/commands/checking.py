"""The command that checks: a scene with its polygons, what a run would cost, and whether trained models fit."""

import json
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .. import settings
from ..errors import InputError
from .options import JsonOption, ModelOption, PresetOption, SceneArgument, takes_settings
from .transfer import check_trained

if TYPE_CHECKING:
    from ..runs.costs.estimate import RunEstimate


@takes_settings
def check(
    scene: SceneArgument,
    overrides: dict,
    polygons: Annotated[
        Path | None,
        typer.Argument(
            metavar="POLYGONS", help="vector file of labelled polygons; not needed with --trained", show_default=False
        ),
    ] = None,
    trained: Annotated[
        list[Path] | None, typer.Option(help="folder of `train --save`: how far SCENE is from its training; repeatable")
    ] = None,
    preset: PresetOption = "",
    cost: Annotated[
        bool, typer.Option("--cost", help="also measure for some seconds what a run would cost: time, memory, disk")
    ] = False,
    model: ModelOption = None,
    as_json: JsonOption = False,
) -> None:
    """Report everything wrong or doubtful in SCENE and POLYGONS before hours of work; with --cost, what these would take.

    With --trained, also how far SCENE is from the training of a model, as the share outside its area of applicability.
    Exits with 0 if nothing was found, 1 with warnings, 2 if a run is not possible.

    paperlib check scenes/31TCJ polygons.gpkg --cost --model TempCNN

    paperlib check scenes/31TCK --trained models/TempCNN
    """
    from ..models.registry import choose

    chosen, names = _settings_to_check(scene, polygons, overrides, preset, bool(trained), cost), choose(model)
    from ..checks import preflight

    lines: list[str] = []
    inspection = preflight.inspect(scene, polygons, chosen) if polygons else preflight.Inspection([], None)
    if trained:
        findings, lines = check_trained(scene, trained, chosen)
        every = dict.fromkeys([*inspection.findings, *findings])
        inspection = inspection._replace(findings=sorted(every, key=lambda finding: finding.level))
    code, as_rows = preflight.exit_code(inspection.findings), [asdict(finding) for finding in inspection.findings]
    if not as_json:
        typer.echo("\n".join([*lines, *([""] if lines else []), inspection.text()]))
    told = estimate_of(scene, polygons, overrides, preset, names) if polygons and cost and code < 2 else None
    if as_json:
        content = {"findings": as_rows, "cost": told.to_dict() if told else None} if cost else as_rows
        typer.echo(json.dumps(content, indent=1))
    elif told:
        typer.echo(f"\n{told.text()}")
    raise typer.Exit(code)


def _settings_to_check(
    scene: Path, polygons: Path | None, overrides: dict, preset: str, trained: bool, cost: bool
) -> settings.Settings:
    """The settings of a check, with or without polygons."""
    if polygons is not None:
        return settings.make(preset, str(scene), str(polygons), settings=overrides)
    if not trained:
        problem = "A check needs polygons to train on, or a trained model."
        raise InputError(problem, "Give POLYGONS, or --trained FOLDER.", kind="check.trained")
    if cost:
        raise InputError("The cost of a run needs polygons to train on.", "Give POLYGONS.", kind="check.trained")
    return settings.make(preset, settings={"scene.path": "", "scene.polygons": "", **overrides})


def estimate_of(
    scene: Path, polygons: Path, overrides: dict, preset: str, names: tuple[str, ...], store: Path | None = None
) -> "RunEstimate":
    """What a run costs that was checked already; nothing is written unless its store is there."""
    from ..runs.costs.estimate import estimate
    from ..runs.experiment import Experiment

    with tempfile.TemporaryDirectory() as place:
        kept = store if store and store.is_dir() else place
        run = Experiment(preset, scene, polygons, settings=overrides, store=kept)
        run.dataset.checked = True
        return estimate(run, names)
