"""Mutation at division: the fluctuation test of Luria and Delbrueck (1943, 10.1093/genetics/28.6.491).

Mutants divide as fast as their mothers and have no way back, so whether a division gives a mutant does not
change how a colony grows: given its final size N, a colony of one founder has no mutant with probability
exactly (1 - mu)^(N - 1), which for small mu is the e^{-mu N} of the theory. 32,000 colonies: |z| < 4.5 (a false
alarm in 150,000), and a mutation probability 10 % off is rejected at z > 6.
"""

import numpy as np
import pytest
from engine_cases import Z, events_of, z_mean
from tiny import behaviour, parameters, tiny_model, tissue_of

TILE, TILES, MU, BIRTH, STEPS = 20, 40, 0.03, 0.25, 18


@pytest.fixture(scope="module")
def colonies() -> np.ndarray:
    """Return sensitive and mutant cells of every colony, shape (colony, 2)."""
    model = tiny_model(
        parameters(b=(BIRTH, "1/h"), mu=(MU, "1"), none=(0.0, "1"), four=(4.0, "1")),
        behaviour("A", "divide", "b", rings="four")
        + behaviour("A", "beget V", "mu")
        + behaviour("V", "divide", "b", rings="four"),
    )
    occupant = np.zeros((2, TILES * TILE, TILES * TILE), np.uint8)
    occupant[0, TILE // 2 :: TILE, TILE // 2 :: TILE] = 1
    found = []
    for seed in range(20):
        tissue = tissue_of(model, occupant, seed=seed)
        tissue.advance(STEPS)
        tiles = tissue.state.occupant[0].reshape(TILES, TILE, TILES, TILE)
        assert not tiles[:, 0].any()
        assert not tiles[:, :, :, 0].any()
        blocked = events_of(tissue)["A: division blocked"] + events_of(tissue)["V: division blocked"]
        assert blocked < 1e-3 * events_of(tissue)["A: divide"]  # growth does not run out of space
        found.append(np.stack([(tiles == t).sum(axis=(1, 3)).ravel() for t in (1, 4)], axis=1))
    return np.concatenate(found)


def test_colonies_without_mutants(colonies):
    size = colonies.sum(axis=1)
    none = (colonies[:, 1] == 0).sum()

    def z(mu: float) -> float:
        p = (1 - mu) ** (size - 1.0)
        return float((none - p.sum()) / np.sqrt((p * (1 - p)).sum()))

    assert abs(z(MU)) < Z
    assert abs(z(1.1 * MU)) > 6
    assert abs(z(0.9 * MU)) > 6
    theory = np.exp(-MU * (size - 1.0)).sum()
    assert abs(none / theory - 1) < 0.05


def test_the_mean_number_of_mutants(colonies):
    """Sensitive cells grow as (1 + p (1 - mu))^t, all as (1 + p)^t; the difference mutated."""
    p = -np.expm1(-BIRTH)
    everyone, sensitive = (1 + p) ** STEPS, (1 + p * (1 - MU)) ** STEPS
    assert abs(z_mean(colonies.sum(axis=1), everyone)) < Z
    assert abs(z_mean(colonies[:, 0], sensitive)) < Z
    assert abs(z_mean(colonies[:, 1], everyone - sensitive)) < Z
    wrong = everyone - (1 + p * (1 - 1.1 * MU)) ** STEPS
    assert abs(z_mean(colonies[:, 1], wrong)) > 2  # jackpots: the mean is the weaker test


def test_jackpots_not_adaptation(colonies):
    """Early mutants make large clones: the variance is many times the mean, as it is not when cells mutate alike
    at the end (Poisson); at colonies of one size, too."""
    size, mutants = colonies.sum(axis=1), colonies[:, 1]
    alike = mutants[(size > 30) & (size < 40)]
    assert alike.size > 2500
    assert alike.var(ddof=1) > 4 * alike.mean()
