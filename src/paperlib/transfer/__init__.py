"""Trained models that travel: folders that explain themselves, maps and scores of other scenes, and how far these are."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "model_folder": ["TrainedModel", "find_models", "load_model"],
        "saving": ["write_models"],
        "maps": ["open_for", "write_map"],
        "regional": ["map_region", "score_region"],
        "scoring": ["score"],
        "changes.change": ["write_change"],
        "likeness": ["SceneStatistics", "Travel"],
    },
)
