"""A crowded two-type lattice: time per cell and step by size, and one adaptive-therapy simulation.

Run `python -m benchmarks.bench_lattice [--quick] [--csv FILE]` from the repository root.
"""

import time

import numpy as np

from oncolattice.abm.advance import Tissue
from oncolattice.abm.model import load_model
from oncolattice.abm.state import first_state
from oncolattice.benchmarks.harness import Bench, begin, clocked
from oncolattice.benchmarks.tissues import cells_of, scattered, strobl

SIDES = {10_000: 106, 100_000: 334, 1_000_000: 1056}  # at nine tenths occupied
CELL_STEPS_A_SAMPLE = 3e6
TARGET_NS, TARGET_S = 12.0, 0.06
SIDE_OF_TRIAL, RUNS, QUICK_RUNS = 100, 9, 5
GREW, SHRANK = 1.2, 0.5  # progression, and the burden at which a dose is withheld


def per_cell_step(tissue: Tissue, repeats: int) -> float:
    """Return the median time of a cell and step, ns."""
    steps = max(2, round(CELL_STEPS_A_SAMPLE / cells_of(tissue)))
    costs = []
    for _ in range(repeats):
        before = cells_of(tissue)
        spent = clocked(lambda: tissue.advance(steps))
        costs.append(spent / steps / (0.5 * (before + cells_of(tissue))))
    return float(np.median(costs))


def adaptive_trial(seed: int) -> tuple[float, int, int]:
    """Treat one lattice adaptively until progression; return its seconds, days and cell-steps."""
    model = load_model("strobl2022")
    start = time.thread_time_ns()
    shares = {"sensitive": 0.495, "resistant": 0.005}
    placed = scattered(model, (SIDE_OF_TRIAL, SIDE_OF_TRIAL), shares, seed)
    tissue = Tissue(model, first_state(model, placed, seed), 1)
    first = cells_of(tissue)
    on, above, cell_steps = True, 0, 0
    tissue.set_body({"drug": 1.0})
    while above < 2:  # two days in a row above the threshold
        tissue.advance(1)
        now = cells_of(tissue)
        cell_steps += now
        above = above + 1 if now > GREW * first else 0
        wanted = now > first or (on and now >= SHRANK * first)
        if wanted != on:
            on = wanted
            tissue.set_body({"drug": float(on)})
    return (time.thread_time_ns() - start) / 1e9, tissue.state.step, cell_steps


def sizes(bench: Bench) -> None:
    """Time the lattice at every size."""
    for cells, side in list(SIDES.items())[: 2 if bench.quick else 3]:
        tissue = strobl((side, side))
        note = f"{cells_of(tissue)} cells on {side} x {side}; aim {TARGET_NS:g}"
        bench.row(
            f"strobl2022, {cells:g} cells", "cell-step", per_cell_step(tissue, bench.repeats), "ns", note
        )


def trials(bench: Bench) -> None:
    """Time whole simulations of adaptive therapy."""
    adaptive_trial(0)
    runs = [adaptive_trial(seed) for seed in range(1, 1 + (QUICK_RUNS if bench.quick else RUNS))]
    seconds, days, cell_steps = (np.array(column) for column in zip(*runs, strict=True))
    note = f"to progression after {np.mean(days):.0f} d on average; aim {TARGET_S:g}"
    bench.row("strobl2022, adaptive, 100 x 100", "one simulation", float(np.median(seconds)), "s", note)
    per_cell = float(np.median(seconds / cell_steps)) * 1e9
    bench.row("strobl2022, adaptive, 100 x 100", "cell-step", per_cell, "ns", "stopped every day to count")


def main() -> None:
    """Run the benchmark."""
    bench = begin("lattice", __doc__)
    sizes(bench)
    trials(bench)
    bench.finish()


if __name__ == "__main__":
    main()
