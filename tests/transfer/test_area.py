"""The area of applicability of a classifier: weights by permutation, representatives, layers of a whole scene."""

import numpy as np
import pytest
import rasterio
import torch
from rio_cogeo.cogeo import cog_validate

from paperlib.errors import InputError
from paperlib.evaluation.applicability import fit_applicability
from paperlib.transfer.area import Area, densest, predictor_weights, representatives
from paperlib.transfer.area_maps import NODATA_INDEX, NODATA_MASK, STEP, write_area


@pytest.fixture(scope="module")
def normalised(run, model) -> tuple[torch.Tensor, np.ndarray]:
    """Normalised training pixels (channel, day, pixel), and their polygons (pixel,)."""
    pixels = run.trained.varied["train"].pixels()
    x = model.classifier.normaliser.apply(pixels.x)[..., 0, 0]
    return x.permute(1, 2, 0), pixels.polygon[:, 0, 0].numpy()


def test_the_index_is_that_of_the_reference(model, normalised):
    """With all training pixels as representatives, as there are few, and its own weights."""
    x, polygon = normalised
    area, values = model.area, normalised[0].flatten(0, 1).T.double().numpy()
    weights = np.zeros(values.shape[1])
    weights[area.columns] = area.scale * values[:, area.columns].std(0, ddof=1)
    kept = values.std(0) > 0
    expected = fit_applicability(values[:, kept], weights[kept], polygon)
    assert area.threshold == pytest.approx(expected.threshold, rel=1e-4) and len(area.samples) == len(values)
    far = x[..., :40] + 0.3 * torch.rand(x[..., :40].shape, generator=torch.Generator().manual_seed(0))
    np.testing.assert_allclose(
        area.index(far), expected.index(far.flatten(0, 1).T.numpy()[:, kept]), rtol=1e-3, atol=1e-4
    )
    assert area.index(x).max() < 1e-2 and (area.index(x + 3) > area.threshold).all()
    assert area.index(x[..., :0]).shape == (0,)


def test_representatives_come_evenly_from_all_polygons():
    polygon = np.repeat([3, 5, 9], [2, 30, 300])
    chosen = representatives(polygon, 42, np.random.default_rng(0))
    assert np.unique(polygon[chosen], return_counts=True)[1].tolist() == [2, 20, 20]
    assert len(np.unique(chosen)) == 42 and (np.diff(chosen) > 0).all()
    assert representatives(polygon, 1000, np.random.default_rng(0)).tolist() == list(range(332))


def test_the_densest_square_of_each_sample_is_kept():
    """Labels of one sample in a corner and of another in the middle, each with a stray one far away."""
    label = torch.full((3, 9, 9), -1)
    label[0, :4, 5:] = label[1, 3:6, 3:6] = 2
    label[0, 8, 0] = label[1, 0, 0] = 1
    kept = densest(label, 4)
    assert (kept[:2] == 2).sum((1, 2)).tolist() == [16, 9] and not (kept == 1).any() and (kept[2] == -1).all()
    assert torch.equal(densest(label[:, 3:4, 3:4], 4), label[:, 3:4, 3:4])  # single pixels


def test_a_predictor_that_the_classifier_does_not_look_at_has_no_weight(run, model, monkeypatch):
    """A network that sees one channel at one day alone, and the sign of what differs there."""
    network = model.classifier.model

    def forward(x, where=None, superpixel=None):
        seen = x[:, 3, 5]
        return torch.stack([(index + 1) * seen for index in range(len(model.legend))], dim=1)

    monkeypatch.setattr(network, "forward", forward)
    found = predictor_weights(model.classifier, run.trained.varied["validation"], np.random.default_rng(0))
    days = len(model.classifier.inputs.days)
    assert np.flatnonzero(np.abs(found) > 1e-9).tolist() == [3 * days + 5]


def test_layers_of_a_scene_are_those_of_its_pixels(model, part, tmp_path):
    shares = [write_area(model.classifier, model.area, part, tmp_path / str(window), window) for window in (64, 20)]
    with (
        rasterio.open(tmp_path / "64" / "dissimilarity.tif") as file,
        rasterio.open(tmp_path / "64" / "applicability.tif") as mask,
    ):
        index, inside = file.read(1), mask.read(1)
        assert file.scales == (STEP,) and float(file.tags()["threshold"]) == pytest.approx(
            model.area.threshold, rel=1e-5
        )
    assert shares[0] == shares[1] == (inside == 0).mean() / (inside != NODATA_MASK).mean()
    for name in ("dissimilarity.tif", "applicability.tif"):
        assert cog_validate(tmp_path / "64" / name)[0]
        assert (tmp_path / "64" / name).read_bytes() == (tmp_path / "20" / name).read_bytes()
    assert {path.name for path in (tmp_path / "64").iterdir()} == {"dissimilarity.tif", "applicability.tif"}
    values = model.classifier.inputs.read(part)
    usable = ~np.isnan(values[0, 0])
    assert ((index == NODATA_INDEX) == ~usable).all() and ((inside == NODATA_MASK) == ~usable).all()
    x = model.classifier.normaliser.apply(torch.from_numpy(values)[None])[0]
    expected = model.area.index(x.flatten(2)).reshape(usable.shape)
    np.testing.assert_allclose(index[usable] * STEP, expected[usable], atol=STEP)
    assert np.array_equal(inside[usable], expected[usable] <= model.area.threshold)


def test_an_area_survives_the_disk(model, tmp_path, normalised):
    model.area.save(tmp_path / "area.npz")
    again = Area.load(tmp_path / "area.npz")
    np.testing.assert_array_equal(again.index(normalised[0]), model.area.index(normalised[0]))
    assert again.threshold == model.area.threshold
    (tmp_path / "area.npz").write_bytes(b"no archive")
    with pytest.raises(InputError, match="cannot be read"):
        Area.load(tmp_path / "area.npz")
