"""The report of a scene for those who asked for its map: one self-contained page that prints on ten sheets of paper."""

from collections.abc import Iterable, Iterator
from html import escape
from pathlib import Path

import numpy as np
import pandas as pd

from .. import outputs
from ..errors import NOTHING_TO_DO, Finding
from ..evaluation import intervals, metrics, summaries
from ..figures import map_figures, score_figures, styling
from ..mapping.scene_maps import read_map
from ..nomenclature import LandCover
from ..runs.experiment import Experiment
from ..transfer.context import shared_context
from . import page

#: Confidence in per cent below which a pixel is called doubtful.
DOUBTFUL = 50
#: Pairs of classes that are listed as mistaken for each other.
PAIRS = 5

STYLE = """
body { font: 11pt/1.5 "DejaVu Sans", Arial, sans-serif; max-width: 52em; margin: 2em auto; padding: 0 1em; color: #222; }
h1 { line-height: 1.2; } h2 { margin-top: 2em; border-bottom: 1px solid #bbb; }
table { border-collapse: collapse; } caption { text-align: left; }
td, th { border-bottom: 1px solid #ddd; padding: 0.2em 0.6em; } th { text-align: left; } td, .number { text-align: right; }
img { max-width: 100%; height: auto; } .drawing-files { font-size: 9pt; text-align: right; }
.admonition { border-left: 4px solid #d58512; padding: 0.1em 1em; background: #fdf3e3; }
.note { border-color: #3a7ebf; background: #eaf2fa; } .admonition-title { font-weight: bold; margin-bottom: 0; }
.scroll { overflow-x: auto; }
@page { size: A4; margin: 18mm; }
@media print { .drawing-files { display: none; } h2 { break-after: avoid; } .drawing, tr { break-inside: avoid; } }
"""


def write_report(run: Experiment, model: str, path: Path, findings: Iterable[Finding] = ()) -> Path:
    """Write the report of a run's map by one classifier to an HTML file, and return its path.

    `findings`: of the check of the scene and its polygons; those that need a remedy are listed. Raises `InputError` for an
    unknown model and where the file cannot be written.
    """
    body = "\n".join(_parts(run, model, findings))
    title = escape(_title(run))
    text = (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head>'
        f"<body><h1>{title}</h1>{body}</body></html>\n"
    )
    with outputs.writing(path) as partial:
        partial.write_text(text, encoding="utf-8")
    return path


def _title(run: Experiment) -> str:
    scene = Path(run.settings.scene.path)
    place = "a simulated scene" if run.simulated or page.is_declared_simulated(scene) else scene.name
    days = run.dates[0] if len(run.dates) == 1 else f"{run.dates[0]} to {run.dates[-1]}"
    return f"Land cover of {place}, {days}"


def _parts(run: Experiment, model: str, findings: Iterable[Finding]) -> Iterator[str]:
    """The report from top to bottom, as pieces of HTML."""
    codes, confidence = (read_map(run.map(model) / f"{name}.tif") for name in ("class", "confidence"))
    counts, reference = run.trained.chosen_counts("test", [model])
    confusion = intervals.resampled_confusions(counts[model], reference, np.ones((1, len(reference))))[0].astype(int)
    overall, half_width, areas = summaries.area_table(counts[model], reference, codes, run.legend)
    yield page.banner(run, book=False)
    yield _paragraph(
        f"This map shows {len(run.legend)} classes on {areas['mapped (ha)'].sum():,.0f} hectares, made by the classifier "
        f"{model} from {len(run.dates)} images. Weighted by mapped area, it is right on {100 * overall:.0f} % ± "
        f"{100 * half_width:.0f} % of its area, as far as the {len(reference)} polygons of the test set can show."
    )
    yield from _section("The map", _figure(map_figures.whole_map_figure(codes, confidence, run.legend)))
    yield from _section(
        "Areas",
        _paragraph(
            "Mapped areas count pixels. Estimated areas correct them by the mistakes found on the test polygons; ± is half "
            "of the 95 % interval, none where a single polygon would give it."
        ),
        _table(areas[[name for name in areas if "(ha)" in name]], 1),
    )
    yield from _section(
        "How accurate it is",
        _paragraph(
            "User's accuracy is the share of a class on the map that is right, producer's accuracy the share of the class "
            "on the ground that the map has found. The test polygons took no part in training or in choosing the classifier."
        ),
        *map(_paragraph, shared_context(run, [model])),
        _table(areas[[name for name in areas if "accuracy" in name or "user" in name or "producer" in name]], 2),
        _figure(score_figures.confusion_figure({model: confusion}, run.legend)),
    )
    yield from _section("Where it is weak", *_weaknesses(confusion, codes.values, confidence.values, run.legend))
    yield from _found(findings)
    yield from _section("How it was made", *_making(run, model))


