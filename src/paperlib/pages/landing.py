"""First page of the book: what a run found, in numbers for its sentences, and a picture that swipes from image to map."""

import io
from html import escape

import numpy as np
import pandas as pd
from PIL import Image

from ..evaluation import geometry, intervals, summaries
from ..figures import images
from ..figures.html import webp_uri
from ..models.registry import FORESTS
from ..reproduction import evidence
from ..runs.experiment import Experiment
from .page import Html

#: Side in pixels below which a picture is enlarged by whole numbers, so that single pixels of a small scene are seen.
SHOWN = 760

SWIPE = """<figure class="swipe" style="--at: 50%">
<div class="swipe-images"><img src="{image}" alt="{image_alt}"><img src="{map}" alt="{map_alt}"></div>
<input type="range" min="0" max="100" value="50" aria-label="Share of the picture that shows the map, in per cent"
 oninput="this.parentNode.style.setProperty('--at', this.value + '%')">
<figcaption>{legend}</figcaption></figure>"""


def findings(run: Experiment, chosen: str) -> dict[str, str | int | float]:
    """What a run found, by name, for the sentences of the first page.

    Parameters
    ----------
    run: a run with all its classifiers.
    chosen: the classifier whose map is assessed; choose it by its validation score.

    Scores are macro F1 on the test polygons, means over trainings, with the 95 % intervals of `intervals`. `specks_most` and
    `specks_least` are per cent of a map in objects of fewer than `geometry.SMALL` pixels; `taken_share` is the per cent of
    the test pixels of the class `missed` that `chosen` takes for the class `taken`, its most frequent error.

    Raises `InputError` as `intervals` does.
    """
    counts, reference = run.trained.counts("test")
    scores = evidence.scores(run).set_index("model")
    pairs = intervals.differences(counts, reference)
    best = scores["macro_f1"].idxmax()
    forest = scores.loc[list(FORESTS), "macro_f1"].idxmax()
    network = scores.drop(index=list(FORESTS))["macro_f1"].idxmax()
    pair = pairs[pairs[["first", "second"]].isin([network, forest]).all(axis=1)].iloc[0]
    names = run.class_maps()
    specks = {
        name: 100 * geometry.speckle(codes.values)["isolated_share"] for name, codes in names.items() if name != "truth"
    }
    most, least = max(specks, key=specks.__getitem__), min(specks, key=specks.__getitem__)
    overall, half_width, _ = summaries.area_table(
        run.trained.chosen_counts("test", [chosen])[0][chosen], reference, names[chosen], run.legend
    )
    missed, taken, share = _most_frequent_error(run.trained.confusions("test", [chosen])[chosen])
    return {
        "best": best, **_with_interval("best", scores.loc[best]),
        "network": network, "forest": forest, "better": pair["first"], "worse": pair["second"],
        "difference": float(pair["difference"]), "difference_low": float(pair["low"]),
        "difference_high": float(pair["high"]), "polygons": len(reference),
        "settled_or_not": "so the order of these two is settled" if pair["settled"] else "which may be chance",
        "pairs": len(pairs), "settled": int(pairs["settled"].sum()), "small": geometry.SMALL,
        "most": most, "specks_most": specks[most], "least": least, "specks_least": specks[least],
        "map_model": chosen, "overall": overall, "half_width": half_width,
        "missed": run.legend[missed].name, "taken": run.legend[taken].name, "taken_share": 100 * share,
    }  # fmt: skip


def glue_findings(run: Experiment, chosen: str) -> None:
    """Glue each of `findings` under its name, for the sentences of the page."""
    from myst_nb import glue  # part of the book's extra

    for name, value in findings(run, chosen).items():
        glue(name, value, display=False)


def _most_frequent_error(confusion: np.ndarray) -> tuple[int, int, float]:
    """Reference class, the class it is most often taken for, and the share of its pixels; counts (reference, class)."""
    shares = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1) * (1 - np.eye(len(confusion)))
    missed, taken = np.unravel_index(int(shares.argmax()), shares.shape)
    return int(missed), int(taken), float(shares.max())


def _with_interval(name: str, row: pd.Series) -> dict[str, float]:
    return {f"{name}_f1": float(row["macro_f1"]), f"{name}_low": float(row["low"]), f"{name}_high": float(row["high"])}


def swipe(run: Experiment, model: str) -> Html:
    """Picture of the scene on its clearest date under the map of `model`, with a slider between the two, as HTML."""
    scene = images.subsample(run.scene)
    composites = images.available_composites(scene)
    name, bands = next(iter(composites.items()))
    masked = scene["mask"].mean(("y", "x")).values.round(2)
    middle = abs(np.arange(len(masked)) - len(masked) // 2)
    date = int(np.lexsort((middle, masked))[0])  # the clearest date, and of several the one nearest to the middle
    picture = images.composite(scene.isel(time=[date]), bands)[0]
    codes = images.align(run.class_map(model), run.scene, scene)
    seen = dict.fromkeys(np.unique(codes))
    day = f"{scene.indexes['time'][date]:%Y-%m-%d}"
    legend = " ".join(
        f'<span><i style="background: {cover.colour}"></i>{escape(cover.name)}</span>'
        for cover in run.legend
        if cover.code in seen
    )
    words = {
        "image_alt": f"The scene in {name} on {day}, without the map.",
        "map_alt": escape(f"Land cover of the same place as mapped by {model}, in the colours of the legend below."),
    }
    pictures = {"image": _uri(picture), "map": _uri(images.class_colours(codes, run.legend))}
    return Html(SWIPE.format(**pictures, **words, legend=legend))


def _uri(colours: np.ndarray) -> str:
    """Colours (y, x, 3) from 0 to 1 as the data URI of a picture, enlarged by a whole number where it is small."""
    times = max(1, SHOWN // max(colours.shape[:2]))
    image = Image.fromarray((255 * colours).round().astype(np.uint8))
    buffer = io.BytesIO()
    image.resize((image.width * times, image.height * times), Image.Resampling.NEAREST).save(buffer, "png")
    return webp_uri(buffer.getvalue())
