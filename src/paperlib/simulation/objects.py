"""Objects of the simulated landscape: their mixtures of materials and their reflectance at the dates of a season."""

import copy

import numpy as np
from scipy.ndimage import gaussian_filter

from ..scenes import sensors
from .landscape import COVERS, NAMES, Landscape
from .spectra import DAYS, SEASONS, green_cover, materials


class Objects:
    """The landscape with those properties of its objects that are the same on all dates.

    Parameters
    ----------
    landscape: covers and objects.
    random: of everything that is drawn.
    days: (date,) of the season at which reflectance is asked for.
    """

    def __init__(self, landscape: Landscape, random: np.random.Generator, days: np.ndarray = DAYS):
        self.cover, self.objects = landscape.cover, landscape.objects
        self._set_season(days)
        number = landscape.objects.max() + 1
        self.character = 0.95 * random.normal(size=(number, 1)) + 0.2 * random.normal(size=(number, len(sensors.BANDS)))
        self.light = random.normal(1, 0.02, (number, 1))  # effect of slope and view angle
        self.delay = random.normal(0, 5, number)  # days earlier or later than other objects of its type
        self.texture = _standard(gaussian_filter(random.normal(size=self.cover.shape), 0.7))
        self.kind = self._kinds()
        self.green = self._grow(random)
        self.mixture = self._compose(self.kind, random)
        self._unevenness = copy.deepcopy(random)  # the same within the objects of every year
        self.shares = self._mix(self.mixture, random)

    def in_another_year(self, landscape: Landscape, random: np.random.Generator, days: np.ndarray) -> "Objects":
        """The same objects a year later: green covers grow anew; an object with another cover type is mixed anew.

        `landscape`: the same objects, some with another cover type; `random`, `days`: as of the class.
        """
        later = copy.copy(self)
        later.cover = landscape.cover
        later._set_season(days)
        later.kind = later._kinds()
        later.green = later._grow(random)
        later.mixture = np.where((later.kind != self.kind)[:, None], self._compose(later.kind, random), self.mixture)
        later.shares = later._mix(later.mixture, copy.deepcopy(self._unevenness))
        return later

    def _set_season(self, days: np.ndarray) -> None:
        spectra = materials(days)
        self.days, self.materials = days, [*spectra, "field"]
        self.spectra = np.stack(list(spectra.values()))  # (material, 4, date, band)

    def _kinds(self) -> np.ndarray:
        """Cover type (index into `NAMES`) of each object."""
        kind = np.zeros(self.objects.max() + 1, int)
        kind[self.objects] = self.cover
        return kind

    def _grow(self, random: np.random.Generator) -> np.ndarray:
        """Green cover (date, object) of the fields; 0 of other objects."""
        green = np.zeros((len(self.days), len(self.kind)))
        for name, periods in SEASONS.items():
            mine = self.kind == NAMES.index(name)
            green[:, mine] = green_cover(periods, mine.sum(), random, self.days)
        return green

    def _compose(self, kind: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """Share of each material in each object, (object, material); the first material of a cover has the largest share."""
        shares = np.zeros((len(kind), len(self.materials)))
        for index, cover in enumerate(COVERS.values()):
            mine = np.flatnonzero(kind == index)
            columns = np.array([self.materials.index(name) for name in cover.parts])
            drawn = random.dirichlet(np.array(list(cover.parts.values())) * cover.unity, len(mine))
            largest, rows = drawn.argmax(1), np.arange(len(mine))
            drawn[rows, largest], drawn[:, 0] = drawn[:, 0].copy(), drawn.max(1)
            shares[np.ix_(mine, columns)] = drawn
        return shares

    def _mix(self, shares: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """Share of each material in each pixel, (material, y, x): that of the object, varied in patches of 10 to 100 m."""
        patches = np.array([cover.patches for cover in COVERS.values()], np.float32)[self.cover]
        result = np.empty((len(self.materials), *self.cover.shape), np.float32)
        for index in range(len(result)):
            fine, coarse = (
                _standard(gaussian_filter(random.standard_normal(self.cover.shape, np.float32), width))
                for width in (0.8, 3)
            )
            result[index] = shares[:, index].astype(np.float32)[self.objects]
            result[index] *= np.exp(patches * (0.85 * fine + 0.5 * coarse))
        return result / result.sum(0)

    def reflectance(self, date: int, random: np.random.Generator) -> np.ndarray:
        """Reflectance, float32 (band, y, x), on the 10 m grid before blur, noise and clouds."""
        moment = 0.25 * random.normal(size=(len(self.character), 1)) + 0.1 * random.normal(size=self.character.shape)
        own = self.character + moment
        green = self.green[date].astype(np.float32)[self.objects]
        shares, field = self.shares[:-1].copy(), self.shares[-1]
        shares[self.materials.index("green")] += field * green
        shares[self.materials.index("soil")] += field * (1 - green)
        result = np.empty((len(sensors.BANDS), *self.cover.shape), np.float32)
        for band in range(len(result)):
            mean, between, within, slope = np.einsum(
                "mk,myx->kyx", self.spectra[:, :, date, band], shares, optimize=True
            )
            result[band] = mean + between * own[self.objects, band] + slope * self.delay[self.objects]
            result[band] += 0.7 * within * (0.8 * self.texture + 0.6 * random.standard_normal(green.shape, np.float32))
            result[band] *= self.light[self.objects, 0]
        return np.clip(result, 0.003, 1)


def _standard(field: np.ndarray) -> np.ndarray:
    return (field / field.std()).astype(np.float32)
