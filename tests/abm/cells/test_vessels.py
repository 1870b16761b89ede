"""Arrivals: where they enter, how many, when, and what they carry.

Chi-square with p > 1e-6, counts with |z| < 4.5 (false alarms of 1 in a million and in 150,000).
"""

import numpy as np
import pytest
from engine_cases import ALPHA, Z, grid, ring_sites, z_binomial
from scipy import stats
from tiny import attribute, behaviour, parameters, placed, rule, same_state, tiny_model, tissue_of

from oncolattice.abm.advance import Tissue
from oncolattice.abm.state import first_state

NUMBERS = parameters(
    w=(1.0, "1"), d=(0.1, "1/h"), one=(1.0, "1"), ten=(10.0, "h"),
)  # fmt: skip
T = 3


def vessels(shape: tuple, pitch: int, words: str = "", seed: int = 1, **head: str | int) -> Tissue:
    """Return vessels on a coarse grid that admit T cells."""
    model = tiny_model(NUMBERS, behaviour("V", "admit T", "w") + words, dimensions=len(shape), **head)
    occupant = np.zeros((2, *shape), np.uint8)
    for site in grid(shape, 0, pitch):
        occupant[(0, *site)] = 4
    return tissue_of(model, occupant, seed=seed)


@pytest.mark.parametrize("neighbourhood", ["moore", "von Neumann"])
@pytest.mark.parametrize("shape", [(60, 66), (18, 24, 18)])
def test_arrivals_enter_at_or_beside_a_vessel_each_site_alike(shape, neighbourhood):
    """Far fewer arrivals than room: sites around vessels (their own one too) are alike within a vessel."""
    moore = neighbourhood == "moore"
    gates = grid(shape, 0, 6)
    tissue = vessels(shape, 6, neighbourhood=neighbourhood)
    model, start = tissue.model, placed(tissue.state.occupant)
    expected: dict[tuple, float] = {}
    for gate in gates:
        around = [gate, *ring_sites(gate, shape, 1, moore, False)]
        for site in around:
            expected[site] = 1 / len(gates) / len(around)
    seen: dict[tuple, int] = {}
    total = 0
    for seed in range(300):
        tissue = Tissue(model, first_state(model, start, seed))
        entered = tissue.step({T: 5})
        total += entered[T]
        assert tissue.state.counts(model)[T - 1] == entered[T] == (tissue.state.occupant[1] == T).sum()
        for site in np.argwhere(tissue.state.occupant[1] == T):
            seen[tuple(site.tolist())] = seen.get(tuple(site.tolist()), 0) + 1
    assert set(seen) <= set(expected)
    assert total == 1500  # there is room for all
    p = stats.chisquare([seen.get(s, 0) for s in expected], [total * e for e in expected.values()]).pvalue
    assert p > ALPHA


def test_half_of_the_arrivals_enter_before_and_half_after_the_step():
    """Everything that arrives dies at once with p = 1 if it is there when the step acts: half survive."""
    model = tiny_model(
        NUMBERS + parameters(one_rate=(1.0, "1/h")),
        behaviour("V", "admit T", "w") + behaviour("T", "die x", "one_rate"),
        update="per-step probabilities",
    )
    occupant = np.zeros((2, 60, 60), np.uint8)
    occupant[0, ::3, ::3] = 4
    entered = left = 0
    for seed in range(40):
        tissue = tissue_of(model, occupant, seed=seed)
        entered += tissue.step({T: 100})[T]
        left += int(tissue.state.counts(model)[T - 1])
        assert tissue.state.counts(model)[T - 1] == (tissue.state.occupant[1] == T).sum()
    assert entered > 3900
    assert abs(z_binomial(left, entered, 0.5)) < Z


def test_what_finds_no_site_does_not_enter():
    tissue = vessels((12, 12), 20)  # one vessel, in the corner: four sites
    assert sum(tissue.step({T: 50})[T] for _ in range(3)) == 4
    assert tissue.state.counts(tissue.model)[T - 1] == 4
    assert set(map(tuple, np.argwhere(tissue.state.occupant[1] == T).tolist())) == {
        (0, 0),
        (0, 1),
        (1, 0),
        (1, 1),
    }


