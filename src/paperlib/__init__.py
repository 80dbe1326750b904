"""Land cover from monthly Sentinel-2 syntheses with temporal and spatial networks: the paper as a library.

The names below load when they are first used, so that `import paperlib` stays fast.
"""

from importlib import import_module

__version__ = "0.1.0"

#: Name -> the module that holds it.
_HOMES = {
    "open_scene": "scenes.scene",
    "load_polygons": "labels.polygons",
    "split": "labels.splitting",
    "burn": "labels.burning",
    "Settings": "settings",
    "make": "settings",
    "Experiment": "runs.experiment",
    "load_model": "transfer.model_folder",
    "InputError": "errors",
}

__all__ = ["__version__", "models", *_HOMES]


def __getattr__(name: str):
    if name == "models":
        return import_module(".models", __name__)
    if name in _HOMES:
        return getattr(import_module(f".{_HOMES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
