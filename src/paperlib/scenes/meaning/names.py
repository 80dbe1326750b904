"""Names of bands as programs write them, and which of the layers of a scene are read.

Nothing is left out in silence: a layer is a band that is read, a quality layer, something known that is left out with a
warning, or an error.
"""

import re
import warnings
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ...errors import InputError, InputWarning
from ..quality import CLOUD_NAMES, Rule, letters, rule_of
from ..sensors import INDEX_ROLES, ROLE_ALIASES, SENSORS

PREFIX = re.compile(
    r"^(s2[abc]?msil2a|s2l[12][ac]|s2[abc]?|sentinel2l[12][ac]|sentinel2|hls[ls]30|hls|landsat[89]?|nbart|nbar|frc|fre|boa|toa|"
    r"surfacereflectance|reflectance|refl|sr|bands?)(?=[a-z])"
)
SUFFIX = re.compile(r"(?<=[a-z0-9])(r?[126]0m|surfacereflectance|surfrefl|reflectance|median|mean|boa|sr)$")
#: Layers that are neither bands nor masks, whole or beginning with one of these.
ASIDE = re.compile(
    r"^(aot|wvp|tci\w*|inf|(msk)?cldprb|clp|(msk)?sn[do]?w?prb|snw|snow|cloudprobability|(quality)?(cloud|snow)confidence|"
    r"mskclassi\w*|qa[12]0|lighthaze|heavyhaze|confidence|viewzenith\w*|viewazimuth\w*|sunzenith\w*|sunazimuth\w*|"
    r"sza|saa|vza|vaa|sensorzenith|sensorazimuth|solarzenith|solarazimuth|angle|dem|elevation|slope|aspect|hot|doy|cst|"
    r"dts|wgt|qualityscore\w*|saturation|qaradsat|radsatqa|sraerosol|sr?aerosol\w*|qaaerosol|visual|rendered\w*|preview|"
    r"overview|thumbnail|(st)?(qa|cdist|drad|emis|emsd|trad|urad|atran)|linclass|count|observations|clearob|totalob|provenance|spatialref|crs)$"
)
#: Bands by their number, as Sentinel-2 has them; Landsat's begin with SR or ST.
NUMBERS = {letters(band.name) for band in SENSORS["sentinel-2"].bands}
OTHERS = {letters(band.name): band.role for name in ("landsat-8", "landsat-5", "modis") for band in SENSORS[name].bands}
#: Names that are wavelengths in nanometres, and the roles they tell.
WAVELENGTH = re.compile(r"(\d{3,4}(?:\.\d+)?)(?: ?nm| nanometers)?", re.IGNORECASE)
WAVELENGTHS = {
    "coastal": (430, 449), "blue": (450, 520), "green": (530, 590), "red": (630, 690), "rededge1": (700, 712),
    "rededge2": (730, 750), "rededge3": (770, 795), "nir": (825, 845), "nir08": (855, 885), "swir1": (1550, 1660),
    "swir2": (2080, 2320),
}  # fmt: skip
RADAR = ("vv", "vh", "hh", "hv")


class Plan(NamedTuple):
    """What is read of the layers of a scene."""

    bands: tuple[str, ...]  # names in the scene
    sources: tuple[str, ...]  # what the files call them
    sensor: str  # "" where it is not known
    quality: dict[str, Rule]  # quality layers by what the files call them


def band_key(name: str) -> str:
    """How a band is known, whoever named it: "b8a" of "S2-L2A-B8A", "srb5", "role nir" of "NIR"; "" of no band.

    >>> [band_key(name) for name in ("S2-L2A-B02", "B8A_20m", "rededge_1", "vv", "foo")]
    ['b2', 'b8a', 'role rededge1', 'vv', '']
    """
    if wavelength := WAVELENGTH.fullmatch(name):
        length = float(wavelength[1])
        return next((f"role {role}" for role, (low, high) in WAVELENGTHS.items() if low <= length <= high), "")
    plain = letters(name)
    for text in (plain, PREFIX.sub("", plain), SUFFIX.sub("", plain), SUFFIX.sub("", PREFIX.sub("", plain))):
        key = re.sub(r"^(s[rt]b|b|band)0?(?=[1-9])", lambda match: match[1].replace("band", "b"), text)
        if key in NUMBERS or key in OTHERS or key in RADAR:
            return key
        if text in OTHERS:
            return text
        if text in ROLE_ALIASES or text == "swir3":
            return f"role {ROLE_ALIASES.get(text, text)}"
    return ""


