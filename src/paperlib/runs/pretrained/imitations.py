"""The imitation of Galileo on a scene, kept in the store: one for every set of labels (see `training.imitation`)."""

import sys
from pathlib import Path

from ... import environment, store
from ...features.inputs import Inputs
from ...models.galileo import Encoded, bands_of
from ...settings import Settings, describe
from ...training.galileo_weights import read_encoder
from ...training.imitation import Imitation, draw_pixels, imitate, months_of
from .. import keys
from ..dataset import Dataset

#: Of the pixels drawn and of the imitation: labels and the seed of a run change neither.
SEED = 0
#: Stage and name in the store.
PLACE = "imitation", "Galileo"


def encoded_of(dataset: Dataset, inputs: Inputs) -> Encoded:
    """The encoder with the bands and months of the scene of a dataset.

    Raises `InputError` where the weights have not been fetched, and where the scene lacks visible bands or near infrared.
    """
    return Encoded(read_encoder(), bands_of(inputs.roles, inputs.channels()), months_of(inputs.days, dataset.dates[0]))


def has_imitation(dataset: Dataset, inputs: Inputs, settings: Settings) -> bool:
    """Whether the imitation is in the store."""
    return store.place(dataset.store, *PLACE, keys.imitation_key(settings, inputs)).is_dir()


def imitation_of(dataset: Dataset, inputs: Inputs, settings: Settings) -> Imitation:
    """The imitation of Galileo on the scene of a dataset, made where it is not in the store.

    A line says how well it imitates where it is made; `InputWarning` where that is not enough, and the encoder itself is
    used. Raises `InputError` as `encoded_of` does, and for a scene that has more dates than Galileo takes.
    """
    encoded = encoded_of(dataset, inputs)

    def make(folder: Path) -> None:
        pixels = draw_pixels(dataset.scenes(), inputs, settings.train.imitated, SEED)
        found = imitate(encoded, pixels, SEED)
        found.save(folder)
        if not environment.quiet():
            text = f"Galileo, imitated on {len(pixels)} pixels of the scene: R2 {found.r2:.3f} on pixels left out"
            print(text, file=sys.stderr)

    key = keys.imitation_key(settings, inputs)
    folder = store.find_or_make(dataset.store, *PLACE, key, make, describe(settings))
    return Imitation.load(folder, encoded, (len(inputs.channels()), len(inputs.days)))
