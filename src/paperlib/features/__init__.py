"""What classifiers read of a scene: bands without gaps, spectral indices, patches, normalisation, superpixels."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "indices": ["fill_gaps", "interpolate"],
        "inputs": ["Inputs"],
        "normaliser": ["Normaliser"],
        "patches": ["extract"],
        "samples": ["Samples"],
        "superpixels": ["segment_scene", "extract_superpixels"],
    },
)
