"""Time per site from ten thousand to ten million sites, in sections and volumes.

Run `python -m benchmarks.bench_scaling [--quick] [--csv FILE]` from the repository root.
"""

from collections.abc import Callable

import numpy as np

from oncolattice.abm.advance import Tissue
from oncolattice.benchmarks.harness import begin, samples
from oncolattice.benchmarks.tissues import peers, strobl

SIDES = {2: (100, 316, 1000, 3162), 3: (22, 46, 100, 215)}
SITE_STEPS_A_SAMPLE = 2e6
SETTLE = 3
TARGET = 4.0


def main() -> None:
    """Run the benchmark."""
    bench = begin("scaling", __doc__)
    rules: list[tuple[str, Callable[..., Tissue], int]] = [
        ("strobl2022, 2-D", strobl, 2),
        ("peers' rules, 2-D", peers, 2),
        ("peers' rules, 3-D", peers, 3),
    ]
    for name, make, dimensions in rules:
        costs = []
        for side in SIDES[dimensions][: 3 if bench.quick else 4]:
            tissue = make((side,) * dimensions, 1, SETTLE)
            sites = side**dimensions
            steps = max(1, round(SITE_STEPS_A_SAMPLE / sites))
            times = samples(lambda t=tissue, n=steps: t.advance(n), 5 if sites > 1e6 else bench.repeats)
            costs.append(float(np.median(times)) / steps / sites)
            bench.row(f"{name}, {sites:.0e} sites", "site-step", costs[-1], "ns")
        bench.row(
            name, "dearest over cheapest size", max(costs) / min(costs), "x", f"aim {TARGET:g} to 1e7 sites"
        )
    bench.finish()


if __name__ == "__main__":
    main()
