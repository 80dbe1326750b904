"""Samples: every labelled pixel once, pixels without data, percentiles, balance."""

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rioxarray  # noqa: F401  (gives .rio)
import torch
import xarray as xr
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from shapely import box
from torch.testing import assert_close

from paperlib import nomenclature, open_scene
from paperlib.errors import InputError
from paperlib.features.normaliser import Normaliser
from paperlib.features.patches import extract
from paperlib.features.samples import Samples, class_series, join, of_polygons, oversample
from paperlib.labels.burning import burn
from paperlib.labels.classes import legend_of
from paperlib.labels.polygons import load_polygons

# rioxarray multiplies transforms the way that affine 3.1 gives up
pytestmark = pytest.mark.filterwarnings("ignore:Use `@` matmul:PendingDeprecationWarning")

SHAPE = (40, 50)
DATES = pd.to_datetime(["2018-02-15", "2018-03-15", "2018-05-15"])
BANDS = ["B3", "B4", "B8"]
CODES = [cover.code for cover in nomenclature.CLASSES]


def make_scene(chunks=None) -> xr.DataArray:
    """Reflectance that says where and when it comes from: unlike at every band, date, row and column."""
    values = np.arange(1, 3 * 3 * SHAPE[0] * SHAPE[1] + 1, dtype=np.float32).reshape(3, 3, *SHAPE) / 20000
    scene = xr.DataArray(
        values,
        dims=("band", "time", "y", "x"),
        coords={
            "band": BANDS, "time": DATES, "y": 4840000 - 5 - 10.0 * np.arange(SHAPE[0]),
            "x": 350005 + 10.0 * np.arange(SHAPE[1]), "mask": (("time", "y", "x"), np.zeros((3, *SHAPE), bool)),
        },
    ).rio.write_crs(32631)  # fmt: skip
    return scene.chunk({"time": 1, "y": 16, "x": 16}) if chunks else scene


def make_polygons(places) -> gpd.GeoDataFrame:
    """Rectangles (row, column, height, width) in pixels; the class follows from the number."""
    shapes = [
        box(350000 + 10 * x, 4840000 - 10 * (y + h), 350000 + 10 * (x + w), 4840000 - 10 * y) for y, x, h, w in places
    ]
    code = [CODES[index % 3] for index in range(len(places))]
    ids = [100 - index for index in range(len(places))]
    table = gpd.GeoDataFrame({"polygon_id": ids, "code": code, "set": "train"}, geometry=shapes, crs=32631)
    return table.assign(class_name=table["code"].map({cover.code: cover.name for cover in nomenclature.CLASSES}))


def make_samples(label, x=None) -> Samples:
    label = torch.as_tensor(label)
    x = torch.zeros(len(label), 2, 3, *label.shape[1:]) if x is None else x
    return Samples(x, label, torch.where(label >= 0, 5, -1), ("B4", "B8"))


# -- extract -----------------------------------------------------------------------------------------------------------

PLACES = st.tuples(st.integers(0, 39), st.integers(0, 49), st.integers(1, 25), st.integers(1, 25))


