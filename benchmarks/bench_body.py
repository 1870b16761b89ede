"""The body alone: a QCIC patient-year in each arm, its parts, other integrators, and a cohort on threads.

Run `python -m benchmarks.bench_body [--quick] [--csv FILE]` from the repository root.
"""

import os
import time

import numpy as np
from numba import njit, types
from scipy.integrate import solve_ivp

from oncolattice.benchmarks.harness import Bench, begin, samples
from oncolattice.ode_coupling.immune.qcic.arms import ARMS, arm_doses
from oncolattice.ode_coupling.immune.qcic.model import qcic
from oncolattice.ode_coupling.immune.qcic.tables import sampled_names
from oncolattice.ode_coupling.integrate import ODE_FUNCTION, VECTOR, compiled_ode
from oncolattice.ode_coupling.ode_only import simulate, simulate_population
from oncolattice.ode_coupling.system import Body
from oncolattice.scenarios.patients.sample import load_population, sample

YEAR, RTOL = 365.0, 1e-6
TARGET_MS = {"placebo": 2.0, "tas102": 10.0, "tas102_bev": 10.0}
PATIENTS, QUICK_PATIENTS, WEEK_8, THREADS, TARGET_COHORT_S = 4000, 200, 56.0, 2, 60.0
SLOPES = 10_000


@njit(types.void(ODE_FUNCTION, *[VECTOR] * 4, types.int64), cache=True)
def many_slopes(rhs, y, p, u, dy, n):
    """Call a right-hand side n times."""
    for _ in range(n):
        rhs(0.0, y, p, u, dy)


def years(bench: Bench) -> None:
    """Add the rows of one right-hand side and of a patient-year in each arm."""
    model = qcic()
    y, p, u = model.initial.copy(), model.parameter_values(), np.zeros(len(model.inputs))
    y[53:57] = 100.0, 50.0, 40.0, 20.0
    rhs = compiled_ode(model.rhs)
    slope = np.median(samples(lambda: many_slopes(rhs, y, p, u, np.zeros_like(y), SLOPES), bench.repeats))
    slope_ns = float(slope) / SLOPES
    bench.row("qcic", "right-hand side", slope_ns, "ns", f"{slope_ns / bench.yard.hash_ns:.0f} hashes")
    for arm in ARMS:
        doses = arm_doses(arm)
        for rtol in (RTOL, 1e-10):
            spent = samples(lambda: simulate({}, doses, YEAR, 7.0, "paper_exact", rtol=rtol), bench.repeats)  # noqa: B023
            median = float(np.median(spent))
            aim = f"; aim {TARGET_MS[arm]:g}" if rtol == RTOL else ""
            note = f"{median / slope_ns:.0f} right-hand sides{aim}"
            bench.row(f"patient-year, {arm}", f"weekly, rtol {rtol:g}", median / 1e6, "ms", note)

        def stepwise() -> None:
            Body(qcic(), {}, doses, rtol=RTOL).advance_to(YEAR)  # noqa: B023

        spent = samples(stepwise, bench.repeats)
        bench.row(f"patient-year, {arm}", "as the body of a run", float(np.median(spent)) / 1e6, "ms")


def others(bench: Bench) -> None:
    """Add the placebo year by integrators of SciPy on the same compiled right-hand side, as ratios."""
    model, p, u = qcic(), qcic().parameter_values(), np.zeros(len(qcic().inputs))
    dy = np.zeros_like(model.initial)

    def slopes(t: float, y: np.ndarray) -> np.ndarray:
        model.rhs(t, np.ascontiguousarray(y), p, u, dy)
        return dy.copy()

    ours = np.median(samples(lambda: simulate({}, (), YEAR, YEAR, "paper_exact", rtol=RTOL), bench.repeats))
    for method in ("DOP853", "LSODA"):

        def theirs() -> None:
            solve_ivp(slopes, (0.0, YEAR), model.initial, method=method, rtol=RTOL, atol=1e-4)  # noqa: B023

        spent = float(np.median(samples(theirs, bench.repeats)))
        bench.row("placebo year", f"SciPy {method} over ours", spent / float(ours), "times")


def cohort(bench: Bench) -> None:
    """Add the rows of a cohort to week 8 in all three arms, on one thread and on two."""
    patients = QUICK_PATIENTS if bench.quick else PATIENTS
    rows = sample(load_population("qcic_published_tas102_bev"), patients, 1)
    table = np.array([[row[name] for name in sampled_names()] for row in rows])
    walls = {}
    for workers in (1, THREADS):
        start, cpu = time.perf_counter(), time.process_time()
        for arm in ARMS:
            simulate_population(table, arm, WEEK_8, 7.0, workers=workers, rtol=RTOL)
        walls[workers] = time.perf_counter() - start
        used = time.process_time() - cpu
        aim = f"; aim {TARGET_COHORT_S:g} for {PATIENTS}" if workers == THREADS else ""
        note = f"wall; {1e3 * used / patients / len(ARMS):.2f} ms of processor a patient and arm{aim}"
        bench.row(f"{patients} patients, 3 arms, 56 d", f"{workers} threads", walls[workers], "s", note)
    gain = walls[1] / walls[THREADS]
    bench.row("cohort", f"gain of {THREADS} threads", gain, "times", f"{os.cpu_count()} cores")


def main() -> None:
    """Run the benchmark."""
    bench = begin("body", __doc__)
    years(bench)
    others(bench)
    cohort(bench)
    bench.finish()


if __name__ == "__main__":
    main()
