"""The model card: a page of Markdown in the folder of a model, for people who find it."""

from pathlib import Path
from typing import Any

from ..errors import counted
from ..features.season import calendar_day
from ..training.classifier import Classifier
from ..training.galileo_weights import LICENCE as WEIGHTS
from ..training.galileo_weights import PAPER
from ..training.polygon_scores import PolygonScores


def write_card(path: Path, classifier: Classifier, scores: dict[str, PolygonScores], facts: dict[str, Any]) -> None:
    """Write README.md: what a model is, what it was trained on, its classes and scores, where it holds, how to use it.

    `facts` are those of `TrainedModel`.
    """
    path.write_text("\n\n".join([*_head(classifier, facts), *_scores(scores), *_use(classifier, facts)]) + "\n")


def _head(classifier: Classifier, facts: dict[str, Any]) -> list[str]:
    inputs, scene, polygons = classifier.inputs, facts["scene"], facts["polygons"]
    field = classifier.model.receptive_field
    seen = "single pixels" if field == 1 else f"{field} x {field} pixels"
    if classifier.model.needs_superpixels:
        seen = "superpixels"
    roles = {name: role for role, name in inputs.roles.items()}
    bands = ", ".join(f"{band} ({roles[band]})" if roles.get(band, band) != band else band for band in inputs.bands)
    sets = ", ".join(f"{number} for {name}" for name, number in polygons["polygons"].items())
    return [
        f"# {classifier.name}: land cover from satellite image time series",
        f"A {classifier.name} of paperlib {facts['provenance']['paperlib']}. It sees "
        f"{seen} of {inputs.pixel:g} m and gives each pixel one of {len(classifier.legend)} classes with its probability.",
        "## Trained on",
        f"- scene: {scene['name']}, {scene['dates'][0]} to {scene['dates'][-1]}, "
        f"{counted(len(scene['dates']), 'date')}, {scene['crs']}"
        f"{', SIMULATED: of no use as land cover' if scene['simulated'] else ''}\n"
        f"- labels: {polygons['name']}, polygons: {sets}; {classifier.normaliser.pixels} training pixels\n"
        f"- bands: {bands}\n- indices: {', '.join(inputs.indices) or 'none'}\n"
        f"- days of the year: {', '.join(map(calendar_day, inputs.days))}",
        "## Classes",
        "| code | code of the labels | class |\n|---|---|---|\n"
        + "\n".join(f"| {cover.code} | {cover.own_code} | {cover.name} |" for cover in classifier.legend),
    ]


def _scores(scores: dict[str, PolygonScores]) -> list[str]:
    parts = ["## Scores", "With 95 % intervals that rest on the polygons as sampling units."]
    for name, found in scores.items():
        rows = [
            f"| {row.score} | {row.class_} | {row.estimate:.3f} | {row.low:.3f} to {row.high:.3f} | {row.polygons} |"
            for row in found.table.rename(columns={"class": "class_"}).itertuples()
            if row.polygons
        ]
        head = f"| on {name} | class | estimate | interval | polygons |\n|---|---|---|---|---|\n"
        parts.append(head + "\n".join(rows))
    return parts


def _use(classifier: Classifier, facts: dict[str, Any]) -> list[str]:
    licence = facts.get("licence")
    return [
        "## Where it holds",
        "For scenes with these bands at this pixel size that cover these days of the year, in landscapes and seasons like "
        "those of the training. `paperlib map` says how far a scene is from it; only polygons of the new place tell what "
        "the map is worth there (`paperlib score`). A class that the training lacks is mapped as one of those above.",
        "## How to use it",
        "```bash\npaperlib map SCENE --trained FOLDER --out maps\npaperlib score --trained FOLDER SCENE POLYGONS\n```",
        "```python\nimport paperlib\n\nmodel = paperlib.load_model(FOLDER)\n```",
        f"`model.json` lists the files with their SHA-256, the settings and the provenance; seed "
        f"{classifier.about.get('seed')}, commit {facts['provenance']['commit']}.",
        *([f"It imitates Galileo nano: {PAPER}; weights: {WEIGHTS}."] if classifier.model.pretrained else []),
        *([f"Licence: {licence}."] if licence else []),
    ]
