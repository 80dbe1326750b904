"""The foot of a page: settings, code and machine, and the origin of each number, folded below one line."""

import json
from html import escape
from pathlib import Path

from ... import settings, store
from ...errors import counted
from ...runs.experiment import Experiment
from .recording import Number, Recording


class Foot(str):
    """HTML that a notebook displays; `facts` are the rows of its table of settings, `numbers` those of its numbers."""

    facts: dict[str, str]
    numbers: list[Number]

    def _repr_html_(self) -> str:
        return str(self)


def foot(run: Experiment, recording: Recording, seconds: float) -> Foot:
    """The foot of the page of a run; `seconds` since the page began."""
    facts, numbers, artifacts = facts_of(run, seconds), recording.numbers(), recording.artifacts()
    parts = [counted(len(numbers), "number")] if numbers else []
    parts += [counted(len(artifacts), "artifact"), f"commit {facts['commit']}", facts["machine"]]
    body = _numbers_table(numbers) if numbers else ""
    if artifacts:
        listed = "".join(f"<li><code>{escape(name)}</code></li>" for name in artifacts)
        body += f"<p>Artifacts of this page, in the store or in <code>benchmarks/</code>:</p><ul>{listed}</ul>"
    rows = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in facts.items())
    body += _table(("provenance", "value"), rows)
    kept: dict = {
        "settings": facts["preset"] + (f" with {facts['overridden']}" if facts["overridden"] != "nothing" else "")
    }
    kept |= {"commit": facts["commit"], "numbers": [number._asdict() for number in numbers]}
    data = json.dumps(kept).replace("<", "\\u003c")  # so that no value ends the element
    made = Foot(
        f'<details class="origins" id="origins"><summary>Where this page comes from: {escape(", ".join(parts))}</summary>'
        f'{body}</details><script type="application/json" class="origins-data">{data}</script>'
    )
    made.facts, made.numbers = facts, numbers
    return made


def _numbers_table(numbers: list[Number]) -> str:
    rows = "".join(
        f'<tr id="number-{escape(number.key)}"><th>{escape(number.key)}</th><td>{escape(number.value)}</td>'
        f"<td>{_listed(number.artifacts)}</td></tr>"
        for number in numbers
    )
    return _table(("number", "value", "from"), rows)


def _table(head: tuple[str, ...], rows: str) -> str:
    names = "".join(f"<th>{name}</th>" for name in head)
    return f'<table class="dataframe"><thead><tr>{names}</tr></thead><tbody>{rows}</tbody></table>'


def _listed(artifacts: tuple[str, ...]) -> str:
    return "<br>".join(f"<code>{escape(name)}</code>" for name in artifacts) or "typed in the notebook"


def facts_of(run: Experiment, seconds: float) -> dict[str, str]:
    """Settings, code, versions and device of a run, by name. Settings without a value are left out."""
    facts = store.provenance(settings.describe(run.settings), seconds)
    scene = "simulated" if run.simulated else Path(run.settings.scene.path).name
    rows = {"scene": scene, "commit": facts["commit"], "created (UTC)": facts["created"]}
    rows |= {"machine": facts["machine"], "device": facts["device"], "seconds for this page": f"{facts['seconds']:.1f}"}
    rows |= {"Python": facts["python"], **facts["versions"]}
    chosen = facts["settings"]
    preset, changes = settings.overridden(run.settings)
    rows |= {
        "preset": preset,
        "overridden": ", ".join(f"{name}={value}" for name, value in changes.items()) or "nothing",
    }
    hidden = {"scene.path", "scene.polygons"}
    if not run.simulated:  # the settings of the simulated scene do not concern a real one
        hidden |= {f"scene.{name}" for name in settings.SIMULATED}
    rows |= {name: value for name, value in chosen.items() if name not in hidden and value not in ("", None, ())}
    return {
        name: ", ".join(map(str, value)) if isinstance(value, tuple) else str(value) for name, value in rows.items()
    }
