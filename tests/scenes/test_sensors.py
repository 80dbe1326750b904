"""Sensors: roles of bands, whatever the sensor and whoever named them."""

import pytest

from paperlib import InputError
from paperlib.scenes.sensors import BANDS, BANDS_10M, BANDS_20M, SENSORS, guess_sensor, roles_of, sensor_named


def test_the_default_bands_are_those_of_10_m_then_those_of_20_m():
    assert BANDS == ("B2", "B3", "B4", "B8", "B5", "B6", "B7", "B8A", "B11", "B12")
    assert BANDS[:4] == BANDS_10M and BANDS[4:] == BANDS_20M


@pytest.mark.parametrize(
    ("bands", "sensor", "expected"),
    [
        (("B3", "B4", "B8"), "", {"green": "B3", "red": "B4", "nir": "B8"}),
        (("B03", "b04", "B8A"), "", {"green": "B03", "red": "b04", "nir08": "B8A", "nir": "B8A"}),
        (("SR_B3", "SR_B4", "SR_B5"), "", {"green": "SR_B3", "red": "SR_B4", "nir": "SR_B5"}),
        (("B3", "B4", "B5"), "landsat-8", {"green": "B3", "red": "B4", "nir": "B5"}),
        (("B3", "B4", "B5"), "hls-l30", {"green": "B3", "red": "B4", "nir": "B5"}),
        (("B4", "B5", "B6", "B7"), "", {"red": "B4", "nir": "B5", "swir1": "B6", "swir2": "B7"}),
        (("B3", "B4", "B5"), "sentinel-2", {"green": "B3", "red": "B4", "rededge1": "B5"}),
        (("SR_B1", "SR_B3", "SR_B4"), "", {"blue": "SR_B1", "red": "SR_B3", "nir": "SR_B4"}),
        (("VV", "VH", "B4", "B8"), "", {"vv": "VV", "vh": "VH", "red": "B4", "nir": "B8"}),
        (("sur_refl_b01", "sur_refl_b02"), "", {"red": "sur_refl_b01", "nir": "sur_refl_b02"}),
        (("green", "red", "nir"), "", {"green": "green", "red": "red", "nir": "nir"}),
        (("red", "nir08", "swir16"), "", {"red": "red", "nir08": "nir08", "swir1": "swir16", "nir": "nir08"}),
        (("NDVI",), "", {"ndvi": "NDVI"}),
        (("a", "b"), "", {}),
    ],
)
def test_roles_by_name_and_sensor(bands, sensor, expected):
    assert roles_of(bands, sensor) == expected


@pytest.mark.parametrize("sensor", SENSORS.values(), ids=SENSORS)
def test_every_sensor_is_found_from_its_own_names(sensor):
    roles = [band.role for band in sensor.bands]
    assert len(set(roles)) == len(roles) and set(sensor.default) <= {band.name for band in sensor.bands}
    found = roles_of([band.name for band in sensor.bands], sensor.name)
    assert {role: name for role, name in found.items() if role in roles} == {
        band.role: band.name for band in sensor.bands
    }


@pytest.mark.parametrize("name", ["B2 B3 B4 B8", "B2 B3 B4", " ".join(BANDS)])
def test_sentinel_2_is_taken_where_its_names_fit(name):
    assert guess_sensor(name.split()) == "sentinel-2"


def test_sensors_are_called_in_many_ways_and_an_unknown_one_is_an_error():
    assert {sensor_named(name).name for name in ("Landsat 8", "landsat-9", "L8", "oli", "LANDSAT_8")} == {"landsat-8"}
    with pytest.raises(InputError, match="Choose --sensor sentinel-2") as caught:
        sensor_named("spot")
    assert caught.value.kind == "settings.scene.sensor"
