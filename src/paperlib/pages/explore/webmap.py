"""An interactive map of a run for a static page: all data that the browser needs are packed into one piece of HTML.

The page reads files of the book beside it (`vendor/ol` and `map`, see book/vendor/README.md) and asks no server. Without
scripts it shows a picture.
"""

import io
import json
from collections.abc import Sequence
from datetime import date
from html import escape

from ...figures import map_figures, theme
from ...figures.html import data_uri
from ...models.registry import CLASSIFIERS
from ...nomenclature import recolour
from ...reproduction.kept.reading import KeptRun
from ...reproduction.paper import FIGURE_9_CLASS
from ...runs.experiment import Experiment
from ..page import Html
from . import probabilities
from .contents import contents, of_maps

#: Side in pixels of the window that is shown; a larger scene is cut, not resampled.
SIDE = 400

#: Characters of the HTML of the maps without a kept run, which the book keeps in a file of its own and reads when it is
#: chosen. A page may have 5 MB, of which the theme and OpenLayers take 1.2.
LIMIT = 3_700_000

PAGE = """<link rel="stylesheet" href="vendor/ol/ol.css"><link rel="stylesheet" href="map/webmap.css">
<div class="webmap"><figure class="webmap-still">
<img src="{still}" alt="{alternative}"><figcaption>{caption}</figcaption></figure></div>
{data}
<script src="vendor/ol/ol.js" defer></script><script src="map/parts.js" defer></script>
<script src="map/chart.js" defer></script><script src="map/webmap.js" defer></script>
<script src="map/runs.js" defer></script>"""

DATA = '<script type="application/json" class="webmap-data" data-run="{key}" data-title="{title}">{text}</script>'


def interactive_map(
    run: Experiment, side: int = SIDE, names: Sequence[str] = CLASSIFIERS, first: Experiment | None = None
) -> Html:
    """The maps of a run over its scene for a browser, with layers, a swipe, polygons and the series of pixels.

    Parameters
    ----------
    side: side of the window in pixels; a smaller scene is shown whole. The window lies around the place of Figure 9, see
        `Dataset.window`, and shrinks by a fifth until the HTML has fewer than `LIMIT` characters.
    names: classifiers whose maps are shown.
    first: a kept run, whose maps can be chosen instead; any other run changes nothing.
    """
    maps, confidences = run.class_maps(names), {name: run.confidence_map(name) for name in names}
    place = run.scene.isel(run.dataset.window(1, FIGURE_9_CLASS))
    beside = kept_data(first, run.settings.map.palette) if isinstance(first, KeptRun) else ""
    side = min(side, max(run.scene.sizes["y"], run.scene.sizes["x"]))
    while True:
        part = run.dataset.window(side, FIGURE_9_CLASS)
        scene = run.scene.isel(part)
        shown = {name: codes.isel(part) for name, codes in maps.items()}
        percent = {name: confidence.isel(part) for name, confidence in confidences.items()}
        data = contents(scene, shown, percent, run.polygons, run.legend, (place["x"].item(), place["y"].item()))
        data["offset"] = [part["y"].start, part["x"].start]
        data["whole"] = [run.scene.sizes["y"], run.scene.sizes["x"]]
        still = _picture(map_figures.maps_figure(dict(list(shown.items())[:2]), scene, run.legend))
        room = LIMIT - len(_render(data, run, still, "")) - 1000  # names around them
        shares = {name: probabilities.probabilities(run, name, part) for name in names} if room > 0 else {}
        codes = {name: image.values for name, image in shown.items()}
        if room > 0 and probabilities.add_probabilities(data, shares, codes, run.legend, room):
            return _render(data, run, still, beside)
        side = side * 4 // 5


def kept_data(kept: KeptRun, palette: str = "") -> str:
    """Script element with the maps of a kept run: the middle of its scene, without images, polygons and probabilities."""
    legend = recolour(kept.legend, palette)
    maps = kept.class_maps(kept.maps.names())
    grid = next(iter(maps.values()))
    size, (rows, columns) = kept.settings.scene.size, grid.shape
    data = of_maps(grid, maps, {}, legend)
    data |= {"offset": [(size - rows) // 2, (size - columns) // 2], "whole": [size, size]}
    day = date.fromisoformat(kept.facts["kept"])
    return _script("kept", f"Kept run, preset {kept.facts['preset']}, {day.day} {day:%B %Y}", data)


def _script(key: str, title: str, data: dict) -> str:
    text = json.dumps(data, separators=(",", ":"), allow_nan=False).replace("</", "<\\/")
    return DATA.format(key=key, title=escape(title), text=text)


def _picture(still: theme.Figure) -> str:
    """A figure as the data URI of a picture."""
    buffer = io.BytesIO()
    still.savefig(buffer, format="webp")
    return data_uri("webp", buffer.getvalue())


def _render(data: dict, run: Experiment, still: str, beside: str) -> Html:
    """HTML of the map.

    `data`: those of `contents` with "offset" and "whole" (row and column of the window, size of the scene); `still`: URI of
    the picture that is shown without scripts; `beside`: script elements of other runs.
    """
    names = [layer["name"] for layer in data["maps"][:2]]
    alternative = f"A colour composite of the scene beside the class maps {' and '.join(names)}, with their legend."
    caption = "This picture replaces an interactive map, which needs scripts."
    rows, columns = data["whole"]
    title = f"This build, {rows} x {columns} pixels" if run.simulated else f"{rows} x {columns} pixels"
    own = _script("", title, data)
    return Html(PAGE.format(still=still, alternative=escape(alternative), caption=caption, data=own + beside))
