"""Time of the field solver per site and cycle, beside a plain copy of main memory in the same run.

Run `python benchmarks/bench_fields.py`. Ratios carry from machine to machine, nanoseconds do not.
"""

import math
import time
from collections.abc import Callable

import numpy as np

from oncolattice.abm.fields.multigrid import Workspace, make_workspace, solve, solve_varying
from oncolattice.abm.fields.smooth import box_smooth

MOST_REPEATS, SITES_IN_ALL = 31, 1e7
SHAPES = [
    (100, 100),
    (256, 256),
    (333, 517),
    (1024, 1024),
    (64, 64, 64),
    (61, 75, 90),
    (100, 100, 100),
    (128, 128, 128),
]
LENGTH_SITES = 8.0
COPIED = 1 << 23  # numbers, 64 MB, too many for any cache


def samples_ns(tasks: list[Callable[[], object]], sites: int) -> np.ndarray:
    """Return the times of tasks in ns per site, one row a round, in which the tasks take turns.

    Time of the processor, not of the clock: other programs may run beside.
    """
    calls = max(1, 100_000 // sites)
    times = np.empty((int(min(max(5, SITES_IN_ALL // sites), MOST_REPEATS)), len(tasks)))
    for task in tasks:
        task()  # compiles
    for times_of_round in times:
        for i, task in enumerate(tasks):
            task()  # so that each finds in the caches what it leaves there itself
            start = time.thread_time_ns()
            for _ in range(calls):
                task()
            times_of_round[i] = (time.thread_time_ns() - start) / calls / sites
    return times


def measure(shape: tuple[int, ...]) -> tuple[float, ...]:
    """Return ns a site: cycles in single and double precision and of varying D, the rest of a solve, a warm one, blur.

    Last comes the number of cycles of the warm solve, which like the rest is in single precision.
    """
    rng = np.random.default_rng(1)
    sites, work_varying = math.prod(shape), make_workspace(shape, varying=True)
    single, double = make_workspace(shape, single=True), make_workspace(shape)
    q: np.ndarray = (0.4 + (rng.random(shape) < 0.6)) / LENGTH_SITES**2
    s = rng.random(shape) * (rng.random(shape) < 0.1)
    diffusion = 1.0 + rng.random(shape)
    zero, out, scratch = np.zeros(shape), np.zeros(shape), np.zeros(shape)

    def cold(cycles: int, work: Workspace) -> None:
        out[:] = zero
        solve(out, q, s, 1.0, False, 0.0, cycles, work)

    def cold_varying(cycles: int) -> None:
        out[:] = zero
        solve_varying(out, q, s, diffusion, False, 0.0, cycles, work_varying)

    old = np.zeros(shape)
    solve(old, np.where(rng.random(shape) < 0.02, q[::-1], q), s, 1.0, False, 1e-6, 50, double)

    def warm() -> int:
        out[:] = old
        return solve(out, q, s, 1.0, False, 1e-4, 50, single)[1]

    tasks: list[Callable[[], object]] = [
        lambda: cold(1, single),
        lambda: cold(5, single),
        lambda: cold(1, double),
        lambda: cold(5, double),
        lambda: cold_varying(1),
        lambda: cold_varying(5),
        warm,
        lambda: box_smooth(s, 5, 3, out, scratch, False),
    ]
    times = samples_ns(tasks, sites)
    cycles = [(times[:, i + 1] - times[:, i]) / 4.0 for i in (0, 2, 4)]
    columns = (*cycles, times[:, 0] - cycles[0], times[:, 6], times[:, 7])
    return *(float(np.median(column)) for column in columns), warm()


def main() -> None:
    """Print the table."""
    print("ns per site; warm solve: 2 % of the uptake changed, to 1e-4; varying: a diffusivity of each site;")
    print("set-up and warm solve in single precision; blur: radius 5, 3 passes; 1 core")
    print("copy: a number of 64 MB, taken anew for each lattice")
    print(
        "        lattice    copy  cycle: single  double  varying  single/copy  set-up  warm solve  cycles    blur"
    )
    source = np.ones(COPIED)
    target = np.empty_like(source)
    for shape in SHAPES:
        copy = float(np.median(samples_ns([lambda: np.copyto(target, source)], COPIED)))
        single, double, varying, rest, warm, blur, n = measure(shape)
        print(
            f"{' x '.join(str(n) for n in shape):>15}{copy:8.2f}{single:15.2f}{double:8.2f}{varying:9.2f}"
            f"{single / copy:13.1f}{rest:8.2f}{warm:12.2f}{n:8d}{blur:8.2f}"
        )


if __name__ == "__main__":
    main()
