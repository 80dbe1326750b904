"""Accuracy of a finished map, from a probability sample of points that people have interpreted.

Design a sample, read the interpreted points back, and estimate accuracy and areas with intervals that hold.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "stratified": ["StratifiedSample", "estimates", "allocate", "sample_size"],
        "exact_intervals": ["exact_intervals"],
        "zones.certified": ["certify"],
        "strata": ["ClassMap"],
        "design": ["Design", "draw"],
        "points": ["read_points"],
        "report": ["Assessment", "assess"],
    },
)
