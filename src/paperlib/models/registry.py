"""Every classifier by name, networks and forests alike, and how one is made.

Names cost nothing to import: the class of a classifier, and torch with it, is imported when it is asked for.
"""

import difflib
from collections.abc import Iterable
from importlib import import_module
from typing import TYPE_CHECKING

from ..errors import InputError

if TYPE_CHECKING:
    from .contract import Model

#: Classifiers of your own: name -> subclass of `contract.Model`. Each is trained, scored and mapped with the others: a
#: column of the table of scores, a line in every figure. The how-to "Add a model" walks through it.
ADDED: dict[str, "type[Model]"] = {}

#: Module and class of the classifiers of this package.
_CLASSES = {
    "TempCNN": "tempcnn.TempCNN",
    "3D-CNN": "cnn3d.CNN3D",
    "2D-CNN": "cnn2d.CNN2D",
    "SpatioTempCNN": "spatiotemp.SpatioTempCNN",
    "iota2_ctx": "context.ContextForest",
    "iota2_base": "forest.Forest",
    "SpatioTempCNN-gated": "spatiotemp.GatedSpatioTempCNN",
    "TempCNN-2019": "tempcnn.PelletierTempCNN",
    "L-TAE": "ltae.LTAE",
    "U-TAE": "utae.UTAE",
    "Logistic regression": "usual.LogisticSeries",
    "Gradient boosting": "usual.BoostedTrees",
    "Galileo": "galileo.Galileo",
}

#: The four networks that are compared, in the order of the table of scores.
NAMES = ("TempCNN", "3D-CNN", "2D-CNN", "SpatioTempCNN")
#: The two forests beside them.
FORESTS = ("iota2_ctx", "iota2_base")
#: Variants of the networks, which studies train.
VARIANTS = ("SpatioTempCNN-gated", "TempCNN-2019")

#: What a practitioner might take instead: trained and mapped where they are named.
OTHERS = ("L-TAE", "U-TAE", "Logistic regression", "Gradient boosting")
#: What starts from weights that are fetched (`paperlib fetch galileo`); the same.
PRETRAINED = ("Galileo",)

#: What a run trains when no classifier is named.
CLASSIFIERS = (*NAMES, *FORESTS, *ADDED)
#: Those of them that the training loop trains.
NETWORKS = (*NAMES, *(name for name, kind in ADDED.items() if kind.trained_in_epochs))

#: Side in pixels of what a network of somebody's own is asked to classify, to see whether it keeps the contract.
ANSWERED = 17


def find(name: str) -> "type[Model]":
    """The class of a classifier. Raises `InputError` for an unknown name, with the nearest known one."""
    if name in ADDED:
        return ADDED[name]
    _check_name(name, (*_CLASSES, *ADDED))
    module, kind = _CLASSES[name].split(".")
    return getattr(import_module(f"{__package__}.{module}"), kind)


def choose(names: Iterable[str] | None = None) -> tuple[str, ...]:
    """The classifiers that are named, in the order of their list; all of `CLASSIFIERS` where none is named.

    Raises `InputError` for an unknown name, with the nearest known one.
    """
    named, known = set(names or CLASSIFIERS), (*CLASSIFIERS, *VARIANTS, *OTHERS, *PRETRAINED)
    for name in sorted(named):
        _check_name(name, known)
    return tuple(name for name in known if name in named)


def _check_name(name: str, known: tuple[str, ...]) -> None:
    if name not in known:
        near = difflib.get_close_matches(str(name), known, n=1, cutoff=0)[0]
        raise InputError(
            f"Unknown model {name!r}; did you mean {near!r}?", f"Choose among {', '.join(known)}.", kind="models.name"
        )


def build(
    name: str, channels: int, dates: int, classes: int, dropout: float = 0.1, fusion: float = 0.5, **options
) -> "Model":
    """An untrained classifier for series of `channels` channels and `dates` dates.

    Parameters
    ----------
    name: one of `CLASSIFIERS`, `VARIANTS`, `OTHERS` or `PRETRAINED`.
    channels, dates, classes: sizes of the input and of the output.
    dropout: share of the values that the networks' dropout layers leave out in training.
    fusion: SpatioTempCNN's weight of its temporal stream (0 to 1).
    options: further options, of classifiers of your own.

    Only the options that a model declares reach it. Raises `InputError` for an unknown name, fewer than 1 channel or
    date, fewer than 2 classes, an option out of its range, or a network of `ADDED` that pads in space.
    """
    kind = find(name)
    if channels < 1 or dates < 1 or classes < 2:
        raise InputError(
            f"{name} for {channels} channels, {dates} dates and {classes} classes is not possible.",
            "At least 1 channel, 1 date and 2 classes are needed.", kind="models.size",
        )  # fmt: skip
    given = {"dropout": dropout, "fusion": fusion, **options}
    model = kind(channels, dates, classes, **{option: given[option] for option in kind.options if option in given})
    if name in ADDED and model.trained_in_epochs:
        _check_answer(name, model, channels, dates)
    return model


def _check_answer(name: str, model: "Model", channels: int, dates: int) -> None:
    """Raise `InputError` for a network of somebody's own that pads in space, or sees more than it states.

    Its maps would depend on the windows: a patch and the same patch without its border must get the same answers.
    """
    import torch

    training, side = model.training, 2 * model.halo + ANSWERED
    x = torch.rand(1, channels, dates, side, side, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        whole = model.eval()(x)
        right = whole.shape[-2:] == (ANSWERED, ANSWERED)
        if right:
            right = torch.allclose(whole[..., 1:-1, 1:-1], model(x[..., 1:-1, 1:-1]), rtol=1e-3, atol=1e-4)
    model.train(training)
    if not right:
        raise InputError(
            f"The network {name} states a receptive field of {model.receptive_field} pixels, so of a patch of {side} it has "
            f"to classify the inner {ANSWERED}, each by that field alone. It pads in space, or sees further.",
            "Pad along dates alone, and state how far the network sees.", kind="models.padding",
        )  # fmt: skip


def reach(names: tuple[str, ...] = NETWORKS) -> int:
    """How many pixels beyond a pixel the widest of these classifiers sees: half of the largest receptive field."""
    return max(find(name).receptive_field for name in names) // 2
