"""The kept run on a page: which run comes first, its banner, and what it lacks."""

from collections.abc import Sequence
from datetime import date
from html import escape

import pandas as pd

from ... import models, store
from ...errors import InputError, counted
from ...evaluation.scores import DASH
from ...reproduction.kept.reading import KeptRun, is_kept, kept_run
from ...reproduction.kept.staleness import stale
from ...runs.experiment import Experiment
from .. import page
from ..page import Html


def first_run(run: Experiment) -> Experiment:
    """The run that a page shows first: the kept run of the paper's size, or a run of a scene of one's own itself."""
    return kept_run() if run.simulated and is_kept() else run


def having(first: Experiment, run: Experiment, names: Sequence[str]) -> Experiment:
    """`first` where these classifiers are trained or can be; `run` where `first` is a kept run that lacks some of them."""
    try:
        first.trained.make(names)
    except InputError:
        return run
    return first


def when_and_where(kept: KeptRun) -> str:
    """As "run of 29 November 2026 on Intel Xeon, 2 cores, preset paper, kept"."""
    day = date.fromisoformat(kept.facts["kept"])
    return f"run of {day.day} {day:%B %Y} on {kept.facts['machine']}, preset {kept.facts['preset']}, kept"


def banner(first: Experiment) -> Html:
    """A box that names a kept run, what it lacks, and, where it is stale, why; empty for a run that is not kept."""
    if not isinstance(first, KeptRun):
        return Html("")
    title = when_and_where(first)
    box = '<div class="admonition {kind}"><p class="admonition-title">{title}</p><p>{text}</p></div>'
    data = "simulated data" if first.simulated else "real data"
    text = f"Results under this title were computed once, on {data}, and are kept in the project. {_lacking(first)}"
    html = box.format(kind="note", title=escape(title[0].upper() + title[1:]), text=escape(text))
    if reasons := stale(first):
        text = "".join(f"<li>{escape(reason)}</li>" for reason in reasons)
        html += box.format(kind="warning", title="These results are stale", text=f"</p><ul>{text}</ul><p>")
    return Html(html)


def _lacking(kept: KeptRun) -> str:
    """What is not finished yet, as a sentence."""
    wanted = kept.settings.train.trainings
    numbers = {name: len(kept.trained.numbers(name)) for name in models.CLASSIFIERS}
    few = [f"{name} ({number} of {counted(wanted, 'training')})" for name, number in numbers.items() if number < wanted]
    unmapped = [name for name, number in numbers.items() if number and name not in kept.maps.names()]
    whole = f"All classifiers have {counted(wanted, 'training')}."
    parts = [f"Not finished yet: {', '.join(few)}." if few else whole]
    parts += [f"No map is kept of {', '.join(unmapped)}."] if unmapped else []
    return " ".join(parts)


def provenance(first: Experiment) -> pd.DataFrame:
    """Trainings and maps of a kept run: number, hours, first and last date and commit, format of artifacts, one row each.

    Of a run that is not kept, the provenance of this build.
    """
    if not isinstance(first, KeptRun):
        return pd.DataFrame({"value": page.provenance(first).facts}).rename_axis("provenance")
    rows = {}
    for folder in sorted({path.parents[1] for path in first.store.glob("trainings/*/*/provenance.json")}):
        facts = [store.read_json(path) for path in sorted(folder.glob("*/provenance.json"))]
        rows[folder.name] = {
            "trainings": len(facts), "hours": sum(fact["seconds"] for fact in facts) / 3600,
            "from (UTC)": min(fact["created"] for fact in facts)[:16],
            "to (UTC)": max(fact["created"] for fact in facts)[:16],
            "commit": ", ".join(sorted({fact["commit"] for fact in facts})), "format": facts[0]["format"],
            "map (s)": _map_seconds(first, folder.name),
        }  # fmt: skip
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("classifier")


def _map_seconds(first: Experiment, name: str) -> str:
    path = first.store / "maps" / name / "provenance.json"
    return f"{store.read_json(path)['seconds']:.0f}" if path.is_file() else DASH
