"""iota2_base: a random forest on the dates and channels of one pixel (section 2.1), behind the networks' contract."""

import os
from pathlib import Path

import numpy as np
import skops.io
import torch
from sklearn.ensemble import RandomForestClassifier
from torch import Tensor, nn

from .errors import InputError
from .samples import Samples

NAME = "iota2_base"

#: What a stored forest may be made of; skops refuses everything else, where a pickle would run it.
TRUSTED = ["sklearn.tree._tree.Tree"]


class Forest(nn.Module):
    """scikit-learn's forest with the printed hyperparameters: 100 trees, depth 50, minimum 20.

    The paper's forest is OpenCV's, where a node of 20 samples or fewer is a leaf and a split chooses among
    round(sqrt(n)) features. Input and output are those of the networks; a module so that nothing needs to know which
    of the two it holds.
    """

    receptive_field = 1

    def __init__(self, classes: int):
        super().__init__()
        self.classes = classes
        self.forest: RandomForestClassifier | None = None

    def fit(self, samples: Samples, seed: int) -> None:
        """Grow the forest on the labelled pixels of `samples`, each a vector of channels x dates."""
        pixels = samples.pixels()
        x = pixels.x.flatten(1).numpy()
        if not len(x):
            raise InputError("The forest has no labelled pixel to learn from.")
        self.forest = RandomForestClassifier(
            n_estimators=100, max_depth=50, min_samples_split=21, max_features=round(np.sqrt(x.shape[1])),
            n_jobs=os.cpu_count(), random_state=seed,
        ).fit(x, pixels.label.flatten().numpy())  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        """Logarithm of the class probabilities (batch, class, y, x) of x (batch, channel, date, y, x)."""
        batch, channels, dates, height, width = x.shape
        pixels = x.permute(0, 3, 4, 1, 2).reshape(-1, channels * dates).cpu().numpy()
        # a class without training pixels has no column in scikit-learn's answer
        probability = np.zeros((len(pixels), self.classes), np.float32)
        probability[:, self.forest.classes_] = self.forest.predict_proba(pixels)
        logits = torch.from_numpy(probability).clamp_min(1e-7).log().to(x.device)
        return logits.reshape(batch, height, width, self.classes).permute(0, 3, 1, 2)

    def save(self, path: Path) -> None:
        """Write the forest to a skops file."""
        skops.io.dump({"forest": self.forest, "classes": self.classes}, path)

    @classmethod
    def load(cls, path: Path) -> "Forest":
        """Read a forest written by `save`. Raises skops' UntrustedTypesFoundException for a file with anything else."""
        content = skops.io.load(path, trusted=TRUSTED)
        model = cls(content["classes"])
        model.forest = content["forest"]
        return model
