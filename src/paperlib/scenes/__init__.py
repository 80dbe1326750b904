"""Read a satellite image time series as one lazy array (band, time, y, x).

Product folders, stacks and cubes; their bands, masks and dates; windows over a scene.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "scene": ["open_scene"],
        "fingerprints": ["fingerprint"],
        "windowing": ["window_around", "windows"],
        "sensors": ["BANDS", "BANDS_10M", "BANDS_20M", "roles_of"],
        "findings": ["problems"],
        "shaping.saving": ["save_cube"],
    },
)
