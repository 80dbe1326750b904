"""Make the run of preset paper whose results the project keeps, and write them to data/results/paper.

    python benchmarks/paper.py                    # trainings, maps, the claims' trainings, other classifiers (`make paper`)
    python benchmarks/paper.py --stop maps        # without the claims' trainings
    python benchmarks/paper.py --stop now         # compute nothing: keep what is finished
    python benchmarks/paper.py --maps 5 6         # maps by these trainings of the classifiers behind claims on maps, alone
    python benchmarks/paper.py --same "REASON"    # code changed, results did not: say why

What is finished is kept after each classifier; a run that was stopped goes on where it was. `--store` names another store,
`--preset` and `--out` another run. On the forests' engine itself, see otb.py.
"""

import argparse
from pathlib import Path

from record import machine

from paperlib import Experiment, models, store
from paperlib.reproduction import claims, evidence
from paperlib.reproduction.kept.reading import KeptRun
from paperlib.reproduction.kept.staleness import confirm, stale
from paperlib.reproduction.kept.writing import keep, keep_other_maps
from paperlib.runs.side_by_side import Job, make_trainings

STAGES = ("now", "trainings", "maps", "claims", "others")


def keep_and_say(run: Experiment, out: Path) -> None:
    """Keep what is finished and print how many trainings that is."""
    kept = keep(run, out, machine(store.provenance({}, 0)["machine"]))
    print("kept:", ", ".join(f"{number} x {name}" for name, number in kept.items()), flush=True)


def vary_for_claims(run: Experiment, out: Path) -> None:
    """Make the trainings that the claims take, those without a network first, and keep them as they come."""
    for network in (False, True):
        for changes, names in claims.VARIED:
            chosen = [name for name in names if models.find(name).trained_in_epochs == network]
            make_trainings(evidence.vary(run, **changes).trained.jobs(chosen))
        keep_and_say(run, out)
    for date in run.dates:
        make_trainings(evidence.vary(claims.once(run), dates=date).trained.jobs([claims.BASE]))
    make_trainings(evidence.vary(run, dates=claims.best_date(run)).trained.jobs([claims.BASE, "TempCNN"]))
    keep_and_say(run, out)


def maps_by_trainings(run: Experiment, numbers: list[int], out: Path) -> None:
    """Make maps by further trainings of the classifiers behind claims on maps, and keep them."""
    make_trainings([Job(run.trained, name, number) for name in claims.MAPPED for number in numbers])
    for name in claims.MAPPED:
        run.maps.by_trainings(name, numbers)
        keep_other_maps(run, name, numbers, out)
        print("kept:", name, numbers, flush=True)


def main() -> None:
    """Make and keep the run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", default="paper")
    parser.add_argument("--store", default="")
    parser.add_argument("--out", type=Path, default=store.project() / "data" / "results" / "paper")
    parser.add_argument("--stop", choices=STAGES, default="others")
    parser.add_argument("--maps", type=int, nargs="+", default=[], metavar="NUMBER")
    parser.add_argument("--same", default="", metavar="REASON")
    chosen = parser.parse_args()
    if chosen.same:
        print(
            "now taken as the code of the results:", ", ".join(confirm(KeptRun(chosen.out), chosen.same)) or "nothing"
        )
        return
    run, last = Experiment(chosen.preset, store=chosen.store), STAGES.index(chosen.stop)
    if chosen.maps:
        maps_by_trainings(run, chosen.maps, chosen.out)
        return
    if last >= 1:
        for name in (*models.FORESTS, *models.NETWORKS):
            run.trainings([name])
            keep_and_say(run, chosen.out)
    if last >= 2:
        for name in models.CLASSIFIERS:
            run.map(name)
        for name in claims.MAPPED:
            run.maps.classes_by_training(name)
        keep_and_say(run, chosen.out)
    if last >= 3:
        vary_for_claims(run, chosen.out)
    if last >= 4:
        for name in models.OTHERS:
            run.trainings([name])
    keep_and_say(run, chosen.out)
    print("\n".join(stale(KeptRun(chosen.out))) or "nothing is stale")


if __name__ == "__main__":
    main()
