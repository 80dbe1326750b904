"""One scene and its polygons from files to products: checked, trained, scored and mapped."""

import json
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path

from .. import environment
from ..checks import preflight
from ..errors import Finding, InputError, counted
from ..evaluation.scores import scores_table
from ..models.registry import choose
from ..outputs import check_place, writing
from ..settings import Overrides
from ..training.progress import spoken
from .costs.calibration import map_seconds
from .experiment import Experiment
from .products import check_room, write_products
from .regional.spread import spread


def check_first(run: Experiment, report: Callable[[str], None], folder: Path | None = None) -> list[Finding]:
    """Check a run's scene and polygons, report and return the findings; `folder` gets them as check.txt and check.json.

    The simulated scene needs no check. Raises `InputError` when a finding makes the run impossible.
    """
    if run.simulated:
        return []
    chosen = run.settings
    inspection = preflight.inspect(chosen.scene.path, chosen.scene.polygons, chosen)
    findings, text = inspection.findings, inspection.text()
    if folder is not None:
        _write_text(folder / "check.txt", text)
        _write_text(folder / "check.json", json.dumps([asdict(finding) for finding in findings], indent=1))
    report(text)
    run.dataset.checked = True
    if preflight.exit_code(findings) == 2:
        raise InputError(
            "The scene and its polygons cannot be used as they are.", "The errors above say what to mend.", kind="check"
        )
    return findings


def run_all(
    scene: str,
    polygons: str,
    out: Path,
    preset: str = "",
    names: Iterable[str] | None = None,
    settings: Overrides | None = None,
    store: str | Path | None = None,
    report: Callable[[str], None] = print,
    scheduler: str = "",
) -> Experiment:
    """Check, train, score and map one scene into the folder `out`; a second call resumes an interrupted one.

    Writes check.txt and check.json; trainings.csv and table-4.csv; maps/NAME/ (see `products`); and artifacts/, the
    store, unless `store` or $PAPERLIB_STORE names another. `names`: the classifiers, all by default; `settings`:
    overrides of the preset; `scheduler`: of a Dask cluster for the tiles of a region (`spread`). Returns the run.
    Raises `InputError` as the stages do.
    """
    chosen = choose(names)
    check_place(out, folder=True)
    out.mkdir(parents=True, exist_ok=True)
    run = Experiment(preset, scene, polygons, settings=settings, store=store_of(store, out))
    check_first(run, report, out)
    check_room(run, chosen, out / "maps")
    if scheduler:
        spread(run, chosen, scheduler, report)
    expected = train_all(run, chosen, report)
    for name in chosen:
        best = run.trainings([name]).query("chosen").iloc[0]
        report(
            f"trained {name}: macro F1 {best['macro_f1_validation']:.3f} validation, {best['macro_f1_test']:.3f} test"
        )
    _write_text(out / "trainings.csv", run.trainings(chosen).to_csv(index=False))
    map_all(run, chosen, out / "maps", report, expected)
    table = scores_table(run.class_scores(chosen), run.efficiency(chosen), run.legend)
    _write_text(out / "table-4.csv", table.to_csv())
    return run


def store_of(store: str | Path | None, out: Path) -> Path:
    """The store of `run_all`: the one that is named, else $PAPERLIB_STORE, else artifacts in its folder."""
    return Path(store or environment.read("STORE") or out.absolute() / "artifacts").absolute()


def train_all(
    run: Experiment, names: tuple[str, ...], report: Callable[[str], None], ensemble: bool = False
) -> dict[str, float]:
    """Train what is not in the store, side by side, before maps by all of these classifiers; says what comes.

    `ensemble`: one map follows, by all trainings. Returns the seconds that each map takes, about, as measured on some of its
    pixels: of the maps that are not in the store.
    """
    todo = [job.name for job in run.trained.jobs(names) if not run.trained.place(job.name, job.number).is_dir()]
    if todo and not run.dataset.has_samples():
        report(f"next: samples of {counted(len(run.polygons), 'polygon')} are read")
    maps = tuple(name for name in names if ensemble or name in todo or not run.maps.made(name))
    expected = map_seconds(run, maps, run.settings.train.trainings if ensemble else 1)
    then, after = counted(1 if ensemble else len(maps), "map"), sum(expected.values())
    about = f", about {spoken(after)}" if after else ""
    if todo:
        trained = ", ".join(name for name in names if name in todo)
        report(f"next: {counted(len(todo), 'training')} of {trained}, then {then}{about}")
    elif maps:
        report(f"next: {then}{about}")
    run.trained.make(names, then, after)
    return expected


def map_all(
    run: Experiment,
    names: tuple[str, ...],
    folder: Path,
    report: Callable[[str], None],
    expected: dict[str, float] | None = None,
) -> None:
    """`products.write_products`, with a line for each map that says how long the others take, about.

    That is by the maps before, and by how the seconds `expected` of the others compare with theirs.
    """
    started, expected = time.perf_counter(), expected or dict.fromkeys(names, 1.0)
    for number, name in enumerate(names, start=1):
        (place,) = write_products(run, (name,), folder)
        done, left = (sum(expected.get(other, 0.0) for other in part) for part in (names[:number], names[number:]))
        coming = f" ({number} of {len(names)} maps"
        if done and left:
            coming += f", about {spoken((time.perf_counter() - started) * left / done)} left"
        report(f"mapped: {place}{coming + ')' if number < len(names) else ''}")


def _write_text(path: Path, text: str) -> None:
    with writing(path) as part:
        part.write_text(text.rstrip("\n") + "\n", encoding="utf-8")
