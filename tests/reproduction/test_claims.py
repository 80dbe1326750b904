"""Claims on planted runs: each can hold and can fail, and none is decided without evidence."""

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import ndimage

from paperlib import models, nomenclature
from paperlib.errors import InputError
from paperlib.evaluation import geometry
from paperlib.evaluation.quantities import Estimate
from paperlib.reproduction import claims
from paperlib.reproduction.claims import (
    BASE,
    CTX,
    REFUTED,
    SPATIAL,
    SUPPORTED,
    UNDECIDED,
    claims_table,
    verdict,
)

LEGEND = nomenclature.legend(cover.code for cover in nomenclature.CLASSES)
CODES = [cover.code for cover in LEGEND]
DATES = ["2018-02-15", "2018-07-08", "2018-12-15"]
BEST = DATES[1]
NAMES = (*models.NAMES, CTX, BASE)
BY = {claim.text: claim for claim in claims.CLAIMS}


class Asked(NamedTuple):
    """What the accuracy of a planted run may depend on."""

    name: str
    changes: dict
    part: str
    code: int
    training: int


Rule = Callable[[Asked], bool]


def when(*names: str, part: str = "", codes=(), training: int | None = None, **changes) -> Rule:
    """Whether what is asked is of these classifiers (none: all), this part, these codes and these changes exactly."""

    def holds(asked: Asked) -> bool:
        return (
            (not names or asked.name in names)
            and part in ("", asked.part)
            and (not codes or asked.code in codes)
            and training in (None, asked.training)
            and asked.changes == changes
        )

    return holds


def random_of(*key) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(repr(key).encode()))


