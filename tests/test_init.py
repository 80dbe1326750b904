"""The public names of the package exist, and loading them is cheap."""

import subprocess
import sys
from pathlib import Path

import pytest

import paperlib

SOURCE = Path(paperlib.__file__).parent

#: Modules that compute with torch, or hand what does: all others load without it.
WITH_TORCH = (
    "devices", "evaluation.calibration", "evaluation.scoring", "features", "figures.networks.", "labelling", "mapping",
    "models.", "pages.", "reproduction.", "runs", "training", "transfer",
)  # fmt: skip
WITHOUT_TORCH = ("mapping.gis", "models.registry", "pages.measurements", "pages.performance", "reproduction.paper",
                 "reproduction.tables", "reproduction.audit", "reproduction.recomputed", "features.indices")  # fmt: skip
#: Modules that compute with scikit-learn.
WITH_SKLEARN = ("evaluation.applicability",)
NAMES = [
    ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")
    for path in sorted(SOURCE.rglob("*.py"))
]


def loaded(code: str, *libraries: str) -> set[str]:
    """Which of these libraries a new process has loaded after some code."""
    code += f"\nimport sys; print('loaded', *({set(libraries)!r} & set(sys.modules)))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(answer.stdout.splitlines()[-1].split()[1:])


def imports(names: list[str]) -> str:
    return "\n".join(f"import paperlib.{name}" for name in names)


@pytest.mark.parametrize(
    "code", ["import paperlib", "from paperlib.__main__ import cli\ncli(['--help'], standalone_mode=False)"]
)
def test_a_start_loads_nothing_heavy(code):
    heavy = "torch", "rasterio", "sklearn", "skops", "numpy", "pandas", "xarray", "geopandas", "matplotlib", "papermill"
    assert loaded(code, *heavy) == set()


def test_modules_load_torch_and_scikit_learn_only_where_they_need_them():
    light = [name for name in NAMES if name in WITHOUT_TORCH or not name.startswith(WITH_TORCH)]
    light = [name for name in light if name not in ("__init__", *WITH_SKLEARN)]
    assert len(light) > 60
    assert loaded(imports(light), "torch", "sklearn", "skops", "papermill") == set()
    others = [name for name in NAMES if name not in (*light, "__init__", *WITH_SKLEARN)]
    assert loaded(imports(others), "sklearn", "skops") == set()


def test_a_run_loads_what_only_some_runs_need_when_they_do():
    """A third of the time that a command, a notebook and each of the processes that train side by side take to start."""
    some = "scipy.stats", "scipy.optimize", "scipy.sparse.csgraph", "scipy.ndimage", "zarr", "matplotlib", "skimage"
    assert loaded("from paperlib import Experiment; Experiment", *some) == set()


def test_names_lead_to_their_modules():
    from paperlib import errors, models, settings
    from paperlib.labels import splitting
    from paperlib.scenes import scene

    assert paperlib.open_scene is scene.open_scene and paperlib.make is settings.make
    assert paperlib.split is splitting.split and paperlib.models is models and paperlib.InputError is errors.InputError
    assert set(paperlib.__all__) <= set(dir(paperlib)) and paperlib.__version__ == "0.1.0"
    for name in paperlib.__all__:
        assert getattr(paperlib, name) is not None


def test_unknown_names_are_refused():
    with pytest.raises(AttributeError, match="no attribute 'open_scenes'"):
        _ = paperlib.open_scenes
