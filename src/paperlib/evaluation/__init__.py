"""Accuracy of maps: scores, intervals over polygons, areas, geometry."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "metrics": ["confusion", "f1", "macro_f1", "overall_accuracy"],
        "intervals": ["resampled_confusions"],
        "area": ["area_weighted"],
        "scoring": ["evaluate"],
    },
)
