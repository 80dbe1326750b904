"""Sensors, their bands, and what the bands are for: the one place that knows names, roles and native resolutions.

A band has a name, which is the agency's ("B8A", "SR_B5", "VV"), and where known a role, which says what it measures
whatever the sensor ("nir", "swir1"). Spectral indices and pictures ask for roles, so that they work with any sensor.
"""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ..errors import InputError


class Band(NamedTuple):
    """A band of a sensor: the agency's name, its role, and its native pixel size in metres."""

    name: str
    role: str
    metres: float


class Sensor(NamedTuple):
    """A sensor: its bands, and the names of those that are read when nobody asks for others."""

    name: str
    bands: tuple[Band, ...]
    default: tuple[str, ...]


def _sensor(name: str, rows: str, without: Iterable[str] = ()) -> Sensor:
    """A sensor of rows such as "B2 blue 10"; every band is a default band but those of `without`."""
    bands = tuple(Band(row[0], row[1], float(row[2])) for row in (text.split() for text in rows.split(",")))
    return Sensor(name, bands, tuple(band.name for band in bands if band.name not in set(without)))


#: Sensors by the name that `--sensor` takes. The order of Sentinel-2's bands is that of the ten default bands: those of
#: 10 m, then those of 20 m.
SENSORS: dict[str, Sensor] = {
    sensor.name: sensor
    for sensor in (
        _sensor(
            "sentinel-2",
            "B2 blue 10, B3 green 10, B4 red 10, B8 nir 10, B5 rededge1 20, B6 rededge2 20, B7 rededge3 20, B8A nir08 20, "
            "B11 swir1 20, B12 swir2 20, B1 coastal 60, B9 watervapour 60, B10 cirrus 60",
            without=("B1", "B9", "B10"),
        ),
        _sensor(
            "landsat-8",  # and 9: the Operational Land Imager
            "SR_B2 blue 30, SR_B3 green 30, SR_B4 red 30, SR_B5 nir 30, SR_B6 swir1 30, SR_B7 swir2 30, SR_B1 coastal 30, "
            "SR_B8 pan 15, SR_B9 cirrus 30, ST_B10 thermal1 100, ST_B11 thermal2 100",
            without=("SR_B1", "SR_B8", "SR_B9", "ST_B10", "ST_B11"),
        ),
        _sensor(
            "landsat-5",  # 4, 5 and 7: the Thematic Mapper and its successor
            "SR_B1 blue 30, SR_B2 green 30, SR_B3 red 30, SR_B4 nir 30, SR_B5 swir1 30, SR_B7 swir2 30, ST_B6 thermal1 120, "
            "SR_B8 pan 15",
            without=("ST_B6", "SR_B8"),
        ),
        _sensor(
            "hls-s30",
            "B2 blue 30, B3 green 30, B4 red 30, B8 nir 30, B5 rededge1 30, B6 rededge2 30, B7 rededge3 30, B8A nir08 30, "
            "B11 swir1 30, B12 swir2 30, B1 coastal 30, B9 watervapour 30, B10 cirrus 30",
            without=("B1", "B9", "B10"),
        ),
        _sensor(
            "hls-l30",
            "B2 blue 30, B3 green 30, B4 red 30, B5 nir 30, B6 swir1 30, B7 swir2 30, B1 coastal 30, B9 cirrus 30, "
            "B10 thermal1 30, B11 thermal2 30",
            without=("B1", "B9", "B10", "B11"),
        ),
        _sensor(
            "planet",
            "blue blue 3, green green 3, red red 3, nir nir 3, rededge rededge1 3, coastal coastal 3, green_i green1 3, "
            "yellow yellow 3",
        ),
        _sensor(
            "modis",
            "sur_refl_b01 red 250, sur_refl_b02 nir 250, sur_refl_b03 blue 500, sur_refl_b04 green 500, "
            "sur_refl_b05 nir12 500, sur_refl_b06 swir1 500, sur_refl_b07 swir2 500",
        ),
        _sensor("sentinel-1", "VV vv 10, VH vh 10, HH hh 10, HV hv 10"),
    )
}

#: Series of indices, whatever they were computed from.
INDEX_ROLES = ("ndvi", "evi", "savi", "ndwi", "ndmi", "nbr", "lai", "fapar")

_DEFAULT = SENSORS["sentinel-2"]
#: The ten default bands of Sentinel-2.
BANDS: tuple[str, ...] = _DEFAULT.default
BANDS_10M: tuple[str, ...] = tuple(band.name for band in _DEFAULT.bands if band.metres == 10)  #: Its bands of 10 m.
BANDS_20M: tuple[str, ...] = tuple(band.name for band in _DEFAULT.bands if band.metres == 20)  #: Its bands of 20 m.


def sensor_named(name: str) -> Sensor:
    """The sensor that `--sensor` names, in any case and with or without the hyphen. Raises `InputError` for another."""
    plain = _letters(name)
    for sensor in SENSORS.values():
        if _letters(sensor.name) == plain:
            return sensor
    alias = SENSOR_ALIASES.get(plain)
    if alias is None:
        raise InputError(
            f"Unknown sensor {name!r}.", f"Choose --sensor {' | '.join(SENSORS)}.", kind="settings.scene.sensor"
        )
    return SENSORS[alias]


