"""Two threads inside one run against one, by the wall.

Run `python -m benchmarks.bench_threads [--quick] [--csv FILE]` from the repository root.
"""

import os
import time
from collections.abc import Callable

import numpy as np

from oncolattice.abm.advance import Tissue
from oncolattice.benchmarks.harness import begin, clocked
from oncolattice.benchmarks.tissues import cells_of, peers, strobl

CASES: list[tuple[str, Callable[..., Tissue], tuple[int, ...], tuple[int, ...]]] = [
    ("strobl2022", strobl, (2048, 2048), (1024, 1024)),
    ("peers' rules", peers, (128, 128, 128), (64, 64, 64)),
]
STEPS, SETTLE = 4, 3
TARGET = 1.7


def main() -> None:
    """Run the benchmark: one and two threads take turns."""
    bench = begin("threads", __doc__)
    if (os.cpu_count() or 1) < 2:
        print("one core only: nothing to measure")
        return
    for name, make, full, quick in CASES:
        shape = quick if bench.quick else full
        tissues = [make(shape, threads, SETTLE) for threads in (1, 2)]
        times = np.empty((bench.repeats, 2))
        for k in range(bench.repeats):
            for i, tissue in enumerate(tissues):
                times[k, i] = clocked(lambda t=tissue: t.advance(STEPS), time.perf_counter_ns)
        if not np.array_equal(tissues[0].state.uid, tissues[1].state.uid):
            raise SystemExit("one and two threads differ")
        one, two = np.median(times, axis=0) / STEPS / cells_of(tissues[0])
        at = f"{name}, {' x '.join(str(n) for n in shape)}"
        bench.row(at, "cell-step, 1 thread", one, "ns")
        bench.row(at, "cell-step, 2 threads", two, "ns", "same bits")
        ratio = float(np.median(times[:, 0] / times[:, 1]))
        bench.row(at, "2 threads against 1", ratio, "x", f"median of paired ratios; aim {TARGET:g}")
    bench.finish()


if __name__ == "__main__":
    main()
