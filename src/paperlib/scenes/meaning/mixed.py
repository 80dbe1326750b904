"""Series of several sensors, whose bands have other numbers for the same part of the spectrum: they meet by their roles."""

import warnings
from collections.abc import Collection, Mapping

from ...errors import InputError, InputWarning
from ..sensors import SENSORS, roles_of
from .names import band_key


def shared_roles(held: Mapping[str, Collection[str]], where: str) -> dict[tuple[str, str], str]:
    """What the bands of several sensors are called in one series: (sensor, name) -> name.

    Parameters
    ----------
    held: sensor -> what its files call their layers. "" stands for files whose sensor is not known.
    where: the scene, for messages.

    Returns
    -------
    The role of each band that all sensors have, with a warning that names them and those left out; bands of which some
    sensor has none are absent, layers that are no bands keep their names. Empty where all sensors have the same
    bands under the same names. The near infrared of Landsat is B8A of Sentinel-2, not the broad B8.
    Raises `InputError` where the sensors share no band.
    """
    roles = {sensor: _roles(sensor, names) for sensor, names in held.items() if sensor}
    bands = [{(band_key(name), role) for name, role in named.items()} for named in roles.values()]
    if len(roles) < 2 or all(each == bands[0] for each in bands):
        return {}
    if any("nir08" in named.values() for named in roles.values()):
        for named in roles.values():
            if "nir08" not in named.values():
                named.update({name: "nir08" for name, role in named.items() if role == "nir"})
    shared = set.intersection(*(set(named.values()) for named in roles.values()))
    sensors = " and ".join(sorted(roles))
    unknown = sorted(name for name in held.get("", ()) if band_key(name))
    if unknown:
        raise InputError(
            f"{where} holds images of {sensors}, and others whose sensor is not known, with {', '.join(unknown)}.",
            "Give a folder of one sensor, or say --sensor if all are of one.", kind="scene.sensor",
        )  # fmt: skip
    if not shared:
        raise InputError(
            f"{where} holds images of {sensors}, which share no band.",
            "Give a folder of one sensor.",
            kind="scene.sensor",
        )
    names = {(sensor, name): role for sensor, named in roles.items() for name, role in named.items() if role in shared}
    left = sorted({name for sensor, named in roles.items() for name in named if (sensor, name) not in names})
    problem = f"{where} holds images of {sensors}: the bands that all have are read by their roles, "
    problem += ", ".join(sorted(shared)) + (f"; {', '.join(left)} are left out." if left else ".")
    fix = "To read all bands of one sensor, give a folder of its images alone."
    warnings.warn(InputWarning(problem, fix, kind="scene.sensor"), stacklevel=3)
    others = {(sensor, name): name for sensor, layers in held.items() for name in layers if not band_key(name)}
    return names | others


def _roles(sensor: str, names: Collection[str]) -> dict[str, str]:
    """Roles by name of the bands of a sensor that are read by default, where it has default ones."""
    default = roles_of(SENSORS[sensor].default, sensor)
    found = {name: next(iter(roles_of([name], sensor)), "") for name in names if band_key(name)}
    return {name: role for name, role in found.items() if role in default}
