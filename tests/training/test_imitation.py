"""A network imitates an encoder on pixels without labels, and says how well; else the encoder itself is used."""

import warnings

import numpy as np
import pytest
import torch

from paperlib.errors import InputError, InputWarning
from paperlib.models.galileo import Encoded
from paperlib.models.galileo_encoder import GalileoEncoder
from paperlib.training import imitation
from paperlib.training.imitation import Imitation, imitate

DATES = 4


@pytest.fixture
def encoded(monkeypatch) -> Encoded:
    """The encoder with weights drawn at random; imitations see few pixels."""
    monkeypatch.setattr(imitation, "SEEN", 20_000)
    torch.manual_seed(1)
    return Encoded(GalileoEncoder().eval(), torch.arange(10), torch.arange(DATES))


def pixels(number: int, dates: int = DATES, seed: int = 0) -> torch.Tensor:
    """Series of reflectance that differ in brightness and in the green-up."""
    random = torch.Generator().manual_seed(seed)
    bright, green = torch.rand(2, number, 1, 1, generator=random)
    band, date = torch.arange(10)[None, :, None] / 10, torch.arange(dates)[None, None] / dates
    return 0.1 + 0.3 * bright * (1 + band) + 0.2 * green * date * band


def test_an_imitation_gives_the_embeddings_and_states_how_well(encoded, tmp_path):
    found = imitate(encoded, pixels(600))
    new = pixels(200, seed=1)
    with torch.inference_mode():
        wanted = encoded(new[..., None, None])[..., 0, 0]
        given = found.start()(found.normaliser.apply(new)[..., None, None])[..., 0, 0]
    share = 1 - float(((given - wanted) / wanted.std(0)).square().mean())
    assert imitation.ENOUGH < found.r2 < 1 and abs(share - found.r2) < 0.05
    found.save(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        stored = Imitation.load(tmp_path, encoded, (10, DATES))
    assert stored.r2 == found.r2 and stored.normaliser.to_dict() == found.normaliser.to_dict()
    x = found.normaliser.apply(new)[..., None, None]
    assert torch.equal(stored.start()(x), found.start()(x)) and stored.start() is not stored.network
    again = imitate(encoded, pixels(600))
    assert torch.equal(again.start()(x), found.start()(x))  # the same seed, the same network


def test_what_imitates_too_badly_is_not_used(encoded, tmp_path, monkeypatch):
    monkeypatch.setattr(imitation, "SEEN", 300)
    found = imitate(encoded, pixels(100))
    assert found.r2 < imitation.ENOUGH and found.network is encoded
    new = pixels(5, seed=2)
    assert torch.equal(found.normaliser.apply(new), new)  # the encoder takes reflectance
    found.save(tmp_path)
    with pytest.warns(
        InputWarning, match=r"explains -?0\.\d+ of Galileo's embeddings.*Galileo itself is used"
    ) as warned:
        stored = Imitation.load(tmp_path, encoded, (10, DATES))
    assert stored.network is encoded and warned[0].message.kind == "training.imitation"
    assert [path.name for path in tmp_path.iterdir()] == [imitation.FACTS]


@pytest.mark.parametrize(
    ("number", "dates", "message"), [(30, 25, "at most 24 dates; the scene has 25"), (19, 4, "19 usable")]
)
def test_scenes_that_cannot_be_imitated_on(encoded, number, dates, message):
    with pytest.raises(InputError, match=message):
        imitate(encoded, pixels(number, dates))
    assert np.isfinite(imitation.RATE)
