"""The logistic regression is folded into the network: one network, the same probabilities."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from paperlib import models
from paperlib.errors import InputError
from paperlib.models.galileo import NEVER, Encoded, Galileo, bands_of
from paperlib.models.galileo_encoder import ROLES, STEPS, WIDTH, GalileoEncoder
from paperlib.models.tempcnn import TempCNN
from paperlib.scenes.sensors import BANDS, roles_of

CHANNELS, DATES = len(BANDS), 5


def student() -> TempCNN:
    return TempCNN(CHANNELS, DATES, WIDTH, dropout=0).eval()


def encoder() -> Encoded:
    """The encoder with weights drawn at random, without red edge."""
    torch.manual_seed(3)
    bands = torch.arange(CHANNELS)
    bands[4:7] = -1
    drawn = GalileoEncoder()
    drawn.step.normal_()
    return Encoded(drawn.eval(), bands, torch.arange(DATES) + 3)


def labelled(classes: tuple[int, ...]) -> tuple[torch.Tensor, torch.Tensor]:
    """Patches of 4 x 4 pixels of these classes, of which the first row has no label."""
    random = torch.Generator().manual_seed(1)
    label = torch.tensor(classes)[torch.randint(len(classes), (12, 4, 4), generator=random)]
    x = 0.1 * torch.rand(12, CHANNELS, DATES, 4, 4, generator=random) + 0.05 * label[:, None, None]
    label[:, 0] = -1
    return x, label


@pytest.mark.parametrize("network", [student, encoder])
@pytest.mark.parametrize("classes", [(0, 1, 3), (1, 2)])  # of four: one or two that the training lacks
def test_one_network_answers_as_the_embedding_and_the_regression_do(network, classes, tmp_path):
    x, label = labelled(classes)
    start = network()
    with torch.inference_mode():
        embedding = start(x).permute(0, 2, 3, 1)[label >= 0].double().numpy()
    scaler = StandardScaler().fit(embedding)
    regression = LogisticRegression(C=1, max_iter=2000).fit(scaler.transform(embedding), label[label >= 0].numpy())

    model = models.build("Galileo", CHANNELS, DATES, 4)
    model.begin(start)
    model.fit(x, label)
    with torch.inference_mode():
        found = model(x).softmax(1).permute(0, 2, 3, 1)[label >= 0].numpy()
    expected = np.zeros((len(found), 4))
    expected[:, list(classes)] = regression.predict_proba(scaler.transform(embedding))
    np.testing.assert_allclose(found, expected, atol=1e-4)

    model.save(tmp_path)
    stored = models.build("Galileo", CHANNELS, DATES, 4)
    stored.load(tmp_path)
    with torch.inference_mode():
        assert type(stored.network) is type(start) and torch.equal(stored.eval()(x), model(x))
        where = label >= 0
        chosen = stored(x, where)
        assert torch.allclose(chosen.permute(0, 2, 3, 1)[where], model(x).permute(0, 2, 3, 1)[where], atol=1e-4)
        assert not chosen.permute(0, 2, 3, 1)[~where].any()


def test_a_student_has_the_size_and_the_speed_of_a_tempcnn():
    x, label = labelled((0, 1, 2))
    model = Galileo(CHANNELS, DATES, 3)
    model.begin(student())
    model.fit(x, label)
    plain = models.build("TempCNN", CHANNELS, DATES, 3)
    sizes = [[value.shape for value in one.state_dict().values()] for one in (model.network, plain)]
    assert sizes[0] == sizes[1] and model.block == plain.block and model.receptive_field == 1


def test_a_model_that_did_not_begin_can_be_timed():
    x, label = labelled((0, 1, 2))
    model = models.build("Galileo", CHANNELS, DATES, 3)
    model.fit(x, label)
    assert model.eval()(x).shape == (12, 3, 4, 4)


def test_one_class_is_too_few():
    model = Galileo(CHANNELS, DATES, 3)
    model.begin(student())
    with pytest.raises(InputError, match="needs pixels of two classes"):
        model.fit(*labelled((1,)))
    assert NEVER < -1000 and STEPS == 24


def test_bands_are_found_by_role_and_the_visible_ones_are_needed():
    channels = ("red", "B2", "B3", "NIR", "ndvi")
    assert bands_of(roles_of(channels), channels).tolist() == [1, 2, 0, 3, -1, -1, -1, -1, -1, -1]
    assert bands_of(roles_of(BANDS), BANDS).tolist() == [BANDS.index(band) for band in BANDS] and len(ROLES) == 10
    with pytest.raises(InputError, match=r"the scene has no blue, nir among VV, red, green"):
        bands_of({"vv": "VV", "red": "red", "green": "green"}, ("VV", "red", "green"))
