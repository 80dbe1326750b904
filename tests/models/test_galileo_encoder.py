"""Galileo nano equals what its published code answers: 24 made-up series with what is awkward (`case` names it)."""

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from paperlib.models.galileo_encoder import GROUPS, ROLES, GalileoEncoder, kernel_of_one_pixel
from paperlib.scenes.sensors import roles_of

#: Absolute difference of embeddings that rounding explains; mistakes make 2e-4 (another GELU) to 0.2.
CLOSE = 2e-5


@pytest.fixture(scope="module")
def oracle(shared_data):
    return np.load(shared_data / "galileo" / "oracle.npz")


@pytest.fixture(scope="module")
def encoder(shared_data):
    return GalileoEncoder.of_published(load_file(shared_data / "galileo" / "galileo_nano_encoder.safetensors"))


def series(oracle, part=slice(None)):
    absent = oracle["group_absent"][part, :, 1:].astype(bool)  # the first group is Sentinel-1
    return tuple(torch.from_numpy(values[part]) for values in (oracle["reflectance"], oracle["months"])), torch.tensor(
        absent
    )


def test_bands_are_those_of_the_oracle_by_their_roles(oracle):
    roles = roles_of([str(band) for band in oracle["bands"]])
    assert tuple(roles) == ROLES and list(GROUPS) == list(oracle["groups"][1:])


@pytest.mark.parametrize("alone", [False, True])
def test_embeddings_of_awkward_series_equal_the_oracle(encoder, oracle, alone):
    found = []
    for part in [slice(row, row + 1) for row in range(24)] if alone else [slice(None)]:
        (reflectance, months), absent = series(oracle, part)
        found.append(encoder(reflectance, months, absent))
    error = (torch.cat(found) - torch.from_numpy(oracle["embedding"])).abs().amax(1)
    wrong = {str(case): float(value) for case, value in zip(oracle["case"], error, strict=True) if value > CLOSE}
    assert not wrong


def test_missing_values_are_absent_groups(encoder, oracle):
    """NaN in a band takes the token of its group, and that of the NDVI where red or near infrared is missing."""
    (reflectance, months), absent = series(oracle)
    reflectance = reflectance.clone()
    for number, bands in enumerate(GROUPS.values()):
        for band in [band for band in bands if band < len(ROLES)]:
            reflectance[..., band][absent[..., number]] = torch.nan
    given = absent.clone()
    given[..., :-1] = False  # the NDVI alone: one case has its bands and no token of it
    error = (encoder(reflectance, months, given) - torch.from_numpy(oracle["embedding"])).abs().max()
    assert error < CLOSE


def test_seven_steps_of_other_months(encoder, oracle):
    reflectance = torch.from_numpy(oracle["reflectance"][:8, :7])
    found = encoder.embed(reflectance, torch.from_numpy(oracle["months_7"]))
    assert (found - torch.from_numpy(oracle["embedding_7"])).abs().max() < CLOSE


def test_tokens_and_kernel(encoder, oracle):
    (reflectance, months), _ = series(oracle, slice(0, 1))
    tokens, present = encoder.tokens(reflectance, months)
    assert present.all() and (tokens[0] - torch.from_numpy(oracle["tokens_0"])).abs().max() < 1e-5
    assert (kernel_of_one_pixel() - torch.from_numpy(oracle["kernel_1x1"])).abs().max() < 2e-6
