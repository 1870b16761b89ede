"""Where a step goes: list, order and act, move; and how far each is from what memory and hashing allow.

Run `python -m benchmarks.bench_parts [--quick] [--csv FILE]` from the repository root.

The roof of a step is the slower of two: the bytes it must touch at the speed of the copy, and the hashes it
must compute at the speed of the hash (both of the same run). Bytes: an occupied-site byte for every place, the
8-byte identity of every cell for each clock, and for each candidate a list entry (16 bytes, written and read)
and the cache lines of its identity and of its neighbours' rows.
"""

import time
from collections.abc import Callable

import numpy as np

from oncolattice.abm.advance import Tissue
from oncolattice.abm.cells import draws
from oncolattice.abm.cells.act import act_blocks
from oncolattice.abm.cells.blocks import COLOURS, plan_blocks
from oncolattice.abm.cells.decide import list_blocks
from oncolattice.abm.cells.migrate import move_blocks, rounds_of
from oncolattice.benchmarks.harness import Bench, begin
from oncolattice.benchmarks.tissues import peers, strobl
from oncolattice.scenarios.files.scenario import load_scenario
from oncolattice.scenarios.simulate.run import Run

STEPS = {100: 40, 316: 40, 1000: 8}
LINE = 64  # bytes of a cache line
LINES_OF_A_CANDIDATE = 4  # its identity, and three rows of occupants
ENTRY = 2 * 16


class Parts:
    """The kernels of a step, called one by one on a tissue that is put back at the end of a sample.

    Attributes
    ----------
    names : tuple of str
    """

    names = ("move", "list", "order and act")

    def __init__(self, tissue: Tissue):
        self.tissue = tissue
        self.kept = [a.copy() for a in (tissue._view.occupant, tissue._view.uid, tissue._view.attributes)]
        self.persist = np.uint64(draws.step_key(np.uint64(tissue.state.seed), -1, draws.PERSIST))
        self.listed = self.cells = self.hashed = 0

    def put_back(self) -> None:
        """Undo what the kernels did."""
        view = self.tissue._view
        for array, kept in zip((view.occupant, view.uid, view.attributes), self.kept, strict=True):
            array[...] = kept

    def calls(self, blocks: int) -> list[list[Callable[[], object]]]:
        """Return the calls that make up each part; with no blocks they cost what calling costs."""
        t, tables = self.tissue, self.tissue.model.tables
        v, la, pl, ag, w, keys = t._view, t._lattice, t._plan, t._agenda, t._workers[0], t._keys
        turns = rounds_of(v, la, tables)

        def cut(turn: int) -> None:
            plan_blocks(np.uint64(draws.mix(keys[draws.SHIFT] + np.uint64(1 + turn))), la, pl)
            pl.moved[:] = 0

        move: list[Callable[[], object]] = []
        for turn in range(turns):
            move.append(lambda turn=turn: cut(turn))
            move += [
                lambda c=c, turn=turn: move_blocks(
                    0, blocks and pl.number[0], c, turn, turns, keys, self.persist, v, la, tables, pl, w
                )
                for c in range(COLOURS)
            ]
        found = [
            lambda: plan_blocks(keys[draws.SHIFT], la, pl),
            lambda: list_blocks(0, blocks and pl.number[0], keys, v, la, tables, pl, ag, w),
        ]
        act = [
            lambda c=c: act_blocks(0, blocks and pl.number[0], c, keys, v, la, tables, pl, ag, w)
            for c in range(COLOURS)
        ]
        return [move, found, act]

    def sample(self, steps: int) -> np.ndarray:
        """Return the ns of each part, of all steps, without what calling costs."""
        t = self.tissue
        clock = time.thread_time_ns
        spent = np.zeros((2, 3))
        self.listed = self.cells = 0
        for step in range(steps):
            draws.fill_keys(np.uint64(t.state.seed), t.state.step + step, t._keys)
            self.cells += int(np.count_nonzero(t._view.occupant))
            for real in (1, 0):
                for i, part in enumerate(self.calls(real)):
                    start = clock()
                    for call in part:
                        call()
                    spent[real, i] += clock() - start
                if real:
                    self.listed += int(t._agenda.listed[: t._plan.number[0]].sum())
        self.put_back()
        return spent[1] - spent[0]


def show(bench: Bench, name: str, tissue: Tissue, steps: int) -> None:
    """Add the rows of one tissue."""
    parts = Parts(tissue)
    parts.sample(1)
    times = np.median([parts.sample(steps) for _ in range(bench.repeats)], axis=0)
    cells, listed = parts.cells / steps, parts.listed / steps
    share = f"{cells:.0f} cells, {listed / cells:.2%} listed"
    for part, value in zip(parts.names, times / steps / cells, strict=True):
        bench.row(name, f"{part} a cell-step", float(value), "ns", share)
    bench.row(name, "order and act a candidate", float(times[2]) / steps / listed, "ns")
    agenda, sites, layers = tissue._agenda, tissue.state.region.size, len(tissue.model.layers)
    clocks = float((agenda.most > 0).sum()) / layers  # clocks in use, averaged over the layers
    scanned = cells * clocks * 8 + sites * layers
    touched = (scanned + listed * (ENTRY + LINES_OF_A_CANDIDATE * LINE)) / cells
    roof = max(touched / bench.yard.copy_gb_s, clocks * bench.yard.hash_ns)
    whole = float(times[1:].sum()) / steps / cells
    bench.row(name, "bytes touched a cell-step", touched, "B", "list and act")
    bench.row(name, "roof of list and act", roof, "ns", f"memory {touched / bench.yard.copy_gb_s:.2f}, hashing "
              f"{clocks * bench.yard.hash_ns:.2f}")  # fmt: skip
    bench.row(name, "list and act over the roof", whole / roof, "x")


def main() -> None:
    """Run the benchmark."""
    bench = begin("parts", __doc__)
    for side, steps in list(STEPS.items())[: 2 if bench.quick else 3]:
        show(bench, f"strobl2022, {side} x {side}", strobl((side, side)), steps)
    show(bench, "peers' rules, 316 x 316", peers((316, 316)), STEPS[316])
    run = Run(load_scenario("mcrc_placebo", ("duration_days=2",)), 1)
    for _ in run.steps():
        pass
    show(bench, "mcrc, 256 x 256", run.simulation.tissue, STEPS[316])
    bench.finish()


if __name__ == "__main__":
    main()
