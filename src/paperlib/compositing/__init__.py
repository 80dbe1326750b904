"""Make a series: acquisitions from a STAC service or from disk, composed into weighted monthly syntheses."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={"acquisitions": ["local_acquisitions"], "stac": ["search"], "synthesis": ["months", "synthesise"]},
)
