"""The pre-flight of a scene for trained models: what keeps a model from mapping it, and how far it is from the training."""

from collections.abc import Sequence
from pathlib import Path

from ..checks.faults import attempt, note, scene_faults
from ..errors import Finding
from ..scenes.meaning.choices import keywords_of
from ..settings import Scene
from .likeness import SIDE, WINDOWS, SceneStatistics, Travel
from .maps import open_for
from .model_folder import TrainedModel


def inspect_for(models: Sequence[TrainedModel], path: Path, choices: Scene, findings: list[Finding]) -> list[str]:
    """What each model sees in a scene, in lines of text; what is wrong or far from its training joins `findings`.

    The scene is read in up to `WINDOWS` windows of `SIDE` pixels, so that a whole tile takes seconds. Never raises for data.
    """
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
    sampled = f"Seen in windows of {SIDE} x {SIDE} pixels, up to {WINDOWS[0]} x {WINDOWS[1]} spread over the scene."
    return [*lines, sampled] if lines else []


def travel_of(model: TrainedModel, path: Path, choices: Scene, findings: list[Finding]) -> Travel | None:
    """How far a scene is from the training of a model; None where it lacks what the model reads, which is then found."""
    scene = open_for(model.classifier.inputs, path, choices)
    problems = model.classifier.inputs.problems(scene)
    findings += [finding for finding in problems if finding not in findings]
    if any(finding.level == "error" for finding in problems):
        return None
    there = SceneStatistics.of(model.classifier, model.quantiles, model.area, scene)
    return Travel(model.quantiles.channels, model.quantiles.days, model.home, there)
