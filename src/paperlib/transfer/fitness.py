"""The pre-flight for trained models: what keeps them from mapping a scene or region, and how far it is from the training."""

from collections.abc import Sequence
from pathlib import Path

from ..checks.faults import attempt, note, of_tile, scene_faults
from ..errors import Finding
from ..regions.region import Region
from ..regions.tiles import find_tiles
from ..scenes.meaning.choices import keywords_of
from ..settings import Scene, Settings
from .likeness import SIDE, WINDOWS, SceneStatistics, Travel
from .maps import open_for
from .model_folder import TrainedModel


def inspect_for(models: Sequence[TrainedModel], path: Path, chosen: Settings, findings: list[Finding]) -> list[str]:
    """What each model sees in a scene or in each tile of a region, in lines of text.

    What is wrong or far from its training joins `findings`. A scene is read in up to `WINDOWS` windows of `SIDE` pixels,
    so that a whole tile takes seconds. Never raises for data.
    """
    tiles = attempt(findings, "region", path, find_tiles, path)
    if tiles is None:  # a list of tiles with an error
        return []
    lines = _of_region(models, path, chosen, findings) if tiles else _of_scene(models, path, chosen.scene, findings)
    what = "each tile" if tiles else "the scene"
    sampled = f"Seen in windows of {SIDE} x {SIDE} pixels, up to {WINDOWS[0]} x {WINDOWS[1]} spread over {what}."
    return [*lines, sampled] if lines else []


def _of_region(models: Sequence[TrainedModel], path: Path, chosen: Settings, findings: list[Finding]) -> list[str]:
    """Lines of all tiles; what keeps them from being one region is found too. A model says whether bands and dates fit."""
    region = attempt(findings, "region", path, Region, path, chosen.scene, chosen.region.mixed_years)
    if region is None:
        return []
    lines: list[str] = []
    for name, tile in region.tiles.items():
        own: list[Finding] = []
        seen = _of_scene(models, tile.path, chosen.scene, own)
        lines += [f"tile {name}:", *seen] if seen else []
        of_tile(name, own, findings)
    if not any(finding.level == "error" for finding in findings):
        problems = attempt(findings, "region", path, region.problems) or []
        findings += [finding for finding in problems if finding.kind.startswith("region.")]
    return lines


def _of_scene(models: Sequence[TrainedModel], path: Path, choices: Scene, findings: list[Finding]) -> list[str]:
    """Lines of a single scene."""
    if scene_faults(path, findings, **keywords_of(choices)) is None:
        return []
    lines: list[str] = []
    for model in models:
        travel = attempt(findings, model.name, path, travel_of, model, path, choices, findings)
        if travel is None:
            continue
        lines += [f"{model.name}, trained on {model.facts['scene']['name']}:", *travel.sentences()]
        for words in travel.warnings():
            fix = "Score it on polygons of the place (paperlib score), or label some there and train again."
            note(findings, "warning", model.name, f"far from what it has learned: {words}", path, fix, "model.far")
    return lines


def travel_of(model: TrainedModel, path: Path, choices: Scene, findings: list[Finding]) -> Travel | None:
    """How far a scene is from the training of a model; None where it lacks what the model reads, which is then found."""
    scene = open_for(model.classifier.inputs, path, choices)
    problems = model.classifier.inputs.problems(scene)
    findings += [finding for finding in problems if finding not in findings]
    if any(finding.level == "error" for finding in problems):
        return None
    there = SceneStatistics.of(model.classifier, model.quantiles, model.area, scene)
    return Travel(model.quantiles.channels, model.quantiles.days, model.home, there)
