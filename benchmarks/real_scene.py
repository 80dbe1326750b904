"""Scores of all classifiers on the real scene around Bouconne, and of a forest on eight types of one date.

python benchmarks/real_scene.py [PRESET]

Needs the image (`paperlib fetch bouconne`) and, for the eight types, the crops in data/theia_l3a; a part whose images are
missing is left out. Scores are means over the trainings, on the test polygons, with 95 % intervals; "F1, CLASS" is the F1
of a class, likewise a mean. Preset demo takes some ten minutes on two cores.
"""

import sys

from record import keep

from paperlib.evaluation import intervals
from paperlib.reproduction import real_scene, single_date


def main(preset: str) -> None:
    """Measure and keep both tables, as far as their images are there."""
    run = real_scene.bouconne(preset)
    if run is not None:
        counts, reference = run.trained.counts("test")
        scores = intervals.macro_f1_intervals(counts, reference)
        classes = run.class_scores()
        classes = classes[classes["set"] == "test"].pivot_table(index="model", columns="code", values="f1")
        names = {cover.code: cover.name for cover in run.legend}
        classes.columns = [f"F1, {names[code]}" for code in classes.columns]
        settled = int(intervals.differences(counts, reference)["settled"].sum())
        scores = scores.join(classes, on="model")
        keep("real-scene", scores, preset=preset, polygons=len(reference), settled_pairs=settled)
    folder = single_date.crops_folder()
    if folder is not None:
        keep("real-types", single_date.swap_polygons(folder))


if __name__ == "__main__":
    main(*sys.argv[1:] or ["demo"])
