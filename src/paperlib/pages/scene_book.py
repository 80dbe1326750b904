"""The book rebuilt for one scene: which of its pages take a scene, and the build."""

import json
import subprocess
import sys
from pathlib import Path

import yaml

from .. import environment
from ..errors import InputError
from ..outputs import writing
from ..runs.experiment import Experiment
from ..settings import overridden
from ..store import project


def require_checkout() -> None:
    """Raise `InputError` outside a checkout of the project, which has no book to build."""
    if not (project() / "book" / "_toc.yml").is_file():
        raise InputError(
            f"{project()} is no checkout of the project, so it has no book to build.", "Say --no-book.", kind="book"
        )


def takes_scene(page: Path) -> bool:
    """Whether a page is a notebook with the parameter `scene`; other notebooks show the same whatever the scene."""
    if page.suffix != ".ipynb":
        return False
    cells = json.loads(page.read_text())["cells"]
    parameters = ["".join(cell["source"]) for cell in cells if "parameters" in cell["metadata"].get("tags", [])]
    return any("\nscene = " in f"\n{text}" for text in parameters)


def contents_for_scene(book: Path) -> dict:
    """The table of contents of `book` without the notebooks that know nothing of a scene; a part left empty goes too.

    Links to pages left out are taken care of by book/_ext/absent.py.
    """
    contents = yaml.safe_load((book / "_toc.yml").read_text())
    for part in contents["parts"]:
        files = [(chapter, book / f"{chapter['file']}.ipynb") for chapter in part["chapters"]]
        part["chapters"] = [chapter for chapter, page in files if not page.is_file() or takes_scene(page)]
    contents["parts"] = [part for part in contents["parts"] if part["chapters"]]
    return contents


def build_book(run: Experiment, out: Path) -> Path:
    """Build the pages of the book on a run's scene, with its settings and store, in `out`/book; return the first page.

    Raises `InputError` with the end of the log where the build fails.
    """
    source, target = project() / "book", out / "book"
    index = Path("_build") / "html" / "index.html"
    with writing(target, folder=True) as part:
        (part / "_toc.yml").write_text(yaml.safe_dump(contents_for_scene(source), sort_keys=False))
        command = [str(Path(sys.executable).parent / "jupyter-book"), "build", str(source)]
        command += ["--path-output", str(part), "--toc", str(part / "_toc.yml")]
        done = subprocess.run(command, env=_environment(run), capture_output=True, text=True, check=False)
        if done.returncode or not (part / index).is_file():
            with writing(out / "book.log") as log:
                log.write_text(done.stdout + done.stderr)
            problem = f"The book could not be built; the whole log is {out / 'book.log'}:\n{done.stderr[-1500:]}"
            raise InputError(problem, kind="book")
    return target / index


def _environment(run: Experiment) -> dict[str, str]:
    """Environment of the build: its notebooks find the scene, settings and store of the run there."""
    scene = run.settings.scene
    preset, changes = overridden(run.settings)
    variables = {
        "PRESET": preset, "SETTINGS": json.dumps(changes | {"seed": run.settings.seed}), "STORE": str(run.store),
        "SCENE": str(Path(scene.path).absolute()), "POLYGONS": str(Path(scene.polygons).absolute()),
    }  # fmt: skip
    return environment.for_child(variables, keep=False)
