"""One scene and its polygons from files to products: checked, trained, mapped, and the book rebuilt for it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import yaml

from ..errors import InputError
from ..models.registry import CLASSIFIERS
from ..reproduction import tables
from ..runs.checked import check_first, known
from ..runs.experiment import Experiment
from ..runs.products import write_products
from ..store import project


def run_all(
    scene: str,
    polygons: str,
    out: Path,
    preset: str = "",
    names: list[str] | None = None,
    book: bool = True,
    report: Callable[[str], None] = print,
) -> None:
    """Everything for one scene into the folder `out`; the same call goes on where an earlier one was stopped.

    check.txt and check.json; trainings.csv and table-4.csv; maps/NAME/ (see `products`); book/ with the pages of this
    book computed on the scene; artifacts/, the store of all this. `names`: the classifiers, all by default. The book
    needs all of them, and a checkout of the project, in which it is built. Raises `InputError` as the stages do.
    """
    chosen = known(names)
    book = book and set(chosen) == set(CLASSIFIERS)
    if book and not (project() / "book" / "_toc.yml").is_file():
        raise InputError(f"{project()} is no checkout of the project, so it has no book to build. Say --no-book.")
    out.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("PAPERLIB_STORE", str(out.absolute() / "artifacts"))
    run = Experiment(preset, scene, polygons)
    check_first(run, report, out)
    for name in chosen:
        best = run.trainings([name]).query("chosen").iloc[0]
        report(
            f"trained {name}: macro F1 {best['macro_f1_validation']:.3f} validation, {best['macro_f1_test']:.3f} test"
        )
    run.trainings(chosen).to_csv(out / "trainings.csv", index=False)
    for folder in write_products(run, chosen, out / "maps"):
        report(f"mapped: {folder}")
    scores, trainings = run.class_scores(chosen), run.efficiency(chosen)
    tables.table_4(scores, trainings, run.legend, printed=False).to_csv(out / "table-4.csv")
    if book:
        build_book(run, preset, out)
        report(f"book: {out / 'book' / '_build' / 'html' / 'index.html'}")


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


def build_book(run: Experiment, preset: str, out: Path) -> None:
    """Build the pages of the book on a run's scene in `out`/book. Raises `InputError` with the end of its log."""
    source, target = project() / "book", out / "book"
    target.mkdir(exist_ok=True)
    contents = contents_for_scene(source)
    (target / "_toc.yml").write_text(yaml.safe_dump(contents, sort_keys=False))
    given = {"SCENE": run.settings.scene.path, "POLYGONS": run.settings.scene.polygons}  # notebooks run elsewhere
    environment = os.environ | {f"PAPERLIB_{name}": str(Path(path).absolute()) for name, path in given.items()}
    environment |= {"PAPERLIB_PRESET": preset} if preset else {}
    command = [str(Path(sys.executable).parent / "jupyter-book"), "build", str(source)]
    command += ["--path-output", str(target), "--toc", str(target / "_toc.yml")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode or not (target / "_build" / "html" / "index.html").is_file():
        (out / "book.log").write_text(done.stdout + done.stderr)
        raise InputError(f"The book could not be built; the whole log is {out / 'book.log'}:\n{done.stderr[-1500:]}")