SENSOR_ALIASES = {
    "s2": "sentinel-2", "sentinel2a": "sentinel-2", "sentinel2b": "sentinel-2", "sentinel2c": "sentinel-2",
    "s1": "sentinel-1", "sentinel1a": "sentinel-1", "landsat": "landsat-8", "landsat9": "landsat-8", "l8": "landsat-8",
    "l9": "landsat-8", "oli": "landsat-8", "landsat7": "landsat-5", "landsat4": "landsat-5", "l7": "landsat-5",
    "l5": "landsat-5", "tm": "landsat-5", "etm": "landsat-5", "hls": "hls-s30", "s30": "hls-s30", "l30": "hls-l30",
    "planetscope": "planet", "ps": "planet",
}  # fmt: skip


def roles_of(bands: Sequence[str], sensor: str = "") -> dict[str, str]:
    """Roles of bands, by role: {"green": "B3", "red": "B4", "nir": "B8"} of B3, B4 and B8 of Sentinel-2.

    Parameters
    ----------
    bands: names of bands as a scene has them (`scene.band.values`): an agency's, or roles themselves ("red", "nir").
    sensor: the scene's (`scene.attrs.get("sensor", "")`), a name of `SENSORS`; "": guessed by `guess_sensor`.

    Returns
    -------
    Each role at most once, in the order of the bands; bands without a known role are absent. Where a scene has no broad
    near infrared, the narrow one (nir08) has the role nir too: every index asks for "nir", "red", "green" and so on.

    >>> roles_of(["SR_B3", "SR_B4", "SR_B5"])
    {'green': 'SR_B3', 'red': 'SR_B4', 'nir': 'SR_B5'}
    """
    known = SENSORS.get(sensor or guess_sensor(bands))
    own = {key: band.role for band in known.bands for key in _keys(band.name)} if known else {}
    roles: dict[str, str] = {}
    for band in map(str, bands):
        role = next((own[key] for key in _keys(band) if key in own), None) or ROLE_ALIASES.get(_letters(band))
        if role:
            roles.setdefault(role, band)
    if "nir" not in roles and "nir08" in roles:
        roles["nir"] = roles["nir08"]
    return roles


def guess_sensor(bands: Sequence[str]) -> str:
    """The sensor of these names; "" where none has them all, or where they are roles.

    B5, B6 and B7 without B8, B8A, B11 and B12 are Landsat 8's: nobody leaves out the near infrared of Sentinel-2 and
    keeps three red edges. A reader that guesses so warns (`scenes.names`).
    """
    plain = {_letters(band) for band in map(str, bands)} - set(ROLE_ALIASES)
    numbers = {_keys(band)[-1] for band in map(str, bands)} & {f"b{number}" for number in range(1, 12)}
    if not plain:
        return ""
    if {"b5", "b6", "b7"} <= numbers and not plain & {"b8", "b8a", "b11", "b12"}:
        return "landsat-8"
    if "srb1" in plain and "srb4" in plain and "srb6" not in plain:  # its sixth band is thermal
        return "landsat-5"
    for sensor in SENSORS.values():
        if plain <= {_letters(band.name) for band in sensor.bands}:
            return sensor.name
    return ""


def _letters(text: str) -> str:
    """A name in small letters and digits alone; "b2" of "B02"."""
    return re.sub(r"^(s[rt])?b0(?=[1-9])", r"\1b", "".join(letter for letter in text.lower() if letter.isalnum()))


def _keys(band: str) -> tuple[str, str]:
    """How a band may be called: as it is, and without Landsat's SR or ST."""
    letters = _letters(band)
    return letters, re.sub(r"^s[rt](?=b\d)", "", letters)


#: What programs call the roles, letters and digits alone.
ROLE_ALIASES: dict[str, str] = {
    alias: role
    for role, aliases in {
        "coastal": "coastal coastalaerosol coastalblue aerosol",
        "blue": "blue blu",
        "green": "green grn",
        "green1": "greeni green1",
        "yellow": "yellow",
        "red": "red",
        "rededge1": "rededge1 rededge re1 rededge705 rededge70",
        "rededge2": "rededge2 re2 rededge740",
        "rededge3": "rededge3 re3 rededge783",
        "nir": "nir nir1 broadnir bnr nirbroad nirb",
        "nir08": "nir08 nir2 nirnarrow narrownir nirn nir8a nira nir865",
        "watervapour": "nir09 watervapour watervapor",
        "cirrus": "cirrus",
        "swir1": "swir1 swir16 sw1 swir1600 swir1610",
        "swir2": "swir2 swir22 sw2 swir2200 swir2190",
        "pan": "pan panchromatic",
        "thermal1": "lwir lwir11 thermal thermal1 tirs1",
        "thermal2": "lwir12 thermal2 tirs2",
        "vv": "vv", "vh": "vh", "hh": "hh", "hv": "hv",
        **{index: index for index in INDEX_ROLES},
    }.items()
    for alias in aliases.split()
}  # fmt: skip
