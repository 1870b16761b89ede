"""What a rate means: competing clocks (1 - exp(-r dt)), probabilities per step (r dt), random attempts.

Binomial counts accept |z| < 4.5 (a false alarm in 150,000); the other modes' laws and a rate 10 % off are
rejected with the same numbers.
"""

import numpy as np
import pytest
from engine_cases import Z, events_of, z_binomial
from tiny import behaviour, parameters, rule, tiny_model, tissue_of

FULL = np.zeros((2, 300, 300), np.uint8)
FULL[0] = 1
N = 90_000


def deaths(update: str, rate: float, steps: int = 1) -> int:
    model = tiny_model(parameters(d=(rate, "1/h")), behaviour("A", "die x", "d"), update=update)
    tissue = tissue_of(model, FULL)
    tissue.advance(steps)
    return events_of(tissue)["A: die x"]


def test_competing_clocks_turn_a_rate_into_one_minus_exp():
    found = deaths("rates", 0.2)
    assert abs(z_binomial(found, N, 1 - np.exp(-0.2))) < Z
    assert abs(z_binomial(found, N, 0.2)) > Z
    assert abs(z_binomial(found, N, 1 - np.exp(-0.22))) > Z


def test_a_probability_per_step_is_the_rate_times_the_step():
    found = deaths("per-step probabilities", 0.2)
    assert abs(z_binomial(found, N, 0.2)) < Z
    assert abs(z_binomial(found, N, 1 - np.exp(-0.2))) > Z
    assert abs(z_binomial(found, N, 0.22)) > Z
    assert deaths("per-step probabilities", 1.0) == N


def test_probabilities_per_step_compound():
    found = deaths("per-step probabilities", 0.05, steps=10)
    assert abs(z_binomial(found, N, 1 - 0.95**10)) < Z


@pytest.mark.parametrize("update", ["rates", "per-step probabilities"])
def test_kills_follow_the_same_law(update):
    """One victim a killer: p = 1 - exp(-k dt) or k dt."""
    model = tiny_model(parameters(k=(0.2, "1/h")), behaviour("T", "kill tumour", "k"), update=update)
    occupant = np.zeros((2, 450, 450), np.uint8)
    occupant[:, 1::3, 1::3] = np.array([1, 3])[:, None, None]
    n = int((occupant[1] == 3).sum())
    kills = 0
    for seed in range(3):
        tissue = tissue_of(model, occupant, seed=seed)
        tissue.step()
        kills += events_of(tissue)["A: killed by T"]
    laws = {"rates": 1 - np.exp(-0.2), "per-step probabilities": 0.2}
    for name, p in laws.items():
        assert (abs(z_binomial(kills, 3 * n, p)) < Z) == (name == update)


@pytest.mark.parametrize(
    ("update", "d", "p"), [("rates", 0.08, 1 - np.exp(-0.24)), ("per-step probabilities", 0.1, 0.3)]
)
def test_competing_fates_share_the_total(update, d, p):
    """One fate has twice the rate of the other; the total is that of the sum of rates."""
    model = tiny_model(
        parameters(d=(d, "1/h"), r=(2 * d, "1/h")),
        behaviour("A", "die x", "d") + behaviour("A", "become V", "r"),
        update=update,
    )
    tissue = tissue_of(model, FULL)
    tissue.step()
    events = events_of(tissue)
    total = events["A: die x"] + events["A: become V"]
    assert abs(z_binomial(total, N, p)) < Z
    assert abs(z_binomial(events["A: die x"], total, 1 / 3)) < Z


def test_a_rate_that_rules_turn_negative_lets_nobody_die():
    """0.1/h x (1 - 1/0.1) < 0 in a full lattice: only division has a meaning below zero."""
    model = tiny_model(
        parameters(d=(0.1, "1/h"), h=(0.1, "1")),
        behaviour("A", "die x", "d") + rule("A", "die x", "crowding", "decreases", "h", response="linear"),
    )
    tissue = tissue_of(model, FULL[:, :40, :40])
    tissue.step()
    assert events_of(tissue)["A: die x"] == 0


def test_a_linear_increase_towards_less_stays_within_its_bound():
    """fold 0 and a linear response pull the rate down to 0.02 (1 - 10) < 0: nothing happens, nothing breaks."""
    model = tiny_model(
        parameters(d=(0.02, "1/h"), h=(0.1, "1"), f=(0.0, "1")),
        behaviour("A", "die x", "d")
        + rule("A", "die x", "crowding", "increases", "h", response="linear", fold="f"),
    )
    tissue = tissue_of(model, FULL[:, :40, :40])
    tissue.step()
    assert events_of(tissue)["A: die x"] == 0


@pytest.mark.parametrize(("leave", "bias"), [(0.0908, 0.0025), (0.2, 0.005)])
def test_a_cell_that_leaves_has_had_its_chance_to_kill(leave, bias):
    """Kill and fate are clocks of their own: P(the one victim is killed before its killer leaves) = k / (k + l).

    At 2.18/d and 1 h (the shipped rates and step) the share is right to 0.25 %, at 0.2 a step to 0.5 %, beside
    the sampling error. An order that puts a cell's fate before its kill loses l dt / 2 = 4.5 % or 10 % of kills.
    """
    kill = 0.2
    model = tiny_model(
        parameters(l=(leave, "1/h"), k=(kill, "1/h")),
        behaviour("T", "leave", "l") + behaviour("T", "kill A", "k"),
    )
    occupant = np.zeros((2, 600, 600), np.uint8)
    occupant[:, 1::3, 1::3] = np.array([1, 3])[:, None, None]
    n = 3 * int((occupant[1] == 3).sum())
    kills = 0
    for seed in range(3):
        tissue = tissue_of(model, occupant, seed=seed)
        tissue.advance(int(10 / leave))
        kills += events_of(tissue)["A: killed by T"]
    share = kill / (kill + leave)
    error = np.sqrt((1 - share) / (share * n))
    assert error < 0.003
    assert abs(kills / (n * share) - 1) < Z * error + bias
