"""TempCNN: convolutions along the dates of one pixel (section 2.2.1; Pelletier et al., 2019b)."""

import torch
from torch import Tensor, nn

from .blocks import blocks, head

#: Series classified at once: few enough to stay in a processor's cache, which bounds the memory of a large window too.
SERIES = 1024


class TempCNN(nn.Module):
    """Widths 32, 64, 128, 256 over time, all dates into a hidden layer of 128: 493,096 parameters at the paper's input."""

    receptive_field = 1

    def __init__(
        self, channels: int, dates: int, classes: int, dropout: float, widths: tuple[int, ...] = (32, 64, 128, 256)
    ):
        super().__init__()
        self.convolutions = blocks(1, channels, widths, dropout)
        self.hidden = widths[-1] // 2  # features of a pixel before the last layer
        self.head = head(1, widths[-1] * dates, self.hidden, classes, dropout)

    def forward(self, x: Tensor, where: Tensor | None = None) -> Tensor:
        """Logits (batch, class, y, x) of x (batch, channel, date, y, x); every pixel is a series of its own."""
        return self.streams(x, where)[1]

    def streams(self, x: Tensor, where: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Features (batch, hidden, y, x) and logits (batch, class, y, x) of x (batch, channel, date, y, x).

        Where `where` (batch, y, x) is False both are 0, and not computed.
        """
        batch, _, _, height, width = x.shape
        where = torch.ones(batch, height, width, dtype=torch.bool, device=x.device) if where is None else where
        series = x.permute(0, 3, 4, 1, 2)[where]
        # while BatchNorm learns it needs the whole batch; afterwards each series stands alone
        parts = [series] if self.training else series.split(SERIES)
        features = torch.cat([self.head[:-1](self.convolutions(part).flatten(1).unsqueeze(2)) for part in parts])
        found = []
        for part in (features, self.head[-1](features)):
            image = part.new_zeros(batch, height, width, part.shape[1])
            image[where] = part[..., 0]
            found.append(image.permute(0, 3, 1, 2))
        return tuple(found)
