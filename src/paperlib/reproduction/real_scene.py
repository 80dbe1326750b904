"""The run on the real scene of the book."""

from ..runs.experiment import Experiment
from . import fetch


def bouconne(preset: str = "", seed: int = 0) -> Experiment | None:
    """The run on the real scene of the book, or None where its image has not been fetched (see `fetch`)."""
    found = fetch.bouconne()
    return Experiment(preset, *map(str, found), seed=seed) if found else None
