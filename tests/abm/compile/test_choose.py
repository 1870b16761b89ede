"""The choice of solver on cases worked by hand, and the warnings about lengths."""

import math

import pytest

from oncolattice.abm.fields.choose import check_lengths, choose_solver

MINUTES = 60.0
MM = 1000.0


@pytest.mark.parametrize(
    ("diffusivity", "decay", "uptake", "spacing", "interval", "word", "time"),
    [
        # Oxygen: 1e5 um2/min, 10/min: 6 s.
        (1e5 * MINUTES, 0.0, 10.0 * MINUTES, math.inf, 1.0, "quasi-steady", "6 s"),
        # A chemokine that cells 100 um apart take up at once: (100 um)^2 / 6000 um2/min = 1.7 min.
        (6e3 * MINUTES, 0.01, 0.0, 100.0, 1.0, "quasi-steady", "1.7 min"),
        # A small drug, vessels 200 um apart: 4e4 / 3e4 = 1.3 min.
        (3e4 * MINUTES, 0.0, 0.0, 200.0, 6.0, "quasi-steady", "1.3 min"),
        # An antibody: 4e4 / 500 = 80 min.
        (500.0 * MINUTES, 0.0, 0.0, 200.0, 6.0, "transient", "1.33 h"),
        (500.0 * MINUTES, 0.0, 0.0, 200.0, 24.0, "quasi-steady", "1.33 h"),
        # Interferon gamma, decay 6.5e-5/s alone: 4.27 h.
        (6e3 * MINUTES, 6.5e-5 * 3600.0, 0.0, math.inf, 6.0, "transient", "4.27 h"),
        # A drug from the boundary of 1 cm: 1e8 / 3e4 = 3333 min = 55.6 h.
        (3e4 * MINUTES, 0.0, 0.0, 1e4, 6.0, "transient", "55.6 h"),
    ],
)
def test_the_choice_follows_the_relaxation_time(diffusivity, decay, uptake, spacing, interval, word, time):
    chosen, reason = choose_solver(diffusivity, decay, uptake, spacing, interval, 20.0, 10.0 * MM)
    assert chosen == word
    assert reason.startswith(f"{word}: relaxes in {time} (")
    assert "\n" not in reason


def test_the_threshold_is_a_fifth_of_the_interval_unless_said():
    # 1 / (decay + uptake) = 0.5 h: a fifth of 2.5 h.
    for interval, factor, word in (
        (2.51, 0.2, "quasi-steady"),
        (2.49, 0.2, "transient"),
        (2.49, 0.25, "quasi-steady"),
    ):
        assert choose_solver(1e5, 1.5, 0.5, math.inf, interval, 20.0, MM, factor)[0] == word


def test_without_any_way_out_there_is_no_steady_state():
    word, reason = choose_solver(1e6, 0.0, 0.0, math.inf, 6.0, 20.0, MM)
    assert word == "transient"
    assert "no steady state" in reason


def test_one_vessel_is_no_farther_than_the_extent():
    assert choose_solver(1e6, 0.0, 0.0, 5.0 * MM, 6.0, 20.0, MM)[0] == "quasi-steady"  # 1 h, not 25 h


def test_a_decay_length_between_site_and_lattice_passes():
    assert check_lengths("F", 1e4, 0.5, 0.5, 20.0, MM) == []  # 100 um


def test_a_field_that_does_not_spread_has_no_gradient_to_lose():
    assert check_lengths("ECM", 0.0, 0.5, 0.5, 20.0, MM) == []


def test_a_decay_length_below_a_site_is_told_with_numbers_and_cure():
    (warning,) = check_lengths("IL2", 100.0, 0.5, 0.5, 20.0, MM)  # 10 um
    for part in ("'IL2'", "10 um", "one site of 20 um", "sites of at most 5 um", "100 um2/h", "1/h"):
        assert part in warning


def test_a_decay_length_above_the_lattice_is_told_with_numbers_and_cure():
    (warning,) = check_lengths("IFNg", 4e6, 0.5, 0.5, 20.0, MM)  # 2000 um
    for part in ("'IFNg'", "2000 um", "above the lattice of 1000 um", "wider lattice", "4e+06 um2/h"):
        assert part in warning


def test_a_field_that_nothing_removes_is_told():
    (warning,) = check_lengths("X", 1e5, 0.0, 0.0, 20.0, MM)
    assert "no decay length" in warning
