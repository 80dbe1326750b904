"""TempCNN as first published (Pelletier et al., 2019b, section 3.2), beside the paper's deeper one."""

from torch import nn

from .blocks import Dropout
from .tempcnn import TempCNN


class PelletierTempCNN(TempCNN):
    """Three layers of 64 filters over 5 dates, a dense layer of 256, dropout 0.5: 228,744 parameters at 11 dates."""

    def __init__(self, channels: int, dates: int, classes: int):
        nn.Module.__init__(self)
        layers = []
        for inputs in (channels, 64, 64):
            convolution = nn.Conv2d(inputs, 64, kernel_size=(5, 1), padding=(2, 0))
            layers += [convolution, nn.BatchNorm2d(64), nn.ReLU(), Dropout(0.5)]
        self.convolutions = nn.Sequential(*layers)
        # as convolutions over all dates and then 1 x 1, dense layers apply to every pixel of a patch
        self.head = nn.Sequential(
            nn.Conv2d(64, 256, kernel_size=(dates, 1)), nn.BatchNorm2d(256), nn.ReLU(), Dropout(0.5),
            nn.Conv2d(256, classes, kernel_size=1),
        )  # fmt: skip
