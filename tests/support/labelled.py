"""A run without a scene: samples of polygons whose classes differ in their series, as tests of labelling take them."""

from types import SimpleNamespace

import geopandas as gpd
import numpy as np
import shapely
import torch

from paperlib.features.inputs import Inputs
from paperlib.features.samples import Samples
from paperlib.nomenclature import LandCover
from support.samples import with_margin

INPUTS = Inputs(("B3", "B4", "B8"), {"green": "B3", "red": "B4", "nir": "B8"}, ("NDVI",), (45.0, 134.0, 226.0), 10.0)
LEGEND = (LandCover(7, "Crop", "#fedf60"), LandCover(11, "Water", "#0080ff"), LandCover(1, "Röhricht", "#ff0000"))
DATES = ("2018-02-15", "2018-05-15", "2018-08-15")


def make_samples(number: int = 30, size: int = 4, seed: int = 0, noise: float = 0.1) -> Samples:
    """Patches of one polygon each, numbered from 100; class k is high in channel k, on the last date alone."""
    random = torch.Generator().manual_seed(seed)
    kind = torch.arange(number) % 3
    x = noise * torch.rand(number, 4, 3, size, size, generator=random) + 0.1
    x[torch.arange(number), kind, 2] += 0.3
    label = kind[:, None, None].expand(number, size, size).contiguous()
    polygon = (100 + torch.arange(number))[:, None, None].expand_as(label).contiguous()
    return with_margin(Samples(x, label, polygon, INPUTS.channels()))


def in_superpixels(samples: Samples) -> Samples:
    """Every pixel in one sample of 1 x n, a superpixel for each patch: what `extract_superpixels` makes of a scene."""
    number = torch.arange(len(samples))[:, None, None].expand_as(samples.label)
    label, polygon, superpixel = (values.reshape(1, 1, -1) for values in (samples.label, samples.polygon, number))
    return Samples(
        samples.x.permute(1, 2, 0, 3, 4).reshape(1, 4, 3, 1, -1), label, polygon, INPUTS.channels(), superpixel
    )


def relabelled(samples: Samples, polygon: int, index: int) -> Samples:
    """The samples with another class for one polygon."""
    label = samples.label.where(samples.polygon != polygon, index)
    return Samples(samples.x, label, samples.polygon, samples.channels)


def outlines(samples: Samples) -> gpd.GeoDataFrame:
    """A square for each polygon."""
    numbers = np.unique(samples.polygon[samples.polygon >= 0])
    shapes = [shapely.box(60 * number, 0, 60 * number + 40, 40) for number in numbers]
    return gpd.GeoDataFrame({"polygon_id": numbers, "group": numbers}, geometry=shapes, crs=32631)


def make_run(samples: Samples, **more: object) -> SimpleNamespace:
    """What `labelling` asks of a run, with half of the polygons in training and half in validation."""
    from paperlib.settings import make

    number = samples.polygon.flatten(1).max(1).values
    parts = {
        "train": samples[(number % 2 == 0).nonzero()[:, 0]],
        "validation": samples[(number % 2 == 1).nonzero()[:, 0]],
    }
    run = SimpleNamespace(
        trained=SimpleNamespace(samples=lambda name: parts, inputs=INPUTS, varied=parts), legend=LEGEND, dates=list(DATES),
        polygons=outlines(samples), settings=make("tiny"), **more,
    )  # fmt: skip
    run.override = lambda overrides: run
    return run
