"""The counter-based draws: exact against big-integer arithmetic, uniform, independent, Poisson."""

import numpy as np
import pytest
from oracles import mix
from scipy import stats

from oncolattice.abm.cells import draws

# One test in a million fails by chance at this level; seeds are fixed, so none does twice.
ALPHA = 1e-6


@pytest.mark.parametrize("z", [0, 1, 2**63, 2**64 - 1, 123456789012345678])
def test_mix_is_splitmix64(z):
    assert int(draws.mix(np.uint64(z))) == mix(z)


def many(purpose: int, seed: int = 7, n: int = 20_000) -> np.ndarray:
    uids = np.array([mix(k) for k in range(n)], dtype=np.uint64)
    key = np.uint64(draws.step_key(np.uint64(seed), 3, purpose))
    return np.array([draws.uniform(np.uint64(draws.mix(uid ^ key))) for uid in uids])


def test_uniform_and_independent_between_purposes():
    a, b = many(draws.FATE), many(draws.KILL)
    assert stats.kstest(a, "uniform").pvalue > ALPHA
    assert stats.pearsonr(a, b).pvalue > ALPHA
    assert stats.pearsonr(a[:-1], a[1:]).pvalue > ALPHA


def test_threshold_gives_the_probability():
    u = many(draws.FATE)
    bits = np.array([int(x * 2**53) << 11 for x in u], dtype=np.uint64)
    hits = int((bits < draws.threshold(0.03)).sum())
    assert stats.binomtest(hits, u.size, 0.03).pvalue > ALPHA
    assert stats.binomtest(hits, u.size, 0.033).pvalue < 0.05  # a rate wrong by 10 % is seen
    assert draws.threshold(0.0) == 0
    assert draws.threshold(1.0) == np.uint64(2**64 - 1)


@pytest.mark.parametrize("mean", [0.3, 4.0, 60.0])
def test_poisson_law(mean):
    n = 20_000
    key = np.uint64(99)
    sample = np.array([draws.poisson(mean, np.uint64(draws.mix(key + np.uint64(k)))) for k in range(n)])
    edges = stats.poisson.ppf([0.05, 0.25, 0.5, 0.75, 0.95], mean)
    edges = np.unique(edges)
    observed = np.diff([0, *[(sample <= e).sum() for e in edges], n])
    cdf = stats.poisson.cdf(edges, mean)
    expected = n * np.diff([0, *cdf, 1])
    keep = expected > 5
    assert (
        stats.chisquare(observed[keep], expected[keep] * observed[keep].sum() / expected[keep].sum()).pvalue
        > ALPHA
    )
    assert draws.poisson(0.0, key) == 0


def test_purposes_and_steps_have_their_own_keys():
    keys = {
        int(draws.step_key(np.uint64(1), step, p)) for step in range(100) for p in range(1, draws.PURPOSES)
    }
    assert len(keys) == 100 * (draws.PURPOSES - 1)
    filled = np.zeros(draws.PURPOSES, np.uint64)
    draws.fill_keys(np.uint64(5), 9, filled)
    assert np.array_equal(filled[1:], [draws.step_key(np.uint64(5), 9, p) for p in range(1, draws.PURPOSES)])
