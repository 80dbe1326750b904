"""L-TAE: lightweight temporal attention along the dates of one pixel (Garnot and Landrieu, 2020)."""

import math

import torch
from torch import Tensor, nn

from .blocks import Dropout
from .contract import Model, as_image
from .tempcnn import SERIES

WIDTH, HEADS, KEY = 128, 16, 8  # as published: features of a date, attention heads, length of a key


class LTAE(Model):
    """Each head weighs the dates by one learnt query and averages its own share of the features.

    The published sizes: 128 features a date, 16 heads with keys of 8, a hidden layer of 128. Dates are told apart by a sine
    encoding of their position in the series.
    """

    receptive_field = 1
    block = 64
    options = ("dropout",)

    def __init__(self, channels: int, dates: int, classes: int, dropout: float = 0.1):
        super().__init__()
        self.embed = nn.Sequential(nn.Conv1d(channels, WIDTH, 1), nn.GroupNorm(HEADS, WIDTH))
        self.register_buffer("position", positions(dates))
        self.key = nn.Conv1d(WIDTH, HEADS * KEY, 1)
        self.query = nn.Parameter(torch.randn(HEADS, KEY) * math.sqrt(2 / KEY))
        self.head = nn.Sequential(
            nn.Linear(WIDTH, WIDTH), nn.BatchNorm1d(WIDTH), nn.ReLU(), Dropout(dropout), nn.Linear(WIDTH, classes)
        )

    def forward(self, x: Tensor, where: Tensor | None = None, superpixel: Tensor | None = None) -> Tensor:
        """Logits (batch, class, y, x) of x (batch, channel, date, y, x); 0 where `where` (batch, y, x) is False."""
        series = x.permute(0, 3, 4, 1, 2)  # (batch, y, x, channel, date)
        if where is None:
            where = torch.ones_like(series[..., 0, 0], dtype=torch.bool)
        chosen = series[where]
        # while BatchNorm learns it needs the whole batch; afterwards each series stands alone
        size = len(chosen) if self.training else SERIES
        found = torch.cat([self.streams(part)[1] for part in chosen.split(max(size, 1))])
        return as_image(found, where)

    def streams(self, series: Tensor) -> tuple[Tensor, Tensor]:
        """Weights of the dates (pixel, head, date) and logits (pixel, class) of series (pixel, channel, date)."""
        values = self.embed(series) + self.position
        keys = self.key(values).unflatten(1, (HEADS, KEY))  # (pixel, head, key, date)
        weight = (torch.einsum("hk,phkd->phd", self.query, keys) / math.sqrt(KEY)).softmax(-1)
        return weight, self.head(weigh(values, weight))


def weigh(values: Tensor, weight: Tensor) -> Tensor:
    """Means over the dates (pixel, feature) of values (pixel, feature, date); each head's weight (pixel, head, date) is that
    of its own share of the features."""
    shares = values.unflatten(1, (HEADS, -1))  # (pixel, head, feature, date)
    return torch.einsum("phd,phfd->phf", weight, shares).flatten(1)


def positions(dates: int, longest: float = 1000.0) -> Tensor:
    """Sines and cosines of the number of each date (1, feature, date), in each head's share of the features alike."""
    features = WIDTH // HEADS
    rate = longest ** (-2 * (torch.arange(features) // 2) / features)
    angle = rate[:, None] * torch.arange(dates)
    wave = torch.where((torch.arange(features) % 2 == 0)[:, None], angle.sin(), angle.cos())
    return wave.repeat(HEADS, 1)[None]