@dataclass(frozen=True, eq=False)
class Planted:
    """A run that says what it is told to: 0.7 of the pixels of a polygon are right, more or less by polygon.

    How easy a polygon is is the same for all classifiers and variations; with `noise`, each also draws its own. Wrong
    pixels go to all other classes alike, or to one where `taken` says so.
    """

    rules: tuple[tuple[Rule, float], ...] = ()  # added to the accuracy where they hold
    taken: dict[tuple[str, int], int] = field(default_factory=dict)  # by classifier and code: the code that is given
    seconds: dict[str, float] = field(default_factory=dict)
    drawn: dict[str, Callable[[np.ndarray], np.ndarray]] = field(default_factory=dict)
    noise: float = 0.0
    seed: int = 0
    each: int = 6  # polygons a class
    simulated: bool = True
    legend: tuple = LEGEND
    count: int = 3  # trainings
    changes: dict = field(default_factory=dict)
    dates = DATES

    @property
    def settings(self):
        return SimpleNamespace(train=SimpleNamespace(trainings=self.count))

    @property
    def truth(self) -> xr.DataArray:
        if not self.simulated:
            raise InputError("Only the simulated scene has a known truth for every pixel.")
        return xr.DataArray(TRUTH, dims=("y", "x"))

    @property
    def trained(self) -> "Planted":
        return self

    def jobs(self, names) -> list:
        return []  # nothing is trained

    def override(self, changes) -> "Planted":
        if changes == {"train.trainings": 1}:
            return replace(self, count=1)
        assert all(name.startswith("sample.") for name in changes)
        return replace(self, changes=self.changes | {name.removeprefix("sample."): changes[name] for name in changes})

    def polygon_counts(self, name: str, part: str = "test") -> tuple[list[np.ndarray], np.ndarray]:
        assert name in NAMES and part in ("validation", "test")
        reference = np.repeat(np.arange(len(self.legend)), self.each)
        ease = 0.05 * random_of("ease", self.seed).standard_normal(len(reference))
        found = []
        for training in range(self.count):
            drawn = random_of(name, sorted(self.changes.items()), part, training, self.seed)
            mine = ease + self.noise * drawn.standard_normal(len(reference))
            codes = [self.legend[index].code for index in reference]
            asked = [Asked(name, self.changes, part, code, training) for code in codes]
            added = np.array([sum(amount for rule, amount in self.rules if rule(one)) for one in asked])
            right = np.rint(700 * np.clip(0.7 + added + mine, 0.02, 0.98)).astype(int)
            counts = np.repeat(((700 - right) // (len(self.legend) - 1))[:, None], len(self.legend), axis=1)
            for row, code in enumerate(codes):
                if (name, code) in self.taken:
                    counts[row] = 0
                    counts[row, [cover.code for cover in self.legend].index(self.taken[name, code])] = 700 - right[row]
            counts[np.arange(len(reference)), reference] = right
            found.append(counts)
        return found, reference

    def trainings(self, names) -> pd.DataFrame:
        rows = [
            (name, training, self.seconds.get(name, 10.0) * np.exp(0.1 * drawn))
            for name in names
            for training, drawn in enumerate(random_of(name, self.seed).standard_normal(self.count))
        ]
        return pd.DataFrame(rows, columns=["model", "training", "training_seconds"])

    @property
    def maps(self) -> "Planted":
        return self

    def classes_by_training(self, name: str) -> list[xr.DataArray]:
        assert not self.changes  # a varied run has no maps
        return [xr.DataArray(self.drawn.get(name, np.copy)(TRUTH), dims=("y", "x"))] * self.count


# -- maps --------------------------------------------------------------------------------------------------------------


def _truth(size=192) -> np.ndarray:
    """Fields, roads of one and two pixels, and built-up blocks."""
    codes = np.full((size, size), 7, np.uint8)
    codes[size // 2 :] = 6
    for start in range(6, size, 24):
        codes[:, start] = 3
        codes[start : start + 2] = 11
    for row in range(14, size - 8, 48):
        for column in range(14, size - 8, 48):
            codes[row : row + 9, column : column + 9] = 1
    return codes


TRUTH = _truth()
BORDERS = geometry.edges(TRUTH) & ~geometry.near(TRUTH == 1)


def speckled(codes, share=0.05, seed=0):
    """Salt and pepper."""
    random = np.random.default_rng(seed)
    return np.where(random.random(codes.shape) < share, random.choice(CODES, codes.shape), codes).astype(np.uint8)


def smoothed(codes):
    """Filtered by majority: narrow objects and specks are gone."""
    votes = [ndimage.uniform_filter((codes == code).astype(float), 7) for code in CODES]
    return np.array(CODES, np.uint8)[np.argmax(votes, axis=0)]


def dilated(codes):
    return np.where(geometry.near(codes == 1), 1, codes).astype(np.uint8)


def built_where(mask, share=0.4):
    chosen = mask & (np.random.default_rng(0).random(TRUTH.shape) < share)
    return lambda codes: np.where(chosen, 1, codes).astype(np.uint8)


# -- evidence for and against each claim -------------------------------------------------------------------------------


def better(*names, by=0.15, **where) -> Planted:
    return Planted(rules=((when(*names, **where), by),))


def worse(*names, by=0.15, **where) -> Planted:
    return better(*names, by=-by, **where)


def maps(**by_role) -> Planted:
    role = {"pixels": "TempCNN", "patches": "3D-CNN", "forest": BASE}
    return Planted(drawn={role[key]: change for key, change in by_role.items()})


def one_date(name: str, all_dates: float) -> Planted:
    """The forest names the best single date on validation, where `name` loses; on test other dates would be better."""
    rules = [(when(BASE, part="validation", dates=BEST), 0.1), (when(name), all_dates)]
    return Planted(
        rules=(*rules, *((when(name, part="test", dates=date), -all_dates) for date in DATES if date != BEST))
    )


def minorities_without_oversampling(by: float) -> Planted:
    """Shrubland and non-vegetated land win or lose where they are not oversampled, and the other classes the reverse."""
    others = [code for code in CODES if code not in (5, 10)]
    rules = [
        (when("TempCNN", codes=codes, oversample=False), sign * by) for codes, sign in (((5, 10), 1), (others, -1))
    ]
    return Planted(rules=tuple(rules))


def outdone(names, by: str) -> Planted:
    """Classifiers better than the rest, and one that is better still."""
    return Planted(rules=((when(*names), 0.1), (when(by), 0.2)))


#: By the claim's text: a run that speaks for it and one that speaks against it.
EVIDENCE = {
    "3D-CNN is the best model of the benchmark.": (better("3D-CNN"), better("2D-CNN")),
    "CNNs with spatio-temporal features outperform forests.": (better(*SPATIAL), better(BASE)),
    "Spatio-temporal convolutions beat temporal ones.": (better("3D-CNN"), better("TempCNN")),
    "Temporal convolutions alone can be determining: TempCNN beats the forest on the same pixels.": (
        better("TempCNN"), better(BASE)),
    "Two streams beat each single stream.": (better("SpatioTempCNN"), better("TempCNN")),
    "A prior segmentation helps: iota2_ctx beats iota2_base.": (better(CTX), better(BASE)),
    "Contextual features cost training time.": (Planted(seconds={CTX: 100}), Planted(seconds={BASE: 100})),
    "A forest does not see the order of the dates.": (Planted(), worse(BASE, dates="shuffled")),
    "A 2D-CNN on stacked dates does not see their order.": (Planted(), better("2D-CNN", dates="shuffled")),
    "TempCNN learns from the order of the dates.": (
        worse("TempCNN", dates="shuffled"), better("TempCNN", dates="shuffled")),
    "3D-CNN learns from the order of the dates.": (
        worse("3D-CNN", dates="shuffled"), better("3D-CNN", dates="shuffled")),
    "One date is not enough (forest).": (one_date(BASE, 0.15), one_date(BASE, -0.15)),
    "One date is not enough (network).": (one_date("TempCNN", 0.15), one_date("TempCNN", -0.15)),
    "Splitting by pixel instead of by polygon flatters the scores.": (
        better(BASE, part="validation", split="pixel"), worse(BASE, part="validation", split="pixel")),
    "Oversampling helps the minority classes.": (
        minorities_without_oversampling(-0.15), minorities_without_oversampling(0.15)),
    "Results are stable over trainings.": (Planted(), better("2D-CNN", part="validation", training=1, by=0.25)),
    "Spectral indices may be useless for a network (left open).": (Planted(), worse("TempCNN", indices=False)),
    "More polygons would help.": (worse("TempCNN", training_share=0.5), better("TempCNN", training_share=0.5)),
    "Needle-leaved trees are harder than the other classes.": (worse(codes=(2,), by=0.3), better(codes=(2,), by=0.25)),
    "Forests take crop fields for built-up or bare land.": (
        Planted(taken={(BASE, 7): 1, ("3D-CNN", 7): 11}), Planted(taken={(BASE, 7): 6, ("3D-CNN", 7): 10})),
    "Pixel-based maps have more speckle.": (
        maps(pixels=speckled, patches=smoothed), maps(pixels=smoothed, patches=speckled)),
    "CNNs have less speckle than a forest.": (maps(forest=speckled), maps(pixels=speckled)),
    "Patch-based models erase small features.": (
        maps(pixels=speckled, patches=smoothed), maps(pixels=smoothed, patches=speckled)),
    "Patch-based models dilate large features.": (maps(patches=dilated), maps(pixels=dilated)),
    "Class borders are often labelled built-up.": (
        maps(pixels=built_where(BORDERS)), maps(pixels=built_where(~BORDERS))),
}  # fmt: skip

BEST_MODEL, SPATIAL_WIN = (claim.text for claim in claims.CLAIMS[:2])


def answer(text: str, run: Planted) -> str:
    return verdict(BY[text].measure(run).estimate(), BY[text].equal)


def test_no_claim_goes_untested_and_no_text_comes_twice():
    assert [claim.text for claim in claims.CLAIMS] == list(EVIDENCE)


@pytest.mark.parametrize("text", EVIDENCE)
def test_every_claim_can_succeed(text):
    assert answer(text, EVIDENCE[text][0]) == SUPPORTED


@pytest.mark.parametrize("text", EVIDENCE)
def test_every_claim_can_fail(text):
    assert answer(text, EVIDENCE[text][1]) == REFUTED


@pytest.mark.parametrize("text", [text for text in EVIDENCE if not BY[text].equal])
def test_runs_that_are_alike_decide_no_difference(text):
    found = BY[text].measure(Planted(count=5)).estimate()
    assert verdict(found) == UNDECIDED
    if not any(word in text for word in ("training time", "Needle")):  # seconds and classes differ a little
        assert found == (0, 0, 0)


TRUTH_NEEDED = ("Patch-based models erase", "Patch-based models dilate", "Class borders")


@pytest.mark.parametrize("text", [text for text in EVIDENCE if not text.startswith(TRUTH_NEEDED)])
def test_chance_decides_rarely(text):
    """Few and noisy polygons, and maps with equal noise: there is no difference to find."""
    count = 5 if "training time" in text else 2  # of two trainings each, the slower two are of one kind often
    runs = [
        Planted(noise=0.25, each=3, count=count, seed=seed,
                drawn={name: lambda codes, key=(name, seed): speckled(codes, seed=zlib.crc32(repr(key).encode()))
                      for name in NAMES})
        for seed in range(6)
    ]  # fmt: skip
    assert [answer(text, run) for run in runs].count(UNDECIDED) >= 4


@pytest.mark.parametrize(
    ("text", "run"),
    [
        *((BEST_MODEL, outdone(["3D-CNN"], name)) for name in ("TempCNN", "2D-CNN", "SpatioTempCNN", CTX, BASE)),
        *((SPATIAL_WIN, outdone(SPATIAL, name)) for name in (CTX, BASE)),
        *((SPATIAL_WIN, Planted(rules=((when(*SPATIAL), 0.15), (when(name), -0.3)))) for name in SPATIAL),
        *(("Two streams beat each single stream.", outdone(["SpatioTempCNN"], name)) for name in ("TempCNN", "3D-CNN")),
        ("Forests take crop fields for built-up or bare land.", Planted(taken={(BASE, 7): 11})),
        ("CNNs have less speckle than a forest.", maps(forest=smoothed, pixels=speckled)),
        *(("Results are stable over trainings.", better(name, part="validation", training=0, by=0.25))
          for name in models.NAMES),
        *((text, change(name, dates="shuffled"))
          for text, name in (("A forest does not see the order of the dates.", BASE),
                             ("A 2D-CNN on stacked dates does not see their order.", "2D-CNN"))
          for change in (better, worse)),
    ],
)  # fmt: skip
def test_no_counterexample_is_overlooked(text, run):
    assert answer(text, run) != SUPPORTED


@pytest.mark.parametrize(
    ("text", "run"),
    [
        ("A forest does not see the order of the dates.", worse("TempCNN", dates="shuffled")),
        ("Splitting by pixel instead of by polygon flatters the scores.", better(BASE, split="pixel")),
        ("Oversampling helps the minority classes.", worse("TempCNN", codes=(1, 7), oversample=False, by=0.02)),
        ("Results are stable over trainings.", better("2D-CNN", part="test", training=1, by=0.25)),
        ("Forests take crop fields for built-up or bare land.", Planted(taken={(BASE, 5): 10})),
    ],
)
def test_what_is_none_of_a_claims_business_changes_nothing(text, run):
    at_rest = BY[text].measure(Planted()).estimate()
    found = BY[text].measure(run).estimate()
    assert found == pytest.approx(at_rest, abs=0.015)


@pytest.mark.parametrize("claim", claims.CLAIMS, ids=lambda claim: claim.text)
def test_claims_that_look_at_a_map_are_marked(claim, monkeypatch):
    looked: list[str] = []
    truth = xr.DataArray(TRUTH, dims=("y", "x"))
    monkeypatch.setattr(Planted, "classes_by_training", lambda run, name: looked.append(name) or [truth] * 3)
    claim.measure(Planted())
    assert bool(looked) == claim.of_map and set(looked) <= set(claims.MAPPED)


def test_one_map_of_each_classifier_decides_nothing():
    tables = [claims_table(Planted(drawn={"TempCNN": speckled}, count=count)).set_index("claim") for count in (3, 1)]
    several, one = (table.loc["Pixel-based maps have more speckle."] for table in tables)
    assert several["verdict"] == SUPPORTED and one["verdict"] == claims.ONE_MAP
    assert one["estimate"] == pytest.approx(several["estimate"]) and one["low"] > 0


def test_one_training_says_nothing_of_stability():
    assert answer("Results are stable over trainings.", Planted(count=1)) == UNDECIDED


def test_the_best_date_is_chosen_on_validation():
    run = Planted(
        rules=(
            (when(BASE, part="validation", dates=DATES[2]), 0.1),
            (when(BASE, part="test", dates=DATES[0]), 0.2),
            (when("TempCNN", part="validation", dates=DATES[1]), 0.2),
        )
    )
    assert claims.best_date(run) == DATES[2]


def test_minorities_that_the_scene_lacks_are_left_out():
    few = replace(worse("TempCNN", codes=(5,), oversample=False), legend=nomenclature.legend([1, 5, 7]))
    assert answer("Oversampling helps the minority classes.", few) == SUPPORTED


nan = float("nan")


@pytest.mark.parametrize(
    ("low", "high", "difference", "equal"),
    [
        (0.01, 0.04, SUPPORTED, SUPPORTED),
        (0.06, 0.20, SUPPORTED, REFUTED),
        (0.01, 0.20, SUPPORTED, UNDECIDED),
        (-0.04, -0.01, REFUTED, SUPPORTED),
        (-0.20, -0.06, REFUTED, REFUTED),
        (-0.20, -0.01, REFUTED, UNDECIDED),
        (-0.04, 0.04, UNDECIDED, SUPPORTED),
        (-0.20, 0.20, UNDECIDED, UNDECIDED),
        (-0.04, 0.20, UNDECIDED, UNDECIDED),
        (0.0, 0.0, UNDECIDED, SUPPORTED),
        (0.0, 0.2, UNDECIDED, UNDECIDED),
        (-0.2, 0.0, UNDECIDED, UNDECIDED),
        (0.05, 0.05, SUPPORTED, UNDECIDED),
        (nan, nan, UNDECIDED, UNDECIDED),
    ],
)
def test_verdict(low, high, difference, equal):
    found = Estimate((low + high) / 2, low, high)
    assert (verdict(found), verdict(found, equal=True)) == (difference, equal)


def test_what_the_claims_take_is_trained_at_once(monkeypatch):
    """With the number of trainings that each claim takes; and nothing that no claim takes."""
    asked, trained = set(), set()

    class Recorded(Planted):
        def key(self, name):
            return tuple(sorted(self.changes.items())), name, self.count

        def polygon_counts(self, name, part="test"):
            asked.add(self.key(name))
            return super().polygon_counts(name, part)

        def jobs(self, names):
            return [self.key(name) for name in names]

    monkeypatch.setattr(claims, "make_trainings", trained.update)
    short = claims_table(Recorded(), varied=False)["claim"]
    assert asked == trained and {name for changes, name, _ in asked if changes} == {BASE}
    assert short.tolist() == [claim.text for claim in claims.CLAIMS if not claim.varied]
    shorter = claims_table(Recorded(), varied=False, mapped=False)["claim"]
    assert shorter.tolist() == [claim.text for claim in claims.CLAIMS if not claim.varied and not claim.of_map]
    claims_table(Recorded())
    assert asked == trained
    dates = [count for changes, name, count in trained if name == BASE and dict(changes).get("dates") in DATES]
    assert sorted(dates) == [1] * len(DATES) + [3]  # each date once, the best one as often as all others


def test_the_table_has_every_claim_and_its_verdict():
    run = worse(BASE, dates="shuffled")
    table = claims_table(run)
    assert list(table) == ["number", "claim", "section", "measured", "estimate", "low", "high", "verdict"]
    assert len(table) == len(claims.CLAIMS) >= 20
    assert table["number"].tolist() == list(range(1, len(table) + 1))
    for row, claim in zip(table.itertuples(), claims.CLAIMS, strict=True):
        assert (row.claim, row.section, row.measured) == (claim.text, claim.section, claim.measured)
        assert (row.estimate, row.low, row.high) == claim.measure(run).estimate()
        assert row.verdict == answer(claim.text, run)
    order = table.set_index("claim")["verdict"]
    assert order["A forest does not see the order of the dates."] == REFUTED
    assert order["A 2D-CNN on stacked dates does not see their order."] == SUPPORTED


def test_without_a_known_truth_the_claims_that_need_it_are_undecided():
    table = claims_table(Planted(simulated=False))
    need = np.array([claim.text.startswith(TRUTH_NEEDED) for claim in claims.CLAIMS])
    assert need.sum() == 3 and table["verdict"].str.contains("known truth").tolist() == need.tolist()
    assert table.loc[need, ["estimate", "low", "high"]].isna().all(axis=None)
    assert table.loc[~need, ["estimate", "low", "high"]].notna().all(axis=None)


def test_a_scene_without_the_class_of_a_claim_leaves_it_undecided():
    kept = tuple(cover for cover in Planted().legend if cover.code not in (5, 7, 10))
    table = claims_table(Planted(legend=kept)).set_index("claim")["verdict"]
    assert table["Oversampling helps the minority classes."].startswith(f"{UNDECIDED}: The scene has none")
    assert table["Forests take crop fields for built-up or bare land."].startswith(
        f"{UNDECIDED}: The scene has no poly"
    )
