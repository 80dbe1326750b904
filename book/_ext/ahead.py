"""Sphinx extension: execute notebooks two at a time before their pages are read, where their outputs are not in the cache.

MyST-NB executes one after the other, and much of a notebook uses a single processor: libraries load, figures are drawn. What
two notebooks ask for at the same time is made once, since the second one waits for it (`paperlib.store`). A notebook that
fails is left to MyST-NB, which executes it again and reports what is wrong.
"""

import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
from jupyter_cache import get_cache
from jupyter_cache.base import JupyterCacheAbstract
from jupyter_cache.executors.basic import ExecutionWorkerLocalSerial, ProcessData
from sphinx.util.logging import getLogger

LOGGER = getLogger(__name__)

#: Notebooks executed at the same time: their trainings use all processors already, and each holds its own memory.
AT_ONCE = 2


def lacking(cache: JupyterCacheAbstract, notebooks: list[Path]) -> list[Path]:
    """Those of the notebooks whose outputs the cache does not hold."""

    def lacks(path: Path) -> bool:
        try:
            cache.match_cache_notebook(nbformat.read(path, 4))
        except KeyError:
            return True
        return False

    return [path for path in notebooks if lacks(path)]


def execute_ahead(app, env, docnames):
    """Fill the cache with outputs of the notebooks among the documents that will be read."""
    if app.config.nb_execution_mode != "cache":
        return
    paths = [Path(env.doc2path(name)) for name in docnames]
    # the last pages have scenes of their own and use one processor: begun first, none is left alone at the end
    notebooks = sorted((path for path in paths if path.suffix == ".ipynb"), reverse=True)
    cache = get_cache(app.config.nb_execution_cache_path)
    if len(todo := lacking(cache, notebooks)) < 2:
        return
    quiet = logging.getLogger("paperlib.book.ahead")
    quiet.addHandler(logging.NullHandler())
    quiet.propagate = False
    worker, timeout = ExecutionWorkerLocalSerial(quiet), app.config.nb_execution_timeout

    def execute(path: Path) -> None:
        record = cache.add_nb_to_project(str(path))
        status, _ = worker(ProcessData(record.pk, record.uri, cache, timeout, False))
        LOGGER.info("%s %s", path.name, "failed" if status else "executed")

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(execute, todo))


def setup(app):
    """Execute ahead of reading."""
    app.connect("env-before-read-docs", execute_ahead)
    return {"parallel_read_safe": True}
