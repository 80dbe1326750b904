"""TempCNN: convolutions along the dates of one pixel (Pelletier et al., 2019), as published and deeper."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from .blocks import Dropout, blocks, head
from .contract import Model

#: Series classified at once: few enough to stay in a processor's cache, which bounds the memory of a large window too.
SERIES = 512


class TempCNN(Model):
    """Widths 32, 64, 128, 256 over time, all dates into a hidden layer of 128 (Carpentier et al., 2021).

    493,096 parameters at 13 channels, 11 dates and 8 classes.
    """

    receptive_field = 1
    block = 64  # few, so that they are still in the cache when `SERIES` of them are taken at once
    options: tuple[str, ...] = ("dropout",)

    def __init__(
        self,
        channels: int,
        dates: int,
        classes: int,
        dropout: float = 0.1,
        widths: tuple[int, ...] = (32, 64, 128, 256),
    ):
        super().__init__()
        self.convolutions = blocks((3, 1), (1, 0), channels, widths, dropout)
        self.hidden = widths[-1] // 2  # features of a pixel before the last layer
        self.head = head((dates, 1), widths[-1], self.hidden, classes, dropout)

    def forward(self, x: Tensor, where: Tensor | None = None, superpixel: Tensor | None = None) -> Tensor:
        """Logits (batch, class, y, x) of x (batch, channel, date, y, x); every pixel is a series of its own.

        Where `where` (batch, y, x) is False they are 0, and not computed.
        """
        return self._by_series(lambda series: self._classify(series)[1:], x, where)[0]

    def streams(self, x: Tensor, where: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Features (batch, hidden, y, x) and logits (batch, class, y, x) of x (batch, channel, date, y, x), as `forward`."""
        features, logits = self._by_series(self._classify, x, where)
        return features, logits

    def _classify(self, series: Tensor) -> tuple[Tensor, Tensor]:
        """Features (hidden, pixel) and logits (class, pixel) of series (1, channel, date, pixel)."""
        features = self.head[:-1](self.convolutions(series))
        return features[0, :, 0], self.head[-1](features)[0, :, 0]

    def _by_series(
        self, classify: Callable[[Tensor], tuple[Tensor, ...]], x: Tensor, where: Tensor | None
    ) -> tuple[Tensor, ...]:
        """Results of `classify` for series (1, channel, date, pixel), as images (batch, ..., y, x)."""
        series = x.permute(1, 2, 0, 3, 4)
        series = series.flatten(2) if where is None else series[:, :, where]  # (channel, date, pixel)
        # while BatchNorm learns it needs the whole batch; afterwards each series stands alone
        size = series.shape[2] if self.training else SERIES
        results = [classify(part[None].contiguous(memory_format=torch.channels_last)) for part in series.split(size, 2)]
        images = []
        for values in (torch.cat(part, dim=1) for part in zip(*results, strict=True)):  # (feature or class, pixel)
            if where is None:
                image = values.unflatten(1, (len(x), *x.shape[-2:]))
            else:
                image = values.new_zeros(len(values), *where.shape)
                image[:, where] = values
            images.append(image.transpose(0, 1))
        return tuple(images)


class PelletierTempCNN(TempCNN):
    """TempCNN as first published (Pelletier et al., 2019).

    Three layers of 64 filters over 5 dates, a dense layer of 256, dropout 0.5: 228,744 parameters at 13 channels, 11
    dates and 8 classes.
    """

    options = ()

    def __init__(self, channels: int, dates: int, classes: int):
        Model.__init__(self)
        layers: list[nn.Module] = []
        for inputs in (channels, 64, 64):
            convolution = nn.Conv2d(inputs, 64, kernel_size=(5, 1), padding=(2, 0))
            layers += [convolution, nn.BatchNorm2d(64), nn.ReLU(), Dropout(0.5)]
        self.convolutions = nn.Sequential(*layers)
        # as convolutions over all dates and then 1 x 1, dense layers apply to every pixel of a patch
        self.head = nn.Sequential(
            nn.Conv2d(64, 256, kernel_size=(dates, 1)), nn.BatchNorm2d(256), nn.ReLU(), Dropout(0.5),
            nn.Conv2d(256, classes, kernel_size=1),
        )  # fmt: skip
