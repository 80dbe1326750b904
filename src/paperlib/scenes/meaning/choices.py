"""What a user says about a scene where its files say nothing, or say it wrongly."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import pandas as pd

from ...errors import InputError
from ...settings import RESAMPLINGS, Scene
from ..sensors import sensor_named
from .dates import dates_among

PIXELS = ("", "centre", "corner")
#: A scale above this is what reflectance 1 is stored as (10000), below it the factor itself (0.0001).
LARGEST_FACTOR = 2.0


@dataclass(frozen=True)
class Choices:
    """Options of `scene.open_scene`, checked by `check_choices`; an empty one means that the files decide."""

    resampling: str = "bilinear"
    bands: tuple[str, ...] | None = None
    dates: Sequence | None = None
    sensor: str = ""
    scale: float | None = None
    offset: float | None = None
    offset_dates: str = ""
    nodata: float | None = None
    mask_classes: tuple[int, ...] | None = None
    pixel: str = ""
    every: str = ""
    pattern: str = ""

    @property
    def says_values(self) -> bool:
        """Whether the user says what stored values mean, so that they are not judged."""
        return self.scale is not None or self.offset is not None

    @property
    def gain(self) -> float | None:
        """Reflectance is stored value x gain + shift; None where the files decide."""
        if self.scale is None:
            return None
        return 1 / self.scale if abs(self.scale) > LARGEST_FACTOR else self.scale

    def at(self, days: pd.DatetimeIndex) -> "list[Choices]":
        """What is said of each day: without the offset where that is said of other days."""
        elsewhere = replace(self, offset=None)
        if self.offset is None or not self.offset_dates:
            return [self] * len(days)
        return [self if named else elsewhere for named in dates_among(days, self.offset_dates)]

    def shift(self, gain: float) -> float | None:
        """The offset in reflectance; one beyond 2 is in stored units, as ESA's -1000 is."""
        if self.offset is None:
            return None
        return self.offset * gain if abs(self.offset) > LARGEST_FACTOR else self.offset


def check_choices(**given: Any) -> Choices:
    """Choices of the keywords of `open_scene`. Raises `InputError` for a value that cannot be."""
    choices = Choices(**given)
    bands, dates = choices.bands, choices.dates
    if choices.resampling not in RESAMPLINGS:
        raise _refusal("resampling", choices.resampling, f"choose one of {', '.join(RESAMPLINGS)}.")
    if isinstance(bands, str) or (bands is not None and len(set(bands)) != len(bands)):
        raise _refusal("bands", bands, "a list of different names is expected, like bands=['B2', 'B8'].")
    if isinstance(dates, str):
        raise _refusal("dates", dates, "a list is expected, like dates=['2018-08-15'].")
    if choices.offset_dates:
        dates_among(pd.DatetimeIndex([]), choices.offset_dates)
        if choices.offset is None:
            raise _refusal(
                "offset_dates", choices.offset_dates, "say which offset these dates have, like --offset -0.1."
            )
    if choices.pixel not in PIXELS:
        raise _refusal("pixel", choices.pixel, "choose centre or corner: what x and y of a pixel are.")
    if choices.scale is not None and (not choices.scale or abs(choices.scale) == float("inf")):
        raise _refusal("scale", choices.scale, "a factor like 0.0001 is expected, or what 1 is stored as, like 10000.")
    return replace(
        choices,
        bands=None if bands is None else tuple(bands),
        sensor=sensor_named(choices.sensor).name if choices.sensor else "",
        mask_classes=None if choices.mask_classes is None else tuple(int(value) for value in choices.mask_classes),
    )


def keywords_of(scene: Scene) -> dict[str, Any]:
    """The keywords of `open_scene` that the settings of a scene give, beside its path."""
    empty = {"bands": None, "mask_classes": None}
    names = [field.name for field in fields(Choices) if field.name != "dates"]
    return {name: getattr(scene, name) or empty.get(name, getattr(scene, name)) for name in names}


def _refusal(name: str, value: object, expected: str) -> InputError:
    return InputError(
        f"{name} = {value!r} is not possible.", expected[:1].upper() + expected[1:], kind=f"settings.scene.{name}"
    )