def test_without_a_vessel_nothing_enters():
    model = tiny_model(NUMBERS, behaviour("V", "admit T", "w"))
    occupant = np.zeros((2, 12, 12), np.uint8)
    occupant[0, 3, 3] = 1
    assert tissue_of(model, occupant).step({T: 9}) == {T: 0}


def test_a_vessel_that_has_died_admits_nothing():
    """All vessels die in the first step with p = 1: its second half finds none."""
    model = tiny_model(
        NUMBERS + parameters(one_rate=(1.0, "1/h")),
        behaviour("V", "admit T", "w") + behaviour("V", "die x", "one_rate"),
        update="per-step probabilities",
    )
    occupant = np.zeros((2, 60, 60), np.uint8)
    occupant[0, ::6, ::6] = 4
    tissue = tissue_of(model, occupant)
    first = tissue.step({T: 100})[T]
    assert 25 < first < 75
    assert tissue.step({T: 100})[T] == 0


def test_entry_points_are_drawn_by_weight_and_by_region():
    """Regions weigh 1 and 3, and vessels with an A above them twice as much by a rule: shares 1 : 3 : 2 : 6."""
    model = tiny_model(
        NUMBERS + parameters(two=(2.0, "1")),
        behaviour("V", "admit T", "w")
        + rule("V", "admit T", "contact A", "increases", "one", fold="two", response="step"),
    )
    occupant = np.zeros((2, 64, 64), np.uint8)
    occupant[0, 4::8, 4::8] = 4
    occupant[0, 4::16, 5::8] = 1
    placement = placed(occupant)
    placement.region[:, 32:] = 1
    placement = type(placement)(
        occupant=placement.occupant, region=placement.region, region_names=("core", "rim"), report={}
    )
    factor = np.ones((len(model.types) + 1, 2))
    factor[T, 1] = 3.0
    counts = np.zeros((2, 2), int)
    for seed in range(60):
        tissue = Tissue(model, first_state(model, placement, seed, factor))
        tissue.step({T: 40})
        for y, x in np.argwhere(tissue.state.occupant[1] == T):
            counts[int(round((y - 4) / 8) % 2 == 0), int(x >= 32)] += 1
    expected = np.array([[1, 3], [2, 6]]) / 12 * counts.sum()
    assert counts.sum() > 2300
    assert stats.chisquare(counts.ravel(), expected.ravel()).pvalue > ALPHA


def test_arrivals_are_new_cells_that_begin_their_attributes():
    tissue = vessels((40, 40), 5, attribute("life", "T", "ten", kind="timer", unit="h"))
    for _ in range(20):
        tissue.step({T: 12})
    state = tissue.state
    uids = state.uid[state.uid != 0]
    assert np.unique(uids).size == uids.size == (state.occupant != 0).sum()
    ends = state.attributes[0][state.occupant == T]
    assert ends.size > 150
    # begun at the start or the end of the step of entry, 10 h from then
    assert set(ends.tolist()) <= set(np.arange(10.0, 31.0).tolist())
    assert len(set(ends.tolist())) > 15


def test_arrivals_are_the_same_on_any_number_of_threads():
    states = []
    for threads in (1, 2, 3):
        tissue = vessels((18, 24, 18), 6, behaviour("T", "migrate", "d") + behaviour("T", "leave", "d"))
        tissue = Tissue(tissue.model, tissue.state, threads)
        for _ in range(8):
            tissue.step({T: 30})
        states.append(tissue.state)
    assert same_state(states[0], states[1])
    assert same_state(states[0], states[2])


@pytest.mark.parametrize("response", ["hill", "linear"])
def test_where_all_weights_are_zero_nothing_enters(response):
    """A hill response to nothing is 0; a linear one that overshoots is below 0, which weighs as 0."""
    effect = "drives" if response == "hill" else "decreases"
    signal = "contact B" if response == "hill" else "contact A"
    words = behaviour("V", "admit T", "w") + rule("V", "admit T", signal, effect, "one", response=response)
    occupant = np.zeros((2, 20, 20), np.uint8)
    occupant[0, ::4, ::4] = 4
    occupant[0, 1::4, ::4] = occupant[0, ::4, 1::4] = 1
    tissue = tissue_of(tiny_model(NUMBERS, words), occupant)
    assert tissue.step({T: 50}) == {T: 0}
    assert not (tissue.state.occupant[1] == T).any()


