"""What identifies the code of a stage: a digest of its files without comments, docstrings and white space.

A digest changes with every other edit, also with one that changes no result. `staleness.confirm` then says why the results
still hold.
"""

import ast
import hashlib
import inspect
import io
import re
import subprocess
import tokenize
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from ... import models
from ...errors import InputError

SOURCE = Path(__file__).parents[2]

#: Files behind each stage, below the package.
STAGES: dict[str, tuple[str, ...]] = {
    "scene": (
        "simulation/scene.py", "simulation/landscape.py", "simulation/objects.py", "simulation/polygons.py",
        "simulation/spectra.py", "simulation/polygons.csv", "simulation/spectra.csv",
    ),
    "samples": (
        "features/patches.py", "features/extents.py", "features/indices.py", "features/normaliser.py",
        "features/variations.py", "labels/splitting.py", "labels/burning.py",
    ),
    "superpixels": ("features/superpixels.py",),
    "training": ("training/loop.py", "training/minibatches.py", "training/averaging.py", "models/blocks.py"),
    "scores": ("evaluation/scoring.py", "evaluation/metrics.py"),
    "map": ("mapping/inference.py", "mapping/folding.py", "features/halo.py"),
}  # fmt: skip

#: Prefix of the stages of single classifiers.
MODEL = "model "


def stages_of(name: str) -> tuple[str, ...]:
    """The stages behind a training of a classifier: those of all classifiers and that of its own file."""
    kind = models.find(name)
    own = ("superpixels",) if kind.needs_superpixels else ()
    loop = ("training",) if kind.trained_in_epochs else ()
    return "scene", "samples", *own, *loop, "scores", f"{MODEL}{name}"


def files_of(stage: str) -> tuple[str, ...]:
    """Files behind a stage, below the package. Raises `InputError` for an unknown stage."""
    if stage.startswith(MODEL):
        path = Path(inspect.getfile(models.find(stage.removeprefix(MODEL))))
        inside = SOURCE in path.parents
        own = (path.relative_to(SOURCE).as_posix(),) if inside else ()
        return (*own, "models/forest.py") if own == ("models/context.py",) else own
    if stage not in STAGES:
        raise InputError(f"Unknown stage {stage!r}.", f"Choose among {', '.join(STAGES)}.", kind="kept.stage")
    return STAGES[stage]


def digest(stage: str, commit: str = "") -> str:
    """Digest of the code of a stage, in the source that runs or at a commit of its repository; empty where unknown."""
    read = _at(commit) if commit else _now
    try:
        texts = [_essence(file, read(file)) for file in files_of(stage)]
    except (OSError, subprocess.SubprocessError, SyntaxError, tokenize.TokenError):
        return ""
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:12]


def _now(file: str) -> str:
    return (SOURCE / file).read_text()


def _at(commit: str) -> Callable[[str], str]:
    def read(file: str) -> str:
        command = ["git", "show", f"{commit}:./{file}"]
        return subprocess.run(command, cwd=SOURCE, capture_output=True, text=True, timeout=20, check=True).stdout

    return read


@lru_cache(maxsize=256)  # the same files stand behind every training
def _essence(file: str, text: str) -> str:
    """A module without comments, docstrings and white space, the same in every version of Python; another file as it is."""
    if not file.endswith(".py"):
        return text
    lines = text.splitlines(keepends=True)
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column] + "\n"
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            continue
        first = node.body[0] if node.body else None
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
            lines[first.lineno - 1 : first.end_lineno] = ["\n"] * ((first.end_lineno or 0) - first.lineno + 1)
    return re.sub(r"\s", "", "".join(lines))
