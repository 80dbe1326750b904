"""Top and bottom of every notebook: a banner that names the scene, and the provenance of what is between."""

import atexit
import gc
import time
import warnings
from html import escape
from pathlib import Path

from .. import settings
from ..errors import InputWarning, counted
from ..runs.experiment import Experiment
from .origins.foot import Foot, foot
from .origins.recording import current

_opened = time.perf_counter()
current()  # from here on, what the cells of this notebook ask for is recorded
atexit.register(gc.freeze)  # a search for cycles among all objects of torch at the end takes a second


class Html(str):
    """Text that a notebook displays as HTML."""

    def _repr_html_(self) -> str:
        return str(self)


def banner(run: Experiment, what: str = "Everything below", book: bool = True) -> Html:
    """A box with scene and preset of the page, as HTML; for the simulated scene, it warns that results are no evidence.

    `what` is computed on the simulated scene, as "This build" where the page shows a kept run beside it. For a real scene,
    the box lists what reading scene and polygons warns of. On a page of the `book` it says that the text is about
    the scene of the paper.
    """
    scene, train = run.settings.scene, run.settings.train
    trainings = f"{counted(train.trainings, 'training')} for each model"
    effort = f"Preset {_preset(run.settings)}: {trainings}, of {train.epochs} epochs at most."
    if run.simulated:
        title, kind = "Simulated scene", "warning"
        text = (
            f"{what} is computed on a <b>simulated</b> scene of {scene.size} x {scene.size} pixels with "
            f"{scene.pool} + {scene.test} simulated polygons. It is no evidence about the real tile 31TCJ and cannot "
            "confirm or refute the paper."
        )
    else:
        made = is_declared_simulated(Path(run.settings.scene.path))
        title, kind = ("Simulated scene", "warning") if made else ("Real scene" if book else "Scene", "note")
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", InputWarning)
            several, legend = len(run.dates) > 1, run.legend
        doubts = "".join(f"<li>{escape(str(one.message))}</li>" for one in caught)
        days = (
            f"{len(run.dates)} dates from {run.dates[0]} to {run.dates[-1]}" if several else f"one date, {run.dates[0]}"
        )
        text = (
            f"Computed on <code>{escape(Path(scene.path).name)}</code>{', not on the data of the paper' * book}: {days}; "
            f"bands {', '.join(run.scene['band'].values)}; classes {escape(', '.join(cover.name for cover in legend))}."
        )
        text += " The scene is <b>simulated</b>, so nothing here is evidence about a real place." * made
        text += " The tile, dates, bands and classes in the text are those of the paper." * book
        text += f"</p><ul>{doubts}</ul><p>" if doubts else ""
    return Html(f'<div class="admonition {kind}"><p class="admonition-title">{title}</p><p>{text} {effort}</p></div>')


def is_declared_simulated(scene: Path) -> bool:
    """Whether the folder of a scene, or the one around it, says that `paperlib simulate` wrote it."""
    files = (folder / "README.txt" for folder in (scene, scene.parent))
    return any(file.is_file() and file.read_bytes().startswith(b"SIMULATED") for file in files)


def _preset(chosen: settings.Settings) -> str:
    """The preset of a run in bold, and what was overridden, as HTML."""
    name, changes = settings.overridden(chosen)
    listed = ", ".join(f"{setting} = {value}" for setting, value in changes.items())
    return f"<b>{name}</b>{f' with {escape(listed)}' if listed else ''}"


def provenance(run: Experiment) -> Foot:
    """The foot of a page: settings, code and machine of a run, and where each number of the page comes from, folded."""
    return foot(run, current(), time.perf_counter() - _opened)


def missing_image_note(name: str) -> Html:
    """A box for a missing image of a real scene that says how to get it, as HTML."""
    return Html(
        '<div class="admonition note"><p class="admonition-title">The image is not here</p>'
        f"<p>Run <code>paperlib fetch {name}</code> (through pip) and build the book again.</p></div>"
    )
