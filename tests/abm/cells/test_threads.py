"""How the work is done does not show in the numbers: threads, and how tight the bounds of thinning are."""

import numpy as np
import pytest
from engine_cases import busy_model, busy_start, events_of
from tiny import same_state, tissue_of

from oncolattice.abm.cells import decide


@pytest.mark.parametrize("boundary", ["no-flux", "periodic"])
@pytest.mark.parametrize("neighbourhood", ["moore", "von Neumann"])
@pytest.mark.parametrize("shape", [(83, 61), (26, 25, 24)])
def test_threads_give_the_same_bits(shape, neighbourhood, boundary):
    """Moving, killing, dividing, mutating, climbing, resting, leaving and entering, fields and attributes."""
    model = busy_model(dimensions=len(shape), neighbourhood=neighbourhood, boundary=boundary)
    tissues = [tissue_of(model, busy_start(shape), seed=11, threads=n) for n in (1, 2, 3)]
    for _ in range(12):
        for tissue in tissues:
            tissue.step({3: 5})
    one, two, three = (tissue.state for tissue in tissues)
    assert same_state(one, two)
    assert same_state(one, three)
    assert min(events_of(tissues[0])[name] for name in ("A: divide", "A: killed by T", "T: leave")) > 5


def test_per_step_probabilities_on_threads():
    model = busy_model("per-step probabilities", dimensions=3, boundary="periodic")
    states = []
    for threads in (1, 2, 3):
        tissue = tissue_of(model, busy_start((26, 25, 24)), seed=2, threads=threads)
        tissue.advance(12)
        states.append(tissue.state)
    assert same_state(states[0], states[1])
    assert same_state(states[0], states[2])


def test_other_seeds_give_other_runs():
    """The proof can fail: with another seed nearly every cell's fate differs."""
    model = busy_model()
    a, b = (tissue_of(model, busy_start((83, 61)), seed=seed) for seed in (1, 2))
    a.advance(3)
    b.advance(3)
    assert not same_state(a.state, b.state)
    assert np.mean(a.state.occupant[1] == b.state.occupant[1]) < 0.95


@pytest.mark.parametrize("update", ["rates", "per-step probabilities"])
@pytest.mark.parametrize("shape", [(43, 61), (17, 18, 19)])
def test_thinning_is_exact(shape, update, monkeypatch):
    """When every cell that can act at all is listed instead of the few below their bound, nothing changes."""
    model = busy_model(update, dimensions=len(shape))
    tight, loose = (tissue_of(model, busy_start(shape), seed=4) for _ in range(2))
    listed = np.zeros(2, np.int64)
    for _ in range(8):
        tight.step({3: 4})
        listed[0] += tight._agenda.listed.sum()

    def everyone(view, lattice, tables, agenda):
        decide.bound_rates(view, lattice, tables, agenda)
        agenda.threshold[:, 1:] = np.where(agenda.bound[:, 1:] > 0, np.uint64(2**64 - 1), np.uint64(0))
        agenda.most[:] = agenda.threshold.max()

    monkeypatch.setattr("oncolattice.abm.advance.bound_rates", everyone)
    loose._bound()
    for _ in range(8):
        loose.step({3: 4})
        listed[1] += loose._agenda.listed.sum()
    assert same_state(tight.state, loose.state)
    assert listed[1] > 3 * listed[0]
