"""Whether a kept run still is what the present settings, format and code would give."""

from datetime import UTC, datetime
from pathlib import Path

from ... import models, store
from ...errors import InputError
from ...runs import keys
from ...settings import PRESETS, override
from . import code
from .reading import KeptRun


def stale(run: KeptRun) -> list[str]:
    """Reasons why a kept run is stale, as sentences; none where it is not.

    Compared are, for each training, the format, the key that the preset gives now (it holds all settings that matter)
    and the digests of the code of its stages; for each map the format and the code of maps. A key that rests on files
    of a real scene is compared where these files are.
    """
    found: dict[str, list[str]] = {}
    for path in _provenances(run.store):
        facts = store.read_json(path)
        for reason in _reasons(run, path, facts):
            found.setdefault(reason, []).append(path.parent.relative_to(run.store).as_posix())
    return [f"{reason}: {_listed(places)}." for reason, places in found.items()]


def _provenances(folder: Path) -> list[Path]:
    return sorted(folder.glob("*/*/**/provenance.json"))


def _listed(places: list[str]) -> str:
    return ", ".join(places[:3]) + (f" and {len(places) - 3} more" if len(places) > 3 else "")


def _reasons(run: KeptRun, path: Path, facts: dict) -> list[str]:
    """Why one training or map is stale."""
    if facts["format"] != store.FORMAT:
        return [f"Format {facts['format']} of artifacts, now {store.FORMAT}"]
    reasons = [
        f"Code of stage {stage!r} changed since commit {facts['commit']}"
        for stage, digest in facts["code"].items()
        if digest != code.digest(stage)
    ]
    if "key" in facts and _key(run, path) not in ("", facts["key"]):
        reasons.append("Settings or inputs changed, so that the key is another")
    return reasons


def _key(run: KeptRun, path: Path) -> str:
    """The key that a kept training would get now; empty where the files of its scene are absent."""
    label, number = path.parts[-3:-1]
    name, _, variation = label.partition(", ")
    if name not in (*models.CLASSIFIERS, *models.OTHERS) or (variation and "=" not in variation):
        return ""  # by another program
    changes = dict(change.split("=") for change in variation.split(", ")) if variation else {}
    try:
        base = run.settings
        if run.simulated:
            base = override(PRESETS[run.facts["preset"]], run.facts["overridden"] | {"seed": run.settings.seed})
        varied = override(base, {f"sample.{field}": value for field, value in changes.items()})
        return keys.training_key(varied, name, int(number))
    except (InputError, OSError):
        return ""


def confirm(run: KeptRun, why: str) -> list[str]:
    """Take the present code for that of a kept run, since its results are the same; return the stages that changed.

    `why` is kept with date and commit. Raises `InputError` without a reason, and where more than code changed: results of
    another format or other settings are made again.
    """
    if not why.strip():
        raise InputError("No reason was given.", "Say how you know that the results are the same.", kind="kept.confirm")
    changed: list[str] = []
    for path in _provenances(run.store):
        facts = store.read_json(path)
        other = [reason for reason in _reasons(run, path, facts) if not reason.startswith("Code")]
        if other:
            raise InputError(f"{path.parent}: {other[0]}.", "Make it again: `make paper`.", kind="kept.confirm")
        now = {stage: code.digest(stage) for stage in facts["code"]}
        changed += [stage for stage, digest in now.items() if digest != facts["code"][stage]]
        store.write_json(path, facts | {"code": now})
    stages = sorted(set(changed))
    if stages:
        entry = {"date": f"{datetime.now(UTC):%Y-%m-%d}", "commit": store.commit(), "stages": stages, "why": why}
        run.facts["confirmed"].append(entry)
        store.write_json(run.store / "run.json", run.facts)
    return stages
