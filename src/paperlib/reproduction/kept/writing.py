"""Write what a run has finished to the folder of a kept run; nothing is computed but summaries of what is there."""

import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import rasterio
import xarray as xr
from rasterio.io import MemoryFile
from rasterio.shutil import copy
from rasterio.windows import Window

from ... import models, store
from ...errors import InputError
from ...figures.images import available_composites
from ...outputs import size, used, writing
from ...runs import keys
from ...runs.experiment import Experiment
from ...settings import describe, overridden
from ...training.trials import trainings_frame
from .. import claims, evidence, paper
from . import code
from .reading import COUNTS, OTHER_MAPS

#: Files of a training that are kept as they are, beside the counts by polygon; weights are not.
FILES = ("scores.json", "history.csv")

#: Limits in bytes of one kept file, and of a kept run.
LARGEST, WHOLE = 1_000_000, 5_000_000

#: Side in pixels of the window of the paper's maps, and of the middle of the scene of which maps and truth are kept.
WINDOW, MIDDLE = 120, 1024


def keep(run: Experiment, folder: Path, machine: str = "") -> dict[str, int]:
    """Write the finished results of a run to `folder` and return how many trainings of each classifier are kept.

    What is kept already is replaced; trainings that others wrote there, such as those of the Orfeo ToolBox, stay.
    `machine`: its name, for people. Raises `InputError` where the samples are not made yet, and for results larger than
    `LARGEST` a file or `WHOLE` in all.
    """
    if not store.place(run.store, "samples", "patches", keys.samples_key(run.settings)).is_dir():
        raise InputError(f"The store {run.store} has no samples of this run.", "Train first.", kind="kept.lacking")
    with writing(folder, folder=True) as part:
        kept = {}
        for varied, names in _variations(run):
            label = varied.trained.variation
            for name in names:
                kept[f"{name}, {label}" if label else name] = _keep_trainings(varied, name, part)
        for name in kept:
            if kept[name] and name in models.CLASSIFIERS:
                _keep_map(run, name, part)
        before = store.read_json(folder / "run.json") if (folder / "run.json").is_file() else {}
        facts = _facts(run, machine or store.provenance({}, 0)["machine"], before.get("confirmed", []))
        if before.get("samples") != facts["samples"]:  # summaries of the same samples are the same
            _keep_scene(run, part)
        store.write_json(part / "run.json", facts)
        _carry_confirmations(folder, part)
        _check_size(part)
    for name, number in kept.items():
        for path in (folder / "trainings" / name).glob("*") if number else ():
            if int(path.name) >= number:  # of other settings or older code
                shutil.rmtree(path)
    return {name: number for name, number in kept.items() if number}


def _variations(run: Experiment) -> list[tuple[Experiment, tuple[str, ...]]]:
    """The run itself and those of its variations that the claims take, with the classifiers of each."""
    varied = [*claims.VARIED, *(({"dates": date}, (claims.BASE, "TempCNN")) for date in run.dates)]
    runs = [(run, (*models.CLASSIFIERS, *models.OTHERS))]
    return runs + [(evidence.vary(run, **changes), names) for changes, names in varied]


def _keep_trainings(run: Experiment, name: str, folder: Path) -> int:
    """Copy the trainings of a classifier that are finished, from number 0 without gaps; return their number."""
    label = f"{name}, {run.trained.variation}" if run.trained.variation else name
    for number in range(run.settings.train.trainings):
        source, target = run.trained.place(name, number), folder / "trainings" / label / str(number)
        if not source.is_dir():
            return number
        target.mkdir(parents=True)
        for file in FILES:
            if (source / file).is_file():
                shutil.copyfile(source / file, target / file)
        write_counts(pd.read_csv(source / "polygons.csv"), target)
        facts = store.read_json(source / "provenance.json")
        commit = facts["commit"]
        digests = {
            stage: code.digest(stage, commit.removesuffix("-dirty")) or code.digest(stage)
            for stage in code.stages_of(name)
        }
        kept = {fact: facts[fact] for fact in ("created", "seconds", "commit", "format", "device")}
        store.write_json(
            target / "provenance.json", kept | {"key": source.name.removeprefix(f"{name}-"), "code": digests}
        )
    return run.settings.train.trainings


def write_counts(polygons: pd.DataFrame, folder: Path) -> None:
    """Write the counts by polygon of a training (see `scoring.by_polygon`), with a column set; the same bytes each time."""
    polygons.to_csv(folder / COUNTS, index=False, compression={"method": "gzip", "mtime": 1})


def _keep_map(run: Experiment, name: str, folder: Path) -> None:
    """Copy the map by the best of the kept trainings of a classifier, and those by the others, where they are made."""
    best = _best(folder / "trainings" / name)
    _copy_map(run, name, best, run.maps.every, folder / "maps" / name)
    others = (number for number in range(run.settings.train.trainings) if number != best)
    keep_other_maps(run, name, others, folder)


def keep_other_maps(run: Experiment, name: str, numbers: Iterable[int], folder: Path) -> None:
    """Copy maps by further trainings of a classifier to a kept run, where they are made: they tell the luck of a map."""
    for number in numbers:
        _copy_map(run, name, number, False, folder / "maps" / name / OTHER_MAPS / str(number))


