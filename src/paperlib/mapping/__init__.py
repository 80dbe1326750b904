"""Classify a whole scene window by window and write the map, with what a GIS needs beside it."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "scene_maps": ["map_scene", "read_map"],
        "gis": ["class_areas", "write_gis_files"],
        "stac_item": ["map_item"],
    },
)