@given(places=st.lists(PLACES, min_size=1, max_size=6), size=st.integers(1, 20))
@hypothesis_settings(max_examples=60, deadline=None)
def test_every_labelled_pixel_is_in_exactly_one_patch(places, size):
    scene, polygons = make_scene(), make_polygons(places)
    number = np.full(SHAPE, -1, np.int32)
    for (y, x, h, w), one in zip(places, polygons["polygon_id"], strict=True):
        number[y : y + h, x : x + w] = one
    index = {one: nomenclature.CLASSES.index(next(c for c in nomenclature.CLASSES if c.code == code))
             for one, code in zip(polygons["polygon_id"], polygons["code"], strict=True)}  # fmt: skip
    label = np.vectorize(lambda one: index.get(one, -1))(number).astype(np.int16)
    burned = xr.Dataset({"label": (("y", "x"), label), "polygon": (("y", "x"), number)})
    present = polygons[polygons["polygon_id"].isin(number.ravel())]
    samples = extract(scene, burned, present, size)
    assert samples.x.shape == (len(samples), 6, 3, size, size) and samples.x.dtype == torch.float32
    assert samples.label.dtype == samples.polygon.dtype == torch.int64
    # the first band at the first date tells the place of each pixel
    place = (samples.x[:, 0, 0] * 20000 - 1).round().long()
    inside = samples.label >= 0
    assert sorted(place[inside].tolist()) == np.flatnonzero(number.ravel() >= 0).tolist()
    assert samples.label[inside].tolist() == label.ravel()[place[inside].numpy()].tolist()
    assert samples.polygon[inside].tolist() == number.ravel()[place[inside].numpy()].tolist()
    assert (samples.polygon[~inside] == -1).all()
    for mask in samples.polygon:  # one polygon a patch, and no patch without
        assert len(mask[mask >= 0].unique()) == 1


def test_a_small_polygon_is_in_the_middle_of_one_patch():
    scene, polygons = make_scene(), make_polygons([(10, 20, 4, 2)])
    samples = extract(scene, burn(polygons, scene, legend_of(polygons)), polygons, 8)
    expected = np.full((8, 8), -1)
    expected[2:6, 3:5] = 100
    assert len(samples) == 1 and np.array_equal(samples.polygon[0], expected)
    bands = scene.values[:, :, 8:16, 17:25]
    assert np.array_equal(samples.x[0, :3], bands)  # the surroundings are seen too
    assert samples.channels == ("B3", "B4", "B8", "NDVI", "NDWI", "BI")
    assert_close(samples.x[0, 3], torch.tensor((bands[2] - bands[1]) / (bands[2] + bands[1])))


def test_at_the_edges_patches_hold_the_scene_reflected():
    scene, polygons = make_scene(), make_polygons([(0, 0, 2, 2), (38, 48, 2, 2)])
    samples = extract(scene, burn(polygons, scene, legend_of(polygons)), polygons, 16, 4)
    around = np.pad(scene.values, [(0, 0), (0, 0), (7, 7), (7, 7)], mode="reflect")
    expected = np.stack([around[:, :, :16, :16], around[:, :, -16:, -16:]])
    assert np.array_equal(samples.x[:, :3], expected)
    assert (samples.label[0, 7:9, 7:9] == 0).all() and (samples.label[1, 7:9, 7:9] == 1).all()


def test_lazy_and_loaded_scenes_give_the_same():
    polygons = make_polygons([(0, 0, 30, 30), (35, 5, 3, 20), (2, 45, 9, 4)])
    burned = burn(polygons, make_scene(), legend_of(polygons))
    one, other = (extract(make_scene(lazy), burned, polygons, 12) for lazy in (False, True))
    assert torch.equal(one.x, other.x) and torch.equal(one.label, other.label)


def test_blocks_do_not_show(monkeypatch):
    polygons = make_polygons([(0, 0, 30, 30), (35, 5, 3, 20), (2, 45, 9, 4)])
    scene = make_scene()
    burned = burn(polygons, scene, legend_of(polygons))
    whole = extract(scene, burned, polygons, 12)
    monkeypatch.setattr("paperlib.features.patches.BLOCK", 7)
    assert torch.equal(extract(scene, burned, polygons, 12).x, whole.x)


