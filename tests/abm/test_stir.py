"""Stirring: every permutation of a layer equally likely, nothing lost, other layers left alone."""

import numpy as np
import pytest
from tiny import behaviour, parameters, tiny_model, tissue_of

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
