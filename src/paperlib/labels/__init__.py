"""Labelled polygons: read, check, split, burn onto the grid, or draw from a land cover raster."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "polygons": ["load_polygons", "problems"],
        "classes": ["legend_of"],
        "splitting": ["separation", "split"],
        "burning": ["burn", "pixel_counts", "pixel_of"],
        "from_raster": ["draw_labels"],
    },
)