@pytest.mark.fault(
    "clouds over labelled pixels on some dates, on all dates",
    "filled in time; without any date left out, with a warning",
    "pixels without any date",
)
def test_gaps_are_filled_and_pixels_without_data_are_unlabelled():
    scene, polygons = make_scene(), make_polygons([(10, 10, 4, 4), (20, 20, 4, 4)])
    mask = scene["mask"].values.copy()
    mask[1, 11, 11] = True  # 28 days after the first date, 61 before the last
    mask[:, 12, 12] = True
    scene = scene.assign_coords(mask=(("time", "y", "x"), mask))
    burned = burn(polygons, scene, legend_of(polygons))
    with pytest.warns(UserWarning, match=r"1 labelled pixels have no usable date.*\[100\]"):
        samples = extract(scene, burned, polygons, 4)
    pixel = scene.values[:, :, 11, 11]
    assert_close(samples.x[0, :3, 1, 1, 1].numpy(), (pixel[:, 0] * 61 + pixel[:, 2] * 28) / 89)
    assert samples.label[0, 2, 2] == samples.polygon[0, 2, 2] == -1 and torch.isnan(samples.x[0, :, :, 2, 2]).all()
    assert (samples.label >= 0).sum() == 31 and samples.counts(2).tolist() == [15, 16]
    assert not torch.isnan(samples.pixels().x).any()

    mask[:, 20:24, 20:24] = True
    scene = scene.assign_coords(mask=(("time", "y", "x"), mask))
    with (
        pytest.warns(UserWarning, match="17 labelled"),
        pytest.raises(InputError, match=r"needle-leaved trees.*\[99\]"),
    ):
        extract(scene, burned, polygons, 4)
    alike = polygons.assign(code=1)
    with pytest.warns(UserWarning, match="17 labelled"):  # the class has other pixels: only the patch is left out
        assert len(extract(scene, burn(alike, scene, legend_of(alike)), alike, 4)) == 1


def test_a_scene_may_be_smaller_than_a_patch():
    polygons = make_polygons([(10, 10, 4, 4)])
    samples = extract(make_scene(), burn(polygons, make_scene(), legend_of(polygons)), polygons, 61, 4)
    assert samples.x.shape[-2:] == (61, 61) and (samples.label >= 0).sum() == 16


def test_real_scene_keeps_every_labelled_pixel(shared_data):
    dates = ["2018-04-29", "2018-05-13", "2018-07-08", "2018-08-15", "2018-09-15", "2018-10-15", "2018-11-15"]
    scene = open_scene(shared_data / "bouconne" / "2018_3A_Theia_Bouconne.tif", dates=dates)
    path = shared_data / "bouconne" / "bouconne_polygons.gpkg"
    polygons = load_polygons(path, crs=scene.rio.crs, bounds=scene.rio.bounds())
    burned = burn(polygons, scene, legend_of(polygons))
    samples = extract(scene, burned, polygons, 16)
    assert samples.x.shape[1:] == (13, 7, 16, 16) and not torch.isnan(samples.x).any()
    assert samples.counts(7).tolist() == np.bincount(burned.label.values[burned.label.values >= 0]).tolist()
    assert samples.counts(7).sum() == 4682  # all of the pixels that its README counts
    water = samples.x[:, samples.channels.index("NDVI")].movedim(1, -1)[samples.label == 6]
    assert water.median(0).values.min() >= -0.54 and water.median(0).values.max() <= -0.2


# -- samples -----------------------------------------------------------------------------------------------------------


def test_pixels_are_the_labelled_ones_with_their_series():
    x = torch.arange(2 * 2 * 3 * 4, dtype=torch.float32).reshape(2, 2, 3, 2, 2)
    pixels = make_samples([[[0, -1], [-1, 1]], [[-1, -1], [1, -1]]], x).pixels()
    assert pixels.x.shape == (3, 2, 3, 1, 1) and pixels.label.shape == (3, 1, 1)
    assert pixels.label.flatten().tolist() == [0, 1, 1]
    assert torch.equal(pixels.x[..., 0, 0], torch.stack([x[0, :, :, 0, 0], x[0, :, :, 1, 1], x[1, :, :, 1, 0]]))
    assert pixels.counts(3).tolist() == [1, 2, 0] and pixels.polygon.unique().tolist() == [5]


def test_samples_come_back_from_a_file(tmp_path):
    samples = make_samples([[[0, -1]], [[1, 1]]], torch.rand(2, 2, 3, 1, 2))
    samples.save(tmp_path / "train.safetensors")
    other = Samples.load(tmp_path / "train.safetensors")
    assert torch.equal(other.x, samples.x) and torch.equal(other.label, samples.label)
    assert torch.equal(other.polygon, samples.polygon) and other.channels == samples.channels


