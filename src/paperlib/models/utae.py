"""U-TAE: temporal attention inside a U-Net (Garnot and Landrieu, 2021), small, and without pooling."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from .blocks import Dropout, blocks
from .contract import Model, as_image
from .ltae import LTAE, WIDTH, weigh
from .tempcnn import SERIES

FEATURES = 64  # as published: features of a date at the first levels


class UTAE(Model):
    """Two levels in space; an L-TAE on the deeper one says how the dates of both are weighed.

    The published network halves the image from level to level, so what it says of a pixel depends on where its window
    begins. Here the convolution of the coarse level is dilated instead (algorithme a trous): it treats every pixel as a
    halving treats one of four, and a map by windows equals one pass. For the same reason BatchNorm takes the place of a
    normalisation over the image. 214,344 parameters at 13 channels, 11 dates and 8 classes.
    """

    receptive_field = 9
    block = 64
    options = ("dropout",)

    def __init__(self, channels: int, dates: int, classes: int, dropout: float = 0.1):
        super().__init__()
        self.fine = blocks((3, 3), (0, 0), channels, (FEATURES,), dropout)
        self.coarse = blocks((3, 3), (0, 0), FEATURES, (FEATURES,), dropout, dilation=2)
        self.attention = LTAE(FEATURES, dates, WIDTH, dropout)
        self.decoder = nn.Conv2d(FEATURES + WIDTH, FEATURES, 3, bias=False)
        self.head = nn.Sequential(nn.BatchNorm1d(FEATURES), nn.ReLU(), Dropout(dropout), nn.Linear(FEATURES, classes))

    def forward(self, x: Tensor, where: Tensor | None = None, superpixel: Tensor | None = None) -> Tensor:
        """Logits (batch, class, y - 8, x - 8) of x (batch, channel, date, y, x).

        Where `where` (batch, y - 8, x - 8) is False they are 0, and not computed.
        """
        images = x.transpose(1, 2).flatten(0, 1).contiguous(memory_format=torch.channels_last)
        fine = self.fine(images)
        levels = torch.cat([fine[..., 2:-2, 2:-2], self.coarse(fine)], dim=1)
        if where is None:
            where = torch.ones_like(self.answered(x)[:, 0, 0], dtype=torch.bool)
        # the decoder sees the neighbours of each pixel
        seen = functional.max_pool2d(functional.pad(where[:, None].float(), (2, 2, 2, 2)), 3, 1)[:, 0] > 0
        series = levels.unflatten(0, (len(x), -1)).permute(0, 3, 4, 2, 1)[seen]  # (pixel, feature, date)
        # while BatchNorm learns it needs the whole batch; afterwards each series stands alone
        size = len(series) if self.training else SERIES
        found = torch.cat([self.collapse(part) for part in series.split(max(size, 1))])
        decoded = self.decoder(as_image(found, seen)).permute(0, 2, 3, 1)
        return as_image(self.head(decoded[where]), where)

    def collapse(self, series: Tensor) -> Tensor:
        """Features (pixel, feature) of both levels side by side (pixel, feature, date); the coarse one weighs the dates."""
        fine, coarse = series.chunk(2, dim=1)
        weight, deep = self.attention.streams(coarse)
        return torch.cat([weigh(fine, weight), deep], dim=1)