def band_rank(name: str) -> int:
    """The place of a band in the order of Sentinel-2's default bands, by number or role; others come behind."""
    key = band_key(name)
    order = [(letters(band.name), band.role) for band in SENSORS["sentinel-2"].bands]
    role = OTHERS.get(key) or key.removeprefix("role ")
    return next((place for place, (number, own) in enumerate(order) if key == number or role == own), len(order))


def plan_bands(
    held: Sequence[str], asked: Sequence[str] | None, where: str, sensor: str = "",
    described: Mapping[str, str] | None = None,
) -> Plan:  # fmt: skip
    """Which of the layers that a scene holds are read, under which names.

    Parameters
    ----------
    held: what the files call their layers, quality layers among them.
    asked: the bands asked for, in this order, by the files' names, those of the scene, or their roles; None: the default
        bands of the sensor.
    where: the scene, for messages.
    sensor: a name of `sensors.SENSORS`, where it is known.
    described: other texts on a layer (long_name), tried where its name tells nothing.

    Raises `InputError` for two layers of one band, a name that is not understood, and a band that is not there. Warns of
    what is left out and of a sensor that was guessed.
    """
    described = described or {}
    quality: dict[str, Rule] = {}
    keys: dict[str, str] = {}
    aside: list[str] = []
    unknown: list[str] = []
    for name in held:
        key = band_key(name)
        rule = None if key else rule_of(name)
        if not key and rule is None and name in described:
            key, rule = band_key(described[name]), rule_of(described[name])
        if key:
            keys[name] = key
        elif rule is not None:
            quality[name] = rule
        else:
            (aside if ASIDE.match(letters(name)) else unknown).append(name)
    if any(rule.kind in ("classes", "bits") for rule in quality.values()):  # then these are its probabilities
        quality = {name: rule for name, rule in quality.items() if letters(name) not in CLOUD_NAMES}
    keys = _settle_roles(keys, held)
    sensor = sensor or _sensor_of(set(keys.values()), where)
    names = {name: _scene_name(name, key, sensor) for name, key in keys.items()}
    if asked is not None:
        bands, sources = _pick(asked, names, keys, unknown, quality, where)
        return Plan(bands, sources, sensor, {name: rule for name, rule in quality.items() if name not in sources})
    _refuse_twins(names, keys, where)
    if unknown:
        raise InputError(
            f"{where}: the name of {', '.join(unknown)} is not understood as a band; understood are "
            f"{', '.join(keys) or 'none'}.",
            f"Say which to read, like --bands {','.join([*names.values(), *unknown][:12])}; they are used as they are.",
            kind="scene.bands",
        )
    chosen = _defaults(keys, sensor)
    left = [name for name in held if name not in chosen and name not in quality]
    if not chosen:
        raise InputError(
            f"{where} has no band that is read by default; it has {', '.join(held) or 'none'}.",
            "Say which to read with --bands.", kind="scene.bands",
        )  # fmt: skip
    if left:
        warnings.warn(
            InputWarning(
                f"{where}: {', '.join(names[name] for name in chosen)} are read, {', '.join(left)} left out.",
                f"To read others, list all bands, like --bands {names[chosen[0]]},{left[0]}.", kind="scene.left_out",
            ),
            stacklevel=2,
        )  # fmt: skip
    return Plan(tuple(names[name] for name in chosen), tuple(chosen), sensor, quality)


def _settle_roles(keys: dict[str, str], held: Sequence[str]) -> dict[str, str]:
    """Roles whose meaning hangs on the others: FORCE calls B8A NIR beside a broad one; DEA counts from swir_2."""
    roles, plain = set(keys.values()), {name: letters(name) for name in held}
    broad = [name for name in keys if plain[name] in ("broadnir", "bnr", "nirbroad")]
    moved = dict(keys)
    for name, key in keys.items():
        if broad and name not in broad and key == "role nir":
            moved[name] = "role nir08"
        if "role swir3" in roles and "role swir1" not in roles and key in ("role swir2", "role swir3"):
            moved[name] = f"role swir{int(key[-1]) - 1}"
    return moved


