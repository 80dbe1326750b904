"""Several trained classifiers as one: the mean of their probabilities, and how far they disagree."""

from collections.abc import Iterable, Sequence
from typing import cast

import torch
from torch import Tensor, nn

from ..errors import InputError
from .contract import Model


class Ensemble(Model):
    """The mean of the probabilities of trained classifiers, which may be of several kinds.

    Parameters
    ----------
    members: all with superpixels, or all without.
    temperatures: by which the logits of each member are divided before the mean; see `evaluation.calibration`.

    It sees as far as the member that sees furthest. Raises `InputError` for no member, and for members of which only some
    take superpixels.
    """

    def __init__(self, members: Sequence[Model], temperatures: Sequence[float]):
        super().__init__()
        if not members or len({member.needs_superpixels for member in members}) > 1:
            raise InputError(
                "Classifiers of superpixels and classifiers of patches have no mean.",
                "Combine those of one kind: leave iota2_ctx out, or take it alone.", kind="models.ensemble",
            )  # fmt: skip
        self.members = nn.ModuleList(members)
        self.temperatures = tuple(temperatures)
        self.needs_superpixels = members[0].needs_superpixels
        self.receptive_field = max(member.receptive_field for member in members)
        self.trained_in_epochs = all(member.trained_in_epochs for member in members)
        blocks = [member.block for member in members if member.block]
        self.block = min(blocks) if blocks else None

    def forward(self, x: Tensor, where: Tensor | None = None, superpixel: Tensor | None = None) -> Tensor:
        """Logarithm of the mean probabilities (batch, class, y, x); see `Model.forward`."""
        return self.answer(x, where, superpixel)[0]

    def answer(self, x: Tensor, where: Tensor | None = None, superpixel: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """What `forward` returns, and how far the members disagree (batch, y, x), from 0 to 1.

        That is by how much probability a member differs from the mean, as the mean of the members: half the sum of the
        absolute differences over classes.
        """
        logits = []
        for member in self.members:
            cut = self.halo - cast(Model, member).halo
            part = x[..., cut : x.shape[-2] - cut, cut : x.shape[-1] - cut]
            logits.append(member(part, where=where, superpixel=superpixel).float())
        every = self.shares(logits)
        mean = every.mean(0)
        return mean.clamp_min(1e-7).log(), (every - mean).abs().sum(2).mean(0) / 2

    def shares(self, logits: Iterable[Tensor]) -> Tensor:
        """Probabilities (member, batch, class, ...) of the logits of each member (batch, class, ...)."""
        return torch.stack(
            [one.div(degrees).softmax(1) for one, degrees in zip(logits, self.temperatures, strict=True)]
        )