def test_a_type_that_nothing_admits_does_not_enter():
    """Vessels admit T; what arrives besides is of a type that sits on its layer and has no entry."""
    tissue = vessels((20, 20), 4)
    assert tissue.step({1: 30, T: 1})[1] == 0
    assert not (tissue.state.occupant == 1).any()


def test_an_entry_point_of_weight_zero_is_never_drawn():
    """Only vessels that touch an A weigh anything; the last one in memory order does not."""
    words = behaviour("V", "admit T", "w") + rule(
        "V", "admit T", "contact A", "drives", "one", response="step"
    )
    occupant = np.zeros((2, 24, 24), np.uint8)
    occupant[0, 2::8, 2::8] = 4
    occupant[0, 3, 2] = 1
    tissue = tissue_of(tiny_model(NUMBERS, words), occupant)
    for _ in range(4):
        tissue.step({T: 40})
    found = np.argwhere(tissue.state.occupant[1] == T)
    assert len(found) == 9  # every site around the one vessel
    assert np.abs(found - [2, 2]).max() <= 1


def test_a_gate_that_became_another_gate_admits_only_what_that_one_admits():
    """Every V becomes a B in the first step (p = 1), which admits A: what drew a V in the second half waits."""
    model = tiny_model(
        NUMBERS + parameters(one_rate=(1.0, "1/h")),
        behaviour("V", "admit T", "w")
        + behaviour("B", "admit A", "w")
        + behaviour("V", "become B", "one_rate"),
        update="per-step probabilities",
    )
    occupant = np.zeros((2, 60, 60), np.uint8)
    occupant[0, ::6, ::6] = 4
    tissue = tissue_of(model, occupant)
    assert 25 < tissue.step({T: 100})[T] < 75


def test_new_vessels_let_cells_in_within_a_day_though_nothing_else_is_updated():
    """Every A becomes a vessel in the first hour of a model without fields or densities."""
    model = tiny_model(
        NUMBERS + parameters(sure=(1.0, "1/h")),
        behaviour("V", "admit T", "w") + behaviour("A", "become V", "sure"),
        update="per-step probabilities",
    )
    occupant = np.zeros((2, 30, 30), np.uint8)
    occupant[0, ::6, ::6] = 1
    tissue = tissue_of(model, occupant)
    assert all(tissue.step({T: 5}) == {T: 0} for _ in range(24))
    assert tissue.step({T: 5}) == {T: 5}


def test_entry_points_do_not_depend_on_how_steps_are_grouped():
    model = tiny_model(
        NUMBERS + parameters(slow=(0.02, "1/h")),
        behaviour("V", "admit T", "w") + behaviour("A", "become V", "slow") + behaviour("V", "die x", "slow"),
    )
    occupant = np.zeros((2, 40, 40), np.uint8)
    occupant[0, ::2, ::2] = 1
    one, many = tissue_of(model, occupant), tissue_of(model, occupant)
    one.advance(60)
    for _ in range(60):
        many.step()
    assert one.step({T: 40}) == many.step({T: 40})
    assert same_state(one.state, many.state)


def test_a_weight_below_zero_counts_as_none_and_takes_nothing_from_the_others():
    """Two A beside a vessel make its weight 1 - 2 = -1; only the one vessel without neighbours lets cells in."""
    model = tiny_model(
        NUMBERS + parameters(none=(0.0, "1")),
        behaviour("V", "admit T", "w")
        + rule("V", "admit T", "contact A", "decreases", "one", response="linear", fold="none"),
    )
    occupant = np.zeros((2, 24, 24), np.uint8)
    occupant[0, ::6, ::6] = 4
    occupant[0, ::6, 1::6] = occupant[0, 1::6, ::6] = 1
    occupant[0, 0, 1] = occupant[0, 1, 0] = 0
    tissue = tissue_of(model, occupant)
    assert tissue.step({T: 3}) == {T: 3}
    assert (tissue.state.occupant[1, :2, :2] == T).sum() == 3
