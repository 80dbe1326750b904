"""Better labels: which polygons have a doubtful class, where to label next, and which dates and bands matter."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "importance": ["fewest_dates", "write_importance"],
        "out_of_fold": ["out_of_fold"],
        "suspects": ["find_suspects", "write_suspects"],
        "suggest": ["suggest_places", "write_suggestions"],
    },
)
