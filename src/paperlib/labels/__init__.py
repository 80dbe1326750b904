"""Labelled polygons: read, check, split, burn onto the grid, or draw from a land cover raster."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "polygons": ["burn", "legend_of", "load_polygons", "pixel_counts", "separation", "split"],
        "from_raster": ["draw_labels"],
    },
)
