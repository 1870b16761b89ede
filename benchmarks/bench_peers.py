"""This engine on the rules on which other engines were timed, beside the times that those took.

Run `python -m benchmarks.bench_peers [--quick] [--csv FILE]` from the repository root. The times of the others
come from another machine (2 virtual cores of an AMD EPYC with AVX-512, 2026), so a ratio below 2 says nothing.
"""

import numpy as np

from oncolattice.abm.advance import Tissue
from oncolattice.abm.compile.model_file import read_model
from oncolattice.abm.model import compile_model
from oncolattice.abm.state import first_state
from oncolattice.benchmarks.bench_lattice import per_cell_step
from oncolattice.benchmarks.harness import Bench, begin, samples
from oncolattice.benchmarks.tissues import HERE, cells_of, peers, scattered

# Hybrid Automata Library (HAL), Bravo 2020, 10.1371/journal.pcbi.1007635: commit 5a8a2f8, OpenJDK 17, one
# thread, the rules of peers.toml; ns per agent and step by sites.
HAL_NS = {
    (100, 100): 19.0,
    (316, 316): 28.0,
    (1000, 1000): 153.0,
    (3162, 3162): 206.0,
    (100, 100, 100): 186.0,
}
QUICK_SHAPES = 2
# BioFVM, Ghaffarizadeh 2016, 10.1093/bioinformatics/btv730: diffusion and decay of one substrate in double
# precision (LOD), one thread, 1000 x 1000 voxels; ns per voxel and step.
BIOFVM_NS, BIOFVM_SIDE, QUICK_SIDE = 34.8, 1000, 500
CAVEAT = "theirs from another machine"


def field_step_ns(side: int, repeats: int) -> tuple[float, float]:
    """Return the median time of one implicit step of one field a site, ns, and its multigrid cycles."""
    spec = read_model(str(HERE / "peers.toml"))
    spec.sections["field"][0] |= {"solver": "transient", "update_interval": "time_step"}
    model = compile_model(spec, {}, {})
    placed = scattered(model, (side, side), {"tumour": 0.6, "T": 0.02})
    tissue = Tissue(model, first_state(model, placed, 1), 1)
    tissue.advance(2)
    before = int(tissue.state.field_cycles.sum())
    times = samples(tissue.refresh, repeats)
    cycles = (int(tissue.state.field_cycles.sum()) - before) / (repeats + 1)
    return float(np.median(times)) / side**2, cycles


def cells(bench: Bench) -> None:
    """Time the cells at every size."""
    for shape, theirs in list(HAL_NS.items())[: QUICK_SHAPES if bench.quick else None]:
        tissue = peers(shape)
        ours = per_cell_step(tissue, 5 if len(shape) == 2 and shape[0] > 2000 else bench.repeats)
        at = f"peers' rules, {' x '.join(str(n) for n in shape)}"
        bench.row(at, "cell-step", ours, "ns", f"{cells_of(tissue)} cells")
        bench.row(at, "HAL over this engine", theirs / ours, "x", f"HAL {theirs:g} ns; {CAVEAT}")


def fields(bench: Bench) -> None:
    """Time one field."""
    side = QUICK_SIDE if bench.quick else BIOFVM_SIDE
    ours, cycles = field_step_ns(side, bench.repeats)
    at = f"one field, {side} x {side}"
    bench.row(at, "voxel-step", ours, "ns", f"implicit, sources included, {cycles:.1f} cycles")
    bench.row(at, "BioFVM over this engine", BIOFVM_NS / ours, "x", f"BioFVM {BIOFVM_NS:g} ns; {CAVEAT}")


def main() -> None:
    """Run the benchmark."""
    bench = begin("peers", __doc__)
    cells(bench)
    fields(bench)
    bench.finish()


if __name__ == "__main__":
    main()
