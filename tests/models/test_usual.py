"""Logistic regression and gradient boosting answer as scikit-learn does, stored or not; attention weighs dates."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from paperlib import models
from paperlib.errors import InputError
from paperlib.models.ltae import HEADS, positions

ESTIMATORS = ("Logistic regression", "Gradient boosting")


def separable(samples: int = 40, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Series of two bands and four dates, whose class is where they rise; a third of the pixels has no label."""
    random = torch.Generator().manual_seed(seed)
    label = torch.randint(0, 3, (samples, 3, 3), generator=random)
    x = 0.1 * torch.randn(samples, 2, 4, 3, 3, generator=random)
    for code in range(3):
        x[:, 0, code] += (label == code).float()
    label[:, 0] = -1
    return x, label


@pytest.mark.parametrize("name", ESTIMATORS)
def test_a_stored_estimator_answers_as_the_one_that_learnt(name, tmp_path):
    x, label = separable()
    model = models.build(name, 2, 4, 3)
    model.fit(x, label, seed=0)
    other, truth = separable(seed=1)
    found = model(other)
    assert found.shape == (40, 3, 3, 3) and (found.argmax(1) == truth)[:, 1:].float().mean() > 0.95
    torch.testing.assert_close(found.exp().sum(1), torch.ones(40, 3, 3), rtol=1e-3, atol=1e-3)
    model.save(tmp_path)
    stored = models.build(name, 2, 4, 3)
    stored.load(tmp_path)
    assert torch.equal(stored(other), found)


def test_the_regression_is_that_of_scikit_learn_on_standardised_series():
    x, label = separable()
    model = models.build("Logistic regression", 2, 4, 3)
    model.fit(x, label)
    table, known = x.permute(0, 3, 4, 1, 2).reshape(-1, 8).numpy(), label.flatten().numpy()
    scale = StandardScaler().fit(table[known >= 0])
    plain = LogisticRegression(max_iter=2000).fit(scale.transform(table[known >= 0]), known[known >= 0])
    shares = model(x).exp().permute(0, 2, 3, 1).reshape(-1, 3).numpy()
    np.testing.assert_allclose(shares, plain.predict_proba(scale.transform(table)), atol=2e-6)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_a_class_that_was_never_seen_gets_nothing_and_one_class_is_too_few(name):
    x, label = separable()
    label[label == 1] = -1
    model = models.build(name, 2, 4, 3)
    model.fit(x, label)
    assert (model(x)[:, 1] < -15).all()
    label[label == 2] = -1
    with pytest.raises(InputError, match="needs pixels of two classes"):
        model.fit(x, label)


@pytest.mark.parametrize("name", ["L-TAE", "U-TAE"])
def test_attention_knows_which_date_is_which(name):
    torch.manual_seed(0)
    model = models.build(name, 2, 6, 3).eval()
    side = model.receptive_field
    x = torch.randn(1, 2, 6, side, side)
    assert not torch.allclose(model(x), model(x.flip(2)), atol=1e-3)
    assert positions(6).shape == (1, 128, 6)
    attention = getattr(model, "attention", model)
    attention.position.zero_()  # without it the order would not count
    torch.testing.assert_close(model(x), model(x.flip(2)))
    assert attention.query.shape[0] == HEADS


def test_attention_on_the_coarse_level_weighs_the_dates_of_both():
    torch.manual_seed(0)
    model = models.build("U-TAE", 2, 6, 3).eval()
    fine, coarse = torch.randn(2, 5, 64, 6)
    weight, deep = model.attention.streams(coarse)
    torch.testing.assert_close(weight.sum(-1), torch.ones(5, HEADS))
    by_hand = (fine.reshape(5, HEADS, 4, 6) * weight[:, :, None]).sum(-1).flatten(1)
    torch.testing.assert_close(model.collapse(torch.cat([fine, coarse], 1)), torch.cat([by_hand, deep], 1))
