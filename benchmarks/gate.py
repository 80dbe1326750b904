"""What a learned gate gains over a weight set by hand, and over the better single stream.

python benchmarks/gate.py [PRESET]

All trainings of the network with a gate, of SpatioTempCNN, and of the two streams alone, on the simulated scene. Kept in
results/gate.csv; the page `fusion` shows it. Takes some minutes at preset demo.
"""

import sys

from record import keep

from paperlib import Experiment
from paperlib.reproduction.studies.fusion import gate_table


def main(preset: str = "demo") -> None:
    """Measure and keep the table of a preset."""
    keep("gate", gate_table(Experiment(preset)).assign(preset=preset).set_index("preset").reset_index(), 2)


if __name__ == "__main__":
    main(*sys.argv[1:])
