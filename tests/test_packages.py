"""The order of packages: each may import only those above it in the list."""

import ast
import re
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "paperlib"
ORDER = [
    "errors", "ground", "gathering", "outputs", "allocation", "devices", "nomenclature", "environment", "fields",
    "settings", "store",
    "scenes", "compositing", "labels", "features", "models", "evaluation", "training", "mapping", "regions", "accuracy",
    "checks", "simulation", "runs", "transfer", "figures", "labelling", "reproduction", "pages", "commands", "__main__",
]  # fmt: skip
#: Packages that know the paper.
PAPERS = {"reproduction", "pages"}
#: What the command line may import from them: the download of the book's scene, the book and the report of a scene.
COMMANDS = {"reproduction.real_scene", "pages.scene_book", "pages.client_report"}
#: A place in the paper. Numbers of another source's equations or chapters are allowed.
PLACE = re.compile(r"\b(Tables?|Figures?|[Ss]ections?)\s+[1-9]")
MODULES = sorted(path for path in SOURCE.rglob("*.py") if path != SOURCE / "__init__.py")


def room(path: Path) -> str:
    """The package of a module, or its own name where it stands at the top."""
    return path.relative_to(SOURCE).with_suffix("").parts[0]


def imported_modules(path: Path) -> set[str]:
    """Modules of the library that a file imports, at its top or inside functions, like "scenes.scene"."""
    package, modules = path.relative_to(SOURCE).parts[:-1], set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            modules |= {alias.name.removeprefix("paperlib.") for alias in node.names if "paperlib" in alias.name}
        elif isinstance(node, ast.ImportFrom) and (node.level or (node.module or "").split(".")[0] == "paperlib"):
            base = [*package[: len(package) - node.level + 1]] if node.level else []
            base += [part for part in (node.module or "").removeprefix("paperlib").split(".") if part]
            modules |= {".".join([*base, alias.name][:2]) for alias in node.names}
    return modules


def imported(path: Path) -> set[str]:
    """Packages and top modules that a file imports."""
    return {module.split(".")[0] for module in imported_modules(path)}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_imports_run_one_way(path):
    above = set(ORDER[: ORDER.index(room(path))]) | ({room(path)} if path.parent != SOURCE else set())
    assert imported(path) <= above, f"{path.name} imports {sorted(imported(path) - above)} from below"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_the_tool_does_not_know_the_paper(path):
    if room(path) not in PAPERS:
        known = {module for module in imported_modules(path) if module.split(".")[0] in PAPERS}
        assert known <= (COMMANDS if room(path) == "commands" else set())
        places = [line.strip() for line in path.read_text().splitlines() if PLACE.search(line)]
        assert not places, "numbers of the paper's sections, tables and figures belong to reproduction and pages"


def test_models_import_nothing_but_errors_and_the_number_of_processors():
    files = (SOURCE / "models").glob("*.py")
    assert {name for path in files for name in imported(path)} <= {"errors", "allocation", "models"}


def test_no_package_is_larger_than_a_newcomer_can_read():
    lines = {}
    for path in MODULES:  # a folder in a package, such as scenes/formats, is a room of its own
        folder = path.parent.relative_to(SOURCE).as_posix() if path.parent != SOURCE else room(path)
        lines[folder] = lines.get(folder, 0) + path.read_text().count("\n")
    assert max(lines.values()) <= 1400, lines


#: The order inside scenes: each may import only those above it.
FLOORS = [
    {"sensors", "quality", "rasters", "upsample", "series", "windowing"}, {"meaning"}, {"shaping", "chunks"},
    {"formats", "cubes"}, {"scene", "fingerprints", "findings"},
]  # fmt: skip


@pytest.mark.parametrize("path", sorted((SOURCE / "scenes").rglob("*.py")), ids=lambda path: path.name)
def test_imports_inside_scenes_run_one_way(path):
    parts = path.relative_to(SOURCE / "scenes").with_suffix("").parts
    floor = next((number for number, names in enumerate(FLOORS) if parts[0] in names), len(FLOORS))
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level == len(parts):
            names = [node.module.partition(".")[0]] if node.module else [alias.name for alias in node.names]
            allowed = set().union(*FLOORS[: floor + 1])
            assert set(names) <= allowed, f"{path.name} imports {names}"
