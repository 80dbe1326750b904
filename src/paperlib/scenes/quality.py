"""Quality layers of a series: which of them are recognised by name, and which of their pixels must not be used."""

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

#: Widest integer type of a quality layer.
BITS = 32


class Rule(NamedTuple):
    """Which pixels of a quality layer must not be used.

    `kind` "classes": those of `values`; "upto", "above": those up to, or above, the only one of `values`; "bits": those
    with any bit of `values`; "good": those that are 0; "bad": those that are not 0. NaN must never be used. `erase`: the
    images hold nothing where the layer says so.
    """

    kind: str
    values: tuple[float, ...] = ()
    erase: bool = False

    def unusable(self, raw: np.ndarray) -> np.ndarray:
        """True where a pixel must not be used, of the stored layer in any shape."""
        if self.kind == "upto" and raw.dtype.kind in "iu":
            return raw <= self.values[0]
        gone = np.isnan(raw) if raw.dtype.kind == "f" else np.zeros(raw.shape, bool)
        if self.kind == "upto":
            return gone | (raw <= self.values[0])
        if self.kind == "above":
            return gone | (raw > self.values[0])
        if self.kind in ("good", "bad"):
            return gone | ((raw == 0) if self.kind == "good" else (raw != 0))
        whole = np.where(gone, 0, raw).astype(np.int64) if raw.dtype.kind == "f" else raw
        if self.kind == "bits":
            bits = sum(1 << int(bit) for bit in self.values)
            return gone | ((whole.astype(np.int64) & bits) != 0)
        return gone | np.isin(whole, self.values)

    def with_values(self, values: Sequence[int] | None) -> "Rule":
        """The rule with the classes or bits of `--mask-classes`; of a mask those values are what must not be used."""
        if values is None or self.erase:
            return self
        return Rule("bits" if self.kind == "bits" else "classes", tuple(values))


#: Sentinel-2's scene classification: no data, defective, cloud shadow, cloud of medium and high probability, cirrus.
SCL = Rule("classes", (0, 1, 3, 8, 9, 10))
#: Flags of Theia's syntheses: 0 no data, 1 cloud, 2 snow, 3 water, 4 land.
FLG = Rule("upto", (1,))
#: Masks that GDAL gives of a file: 0 where there is nothing.
VALID = Rule("good", erase=True)

#: Rules by the name of the layer, in letters and digits alone.
RULES: dict[str, Rule] = {
    name: rule
    for rule, names in (
        (SCL, "scl sceneclassification sceneclassificationlayer sceneclass"),
        (Rule("bits", (1, 2, 3)), "fmask"),  # HLS: cloud, beside cloud or shadow, shadow
        (Rule("classes", (0, 2, 3)), "oafmask"),  # Digital Earth Australia: no data, cloud, shadow
        (Rule("bits", (0, 1, 2, 3, 4)), "qapixel"),  # Landsat Collection 2: fill, dilated, cirrus, cloud, shadow
        (Rule("bits", (0, 3, 5)), "pixelqa"),  # Landsat Collection 1: fill, shadow, cloud
        (Rule("bits", (0, 1, 2, 3)), "qai"),  # FORCE: no data, cloud (two bits), shadow
        (Rule("bits", (10, 11)), "qa60"),  # Earth Engine: opaque cloud, cirrus
        (Rule("bits", (0, 2)), "state1km stateqa state500m"),  # MODIS: cloud, shadow
        (
            Rule("bad"),
            "clm cld cloud clouds cloudmask cloudmasks maskcloud s2cloudless udm cloudshadow cloudshadowmask shadow "
            "unusabledata cloudorshadow cloudy",
        ),
        (Rule("good"), "clear clearmask valid validmask validity datamask usable usablemask goodmask isclear"),
        (FLG, "flg"),
        (VALID, "alpha alphaband alphachannel"),
    )
    for name in names.split()
}
#: Layers of these names are masks of some programs and probabilities of cloud of others.
CLOUD_NAMES = {"cloud", "clouds", "cld", "s2cloudless"}
#: A mask whose sense its name leaves open: True must not be used, unless the images are empty where it is False.
MASK = "mask"


def letters(name: str) -> str:
    """A name in small letters and digits alone."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def rule_of(name: str) -> Rule | None:
    """The rule of a quality layer of this name; None where the name is that of none."""
    plain = letters(name)
    if plain == MASK:
        return Rule("bad")
    return RULES.get(plain) or RULES.get(re.sub(r"^(s2|sentinel2)?(l2a)?|(r?[126]0m|r[12])$", "", plain))


def flag_rule(attrs: dict) -> Rule | None:
    """The rule that CF's flag_values or flag_masks with flag_meanings tell; None where they tell none."""
    meanings = str(attrs.get("flag_meanings", "")).lower().replace(",", " ").split()
    for key, kind in (("flag_masks", "bits"), ("flag_values", "classes")):
        numbers = [int(number) for number in np.atleast_1d(attrs.get(key, []))]
        if meanings and len(numbers) == len(meanings):
            wrong = [number for number, name in zip(numbers, meanings, strict=True) if _is_bad(name)]
            if kind == "bits":
                wrong = [bit for bit in range(BITS) for number in wrong if number & (1 << bit)]
            return Rule(kind, tuple(sorted(set(wrong)))) if wrong else None
    return None


def _is_bad(meaning: str) -> bool:
    if re.search(r"(^|_)(no|not|non|free)(_|$)|clear|cloudless", meaning) and not re.search(r"no_?data", meaning):
        return False
    return bool(re.search(r"cloud|shadow|cirrus|no_?data|fill|defective|saturated|invalid|unusable|bad", meaning))
