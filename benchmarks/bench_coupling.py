"""What the coupling adds to a step of the tissue: body, exchange, books; and a drug that is exchanged by amounts.

Run `python -m benchmarks.bench_coupling [--quick] [--csv FILE]` from the repository root.
"""

import time

import numpy as np

from oncolattice.benchmarks.bench_patient_year import Stopwatch
from oncolattice.benchmarks.harness import Bench, begin
from oncolattice.ode_coupling.couple import CoupledRun
from oncolattice.scenarios.files.scenario import load_scenario
from oncolattice.scenarios.simulate.run import Run
from oncolattice.tests.helpers.boxes import boxes, drug_model, ports_of, vessels_and_cells

SCENARIO, SIDE, TARGET = "mcrc_tas102_bev", 256, 0.10
DAYS, QUICK_DAYS, STEPS = 56, 7, 40


def patient(bench: Bench) -> None:
    """Add the parts of a coupled step of a patient."""
    days = QUICK_DAYS if bench.quick else DAYS
    rows = []
    for repeat in range(bench.repeats):
        run = Run(load_scenario(SCENARIO, (f"duration_days={days if repeat else 1}",)), 1)
        coupled = run.simulation.coupled
        tissue, body = coupled.tissue, coupled.body
        inside, ode, whole = Stopwatch(tissue.step), Stopwatch(body.advance_to), Stopwatch(coupled.step)
        tissue.step, body.advance_to, coupled.step = inside, ode, whole  # type: ignore[method-assign]
        for _ in run.steps():
            pass
        rows.append(np.array([whole.ns, inside.ns, ode.ns]) / tissue.state.step / 1e3)
    whole_us, inside_us, ode_us = np.median(rows[1:], axis=0)
    at = f"{SCENARIO}, {SIDE} x {SIDE}"
    bench.row(at, "one coupled step", whole_us, "us")
    bench.row(at, "tissue", inside_us, "us")
    bench.row(at, "equations of the body", ode_us, "us")
    bench.row(at, "signals, arrivals, books", whole_us - inside_us - ode_us, "us")
    share = 1.0 - inside_us / whole_us
    bench.row(at, "coupling with equations", 100.0 * share, "% of the step", f"aim {100 * TARGET:g}")


def exchange(bench: Bench, side: int) -> None:
    """Add the cost of a field that is exchanged over that of the same field at a given level."""
    field = 'tolerance = "coarse"\nvessel_level = "K"'
    model = drug_model(exchange=20.0, diffusivity=1e5, uptake=0.5, field=field)
    spent = []
    for coupled in (True, False):
        tissue, body, flux, _ = boxes(model, vessels_and_cells(side, every=8, cells=0.3), k10=1.0)
        run = CoupledRun(tissue, body, ports_of(flux))
        run.open()
        if not coupled:
            tissue.blood.clear()
        run.step()
        start = time.thread_time_ns()
        for _ in range(STEPS):
            run.step()
        spent.append((time.thread_time_ns() - start) / STEPS / 1e3)
        if coupled:
            bench.row(f"drug, {side} x {side}", "worst residual", float(run.ledger.worst.max()), "1")
    bench.row(f"drug, {side} x {side}", "field at a given level", spent[1], "us/step")
    bench.row(f"drug, {side} x {side}", "field exchanged with blood", spent[0], "us/step")
    bench.row(f"drug, {side} x {side}", "exchanged over given", spent[0] / spent[1], "x")


def main() -> None:
    """Run the benchmark."""
    bench = begin("coupling", __doc__)
    patient(bench)
    for side in (64, SIDE):
        exchange(bench, side)
    bench.finish()


if __name__ == "__main__":
    main()
