"""Time and memory of building the book: from an empty store, and again after an edit of prose.

    python benchmarks/book.py [PRESET [FOLDER]]

Builds a fresh clone of the last commit as `make book` does, in a temporary folder, in the current environment, with the
image of the real scene where data/bouconne holds it. FOLDER, a new one, receives the pages. Kept in
results/book-PRESET.csv. ATEN_CPU_CAPABILITY=avx2 ONEDNN_MAX_CPU_ISA=AVX2 in the environment computes as a processor without
bfloat16 does.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pandas as pd
import psutil
from record import keep

PROJECT = Path(__file__).parents[1]


def measure(command: list[str], cwd: Path, environment: dict) -> tuple[float, float]:
    """Wall seconds of a command, and peak resident memory in GB summed over its process tree."""
    started = time.perf_counter()
    process = psutil.Popen(command, cwd=cwd, env=environment, stdout=subprocess.DEVNULL)
    peak = 0

    def watch() -> None:
        nonlocal peak
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            total = 0
            for member in (process, *process.children(recursive=True)):
                try:
                    total += member.memory_info().rss
                except psutil.NoSuchProcess:
                    continue
            peak = max(peak, total)
            time.sleep(0.2)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    if process.wait():
        sys.exit(f"{' '.join(command)} failed")
    return time.perf_counter() - started, peak / 1e9


def main(preset: str = "demo", pages: str = "") -> None:
    """Clone the repository, build the book twice, print and keep the measurements; copy its pages to `pages`."""
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "clone"
        subprocess.run(["git", "clone", "--quiet", str(PROJECT), str(clone)], check=True)
        for file in (PROJECT / "data" / "bouconne").glob("2018*"):
            shutil.copy(file, clone / "data" / "bouconne")
        environment = os.environ | {
            "PAPERLIB_PRESET": preset,
            "PAPERLIB_STORE": str(Path(folder) / "store"),
            "PYTHONPATH": str(clone / "src"),
            "PYTHONDONTWRITEBYTECODE": "",
        }
        build = [str(Path(sys.executable).parent / "jupyter-book"), "build", "-W", "-n", "--keep-going", "book/"]
        rows = [("cold, empty store", *measure(build, clone, environment))]
        subprocess.run([sys.executable, "book/check.py"], cwd=clone, env=environment, check=True)
        if pages:
            shutil.copytree(clone / "book" / "_build" / "html", pages)
        with (clone / "book" / "1-introduction.md").open("a") as page:
            page.write("\nOne more sentence.\n")
        rows.append(("again after an edit of prose", *measure(build, clone, environment)))
    keep(f"book-{preset}", pd.DataFrame(rows, columns=["build", "seconds", "peak memory (GB)"]), preset=preset)


if __name__ == "__main__":
    main(*sys.argv[1:])
