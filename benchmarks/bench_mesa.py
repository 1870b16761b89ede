"""The same birth-death-movement model with Mesa's object agents and with this engine.

Run `python -m benchmarks.bench_mesa [--quick] [--csv FILE]` from the repository root.
"""

import importlib.metadata
import math

import numpy as np

from oncolattice.benchmarks.bench_lattice import per_cell_step
from oncolattice.benchmarks.harness import begin, clocked
from oncolattice.benchmarks.mesa_lattice import MesaLattice
from oncolattice.benchmarks.tissues import birth_death_move, cells_of

AGENTS = (1_000, 10_000)
ALONE = (100_000, 1_000_000)  # this engine only
SHARE = 0.5  # occupied; about the steady state: 1 - death / birth
WARM = 2
TARGET = 150.0


def mesa_ns(agents: int, repeats: int) -> float:
    """Return the median time of an agent and step under Mesa, ns."""
    model = MesaLattice(math.isqrt(round(agents / SHARE)), SHARE)
    for _ in range(WARM):
        model.step()
    steps = max(1, 5_000 // agents)
    costs = []
    for _ in range(repeats):
        before = len(model.agents)
        spent = sum(clocked(model.step) for _ in range(steps))
        costs.append(spent / steps / (0.5 * (before + len(model.agents))))
    return float(np.median(costs))


def main() -> None:
    """Run the benchmark."""
    bench = begin("mesa", __doc__)
    version = importlib.metadata.version("mesa")
    for agents in AGENTS:
        theirs = mesa_ns(agents, bench.repeats)
        side = math.isqrt(round(agents / SHARE))
        tissue = birth_death_move((side, side), SHARE)
        ours = per_cell_step(tissue, bench.repeats)
        at = f"birth-death-movement, {agents:.0e}"
        bench.row(at, f"agent-step, Mesa {version}", theirs, "ns", "object agents, von Neumann grid")
        bench.row(at, "cell-step, this engine", ours, "ns", f"{cells_of(tissue)} cells")
        aim = f"aim {TARGET:g}" if agents == AGENTS[-1] else ""
        bench.row(at, "Mesa over this engine", theirs / ours, "x", aim)
    for cells in () if bench.quick else ALONE:
        side = math.isqrt(round(cells / SHARE))
        ours = per_cell_step(birth_death_move((side, side), SHARE), bench.repeats)
        bench.row(f"birth-death-movement, {cells:.0e}", "cell-step, this engine", ours, "ns")
    bench.finish()


if __name__ == "__main__":
    main()
