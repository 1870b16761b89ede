"""Bookkeeping of the whole engine: kept counts, checkpoints, many steps at once, lists that grow, no allocation.

Everything here is exact: equal means to the last bit.
"""

import io
import tracemalloc

import numpy as np
import pytest
from engine_cases import busy_model, busy_start, events_of
from numba.core.runtime import _nrt_python, rtsys
from tiny import behaviour, parameters, same_state, tiny_model, tissue_of

from oncolattice.abm.advance import Tissue
from oncolattice.abm.state import State
from oncolattice.abm.vocabulary import UPDATES

SHAPES = [(44, 53), (17, 18, 19)]
T = 3


def busy(shape: tuple[int, ...], update: str = "rates", threads: int = 1, **head: str | int) -> Tissue:
    model = busy_model(update, dimensions=len(shape), **head)
    return tissue_of(model, busy_start(shape), seed=7, threads=threads)


def recounted(state: State, types: int) -> list[int]:
    return np.bincount(state.occupant.reshape(-1), minlength=types + 1)[1:].tolist()


def balance(tissue: Tissue, entered: int) -> int:
    """Return the change of the number of cells that the counted events explain."""
    change = entered
    for name, n in events_of(tissue).items():
        what = name.split(": ")[1]
        leaves_a_body = name == "A: die x"
        change += n * (what == "divide") - n * (what.split()[0] in ("die", "die_dividing", "killed", "leave"))
        change += n * leaves_a_body
    return change


@pytest.mark.parametrize("update", UPDATES)
@pytest.mark.parametrize("shape", SHAPES)
def test_kept_counts_are_the_cells_that_there_are(shape, update):
    """After every step, arrivals included; and events explain every change of the total."""
    tissue = busy(shape, update)
    types = len(tissue.model.types)
    start, entered = int(tissue.state.counts(tissue.model).sum()), 0
    for _ in range(25):
        entered += tissue.step({T: 6})[T]
        assert tissue.state.counts(tissue.model).tolist() == recounted(tissue.state, types)
        assert np.array_equal(tissue.state.occupant != 0, tissue.state.uid != 0)
        total = int(tissue.state.counts(tissue.model).sum())
        assert total - start == balance(tissue, entered)
    uids = tissue.state.uid[tissue.state.uid != 0]
    assert np.unique(uids).size == uids.size
    happened = events_of(tissue)
    for name in (
        "A: divide",
        "A: beget B",
        "A: die_dividing mitosis",
        "A: killed by T",
        "T: become E",
        "T: leave",
    ):
        assert happened[name] > 0, name
    assert entered > 20


@pytest.mark.parametrize("update", UPDATES)
@pytest.mark.parametrize("shape", SHAPES)
def test_many_steps_at_once_are_single_steps(shape, update):
    once, singly = busy(shape, update), busy(shape, update)
    once.advance(15)
    for _ in range(15):
        singly.step()
    assert same_state(once.state, singly.state)
    once.advance(4)
    once.advance(5)
    singly.advance(9)
    assert same_state(once.state, singly.state)


@pytest.mark.parametrize("update", UPDATES)
@pytest.mark.parametrize("boundary", ["no-flux", "periodic"])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_checkpoint_goes_on_exactly(shape, boundary, update):
    """Written to and read from bytes in the middle of a run, between two updates of the fields, threads changed."""
    straight, broken = busy(shape, update, boundary=boundary), busy(shape, update, boundary=boundary)
    for tissue, steps in ((straight, 16), (broken, 7)):
        for _ in range(steps):
            tissue.step({T: 4})
    file = io.BytesIO()
    np.savez(file, **broken.state.to_arrays())
    file.seek(0)
    again = Tissue(broken.model, State.from_arrays(dict(np.load(file))), threads=2)
    for _ in range(9):
        again.step({T: 4})
    assert same_state(straight.state, again.state)


def test_a_state_can_be_replaced_and_forked():
    """Two arms from one day: the copy goes on as the original does, and leaves it alone."""
    tissue = busy(SHAPES[0])
    tissue.advance(5)
    fork = State.from_arrays(tissue.state.to_arrays())
    kept = State.from_arrays(tissue.state.to_arrays())
    tissue.advance(6)
    assert same_state(fork, kept)
    after = State.from_arrays(tissue.state.to_arrays())
    tissue.state = fork
    tissue.advance(6)
    assert same_state(fork, after)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("shape", SHAPES)
def test_lists_that_must_grow_change_nothing(shape, threads):
    roomy, tight = busy(shape), busy(shape, threads=threads)
    tight._make_room(2)
    tight._bound()
    roomy.advance(12)
    tight.advance(12)
    assert tight._agenda.rank.shape[1] > 2
    assert same_state(roomy.state, tight.state)


def test_the_worst_list_is_full_of_every_cell():
    """p = 1: all cells act in one step, and the list grows to hold them."""
    model = tiny_model(
        parameters(d=(1.0, "1/h")), behaviour("A", "die x", "d"), update="per-step probabilities"
    )
    occupant = np.zeros((2, 70, 80), np.uint8)
    occupant[0] = 1
    tissue = tissue_of(model, occupant)
    tissue.step()
    assert tissue.state.counts(model).tolist() == [0, 0, 0, 0]
    assert events_of(tissue)["A: die x"] == 5600


@pytest.mark.parametrize("update", UPDATES)
@pytest.mark.parametrize("shape", SHAPES)
def test_no_step_allocates(shape, update):
    """One compiled call wraps each array that it is handed once, however many steps it makes: one step asks for
    as much memory as sixteen (up to the day's look at entry points), and these leave the interpreter's where it was."""
    tissue = tissue_of(busy_model(update, fields=False, dimensions=len(shape)), busy_start(shape))
    tissue._make_room(tissue.state.occupant.size)
    tissue._bound()
    tissue.advance(5)
    _nrt_python.memsys_enable_stats()
    try:
        asked = [rtsys.get_allocation_stats().alloc]
        for steps in (1, 16):
            tissue.advance(steps)
            asked.append(rtsys.get_allocation_stats().alloc)
    finally:
        _nrt_python.memsys_disable_stats()
    for_one, for_sixteen = np.diff(asked)
    assert for_sixteen == for_one > 0
    tracemalloc.start()
    try:
        tissue.advance(3)  # a day is over
        start, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        tissue.advance(16)
        now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert now - start < 2_000
    assert peak - start < 20_000


def test_days_follow_the_steps():
    tissue = busy(SHAPES[0])
    assert tissue.state.day(tissue.model) == 0
    tissue.advance(36)
    assert tissue.state.day(tissue.model) == 1.5