def _copy_map(run: Experiment, name: str, number: int, every: bool, target: Path) -> None:
    made = store.place(run.store, "map", name, keys.map_key(run.trained.place(name, number).name, every))
    if not made.is_dir():
        return
    target.mkdir(parents=True)
    _write_codes(made / "class.tif", target / "class.tif")
    facts = store.read_json(made / "provenance.json")
    digest = code.digest("map", facts["commit"].removesuffix("-dirty")) or code.digest("map")
    kept = {fact: facts[fact] for fact in ("created", "seconds", "commit", "format", "device", "machine")}
    store.write_json(target / "provenance.json", kept | {"training": number, "code": {"map": digest}})


def _carry_confirmations(before: Path, folder: Path) -> None:
    """Take the provenance of results that were kept before as it is: `staleness.confirm` may have changed its digests."""
    for path in folder.glob("*/**/provenance.json"):
        earlier = before / path.relative_to(folder)
        if earlier.is_file() and {**store.read_json(path), "code": {}} == {**store.read_json(earlier), "code": {}}:
            shutil.copyfile(earlier, path)


def _best(folder: Path) -> int:
    """Number of the best of these trainings by validation macro F1."""
    scores = [
        {**store.read_json(path / "scores.json"), "training": int(path.name)} for path in sorted(folder.iterdir())
    ]
    return int(trainings_frame(scores).query("chosen")["training"].iloc[0])


def _write_codes(source: Path, target: Path) -> None:
    """Write the middle of class codes as a small Cloud Optimized GeoTIFF without overviews, with their colours."""
    with rasterio.open(source) as file, MemoryFile() as memory:
        height, width = (min(side, MIDDLE) for side in file.shape)
        window = Window((file.width - width) // 2, (file.height - height) // 2, width, height)
        profile = {"driver": "GTiff", "count": 1, "dtype": "uint8", "nodata": file.nodata, "crs": file.crs}
        profile |= {"height": height, "width": width, "transform": file.window_transform(window)}
        with memory.open(**profile) as part:
            part.write(file.read(1, window=window), 1)
            with suppress(ValueError):  # without colours
                part.write_colormap(1, file.colormap(1))
        with memory.open() as part:
            copy(part, target, driver="COG", compress="ZSTD", level=22, overviews="NONE", blocksize=512)


def _keep_scene(run: Experiment, folder: Path) -> None:
    """Write the labelled pixels by class, and of a simulated scene the truth and the image of a window."""
    series = [run.dataset.series(normalised).assign(normalised=normalised) for normalised in (False, True)]
    pd.concat(series).to_csv(folder / "series.csv", index=False, float_format="%.6g")
    run.dataset.pixel_counts().to_csv(folder / "pixels.csv", index=False)
    if not run.simulated:
        return
    assert run.dataset.folder is not None
    _write_codes(run.dataset.folder / "truth.tif", folder / "truth.tif")
    window = run.scene.isel(run.dataset.window(WINDOW, paper.FIGURE_9_CLASS))
    bands = next(iter(available_composites(window).values()))
    _write_image(window.isel(time=window.sizes["time"] // 2).sel(band=list(bands)), folder / "window.tif")


def _write_image(image: xr.DataArray, path: Path) -> None:
    """Write reflectance (band, y, x) in units of 0.0001, -10000 where there is none."""
    stored = np.nan_to_num((image * 10_000).round(), nan=-10_000).astype(np.int16)
    profile = {"driver": "GTiff", "count": len(stored), "height": image.sizes["y"], "width": image.sizes["x"]}
    profile |= {"dtype": "int16", "nodata": -10_000, "crs": image.rio.crs, "transform": image.rio.transform()}
    with rasterio.open(path, "w", compress="ZSTD", zstd_level=22, predictor=2, **profile) as file:
        file.write(stored)
        file.descriptions = tuple(image["band"].values)


def _facts(run: Experiment, machine: str, confirmed: list[dict]) -> dict:
    """Content of run.json."""
    stages = {
        "scene": ("scene", "simulated", keys.scene_key(run.settings)),
        "samples": ("samples", "patches", keys.samples_key(run.settings)),
        "superpixels": ("superpixels", "slic", keys.superpixels_key(run.settings)),
    }
    places = {stage: store.place(run.store, *place) / "provenance.json" for stage, place in stages.items()}
    seconds = {stage: store.read_json(path)["seconds"] for stage, path in places.items() if path.is_file()}
    now = store.provenance(describe(run.settings), 0)
    preset, changes = overridden(run.settings)
    return {
        "preset": preset, "overridden": changes, "settings": now["settings"], "machine": machine,
        "kept": f"{datetime.now(UTC):%Y-%m-%d}", "format": store.FORMAT, "python": now["python"],
        "versions": now["versions"], "seconds": seconds, "dates": run.dates,
        "legend": [cover._asdict() for cover in run.legend], "confirmed": confirmed,
        "samples": keys.samples_key(run.settings),
    }  # fmt: skip


def _check_size(folder: Path) -> None:
    """Raise `InputError` for a file or a folder that is too large to be kept."""
    large = [path for path in folder.rglob("*") if path.is_file() and os.path.getsize(path) > LARGEST]
    if large or used(folder) > WHOLE:
        names = ", ".join(f"{path.name} of {size(os.path.getsize(path))}" for path in large)
        problem = f"The results are too large to be kept: {size(used(folder))} in all{f', {names}' if names else ''}."
        raise InputError(problem, f"At most {size(WHOLE)} in all and {size(LARGEST)} a file are.", kind="kept.size")
