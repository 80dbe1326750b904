"""Train a classifier and keep what came of it: training batches, loop, checkpoints, repeated trainings."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__, submod_attrs={"classifier": ["Classifier"], "loop": ["train"], "trials": ["write_training"]}
)