def _weaknesses(
    confusion: np.ndarray, codes: np.ndarray, confidence: np.ndarray, legend: tuple[LandCover, ...]
) -> Iterator[str]:
    """What the confusions, (reference class, predicted class), and the maps of class and confidence (y, x) warn of."""
    names = [cover.name for cover in legend]
    f1 = pd.Series(metrics.f1(confusion), names).dropna().sort_values()
    yield _paragraph(f"The least reliable class is {f1.index[0]} (F1 {f1.iloc[0]:.2f}), then {_listed(f1[1:3])}.")
    wrong = confusion * (1 - np.eye(len(names), dtype=int))
    mistakes = pd.DataFrame(
        [
            (names[row], names[column], int(wrong[row, column]), 100 * wrong[row, column] / confusion[row].sum())
            for row, column in zip(*np.nonzero(wrong), strict=True)
        ],
        columns=["on the ground", "on the map", "test pixels", "of the class (%)"],
    )
    if len(mistakes):
        yield _table(mistakes.nlargest(PAIRS, "test pixels").reset_index(drop=True), 1)
    doubtful = {
        cover.name: 100 * float((confidence[inside] < DOUBTFUL).mean())
        for cover in legend
        if (inside := codes == cover.code).any()
    }
    shares = pd.Series(doubtful, name=f"confidence below {DOUBTFUL} % (%)").rename_axis("class")
    yield _paragraph(f"The share of each class whose pixels have a confidence below {DOUBTFUL} %:")
    yield _table(shares.sort_values(ascending=False).to_frame(), 1)
    yield _paragraph(
        "Confidence is the classifier's probability, calibrated on the validation polygons. It tells sure pixels from "
        "doubtful ones and is no measured accuracy."
    )


def _found(findings: Iterable[Finding]) -> Iterator[str]:
    """What the check found that bears on the map and its scores."""
    said = [f"{one.subject}: {one.value}. {one.fix}" for one in findings if NOTHING_TO_DO not in one.fix]
    if said:
        yield _paragraph("The check of the images and the polygons found:")
        yield f"<ul>{''.join(f'<li>{escape(text)}</li>' for text in said)}</ul>"


def _making(run: Experiment, model: str) -> Iterator[str]:
    """Images, labels, classifier and software behind the map."""
    for tile in run.dataset.tiles:
        scene = run.dataset.tile_scene(tile)
        masked = 100 * scene["mask"].mean(("y", "x")).values
        images = pd.DataFrame({"date": scene.indexes["time"].strftime("%Y-%m-%d"), "masked (%)": masked})
        bands, of = ", ".join(map(str, scene["band"].values)), f" of tile {tile}" if tile else ""
        yield _paragraph(f"The images{of} have {scene.sizes['x']} x {scene.sizes['y']} pixels and the bands {bands}.")
        yield _table(images, 1)
    numbers = run.polygons.groupby(["class_name", "set"]).size().unstack(fill_value=0)
    numbers = numbers.loc[[cover.name for cover in run.legend if cover.name in numbers.index]]
    yield _paragraph("Labelled polygons by class and set:")
    yield _table(numbers.rename_axis(index="class", columns=None), 0)
    yield _paragraph(f"Settings and software of the run, by the classifier {model}:")
    facts = {name: value for name, value in page.provenance(run).facts.items() if value not in ("", "None")}
    yield _table(pd.DataFrame({"value": facts.values()}, index=pd.Index(facts.keys(), name="provenance")), 3)


def _section(title: str, *parts: str) -> Iterator[str]:
    yield f"<h2>{escape(title)}</h2>"
    yield from parts


def _paragraph(text: str) -> str:
    return f"<p>{escape(text)}</p>"


def _table(table: pd.DataFrame, decimals: int) -> str:
    return f'<div class="scroll">{styling.style(table, decimals=decimals, short=False).to_html()}</div>'


def _figure(figure: object) -> str:
    return figure._repr_html_()  # type: ignore[attr-defined]


def _listed(scores: pd.Series) -> str:
    return " and ".join(f"{name} ({value:.2f})" for name, value in scores.items()) or "no other"
