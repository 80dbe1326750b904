"""Sphinx extension: copy the results of this build beside its pages and link them from the page `downloads`.

The files come from the store, where the notebooks put them. Missing files are computed, by a process of their own while
pages are read and written, which takes one processor.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
from fresh import state
from slots import fill

FOLDER, PAGE = "_artifacts", "downloads"
LIMIT = 20_000_000  # bytes in all


def write(run, folder: Path) -> None:
    """Write Table 4, all trainings, and the map and the trained model of each classifier into `folder`."""
    from paperlib.models.registry import CLASSIFIERS
    from paperlib.reproduction import tables
    from paperlib.runs import products
    from paperlib.transfer import write_models

    products.write_products(run, CLASSIFIERS, folder / "maps")
    write_models(run, CLASSIFIERS, folder / "models")
    trainings = run.efficiency()
    trainings.to_csv(folder / "trainings.csv", index=False)
    tables.table_4(run.class_scores(), trainings, run.legend, printed=run.simulated).to_csv(folder / "table-4.csv")


def made(run) -> Path:
    """Folder with what `write` makes, which the store keeps for the same code and trainings: it takes a minute."""
    from paperlib import store
    from paperlib.models.registry import CLASSIFIERS
    from paperlib.settings import describe, key

    made_of = key(state(), [run.trained.best(name).name for name in CLASSIFIERS])
    return store.find_or_make(
        run.store, "downloads", "book", made_of, lambda place: write(run, place), describe(run.settings)
    )


def keep_small(folder: Path, limit: int = LIMIT) -> list[str]:
    """Remove the largest files until all files together have at most `limit` bytes; return the names of removed files."""
    files = sorted((path for path in folder.rglob("*") if path.is_file()), key=lambda path: path.stat().st_size)
    removed, size = [], sum(path.stat().st_size for path in files)
    while size > limit:
        largest = files.pop()
        size -= largest.stat().st_size
        removed.append(largest.relative_to(folder).as_posix())
        largest.unlink()
    return removed


def listing(folder: Path, names: tuple[str, ...], removed: list[str]) -> str:
    """HTML: a table of the files with a column for each classifier of `names`, and the names of removed files."""
    kinds = {
        "class map": "maps/{}/class.tif", "confidence": "maps/{}/confidence.tif", "QGIS style": "maps/{}/class.qml",
        "classes": "maps/{}/classes.csv", "areas": "maps/{}/areas.csv", "scores": "maps/{}/scores.json",
        "STAC item": "maps/{}/item.json",
        "weights": "models/{}/*.s[ak]*", "about them": "models/{}/classifier.json",
        "all scores": "models/{}/scores.json", "quantiles": "models/{}/quantiles.csv",
        "applicability": "models/{}/applicability.npz",
        "training scene": "models/{}/training_scene.json", "provenance": "models/{}/model.json",
        "model card": "models/{}/README.md",
    }  # fmt: skip
    columns = {}
    for model in names:
        paths = {kind: next(folder.glob(pattern.format(model)), None) for kind, pattern in kinds.items()}
        columns[model] = {
            kind: _link(folder, path, path.suffix[1:], f"{model}: {kind}") if path else "–"
            for kind, path in paths.items()
        }
    table = pd.DataFrame(columns).to_html(escape=False, border=0, classes="table")
    scores = " · ".join(_link(folder, path, path.name, path.stem) for path in sorted(folder.glob("*.csv")))
    left_out = f"<p>Too large for this page and left out: {', '.join(removed)}.</p>" if removed else ""
    return f'<p>Scores: {scores}</p><div style="overflow-x:auto;font-size:.8em">{table}</div>{left_out}'


def _link(folder: Path, path: Path, text: str, description: str) -> str:
    """A link to a file in `folder`, with a description for screen readers, and its size if it is above 0.1 MB."""
    size = path.stat().st_size
    size_note = f" ({size / 1e6:.1f}\N{NO-BREAK SPACE}MB)" if size > 100_000 else ""
    address = f"{folder.name}/{path.relative_to(folder).as_posix()}"
    return f'<a href="{address}" download aria-label="{text}, {description}">{text}</a>{size_note}'


def begin(app, env, docnames):
    """Start a process that makes the files; the notebooks have run."""
    if app.builder.name == "html" and PAGE in env.found_docs:
        app.making = subprocess.Popen([sys.executable, __file__])


def on_finish(app, error):
    """Copy the files and fill the page."""
    if (making := getattr(app, "making", None)) is not None:
        if error is not None:
            making.terminate()
        making.wait()  # should it fail, the same is done here, where the error is shown
    page = Path(app.outdir) / f"{PAGE}.html"
    if error is None and app.builder.name == "html" and page.is_file():
        from paperlib.models.registry import CLASSIFIERS
        from paperlib.runs.experiment import Experiment

        folder = page.parent / FOLDER
        shutil.copytree(made(Experiment()), folder, dirs_exist_ok=True)
        (folder / "provenance.json").unlink()
        fill(page, PAGE, listing(folder, CLASSIFIERS, keep_small(folder)))


def setup(app):
    """Begin when the notebooks have run (see `ahead`), copy after the pages are written."""
    app.connect("env-before-read-docs", begin, priority=900)
    app.connect("build-finished", on_finish)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


if __name__ == "__main__":
    from paperlib.runs.experiment import Experiment

    made(Experiment())
