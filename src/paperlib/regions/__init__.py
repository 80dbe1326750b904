"""Regions: several scenes as one. Which tiles there are, what they have in common, whose labels are whose, and mosaics."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "tiles": ["Tile", "find_tiles"],
        "region": ["Region"],
        "assignment": ["assign"],
        "mosaic": ["write_mosaic"],
    },
)
