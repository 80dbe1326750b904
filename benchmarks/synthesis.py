"""Memory and speed of monthly syntheses: twelve months of 512 x 512 pixels from 60 local dates, and time by stage.

    python benchmarks/synthesis.py

Writes 60 Theia L2A products (COG, random values, clouds) to a temporary folder, then makes the syntheses in a separate
process. Prints one table and writes it, with machine, versions and commit, to benchmarks/results/synthesis.csv. Exits
with an error if the peak memory exceeds 2 GB.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import rasterio
from affine import Affine
from record import keep
from scipy.ndimage import gaussian_filter

from paperlib.compositing import acquisitions, synthesis, weighting
from paperlib.scenes.sensors import BANDS, BANDS_10M

PROJECT = Path(__file__).parents[1]
SIZE, DATES, YEAR = 512, 60, 2018
MEMORY_LIMIT = 2.0  # GB


def write_products(folder: Path) -> None:
    """Write 60 products over a year: reflectance that varies smoothly in space, and clouds over a third of each date."""
    random = np.random.default_rng(0)
    for date in pd.date_range(f"{YEAR}-01-03", periods=DATES, freq="6D"):
        name = f"SENTINEL2A_{date:%Y%m%d}-105021-460_L2A_T31TCJ_C_V2-2"
        for band in BANDS:
            side = SIZE if band in BANDS_10M else SIZE // 2
            image = 2000 + 3000 * gaussian_filter(random.normal(size=(side, side)), 2)
            _write(folder / name / f"{name}_FRE_{band}.tif", image.clip(1, 9999).astype(np.int16))
        cover = gaussian_filter(random.normal(size=(SIZE, SIZE)), 20)
        for mask, image in (("CLM", cover > np.quantile(cover, 2 / 3)), ("MG2", np.zeros_like(cover))):
            _write(folder / name / "MASKS" / f"{name}_{mask}_R1.tif", image.astype(np.uint8))


def _write(path: Path, image: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixel = 10 * SIZE / image.shape[0]
    shape = {"count": 1, "height": image.shape[0], "width": image.shape[1], "dtype": image.dtype}
    place = {"crs": "EPSG:32631", "transform": Affine(pixel, 0, 300000, 0, -pixel, 4900020)}
    with rasterio.open(path, "w", driver="COG", compress="deflate", blocksize=256, **shape, **place) as file:
        file.write(image, 1)


def run(source: Path, target: Path) -> dict[str, float]:
    """Make the twelve months in this process; return total, waiting, writing and processor seconds."""
    spent = {"waiting": 0.0, "writing": 0.0}

    def timed(name, do):
        def doing(*arguments):
            started = time.perf_counter()
            try:
                return do(*arguments)
            finally:
                spent[name] += time.perf_counter() - started

        return doing

    synthesis.map_threads = timed("writing", synthesis.map_threads)
    # Waiting includes waiting for reads and, within `map_threads`, for writes.
    weighting.collect_results = timed("waiting", weighting.collect_results)
    series = acquisitions.local_acquisitions(source)
    started, busy = time.perf_counter(), time.process_time()
    synthesis.synthesise(series, synthesis.months(YEAR), target)
    spent["waiting"] -= spent["writing"]
    return {"seconds": time.perf_counter() - started, "busy": time.process_time() - busy, **spent}


def watched(command: list[str]) -> tuple[dict, float]:
    """Run a command; return the JSON that it prints and its peak memory in GB."""
    process, peak = psutil.Popen(command, stdout=subprocess.PIPE, text=True), 0
    while process.poll() is None:
        try:
            peak = max(peak, process.memory_info().rss)
        except psutil.NoSuchProcess:
            break
        time.sleep(0.02)
    answer = process.communicate()[0]
    if process.returncode:
        sys.exit(f"{' '.join(command)} failed")
    return json.loads(answer), peak / 1e9


def main() -> None:
    """Write the products, measure, and print and keep the results."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "l2a", Path(folder) / "l3a"
        write_products(source)
        times, peak = watched([sys.executable, __file__, str(source), str(target)])
    row = {
        "pixels": f"{SIZE} x {SIZE}",
        "dates": DATES,
        "months": 12,
        "seconds": times["seconds"],
        "thousand pixels a second": 12 * SIZE**2 / times["seconds"] / 1000,  # pixels of 10 m with ten bands
        "waiting for files (%)": 100 * times["waiting"] / times["seconds"],
        "compressing and writing (%)": 100 * times["writing"] / times["seconds"],
        "computing (%)": 100 * (1 - (times["waiting"] + times["writing"]) / times["seconds"]),
        "processors busy": times["busy"] / times["seconds"],
        "peak memory (GB)": peak,
    }
    keep("synthesis", pd.DataFrame([row]))
    if peak > MEMORY_LIMIT:
        sys.exit(f"Peak memory is {peak:.1f} GB, more than {MEMORY_LIMIT} GB.")


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(json.dumps(run(Path(sys.argv[1]), Path(sys.argv[2]))))
    else:
        main()
