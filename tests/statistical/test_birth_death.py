"""Births and deaths against the exact laws of the continuous-time process.

Founders sit so far apart that lineages never meet and ring 4 always has room (asserted: no division is blocked),
so every lineage is a birth-death process of its own: mean e^{(b - d) t}, extinction by time t
d (e^{(b-d) t} - 1) / (b e^{(b-d) t} - d) and in the end d / b, pure birth geometric with variance
e^{bt} (e^{bt} - 1). Steps are 1/30 of a mean life or less, whose bias (b dt relative in the growth rate) is below
the standard error or stated. Accepted: |z| < 4.5 (a false alarm in 150,000); a rate 10 % off is rejected.
"""

import numpy as np
import pytest
from engine_cases import Z, events_of, z_binomial, z_mean
from tiny import behaviour, parameters, tiny_model, tissue_of


def lineages(
    b: float, d: float, steps: int, seeds: range, tiles: int = 40, founders: int = 1, size: int = 20
) -> np.ndarray:
    """Return the sizes of independent lineages of one or more founders after a number of steps."""
    words = behaviour("A", "divide", "b", rings="four") + (behaviour("A", "die x", "d") if d else "")
    model = tiny_model(parameters(b=(b, "1/h"), d=(max(d, 1e-9), "1/h"), four=(4.0, "1")), words)
    occupant = np.zeros((2, tiles * size, tiles * size), np.uint8)
    for k in range(founders):
        occupant[0, size // 2 :: size, size // 2 + k :: size] = 1
    sizes = []
    for seed in seeds:
        tissue = tissue_of(model, occupant, seed=seed)
        tissue.advance(steps)
        cells = (tissue.state.occupant[0] == 1).reshape(tiles, size, tiles, size)
        assert events_of(tissue)["A: division blocked"] == 0
        assert not cells[:, 0].any()  # no lineage reaches its neighbour
        assert not cells[:, :, :, 0].any()
        sizes.append(cells.sum(axis=(1, 3)).ravel())
    return np.concatenate(sizes)


def test_mean_and_extinction_of_a_birth_death_process():
    """b = .03, d = .02, t = 60 h (1.8 births a cell): mean e^.6, extinction by the closed form; 8000 lineages."""
    b, d, hours = 0.03, 0.02, 60
    sizes = lineages(b, d, hours, range(5))
    growth = np.exp((b - d) * hours)
    assert abs(z_mean(sizes, growth)) < Z + 3 * b * 0.6  # step bias b dt (b - d) t
    extinct = int((sizes == 0).sum())

    def extinction(b: float, d: float) -> float:
        e = np.exp((b - d) * hours)
        return d * (e - 1) / (b * e - d)

    assert abs(z_binomial(extinct, sizes.size, extinction(b, d))) < Z
    assert abs(z_binomial(extinct, sizes.size, extinction(b, 1.1 * d))) > Z
    assert abs(z_mean(sizes, np.exp((1.1 * b - d) * hours))) > Z
    assert abs(z_mean(sizes, np.exp((b - 1.1 * d) * hours))) > Z


def test_pure_birth_is_geometric():
    """Yule: after t the size is geometric with mean e^{bt}; mean, variance and the share that never divided.

    The discrete step has mean (1 + p)^t, p = 1 - e^{-b}; its variance is (1 - p)/(1 + p) m (m - 1).
    """
    b, steps = 0.05, 40
    sizes = lineages(b, 0.0, steps, range(5))
    p = -np.expm1(-b)
    mean = (1 + p) ** steps
    variance = (1 - p) / (1 + p) * mean * (mean - 1)
    assert abs(z_mean(sizes, mean)) < Z
    assert abs(z_mean(sizes, (1 + 1.1 * p) ** steps)) > Z
    assert abs(z_mean((sizes - mean) ** 2, variance)) < Z
    assert abs(z_mean((sizes - mean) ** 2, mean)) > Z  # far from Poisson
    assert abs(z_binomial(int((sizes == 1).sum()), sizes.size, np.exp(-b * steps))) < Z


@pytest.mark.slow
def test_halving_the_step_brings_the_mean_to_the_exact_one():
    """b = .1 a step has growth 4.5 % too slow, .05 half of that, .0125 a tenth: first order in b dt."""
    found = []
    for parts in (1, 2, 8):
        sizes = lineages(0.1 / parts, 0.0, 18 * parts, range(12))
        found.append(np.log(sizes.mean()) / 1.8 - 1)
        error = sizes.std(ddof=1) / sizes.mean() / np.sqrt(sizes.size) / 1.8
        x = 0.1 / parts
        assert abs(found[-1] - (np.log1p(-np.expm1(-x)) / x - 1)) < Z * error
    assert -0.11 < found[0] < -0.07
    assert abs(found[2]) < 0.025


@pytest.mark.slow
@pytest.mark.parametrize("founders", [1, 2, 3])
def test_extinction_in_the_end_is_d_over_b_to_the_number_of_founders(founders):
    """(d / b)^n by the closed form at 150 h, when nine tenths of those that will end have ended (d / b = .9); and
    one lineage's probability 10 % off is rejected."""
    b, d, hours = 0.04, 0.036, 150
    sizes = lineages(b, d, hours, range(8), tiles=24, founders=founders, size=48)
    e = np.exp((b - d) * hours)
    one = d * (e - 1) / (b * e - d)
    extinct = int((sizes == 0).sum())
    assert 0.85 < one / (d / b) < 1
    assert abs(z_binomial(extinct, sizes.size, one**founders)) < Z
    assert abs(z_binomial(extinct, sizes.size, (0.9 * one) ** founders)) > Z


def test_lineages_that_all_end_have_ended():
    """b / d = 1/3: every lineage is extinct after 40 mean lives, and the total progeny has mean 1 / (1 - b/d)."""
    b, d = 0.02, 0.06
    model = tiny_model(
        parameters(b=(b, "1/h"), d=(d, "1/h"), four=(4.0, "1")),
        behaviour("A", "divide", "b", rings="four") + behaviour("A", "die x", "d"),
    )
    occupant = np.zeros((2, 600, 600), np.uint8)
    occupant[0, ::15, ::15] = 1
    founders = 1600
    born = []
    for seed in range(6):
        tissue = tissue_of(model, occupant, seed=seed)
        tissue.advance(600)
        assert tissue.state.counts(model)[0] == 0
        events = events_of(tissue)
        assert events["A: die x"] == founders + events["A: divide"]
        born.append(events["A: divide"])
    # births before extinction: b / (d - b) a founder, variance by the embedded walk b d (b + d) / (d - b)^3
    mean, variance = b / (d - b), b * d * (b + d) / (d - b) ** 3
    z = (sum(born) - 6 * founders * mean) / np.sqrt(6 * founders * variance)
    assert abs(z) < Z
    z10 = (sum(born) - 6 * founders * 1.1 * b / (d - 1.1 * b)) / np.sqrt(6 * founders * variance)
    assert abs(z10) > Z
