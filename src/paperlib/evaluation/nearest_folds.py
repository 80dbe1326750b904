"""Folds whose distances from test to training samples are like those from the map to the training samples.

k-fold nearest neighbour distance matching, kNNDM (Linnenbrink and others, 2024, Geoscientific Model Development 17,
5897-5912). Where training samples are clustered, random folds test near what they trained on, and flatter.
"""

from dataclasses import dataclass

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial import cKDTree
from scipy.stats import wasserstein_distance

from ..errors import InputError

#: Numbers of clusters that are tried, at most.
TRIED = 100

#: Training samples are as far from each other as places of the map where a test for "nearer" has at least this p-value.
ALIKE = 0.05


@dataclass(frozen=True)
class Folds:
    """A partition of training samples.

    `fold` int (sample,) from 0; `clusters` is the number of clusters it was made of, 0 for random folds; `mismatch` the
    first Wasserstein distance, in units of the coordinates, between distances from test to training samples and
    distances from map to training samples.
    """

    fold: np.ndarray
    clusters: int
    mismatch: float


def distances_to_others(samples: np.ndarray) -> np.ndarray:
    """Distance (sample,) of each sample (sample, axis) to the nearest other one."""
    return cKDTree(samples).query(samples, k=2)[0][:, 1]


def distances_from_map(places: np.ndarray, samples: np.ndarray) -> np.ndarray:
    """Distance (place,) of each place (place, axis) to the nearest sample (sample, axis)."""
    return cKDTree(samples).query(places)[0]


def distances_across_folds(samples: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """Distance (sample,) of each sample to the nearest one of another fold."""
    distance = np.empty(len(samples))
    for number in np.unique(fold):
        inside = fold == number
        distance[inside] = cKDTree(samples[~inside]).query(samples[inside])[0]
    return distance


def mismatch(samples: np.ndarray, places: np.ndarray, fold: np.ndarray) -> float:
    """How unlike the distances across folds are to those from the map: their first Wasserstein distance."""
    return float(wasserstein_distance(distances_across_folds(samples, fold), distances_from_map(places, samples)))


def nearest_folds(
    samples: np.ndarray, places: np.ndarray, folds: int = 10, largest: float = 0.5, linkage_method: str = "ward",
    seed: int = 0,
) -> Folds:  # fmt: skip
    """Divide training samples so that testing across folds is as far away as mapping is.

    Parameters
    ----------
    samples: float (sample, axis), coordinates in metres, or standardised features.
    places: float (place, axis), places drawn at random from the map.
    folds: number of folds.
    largest: share of the samples that a fold may hold at most.
    linkage_method: of scipy's hierarchical clustering.
    seed: of random folds, which are taken where samples are no nearer to each other than places are to samples.

    Raises `InputError` where there are fewer samples than folds, or no number of clusters keeps folds small enough.
    """
    samples, places = np.asarray(samples, float), np.asarray(places, float)
    if not 2 <= folds <= len(samples) or largest * folds < 1:
        raise InputError(
            f"{len(samples)} samples do not make {folds} folds with at most {100 * largest:.0f} % of them in one.",
            f"Choose from 2 to {len(samples)} folds.",
            kind="validation.folds",
        )
    from_map = distances_from_map(places, samples)
    if _nearer(distances_to_others(samples), from_map) >= ALIKE:
        fold = np.random.default_rng(seed).permutation(np.arange(len(samples)) % folds)
        return Folds(fold, 0, float(wasserstein_distance(distances_across_folds(samples, fold), from_map)))
    tree, found = linkage(samples, linkage_method), []
    for number in _numbers_of_clusters(len(samples), folds):
        fold = _deal(samples, fcluster(tree, number, "maxclust"), folds)
        if np.bincount(fold).max() <= largest * len(samples) and len(np.unique(fold)) > 1:
            distance = wasserstein_distance(distances_across_folds(samples, fold), from_map)
            found.append(Folds(fold, int(number), float(distance)))
    if not found:
        raise InputError(
            f"No division into {folds} folds keeps every fold at or below {100 * largest:.0f} % of the samples.",
            "Allow larger folds, or more of them.",
            kind="validation.folds",
        )
    return min(found, key=lambda choice: choice.mismatch)


def _nearer(ours: np.ndarray, theirs: np.ndarray) -> float:
    """p-value of a one-sided Kolmogorov-Smirnov test that `ours` are smaller, by its asymptotic formula."""
    values = np.sort(np.concatenate([ours, theirs]))
    shares = [np.searchsorted(np.sort(part), values, side="right") / len(part) for part in (ours, theirs)]
    gap = max(0.0, float((shares[0] - shares[1]).max()))
    return float(np.exp(-2 * gap**2 * len(ours) * len(theirs) / (len(ours) + len(theirs))))


def _numbers_of_clusters(samples: int, folds: int) -> np.ndarray:
    return np.unique(np.round(np.exp(np.linspace(np.log(folds), np.log(samples - 2), TRIED))).astype(int))


def _deal(samples: np.ndarray, cluster: np.ndarray, folds: int) -> np.ndarray:
    """Folds of clusters: large ones for themselves, the others in turn along the first principal component."""
    names, numbers, sizes = np.unique(cluster, return_inverse=True, return_counts=True)
    centres = np.array([samples[numbers == index].mean(0) for index in range(len(names))])
    large = np.flatnonzero(sizes >= len(samples) / folds)
    small = np.setdiff1d(np.arange(len(names)), large)
    _, _, axes = np.linalg.svd(samples - samples.mean(0), full_matrices=False)
    order = small[np.argsort(centres[small] @ axes[0], kind="stable")]
    fold_of = np.empty(len(names), int)
    fold_of[large] = np.arange(len(large))
    fold_of[order] = len(large) + np.arange(len(order)) % max(1, folds - len(large))
    return fold_of[numbers]
