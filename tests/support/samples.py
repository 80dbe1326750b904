"""Samples with the margin that networks need around what they classify."""

from dataclasses import replace

from torch.nn import functional

from paperlib import models
from paperlib.features.samples import Samples

MARGIN = models.reach()


def with_margin(samples: Samples, margin: int = MARGIN) -> Samples:
    """The samples with zeros around their values, and unlabelled there; superpixels go on."""
    sides = (margin,) * 4
    label, polygon = (functional.pad(values, sides, value=-1) for values in (samples.label, samples.polygon))
    superpixel = samples.superpixel
    if superpixel is not None:
        superpixel = functional.pad(superpixel[None].float(), sides, mode="replicate")[0].long()
    return replace(
        samples, x=functional.pad(samples.x, sides), label=label, polygon=polygon, superpixel=superpixel
    )  # fmt: skip
