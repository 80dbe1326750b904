"""Train a classifier and keep what came of it: batches, loop, checkpoints, repeated trainings."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__, submod_attrs={"loop": ["evaluate", "train"], "trials": ["load_classifier", "make_training"]}
)
