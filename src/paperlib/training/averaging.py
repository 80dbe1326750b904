"""Exponential mean of a network's weights over the last steps of its training.

The last steps wander around a minimum; their mean lies nearer to it (Polyak and Juditsky, 1992, Acceleration of stochastic
approximation by averaging, SIAM Journal on Control and Optimization 30). A mean over too many steps holds the
weights of the beginning: the horizon is therefore a share of all steps.
"""

from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

#: After n steps the mean is over n / `EARLY` of them at most: weights of the beginning spoil it.
EARLY = 10


class Average(AveragedModel):
    """The mean, in `module`, of weights and batch statistics of a network in training; `update_parameters` adds a step."""

    def __init__(self, model: nn.Module, share: float):
        super().__init__(model, avg_fn=self._mix, use_buffers=True)
        self.share, self.horizon = share, 1.0

    def begin(self, steps: int) -> None:
        """State how many steps the whole training has."""
        self.horizon = max(1.0, self.share * steps)

    def _mix(self, mean: Tensor, value: Tensor, number: Tensor | int) -> Tensor:
        weight = max(1 / self.horizon, EARLY / (EARLY + int(number)))
        return mean + weight * (value - mean)
