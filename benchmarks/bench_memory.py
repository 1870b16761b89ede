"""Bytes per site: what the arrays of a tissue hold, and how far the process grows.

Run `python -m benchmarks.bench_memory [--quick] [--csv FILE]` from the repository root.
"""

import gc
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from oncolattice.abm.advance import Tissue
from oncolattice.abm.model import load_model
from oncolattice.abm.state import first_state
from oncolattice.benchmarks.harness import begin
from oncolattice.benchmarks.tissues import peers, scattered, strobl

# Linux only: what it says of a process, and where the peak so far can be forgotten.
STATUS, CLEAR, FORGET_PEAK = Path("/proc/self/status"), Path("/proc/self/clear_refs"), "5"
SMALL, SIDE, QUICK_SIDE = 64, 2048, 1024
PLAIN_BYTES, FIELD_BYTES = 40, 20  # aim: per site, and per site and field


def mcrc(shape: tuple[int, ...], threads: int = 1, settle: int = 1) -> Tissue:
    """Return the metastatic colorectal model on scattered cells, without a body."""
    model = load_model("mcrc")
    shares = {"DSTC": 0.05, "DRTC": 0.15, "stroma": 0.1, "vessel": 0.02, "CTL": 0.01, "Treg": 0.01}
    tissue = Tissue(model, first_state(model, scattered(model, shape, shares), 1), threads)
    tissue.advance(settle)
    return tissue


def arrays_of(thing: object, seen: set[int]) -> Iterator[np.ndarray]:
    """Yield every array that an object holds, each piece of memory once."""
    if id(thing) in seen:
        return
    seen.add(id(thing))
    if isinstance(thing, np.ndarray):
        owner = thing
        while isinstance(owner.base, np.ndarray):
            owner = owner.base
        if owner is thing or id(owner) not in seen:
            seen.add(id(owner))
            yield owner
    elif isinstance(thing, dict):
        for value in thing.values():
            yield from arrays_of(value, seen)
    elif isinstance(thing, (tuple, list)):
        for value in thing:
            yield from arrays_of(value, seen)
    elif type(thing).__module__.startswith("oncolattice"):
        yield from arrays_of(vars(thing), seen)


def resident_bytes(which: str) -> int:
    """Return the resident memory of this process as Linux tells it: now (VmRSS) or at its peak (VmHWM)."""
    lines = STATUS.read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{which}:"))


def main() -> None:
    """Run the benchmark."""
    bench = begin("memory", __doc__)
    makers: list[tuple[str, Callable[..., Tissue]]] = [
        ("strobl2022", strobl),
        ("peers' rules", peers),
        ("mcrc", mcrc),
    ]
    side = QUICK_SIDE if bench.quick else SIDE
    for name, make in makers:
        make((SMALL, SMALL))  # compiles
        gc.collect()
        if CLEAR.exists():
            CLEAR.write_text(FORGET_PEAK)
            before = resident_bytes("VmRSS")
        tissue = make((side, side), settle=1)
        fields, sites = len(tissue.model.fields), side * side
        held = sum(a.nbytes for a in arrays_of(tissue, set()))
        at = f"{name}, {side} x {side}"
        state = sum(a.nbytes for a in arrays_of(tissue.state, set()))
        aim = PLAIN_BYTES + FIELD_BYTES * fields
        bench.row(
            at,
            "arrays",
            held / sites,
            "B/site",
            f"{fields} fields, {len(tissue.model.layers)} layers; aim {aim}",
        )
        bench.row(at, "of which state", state / sites, "B/site")
        if CLEAR.exists():
            grown = resident_bytes("VmHWM") - before
            bench.row(at, "growth of the peak", grown / sites, "B/site", "resident, with placing")
        del tissue
    bench.finish()


if __name__ == "__main__":
    main()