def superpixels(numbers) -> Samples:
    number = torch.tensor(numbers)[None, None]
    return Samples(torch.zeros(1, 2, 3, 1, len(numbers)), number, number, ("a", "b"), number)


def test_joined_superpixels_keep_numbers_of_their_own():
    both = join([superpixels([0, 0, 4]), superpixels([0, 3])])
    assert both.x.shape == (1, 2, 3, 1, 5) and both.superpixel.flatten().tolist() == [0, 0, 4, 5, 8]
    assert both.label.flatten().tolist() == [0, 0, 4, 0, 3]


def test_samples_of_some_polygons_hold_their_labels_alone_and_their_superpixels_whole():
    polygon = torch.tensor([[[1, 2], [-1, 1]], [[2, 2], [-1, -1]]])
    patches = replace(make_samples(polygon), polygon=polygon)
    assert of_polygons(patches, [1]).polygon.tolist() == [[[1, -1], [-1, 1]]]
    some = replace(superpixels([7, 8, 7, 8, 9, 9]), polygon=torch.tensor([[[1, 1, -1, -1, 2, -1]]]))
    some = replace(some, label=some.polygon.clamp_max(0))
    found = of_polygons(some, [1])
    assert found.superpixel.flatten().tolist() == [7, 8, 7, 8] and found.x.shape == (1, 2, 3, 1, 4)
    assert found.label.flatten().tolist() == [0, 0, -1, -1] and found.polygon.flatten().tolist() == [1, 1, -1, -1]


def test_class_series_are_means_of_labelled_pixels():
    x = torch.rand(2, 2, 3, 1, 2)
    samples = make_samples([[[0, -1]], [[1, 0]]], x)
    table = class_series([samples], nomenclature.CLASSES[:2], DATES).set_index(["code", "channel", "date"])
    both = torch.stack([x[0, 1, 2, 0, 0], x[1, 1, 2, 0, 1]])
    row = table.loc[(1, "B8", DATES[2])]
    assert row["n"] == 2 and row["mean"] == pytest.approx(both.mean().item(), abs=1e-6)
    assert row["std"] == pytest.approx(both.std(correction=0).item(), abs=1e-6)
    assert len(table) == 2 * 2 * 3


# -- normaliser --------------------------------------------------------------------------------------------------------


