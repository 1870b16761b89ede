"""Time of the field solver per site and cycle, beside a plain copy of memory in the same run.

Run `python benchmarks/bench_fields.py`. Ratios carry from machine to machine, nanoseconds do not.
"""

import statistics
import time
from collections.abc import Callable

import numpy as np
from oncolattice.abm.fields.multigrid import make_workspace, solve
from oncolattice.abm.fields.smooth import box_smooth

REPEATS = 15
SHAPES = [(100, 100), (256, 256), (333, 517), (512, 512), (1024, 1024)]
LENGTH_SITES = 8.0


def median_ns(task: Callable[[], object], sites: int) -> float:
    """Return the median time of a task in ns per site, after one call that compiles."""
    task()
    calls = max(1, 100_000 // sites)
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter_ns()
        for _ in range(calls):
            task()
        times.append((time.perf_counter_ns() - start) / calls)
    return statistics.median(times) / sites


def measure(shape: tuple[int, int]) -> tuple[float, ...]:
    """Return copy, cycle, rest of a solve, warm solve (all ns a site), cycles of it, and box blur."""
    rng = np.random.default_rng(1)
    sites, work = shape[0] * shape[1], make_workspace(*shape)
    q = (0.4 + (rng.random(shape) < 0.6)) / LENGTH_SITES**2
    s = rng.random(shape) * (rng.random(shape) < 0.1)
    zero, out, scratch = np.zeros(shape), np.zeros(shape), np.zeros(shape)

    def cycles(n: int) -> float:
        def task() -> None:
            out[:] = zero
            solve(out, q, s, 1.0, False, 0.0, n, work)

        return median_ns(task, sites)

    copy = median_ns(lambda: np.copyto(scratch, zero), sites)
    one, five = cycles(1), cycles(5)
    cycle = (five - one) / 4.0
    old = np.zeros(shape)
    solve(old, np.where(rng.random(shape) < 0.02, q[::-1], q), s, 1.0, False, 1e-6, 50, work)

    def warm() -> int:
        out[:] = old
        return solve(out, q, s, 1.0, False, 1e-4, 50, work)[1]

    blur = median_ns(lambda: box_smooth(s, 5, 3, out, scratch), sites)
    return copy, cycle, one - cycle, median_ns(warm, sites), warm(), blur


def main() -> None:
    """Print the table."""
    print("ns per site; warm solve: 2 % of the uptake changed, to 1e-4; blur: radius 5, 3 passes; 1 core")
    print("     lattice    copy   cycle  cycle/copy  set-up  warm solve  its cycles    blur  blur/copy")
    for shape in SHAPES:
        copy, cycle, rest, warm, n, blur = measure(shape)
        print(
            f"{shape[0]:>6} x{shape[1]:>5}{copy:8.2f}{cycle:8.2f}{cycle / copy:12.1f}{rest:8.2f}"
            f"{warm:12.2f}{n:12d}{blur:8.2f}{blur / copy:11.1f}"
        )


if __name__ == "__main__":
    main()
