"""One patient-year of mcrc_tas102_bev on 256 x 256 sites at dt = 1 h: its parts, cells, cycles and start-up.

Run `python -m benchmarks.bench_patient_year [--quick] [--csv FILE]` from the repository root.
"""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np

from oncolattice.benchmarks.harness import Bench, begin
from oncolattice.scenarios.files.scenario import load_scenario
from oncolattice.scenarios.simulate.run import Run

SCENARIO, SIDE = "mcrc_tas102_bev", 256
YEAR, QUICK_DAYS, WARM_DAYS = 365.0, 28.0, 2.0
TARGET_NS, TARGET_YEAR_S = 15.0, 8.0
PARTS = 5  # the run is cut into parts, whose median counts


class Stopwatch:
    """Adds up the processor time spent in a function that it stands in for."""

    def __init__(self, function: Callable):
        self.function, self.ns = function, 0

    def __call__(self, *arguments: object) -> object:
        start = time.thread_time_ns()
        result = self.function(*arguments)
        self.ns += time.thread_time_ns() - start
        return result


def startup_s(repeats: int) -> float:
    """Return the median seconds of a process that loads every kernel from the cache and makes two steps."""
    settings = "('rows=64','columns=64','duration_days=0.1')"
    code = (
        "from oncolattice.scenarios.simulate.run import Run\n"
        "from oncolattice.scenarios.files.scenario import load_scenario\n"
        f"for _ in Run(load_scenario('{SCENARIO}', {settings}), 1).steps(): pass"
    )
    times = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        times.append(time.perf_counter() - start)
    return statistics.median(times[1:])


def patient(bench: Bench, days: float) -> None:
    """Run the patient and add the rows of its parts."""
    for _ in Run(load_scenario(SCENARIO, (f"duration_days={WARM_DAYS}",)), 1).steps():
        pass  # compiles
    run = Run(load_scenario(SCENARIO, (f"duration_days={days}",)), 1)
    tissue, model = run.simulation.tissue, run.simulation.model
    whole, fields = Stopwatch(tissue.step), Stopwatch(tissue.refresh)
    tissue.step, tissue.refresh = whole, fields  # type: ignore[method-assign]
    marks = [(0, 0, 0, 0.0)]
    cell_steps, last, start, first_wall = 0.0, 0, time.thread_time_ns(), time.perf_counter()
    for _ in run.steps():
        done = tissue.state.step
        cell_steps += (done - last) * float(tissue.state.number.sum())
        last = done
        marks.append((time.thread_time_ns() - start, whole.ns, fields.ns, cell_steps))
    wall = time.perf_counter() - first_wall
    table = np.array(marks, float)
    cuts = np.linspace(0, len(table) - 1, PARTS + 1).astype(int)
    spent = np.diff(table[cuts], axis=0)
    in_tissue, in_fields, per_part = spent[:, 1], spent[:, 2], spent[:, 3]
    at = f"mcrc, {SIDE} x {SIDE}, dt 1 h"
    mean_cells, steps = cell_steps / last, float(last)
    note = f"migration included, {mean_cells:.0f} cells on average; aim {TARGET_NS:g}"
    bench.row(
        at, "cell-step without fields", float(np.median((in_tissue - in_fields) / per_part)), "ns", note
    )
    total = table[-1] / steps / 1e3
    for quantity, value in (
        ("cells (list, act, move, enter)", total[1] - total[2]),
        ("fields and densities", total[2]),
        ("body, coupling and records", total[0] - total[1]),
        ("one step", total[0]),
    ):
        bench.row(at, quantity, value, "us/step")
    copy_s = 2 * 64 * 1.048576e6 / (bench.yard.copy_gb_s * 1e9)
    year = YEAR / days * table[-1, 0] / 1e9
    bench.row(
        at, "patient-year with body", year, "s", f"wall {wall * YEAR / days:.1f} s; aim {TARGET_YEAR_S:g}"
    )
    bench.row(at, "patient-year", year / copy_s, "copies of 64 MB")
    counts = dict(zip((t.name for t in model.types), tissue.state.counts(model).tolist(), strict=True))
    bench.row(at, "cells at the end", float(sum(counts.values())), "cells", str(counts))
    rows = model.tables.types[model.type_id("CTL")]
    hops = float(model.tables.slots[rows["move_first"]]["base"])
    bench.row(at, "T-cell speed", hops, "hops/h", f"{hops * model.site_um / 60:.2f} um/min along the path")
    names = ", ".join(
        f"{f.name} {n / steps:.3f}" for f, n in zip(model.fields, tissue.state.field_cycles, strict=True)
    )
    bench.row(at, "multigrid cycles", float(tissue.state.field_cycles.sum()) / steps, "1/step", names)


def main() -> None:
    """Run the benchmark."""
    bench = begin("patient_year", __doc__)
    patient(bench, QUICK_DAYS if bench.quick else YEAR)
    seconds = startup_s(1 if bench.quick else 5)
    bench.row("second process, kernels cached", "start-up and two steps", seconds, "s", "wall; aim 2.5")
    bench.finish()


if __name__ == "__main__":
    main()