def _sensor_of(keys: set[str], where: str) -> str:
    """The sensor that the names tell; "" where they do not."""
    numbers, roles = keys & NUMBERS, {key.removeprefix("role ") for key in keys if key.startswith("role ")}
    if any(key.startswith(("srb", "stb")) for key in keys):
        return "landsat-5" if "srb1" in keys and "srb4" in keys and "srb6" not in keys else "landsat-8"
    if any(key.startswith("surrefl") for key in keys):
        return "modis"
    if {"b5", "b6", "b7"} <= numbers and not numbers & {"b8", "b8a", "b11", "b12"}:
        warnings.warn(
            InputWarning(
                f"{where}: bands B5, B6 and B7 without B8, B8A, B11 and B12 are taken for those of Landsat 8 or 9, where "
                "near infrared is B5.",
                "If they are red edges, say --sensor sentinel-2; to confirm, --sensor landsat-8.", kind="scene.sensor",
            ),
            stacklevel=3,
        )  # fmt: skip
        return "landsat-8"
    if {"b1", "b2", "b3", "b4", "b5", "b7"} <= numbers <= {"b1", "b2", "b3", "b4", "b5", "b6", "b7"}:
        warnings.warn(
            InputWarning(
                f"{where}: bands B1 to B5 and B7 are taken for those of Landsat 4, 5 or 7, where near infrared is B4.",
                "If they are others, say --sensor landsat-8 or --sensor sentinel-2; to confirm, --sensor landsat-5.",
                kind="scene.sensor",
            ),
            stacklevel=3,
        )
        return "landsat-5"
    if roles & {"green1", "yellow"}:
        return "planet"
    if numbers or any(role.startswith("rededge") for role in roles) or {"nir", "nir08"} <= roles:
        return "sentinel-2"
    return "sentinel-1" if keys and keys <= set(RADAR) else ""


def _scene_name(name: str, key: str, sensor: str) -> str:
    """What a band is called in the scene: Sentinel-2's own names, else what the files call it."""
    if sensor not in ("sentinel-2", "hls-s30", "hls-l30"):
        return name.upper() if key in RADAR else name
    if key in RADAR:
        return key.upper()
    role = key.removeprefix("role ")
    for band in SENSORS[sensor].bands:
        if key == letters(band.name) or (key.startswith("role ") and role == band.role):
            return band.name
    return key.upper() if key in NUMBERS else name


def _refuse_twins(names: Mapping[str, str], keys: Mapping[str, str], where: str) -> None:
    for name, other in names.items():
        twins = [one for one in names if names[one] == other or (keys[one] == keys[name] and one != name)]
        if len(twins) > 1:
            raise InputError(
                f"{where} has several layers of one band: {' and '.join(twins)} are {other}.",
                f"Choose one with --bands {twins[0]},...", kind="scene.bands",
            )  # fmt: skip


def _defaults(keys: Mapping[str, str], sensor: str) -> list[str]:
    """The files' names of the bands read by default: optical ones, else radar, else series of indices."""
    held = SENSORS.get(sensor)
    beyond = {letters(band.name) for band in held.bands if band.name not in held.default} if held else set()
    kinds: dict[str, list[str]] = {"optical": [], "radar": [], "index": []}
    for name, key in keys.items():
        role = key.removeprefix("role ")
        kind = "radar" if key in RADAR else "index" if role in INDEX_ROLES else "optical"
        number = key if key in NUMBERS and sensor.startswith(("sentinel", "hls")) else f"sr{key}"
        beside = role in ("coastal", "watervapour", "cirrus", "pan", "thermal1", "thermal2") and key != role
        if not ({key, number} & beyond or (beside and held and len(keys) > 1)):
            kinds[kind].append(name)
    return kinds["optical"] or kinds["radar"] or kinds["index"]


def _pick(asked, names, keys, unknown, quality, where: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The bands asked for: names in the scene and in the files."""
    everything = {**names, **{name: name for name in (*unknown, *quality)}}
    bands, sources = [], []
    for band in asked:
        fits = [name for name in everything if name == band] or [
            name for name, own in everything.items()
            if letters(name) == letters(band) or own == band or (band_key(band) and keys.get(name) == band_key(band))
        ]  # fmt: skip
        if len(fits) > 1:
            raise InputError(
                f"{where} has several layers of band {band}: {' and '.join(fits)}.",
                "Ask for one by the name that the files give it.", kind="scene.bands",
            )  # fmt: skip
        if not fits:
            listed = ", ".join(dict.fromkeys(everything.values())) or "none"
            raise InputError(
                f"{where} has no band {band}; it has {listed}.", "Choose among them with --bands.", kind="scene.bands"
            )
        bands.append(everything[fits[0]])
        sources.append(fits[0])
    if len(set(sources)) < len(sources):
        raise InputError(
            f"{where}: the bands asked for, {', '.join(asked)}, are {', '.join(sources)}.",
            "Ask for each once.", kind="scene.bands",
        )  # fmt: skip
    return tuple(bands), tuple(sources)
