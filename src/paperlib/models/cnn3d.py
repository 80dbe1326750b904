"""3D-CNN: convolutions in time and space at once (section 2.2.3)."""

from torch import Tensor, nn

from .blocks import blocks, head


class CNN3D(nn.Module):
    """Widths 32, 64, 128 with 3 x 3 x 3 kernels, all dates into a hidden layer of 64: 378,984 parameters at the paper's."""

    receptive_field = 7
    hidden = 64  # features of a pixel before the last layer

    def __init__(self, channels: int, dates: int, classes: int, dropout: float):
        super().__init__()
        self.convolutions = blocks(3, channels, (32, 64, 128), dropout)
        self.head = head(2, 128 * dates, self.hidden, classes, dropout)

    def forward(self, x: Tensor, where: Tensor | None = None) -> Tensor:
        """Logits (batch, class, y, x) of x (batch, channel, date, y, x); all are computed, wanted or not."""
        return self.streams(x)[1]

    def streams(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Features (batch, hidden, y, x) and logits (batch, class, y, x) of x (batch, channel, date, y, x)."""
        features = self.head[:-1](self.convolutions(x).flatten(1, 2))
        return features, self.head[-1](features)
