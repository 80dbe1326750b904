"""Expected calibration error on whole maps and on test polygons: as trained, calibrated, and with other temperatures.

    python benchmarks/calibration.py [CLASSIFIER ...]

Maps pixels drawn from simulated scenes at preset demo, whose truth is known, with one training of each classifier.
Temperatures come from the validation polygons alone: by the Brier score from 1 on (what `paperlib` does), by the Brier score
from 0.5 on, and by the likelihood. Means over scenes, and the worst scene, are kept in results/calibration.csv.
"""

import sys

import numpy as np
import pandas as pd
import torch
from record import keep
from scipy.optimize import minimize_scalar
from torch.nn import functional

from paperlib import Experiment
from paperlib.evaluation import calibration

CLASSIFIERS = ("iota2_base", "TempCNN")
SCENES = (1, 2, 31, 32)
PIXELS = 15_000


def temperatures(logits: torch.Tensor, label: torch.Tensor) -> dict[str, float]:
    """Temperatures of validation pixels, by the way they are chosen."""

    def likelihood(logarithm: float) -> float:
        return functional.cross_entropy(logits / np.exp(logarithm), label).item()

    best = minimize_scalar(likelihood, bounds=(np.log(0.5), np.log(10)), method="bounded")
    found = {"as trained": 1.0, "Brier score, from 1": calibration.fit_temperature(logits, label)}
    usual, calibration.LIMITS = calibration.LIMITS, (0.5, 10.0)
    found["Brier score, from 0.5"] = calibration.fit_temperature(logits, label)
    calibration.LIMITS = usual
    return found | {"likelihood": float(np.exp(best.x))}


def measure(name: str, seed: int) -> pd.DataFrame:
    """One scene: temperature, and error on the map and on the test polygons, for each way."""
    run = Experiment("demo", settings={"scene.seed": seed, "train.trainings": 1})
    classifier, codes = run.classifier(name), [cover.code for cover in run.legend]
    whole = (slice(0, run.scene.sizes["y"]), slice(0, run.scene.sizes["x"]))
    values, usable = classifier.inputs.read_around(run.scene, *whole, 0)
    truth = run.truth.values
    known = np.flatnonzero(usable & np.isin(truth, codes))
    drawn = np.random.default_rng(seed).choice(known, PIXELS, replace=False)
    x = torch.from_numpy(values.reshape(*values.shape[:2], -1)[:, :, drawn]).permute(2, 0, 1)[..., None, None]
    with torch.inference_mode():
        parts = [classifier.model(classifier.normaliser.apply(part))[..., 0, 0] for part in x.split(4000)]
    places = {"map": (torch.cat(parts), torch.from_numpy(np.searchsorted(codes, truth.flat[drawn])))}
    samples = run.trained.samples(name)
    judged = {part: classifier.evaluate(samples[part]) for part in ("validation", "test")}
    places["test polygons"] = (judged["test"].logits, judged["test"].label)
    rows = []
    for way, temperature in temperatures(judged["validation"].logits, judged["validation"].label).items():
        errors = {
            place: calibration.calibration_error(calibration.reliability((logits / temperature).softmax(1), label))
            for place, (logits, label) in places.items()
        }
        rows.append({"way": way, "temperature": temperature, **errors})
    return pd.DataFrame(rows)


def main(*names: str) -> None:
    """Measure and keep means over scenes."""
    tables = []
    for name in names or CLASSIFIERS:
        every = pd.concat([measure(name, seed) for seed in SCENES]).groupby("way", sort=False)
        table = every.mean().join(every["map"].max().rename("map, worst")).reset_index()
        tables.append(table.assign(classifier=name, scenes=len(SCENES)))
    table = pd.concat(tables)
    first = ["classifier", "way", "scenes"]
    keep("calibration", table[first + [column for column in table if column not in first]])


if __name__ == "__main__":
    main(*sys.argv[1:])
