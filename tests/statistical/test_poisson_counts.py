"""Events are independent: counts by step, by site and by thread block have binomial scatter, no more and no less.

Chi-square of dispersion with 1e-6 < p < 1 - 1e-6 on both sides; correlations |z| < 4.5.
"""

import numpy as np
import pytest
from engine_cases import ALPHA, Z, events_of, z_binomial
from scipy import stats
from tiny import behaviour, parameters, tiny_model, tissue_of

BIRTH = 0.08
P = -np.expm1(-BIRTH)


@pytest.mark.parametrize("shape", [(48, 64), (12, 16, 16)])
def test_attempts_in_a_full_lattice_are_binomial_step_by_step(shape):
    """Every division is blocked, so each step asks the same N cells anew."""
    model = tiny_model(parameters(b=(BIRTH, "1/h")), behaviour("A", "divide", "b"), dimensions=len(shape))
    occupant = np.zeros((2, *shape), np.uint8)
    occupant[0] = 1
    n, counts = int(np.prod(shape)), []
    tissue = tissue_of(model, occupant)
    for _ in range(500):
        before = events_of(tissue)["A: division blocked"]
        tissue.step()
        counts.append(events_of(tissue)["A: division blocked"] - before)
    counts = np.array(counts)
    assert abs(z_binomial(counts.sum(), 500 * n, P)) < Z
    assert abs(z_binomial(counts.sum(), 500 * n, 1.1 * P)) > Z
    dispersion = ((counts - n * P) ** 2).sum() / (n * P * (1 - P))
    assert ALPHA < stats.chi2.sf(dispersion, 500) < 1 - ALPHA
    for lag in (1, 2, 3):
        assert abs(np.corrcoef(counts[lag:], counts[:-lag])[0, 1]) * np.sqrt(500 - lag) < Z


@pytest.mark.parametrize(("shape", "tile"), [((240, 240), (8, 8)), ((40, 40, 40), (5, 5, 5))])
def test_deaths_are_scattered_evenly_over_the_lattice(shape, tile):
    """Deaths by tile are binomial with one p: no block, row, plane or edge is favoured, none drags its neighbours."""
    model = tiny_model(parameters(d=(0.05, "1/h")), behaviour("A", "die x", "d"), dimensions=len(shape))
    occupant = np.zeros((2, *shape), np.uint8)
    occupant[0] = 1
    tissue = tissue_of(model, occupant)
    tissue.advance(6)
    dead = tissue.state.occupant[0] == 0
    p, size = 1 - np.exp(-0.3), int(np.prod(tile))
    parts = [n // t for n, t in zip(shape, tile, strict=True)]
    blocks = dead.reshape([k for pair in zip(parts, tile, strict=True) for k in pair])
    counts = blocks.sum(axis=tuple(range(1, 2 * len(shape), 2))).ravel()
    dispersion = ((counts - size * p) ** 2).sum() / (size * p * (1 - p))
    assert ALPHA < stats.chi2.sf(dispersion, counts.size) < 1 - ALPHA
    for axis in range(len(shape)):
        pairs = np.stack(
            [np.take(dead, range(shape[axis] - 1), axis), np.take(dead, range(1, shape[axis]), axis)]
        )
        together = int((pairs[0] & pairs[1]).sum())
        assert (
            abs(z_binomial(together, pairs[0].size, p * p)) < 1.5 * Z
        )  # pairs overlap: variance up to 1 + 2p
        profile = dead.sum(axis=tuple(a for a in range(len(shape)) if a != axis))
        assert stats.chisquare(profile).pvalue > ALPHA


def test_events_of_different_seeds_are_independent():
    """The same cells in 200 seeds: deaths of one step are binomial across seeds."""
    model = tiny_model(parameters(d=(0.1, "1/h")), behaviour("A", "die x", "d"))
    occupant = np.zeros((2, 40, 40), np.uint8)
    occupant[0] = 1
    dead, p = [], 1 - np.exp(-0.1)
    for seed in range(200):
        tissue = tissue_of(model, occupant, seed=seed)
        tissue.step()
        dead.append(events_of(tissue)["A: die x"])
    dispersion = ((np.array(dead) - 1600 * p) ** 2).sum() / (1600 * p * (1 - p))
    assert ALPHA < stats.chi2.sf(dispersion, 200) < 1 - ALPHA
