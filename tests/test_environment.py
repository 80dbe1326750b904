"""pyproject.toml, constraints.txt and environment.yml say the same."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

PROJECT = Path(__file__).parents[1]
#: Names that conda-forge gives to packages of the Python index.
CONDA = {
    "torch": "pytorch",
    "matplotlib": "matplotlib-base",
    "seaborn": "seaborn-base",
    "dask": "dask-core",
    "isal": "python-isal",
}


@pytest.fixture(scope="module")
def project():
    return tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]


def pins() -> dict[str, str]:
    lines = [line for line in (PROJECT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    return dict(line.split("==") for line in lines)


def test_every_requirement_is_pinned_within_its_range(project):
    extras = [entry for group in project["optional-dependencies"].values() for entry in group]
    for requirement in map(Requirement, project["dependencies"] + extras):
        assert requirement.specifier.contains(pins()[requirement.name]), requirement


def test_traps_stay_shut():
    assert pins()["torch"] == "2.13.0"
    assert pins()["jupyter-book"].startswith("1.") and pins()["sphinx-book-theme"].startswith("1.2")


def test_conda_environment_asks_for_the_same(project):
    entries = yaml.safe_load((PROJECT / "environment.yml").read_text())["dependencies"]
    conda = {entry for entry in entries if isinstance(entry, str)} - {"pip"}
    wanted = {f"python{project['requires-python']}"}
    for entry in project["dependencies"]:
        requirement = Requirement(entry)
        wanted.add(entry.replace(requirement.name, CONDA.get(requirement.name, requirement.name)))
    assert conda == wanted
    assert entries[-1] == {"pip": ["-e .[book,test]"]}


def test_library_needs_neither_jupyter_book_nor_papermill():
    """Every module but the batch imports with the extras out of reach."""
    code = (
        "import sys\n"
        "for name in ('jupyter_book', 'papermill', 'distributed', 'myst_nb'): sys.modules[name] = None\n"
        "from paperlib import Experiment\nfrom paperlib.evaluation import summaries\n"
        "from paperlib.figures import charts\nfrom paperlib.pages import page\nfrom paperlib.reproduction import tables\n"
        "import paperlib.__main__"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
