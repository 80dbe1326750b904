"""What classifiers see: bands without gaps, spectral indices, patches, normalisation, superpixels."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "indices": ["channel_names", "fill_gaps"],
        "samples": ["Normaliser", "Samples", "extract"],
        "superpixels": ["segment_scene", "extract_superpixels"],
    },
)
