"""TempCNN: convolutions along the dates of one pixel (section 2.2.1; Pelletier et al., 2019b)."""

from torch import Tensor, nn

from .blocks import blocks, head


class TempCNN(nn.Module):
    """Widths 32, 64, 128, 256 over time, all dates into a hidden layer of 128: 493,096 parameters at the paper's input."""

    receptive_field = 1

    def __init__(
        self, channels: int, dates: int, classes: int, dropout: float, widths: tuple[int, ...] = (32, 64, 128, 256)
    ):
        super().__init__()
        self.convolutions = blocks(1, channels, widths, dropout)
        self.head = head(1, widths[-1] * dates, widths[-1] // 2, classes, dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (batch, class, y, x) of x (batch, channel, date, y, x); every pixel is a series of its own."""
        batch, channels, dates, height, width = x.shape
        series = x.permute(0, 3, 4, 1, 2).reshape(-1, channels, dates)
        logits = self.head(self.convolutions(series).flatten(1).unsqueeze(2))
        return logits.reshape(batch, height, width, -1).permute(0, 3, 1, 2)
