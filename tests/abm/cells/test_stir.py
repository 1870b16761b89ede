"""Stirring: every permutation of a layer equally likely, nothing lost, other layers left alone."""

import numpy as np
import pytest
from scipy import stats
from tiny import attribute, behaviour, parameters, tiny_model, tissue_of

from oncolattice.abm.errors import InputError

REST = parameters(r=(0.0, "1/h"))
STILL = behaviour("A", "die x", "r")


def stirred(threads=1, **layers):
    return tiny_model(REST, STILL, stirred=layers)


def start():
    occupant = np.zeros((2, 12, 20), np.uint8)
    occupant[0, :, ::2] = 1
    occupant[1, 3, 4:9] = 3
    return occupant


def test_a_stirred_layer_keeps_its_cells_and_the_other_its_places():
    model = stirred(immune=1)
    tissue = tissue_of(model, start())
    now = tissue.state
    occupant, uid = now.occupant.copy(), now.uid.copy()
    tissue.advance(3)
    assert np.array_equal(now.occupant[0], occupant[0])
    assert not np.array_equal(now.occupant[1], occupant[1])
    assert np.array_equal(np.sort(now.uid[1], axis=None), np.sort(uid[1], axis=None))
    assert np.array_equal(now.occupant[1] == 3, now.uid[1] != 0)


def test_a_site_is_as_likely_as_any_other_and_steps_are_independent():
    """Chi-squared over 240 sites, 5 cells x 800 steps; 1e-6 two-sided false alarms."""
    tissue = tissue_of(stirred(immune=1), start())
    visits, stays = np.zeros((12, 20)), 0
    for _ in range(800):
        before = tissue.state.occupant[1] == 3
        tissue.step()
        here = tissue.state.occupant[1] == 3
        visits += here
        stays += int((here & before).sum())
    expected = 5 * 800 / 240
    chi = ((visits - expected) ** 2 / expected).sum() / (1 - 5 / 240)
    assert abs(chi - 239) < 4.9 * np.sqrt(2 * 239)
    mean = 5 * 5 / 240 * 800  # overlap of two independent sets of 5 sites, each step
    assert abs(stays - mean) < 4.9 * np.sqrt(mean)


def test_every_permutation_of_four_sites_is_as_likely_as_any_other():
    """24 permutations, those that leave cells in place among them; chi-squared with 23 degrees, 1e-6 a tail."""
    occupant = np.zeros((2, 2, 2), np.uint8)
    occupant[1] = 3
    tissue = tissue_of(stirred(immune=1), occupant)
    found: dict[tuple[int, ...], int] = {}
    before = tissue.state.uid[1].reshape(-1).copy()
    for _ in range(4800):
        tissue.step()
        now = tissue.state.uid[1].reshape(-1).copy()
        order = tuple(int(np.flatnonzero(before == who)[0]) for who in now)
        found[order] = found.get(order, 0) + 1
        before = now
    assert len(found) == 24
    chi = sum((number - 200.0) ** 2 / 200.0 for number in found.values())
    assert stats.chi2.sf(chi, 23) > 1e-6
    assert stats.chi2.cdf(chi, 23) > 1e-6


def test_attributes_go_where_their_cells_go_and_layers_are_stirred_each_by_itself():
    """Both layers full of cells, each with a start of its own: the pairs of identity and attribute stay together."""
    numbers = REST + parameters(m=(10.0, "h"), s=(3.0, "h"))
    blocks = STILL + "".join(
        attribute(f"life_{cell}", cell, "m", spread="s", kind="timer", unit="h") for cell in "AT"
    )
    occupant = np.ones((2, 12, 20), np.uint8)
    occupant[1] = 3
    tissue = tissue_of(tiny_model(numbers, blocks, stirred={"immune": 1, "tissue": 1}), occupant)
    state = tissue.state

    def pairs():
        own = [state.attributes[k, k].reshape(-1) for k in range(2)]
        return [dict(zip(state.uid[k].reshape(-1).tolist(), own[k].tolist(), strict=True)) for k in range(2)]

    before, where = pairs(), [state.uid[k].reshape(-1).copy() for k in range(2)]
    tissue.step()
    assert pairs() == before
    moved = [np.searchsorted(np.sort(w), state.uid[k].reshape(-1)) for k, w in enumerate(where)]
    orders = [np.argsort(where[k])[moved[k]] for k in range(2)]  # where each cell came from
    assert not np.array_equal(*orders)
    assert (orders[0] == orders[1]).sum() < 12  # by chance 1


def test_two_threads_stir_alike():
    model = stirred(immune=1, tissue=1)
    one, two = tissue_of(model, start()), tissue_of(model, start(), threads=2)
    one.advance(4)
    two.advance(4)
    assert np.array_equal(one.state.uid, two.state.uid)


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ({"blood": 1}, r"unknown layer 'blood'"),
        ({"immune": 0.5}, r"must be 0 \(left alone\) or 1"),
        ({"immune": '"nobody"'}, r"nobody"),
    ],
)
def test_what_cannot_be_stirred_is_refused(layers, message):
    with pytest.raises(InputError, match=message):
        stirred(**layers)


def test_a_layer_of_entry_points_cannot_be_stirred():
    rules = STILL + behaviour("V", "admit T", "one")
    numbers = REST + parameters(one=(1.0, "1"))
    with pytest.raises(InputError, match="V lets cells in"):
        tiny_model(numbers, rules, stirred={"tissue": 1})
