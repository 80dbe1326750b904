"""Before a run: its classifiers are known and its input is checked."""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from ..checks import preflight
from ..errors import InputError
from ..models.registry import CLASSIFIERS
from .experiment import Experiment


def check_first(run: Experiment, report: Callable[[str], None], folder: Path | None = None) -> None:
    """Report what the pre-flight finds in a run's scene and polygons; keep it in `folder` as check.txt and check.json.

    Raises `InputError` when it finds that the run is not possible. The simulated scene needs no check.
    """
    if run.simulated:
        return
    chosen = run.settings
    findings = preflight.check(chosen.scene.path, chosen.scene.polygons, chosen.sample, chosen.seed)
    text = preflight.report(findings)
    if folder is not None:
        (folder / "check.txt").write_text(text + "\n")
        (folder / "check.json").write_text(json.dumps([asdict(found) for found in findings], indent=1) + "\n")
    report(text)
    if preflight.exit_code(findings) == 2:
        raise InputError("The scene and its polygons cannot be used as they are; the errors above say what to mend.")


def known(names: list[str] | None) -> tuple[str, ...]:
    """The classifiers asked for, all where none is. Raises `InputError` for one that does not exist."""
    unknown = [name for name in names or () if name not in CLASSIFIERS]
    if unknown:
        raise InputError(f"Unknown model {unknown[0]!r}; choose among {', '.join(CLASSIFIERS)}.")
    return tuple(names or CLASSIFIERS)