def test_percentiles_of_labelled_pixels_become_0_and_1():
    x = (
        torch.rand(4, 2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
        * torch.tensor([1.0, 30.0])[:, None, None, None]
    )
    label = torch.full((4, 8, 8), -1)
    label[:, 2:6, 2:6] = 0
    x[:, :, :, :2] = 1e6  # unlabelled: must not matter
    normaliser = Normaliser.fit(make_samples(label, x))
    inner = x[..., 2:6, 2:6].transpose(0, 1).flatten(1).numpy()
    assert_close(normaliser.low.numpy(), np.percentile(inner, 2, axis=1).astype(np.float32))
    assert_close(normaliser.high.numpy(), np.percentile(inner, 98, axis=1).astype(np.float32))
    scaled = normaliser.apply(x)[..., 2:6, 2:6].transpose(0, 1).flatten(1)
    assert_close(torch.quantile(scaled, torch.tensor([0.02, 0.98]), dim=1), torch.tensor([[0.0, 0.0], [1.0, 1.0]]))
    assert scaled.min() < 0 and scaled.max() > 1  # not clipped


@given(seed=st.integers(0, 99), constant=st.booleans(), gaps=st.floats(0, 0.9))
@hypothesis_settings(max_examples=25, deadline=None)
def test_after_normalisation_everything_is_a_number(seed, constant, gaps):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(3, 2, 3, 4, 4, generator=generator)
    if constant:
        x[:, 1] = 0.25
    label = torch.zeros(3, 4, 4, dtype=torch.int64)
    normaliser = Normaliser.fit(make_samples(label, x))
    x[torch.rand(x.shape, generator=generator) < gaps] = torch.nan
    out = normaliser.apply(x)
    assert torch.isfinite(out).all() and out.dtype == torch.float32 and out.shape == x.shape
    assert (out[torch.isnan(x)] == 0).all() and (not constant or (out[:, 1] == 0).all())


def test_a_channel_constant_in_training_stays_small_elsewhere():
    normaliser = Normaliser(torch.tensor([0.25]), torch.tensor([0.25]))
    assert normaliser.apply(torch.tensor([[0.25, 0.5]])).tolist() == [[0, 0.25]]


def test_normaliser_comes_back_from_plain_numbers_and_needs_pixels():
    normaliser = Normaliser(torch.tensor([0.1, 1 / 3]), torch.tensor([0.2, 2 / 3]))
    other = Normaliser.from_dict(normaliser.to_dict())
    assert torch.equal(other.low, normaliser.low) and torch.equal(other.high, normaliser.high)
    assert isinstance(normaliser.to_dict()["low"][0], float)
    with pytest.raises(InputError, match="No labelled pixel"):
        Normaliser.fit(make_samples(torch.full((2, 4, 4), -1)))


# -- oversampling ------------------------------------------------------------------------------------------------------


@given(
    sizes=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 16)), min_size=1, max_size=30), seed=st.integers(0, 9)
)
@hypothesis_settings(max_examples=60, deadline=None)
def test_oversampling_balances_classes_and_keeps_every_sample(sizes, seed):
    label = torch.full((len(sizes), 4, 4), -1)
    for index, (one, number) in enumerate(sizes):
        label[index].view(-1)[:number] = one
    order = oversample(label, torch.Generator().manual_seed(seed))
    assert torch.equal(order, oversample(label, torch.Generator().manual_seed(seed)))
    assert order.dtype == torch.int64 and order[: len(label)].tolist() == list(range(len(label)))
    before, after = (make_samples(label[index]).counts(4) for index in (torch.arange(len(label)), order))
    for one in before.nonzero().flatten():
        assert abs(after[one] - before.max()) <= 8  # half of the largest sample
        members = ((label == one).flatten(1).any(1)).nonzero().flatten()
        times = torch.bincount(order, minlength=len(label))[members]
        assert times.max() - times.min() <= 1  # none of them is favoured
    assert (torch.bincount(order)[(label < 0).flatten(1).all(1)] == 1).all()


def test_oversampling_draws_by_its_generator():
    label = torch.tensor([0] * 50 + [1] * 20)[:, None, None]
    first, other = (oversample(label, torch.Generator().manual_seed(seed)) for seed in (0, 1))
    assert len(first) == len(other) == 100 and not torch.equal(first, other)


@pytest.mark.parametrize("margin", [0, 1, 3])
def test_labels_keep_their_distance_from_the_border_of_a_patch(margin):
    """Each labelled pixel is still in exactly one patch, and its values are its own."""
    scene, size = make_scene(), 10
    polygons = make_polygons([(0, 0, 6, 5), (12, 20, 9, 14), (34, 44, 6, 6), (20, 3, 2, 3)])
    burned = burn(polygons, scene, legend_of(polygons))
    samples = extract(scene, burned, polygons, size, margin)
    inner = slice(margin, size - margin)
    assert int((samples.label >= 0).sum()) == int((samples.label >= 0)[:, inner, inner].sum())
    place = (samples.x[:, 0, 0] * 20000 - 1).round().long()[samples.label >= 0]
    assert sorted(place.tolist()) == np.flatnonzero(burned.label.values.ravel() >= 0).tolist()


def test_a_patch_without_room_inside_its_margins_is_refused():
    scene, polygons = make_scene(), make_polygons([(12, 20, 4, 4)])
    with pytest.raises(InputError, match="8 pixels has no room inside margins of 4"):
        extract(scene, burn(polygons, scene, legend_of(polygons)), polygons, 8, 4)
