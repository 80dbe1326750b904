"""TempCNN: convolutions along the dates of one pixel (section 2.2.1; Pelletier et al., 2019b)."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from .blocks import blocks, head

#: Series classified at once: few enough to stay in a processor's cache, which bounds the memory of a large window too.
SERIES = 1024


class TempCNN(nn.Module):
    """Widths 32, 64, 128, 256 over time, all dates into a hidden layer of 128: 493,096 parameters at the paper's input."""

    receptive_field = 1
    block = 64  # pixels a side; few, so that they are still in the cache when `SERIES` of them are taken at once

    def __init__(
        self, channels: int, dates: int, classes: int, dropout: float, widths: tuple[int, ...] = (32, 64, 128, 256)
    ):
        super().__init__()
        self.convolutions = blocks((3, 1), channels, widths, dropout)
        self.hidden = widths[-1] // 2  # features of a pixel before the last layer
        self.head = head((dates, 1), widths[-1], self.hidden, classes, dropout)

    def forward(self, x: Tensor, where: Tensor | None = None) -> Tensor:
        """Logits (batch, class, y, x) of x (batch, channel, date, y, x); every pixel is a series of its own.

        Where `where` (batch, y, x) is False they are 0, and not computed.
        """
        return self._by_series(lambda series: self._answer(series)[1:], x, where)[0]

    def streams(self, x: Tensor, where: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Features (batch, hidden, y, x) and logits (batch, class, y, x) of x (batch, channel, date, y, x), as `forward`."""
        return self._by_series(self._answer, x, where)

    def _answer(self, series: Tensor) -> tuple[Tensor, Tensor]:
        """Features (hidden, pixel) and logits (class, pixel) of series (1, channel, date, pixel)."""
        features = self.head[:-1](self.convolutions(series))
        return features[0, :, 0], self.head[-1](features)[0, :, 0]

    def _by_series(
        self, answer: Callable[[Tensor], tuple[Tensor, ...]], x: Tensor, where: Tensor | None
    ) -> tuple[Tensor, ...]:
        """What `answer` gives for series (1, channel, date, pixel), as images (batch, ..., y, x)."""
        series = x.permute(1, 2, 0, 3, 4)
        series = series.flatten(2) if where is None else series[:, :, where]  # (channel, date, pixel)
        # while BatchNorm learns it needs the whole batch; afterwards each series stands alone
        size = series.shape[2] if self.training else SERIES
        found = [answer(part[None].contiguous(memory_format=torch.channels_last)) for part in series.split(size, 2)]
        images = []
        for values in (torch.cat(part, dim=1) for part in zip(*found, strict=True)):  # (feature or class, pixel)
            if where is None:
                image = values.unflatten(1, (len(x), *x.shape[-2:]))
            else:
                image = values.new_zeros(len(values), *where.shape)
                image[:, where] = values
            images.append(image.transpose(0, 1))
        return tuple(images)
