"""What a classifier reads of a scene: bands without gaps and spectral indices, at the days it was trained for."""

import math
import warnings
from dataclasses import asdict, dataclass

import numpy as np
import xarray as xr

from ..errors import Finding, InputError, InputWarning
from ..scenes import sensors
from ..scenes.series import read_window
from .halo import fill_nearest, reflected, take
from .indices import fill_gaps, interpolate, possible_indices, write_indices
from .season import align, coverage_problems, days_of_year, days_since

#: Largest relative difference of two pixel sizes that count as the same.
SAME_PIXEL = 0.01


@dataclass(frozen=True)
class Inputs:
    """What a classifier reads of a scene.

    Another scene, of another year or place, can be mapped with the classifier when it offers the same; see `problems`.
    """

    bands: tuple[str, ...]  # in the order of training
    roles: dict[str, str]  # {"green": "B3", "red": "B4", "nir": "B8"}: the bands that indices are made of
    indices: tuple[str, ...]  # spectral indices after the bands; () for bands alone
    days: tuple[float, ...]  # days since 1 January of the first date's year, ascending; may pass 365
    pixel: float  # side of a pixel in units of the CRS, metres as a rule

    @classmethod
    def of(cls, scene: xr.DataArray) -> "Inputs":
        """All bands and dates of a scene (band, time, y, x), and every index whose roles its bands play."""
        bands = tuple(str(band) for band in scene.band.values)
        roles = sensors.roles_of(bands, str(scene.attrs.get("sensor", "")))
        indices = tuple(name for name in possible_indices(roles) if name not in bands)
        return cls(bands, roles, indices, tuple(days_of_year(scene).tolist()), _pixel_size(scene))

    def channels(self) -> tuple[str, ...]:
        """Names of the bands, then of the indices."""
        return (*self.bands, *self.indices)

    def numbers_a_pixel(self) -> int:
        """Values that `read` gives for each pixel: channels x days."""
        return len(self.channels()) * len(self.days)

    def match(self, scene: xr.DataArray) -> dict[str, str]:
        """The scene's band for each band of training: the one of that name, else the one that plays the same role.

        A band is absent from the result where the scene has neither, or where its band of that name plays another role,
        as B5 of Landsat 8 (near infrared) and of Sentinel-2 (red edge).
        """
        held = [str(band) for band in scene.band.values]
        theirs = sensors.roles_of(held, str(scene.attrs.get("sensor", "")))
        found = {}
        for band in self.bands:
            mine = {role for role, name in self.roles.items() if name == band}
            other = {role for role, name in theirs.items() if name == band}
            if band in held and (not mine or not other or mine & other):
                found[band] = band
            elif same := [theirs[role] for role in mine if role in theirs]:
                found[band] = same[0]
        return found

    def problems(self, scene: xr.DataArray) -> list[Finding]:
        """What keeps a scene from being mapped (errors, first), or makes its map worse (warnings); see `season`."""
        findings = []
        held, place = [str(band) for band in scene.band.values], str(scene.attrs.get("source", ""))
        found = self.match(scene)
        if missing := [band for band in self.bands if band not in found]:
            named = ", ".join(self._named(band) for band in missing)
            findings.append(
                Finding(
                    "error", "bands", f"{named} missing; the scene has {', '.join(held)}", place,
                    "Use a scene with these bands, or train a classifier on the bands of this one.", "scene.bands",
                )
            )  # fmt: skip
        pixel = _pixel_size(scene)
        if abs(pixel - self.pixel) > SAME_PIXEL * self.pixel:
            findings.append(
                Finding(
                    "error", "pixel size", f"{pixel:g}; the classifier was trained at {self.pixel:g}", place,
                    f"Resample the scene to {self.pixel:g}.", "scene.pixel",
                )
            )  # fmt: skip
        findings += coverage_problems(scene, np.array(self.days))
        if other := [f"{theirs} for {mine}" for mine, theirs in found.items() if mine != theirs]:
            findings.append(
                Finding(
                    "warning", "bands", f"have other names than in training and are taken by their role: {', '.join(other)}",
                    place, "Make sure that they are of the same sensor.", "scene.bands",
                )
            )  # fmt: skip
        return sorted(findings, key=lambda finding: finding.level)

    def check(self, scene: xr.DataArray) -> None:
        """Raise the first error of a scene that cannot be mapped as `InputError`; warn of what makes its map worse.

        Who opens, scores and maps a scene may ask each time: the same warning is shown once.
        """
        for finding in self.problems(scene):  # errors come first
            problem = f"The scene does not suit the classifier: {finding.subject} {finding.value}."
            if finding.level == "error":
                raise InputError(problem, finding.fix, kind=finding.kind, place=finding.place)
            warnings.warn(InputWarning(problem, finding.fix, kind=finding.kind, place=finding.place), stacklevel=1)

    def _named(self, band: str) -> str:
        """A band with its roles, as "B8 (nir)"."""
        roles = [role for role, name in self.roles.items() if name == band and role != band]
        return f"{band} ({', '.join(roles)})" if roles else band

    def read(
        self, scene: xr.DataArray, y: slice = slice(None), x: slice = slice(None), memory: np.ndarray | None = None
    ) -> np.ndarray:
        """Channels of a window of a (band, time, y, x) scene, float32 (channel, day, y, x), loaded, not normalised.

        Gaps are filled in time; where the scene's days are others, bands are interpolated linearly to `days` between the
        usable dates of each pixel (beyond the first or the last date its values hold). Bands are matched by `match`, years
        and seasons as `season` says. NaN where a pixel has no usable date. `memory`: an array
        of at least as many float32 to write the result to, since the system clears every page of new memory first.
        """
        y, x = slice(*y.indices(scene.sizes["y"])), slice(*x.indices(scene.sizes["x"]))
        window = y.stop - y.start, x.stop - x.start
        shape = (len(self.channels()), len(self.days), *window)
        out = np.empty(shape, np.float32) if memory is None else memory[: math.prod(shape)].reshape(shape)
        if tuple(scene.band.values) != self.bands:
            found = self.match(scene)
            scene = scene.sel(band=[found.get(band, band) for band in self.bands])
        days, bands = align(days_of_year(scene), np.array(self.days)), out[: len(self.bands)]
        same = np.array_equal(days, self.days)
        held = bands if same else np.empty((len(self.bands), len(days), *window), np.float32)
        fill_gaps(held, read_window(scene, y, x, held), days_since(scene, scene.time.values[0]))
        if not same:
            interpolate(held, days, self.days, bands)
        write_indices(out, self.bands, self.indices, self.roles)
        return out

    def read_around(
        self, scene: xr.DataArray, y: slice, x: slice, halo: int, memory: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """A window as networks take it, with the `halo` that they see of its surroundings, and where it has data.

        Returns channels float32 (channel, day, y + 2 halo, x + 2 halo), as `read` gives them, and bool (y, x), False for a
        pixel of the window without any usable date. Beyond the scene's end its pixels are reflected, and a pixel without
        a usable date has the values of the nearest one that has (`halo.fill_nearest`), whichever window it is read in;
        NaN where there is none within the halo of a pixel, for which no answer counts. `y` and `x` state start and stop,
        and may lie beyond the scene. `memory`: `numbers_around(window, halo)` float32, which the result then takes.
        """
        wide = 2 * halo  # around a pixel of the halo the nearest one is looked for just as far
        height, width = (part.stop - part.start + 2 * wide for part in (y, x))
        rows, columns = (
            reflected(part.start - wide, part.stop + wide, scene.sizes[dim]) for dim, part in (("y", y), ("x", x))
        )
        held_y, held_x = (slice(int(places.min()), int(places.max()) + 1) for places in (rows, columns))
        shape = (len(self.channels()), len(self.days), height, width)
        if (held_y.stop - held_y.start, held_x.stop - held_x.start) == (height, width):
            values = self.read(scene, held_y, held_x, memory)
        else:
            values = np.empty(shape, np.float32) if memory is None else memory[: math.prod(shape)].reshape(shape)
            take(self.read(scene, held_y, held_x), rows - held_y.start, columns - held_x.start, values)
        usable = ~np.isnan(values[0, 0])
        fill_nearest(values, usable, halo)
        inner = slice(halo, height - halo), slice(halo, width - halo)
        return values[..., *inner], usable[wide : height - wide, wide : width - wide]

    def numbers_around(self, window: tuple[slice, slice], halo: int) -> int:
        """Values that `read_around` reads for a window (rows, columns): those of its halo, and of the halo of that."""
        return self.numbers_a_pixel() * math.prod(part.stop - part.start + 4 * halo for part in window)

    def to_dict(self) -> dict:
        """Plain lists, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, content: dict) -> "Inputs":
        """The inverse of `to_dict`."""
        lists = {name: tuple(content[name]) for name in ("bands", "indices", "days")}
        return cls(**lists, roles=dict(content["roles"]), pixel=content["pixel"])


def _pixel_size(scene: xr.DataArray) -> float:
    return abs(float(scene.rio.resolution()[0]))
