"""Sphinx extension: reuse outputs of notebooks only while everything that they depend on is unchanged.

The key of Jupyter Book's execution cache contains only the notebook's code, so a change of the library, its versions,
the data or the preset would leave stale pages. Here the name of the cache folder is a hash of all of these.
"""

import hashlib
import os
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]


def state() -> str:
    """Hash of the library's source, pinned versions, measurements, kept results, real scene and environment settings."""
    digest = hashlib.sha256()
    sources = [*(PROJECT / "src").rglob("*.py"), *(PROJECT / "src").rglob("*.csv"), PROJECT / "constraints.txt"]
    sources += (PROJECT / "benchmarks" / "results").glob("*.csv")
    sources += (path for path in (PROJECT / "data" / "results").rglob("*") if path.is_file())
    for path in sorted(sources):
        digest.update(path.relative_to(PROJECT).as_posix().encode() + path.read_bytes())
    for path in sorted((PROJECT / "data" / "bouconne").iterdir()):
        digest.update(f"{path.name} {path.stat().st_size}".encode())
    for name in sorted(name for name in os.environ if name.startswith("PAPERLIB_")):
        digest.update(f"{name}={os.environ[name]}".encode())
    return digest.hexdigest()[:16]


def setup(app):
    """Set the cache folder."""
    cache = Path(app.outdir).parent / ".jupyter_cache"
    app.config["nb_execution_cache_path"] = str(cache / state())
    return {"parallel_read_safe": True}
