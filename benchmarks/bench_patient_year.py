"""One patient-year of mcrc_tas102_bev on 256 x 256 sites at dt = 1 h: wall time, its parts, memory, start-up.

Run from the repository root: python benchmarks/bench_patient_year.py [days]. Times are also given as multiples
of an in-run yardstick (one copy of 64 MB of main memory), because machines differ and are noisy.
"""

import resource
import statistics
import subprocess
import sys
import time

import numpy as np
from oncolattice.scenarios.run import Run
from oncolattice.scenarios.scenario import load_scenario


def yardstick_s() -> float:
    """Median seconds to copy 64 MB."""
    a = np.ones(8 << 20)
    b = np.empty_like(a)
    times = []
    for _ in range(9):
        start = time.perf_counter()
        np.copyto(b, a)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def startup_s(repeats: int = 5) -> float:
    """Median seconds of a second process that imports, loads every kernel from the cache and makes two steps."""
    settings = "('rows=64','columns=64','duration_days=0.1')"
    code = (
        "from oncolattice.scenarios.run import Run; from oncolattice.scenarios.scenario import load_scenario\n"
        f"for _ in Run(load_scenario('mcrc_tas102_bev', {settings}), 1).steps(): pass"
    )
    times = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        times.append(time.perf_counter() - start)
    return statistics.median(times[1:])


def main(days: float = 365.0) -> None:
    """Run the benchmark and print a table."""
    for _ in Run(load_scenario("mcrc_tas102_bev", ("duration_days=0.5",)), 1).steps():
        pass  # compile
    copy = yardstick_s()
    run = Run(load_scenario("mcrc_tas102_bev", (f"duration_days={days}",)), 1)
    start, cpu = time.perf_counter(), time.process_time()
    for _ in run.steps():
        pass
    wall, cpu = time.perf_counter() - start, time.process_time() - cpu
    steps = run.simulation.coupled.tissue.state.step
    counts = run.progress().counts
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    cycles = run.simulation.coupled.tissue.state.field_cycles.tolist()
    print(
        f"patient-year: {wall * 365 / days:.1f} s wall, {cpu * 365 / days:.1f} s cpu ({days:g} days simulated)"
    )
    print(
        f"  per step {wall / steps * 1e3:.2f} ms = {wall / steps / copy:.2f} copies of 64 MB ({copy * 1e3:.1f} ms)"
    )
    print(f"  cells at the end {counts}, multigrid cycles a field {cycles}")
    print(f"  peak memory {peak:.0f} MB")
    print(f"start-up of a second process, cached kernels: {startup_s():.2f} s (median of 5)")


if __name__ == "__main__":
    main(*(float(a) for a in sys.argv[1:]))
