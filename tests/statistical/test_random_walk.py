"""The persistent walk against its closed form, and its diffusive limit.

A cell keeps a random direction for a time P, with a phase of its own, and hops with rate r at n sub-steps of
probability p = r dt / n. Two sub-steps i and j share a direction with probability max(0, 1 - |i - j| delta / P), so

    MSD(t) = <offset^2> [ m p + p^2 sum_{i != j} max(0, 1 - |i - j| delta / P) ],   m sub-steps of length delta,

which for small delta is <offset^2> [ r t + r^2 (t P - P^2 / 3) ], t >= P: with long times a diffusion with
D = <offset^2> r (1 + r P) / (2 dim). Means accept |z| < 4.5 (a false alarm in 150,000); a rate 10 % off is
rejected with the same walkers.
"""

import numpy as np
import pytest
from engine_cases import Z, grid, z_mean
from tiny import behaviour, parameters, tiny_model, tissue_of

RATE = 1.5
MOORE_SQUARED = {2: 1.5, 3: 54 / 26}


def squared_displacements(
    shape: tuple, pitch: int, persistence: float, hours: int, seeds: range
) -> np.ndarray:
    """Return the squared displacement of walkers on a ring, none of which gets around it."""
    model = tiny_model(
        parameters(h=(RATE, "1/h"), P=(persistence, "h")), behaviour("T", "migrate", "h", persistence="P"),
        dimensions=len(shape), boundary="periodic",
    )  # fmt: skip
    occupant = np.zeros((2, *shape), np.uint8)
    for site in grid(shape, 4, pitch):
        occupant[(1, *site)] = 3
    found = []
    for seed in seeds:
        tissue = tissue_of(model, occupant, seed=seed)
        uid, before = tissue.state.uid[1].copy(), np.argwhere(occupant[1])
        tissue.advance(hours)
        after = np.argwhere(tissue.state.uid[1])
        start = before[np.argsort(uid[tuple(before.T)])]
        end = after[np.argsort(tissue.state.uid[1][tuple(after.T)])]
        half = np.array(shape) // 2
        found.append((((end - start + half) % shape - half) ** 2).sum(axis=1))
    return np.concatenate(found)


def msd(rate: float, persistence: float, hours: int, squared: float) -> float:
    """Return the closed form; every step has ceil(rate / .8) sub-steps."""
    parts = int(np.ceil(rate / 0.8))
    p, m = rate / parts, hours * parts
    lag = np.abs(np.subtract.outer(np.arange(m), np.arange(m))) / parts
    pairs = np.maximum(0.0, 1 - lag / persistence)
    return squared * (m * p + p * p * (pairs.sum() - m))


@pytest.mark.parametrize("persistence", [0.6, 4.0, 50.0])
@pytest.mark.parametrize(("shape", "hours", "seeds"), [((1056, 1056), 8, 5), ((136, 136, 136), 4, 8)])
def test_a_kept_direction_gives_the_closed_form(shape, hours, seeds, persistence):
    """Walkers start so far apart that two can never meet: exclusion has no part in it."""
    pitch = 2 * 2 * hours + 1  # two sub-steps an hour, two walkers
    found = squared_displacements(shape, pitch, persistence, hours, range(seeds))
    assert found.size > 4000
    expected = msd(RATE, persistence, hours, MOORE_SQUARED[len(shape)])
    assert abs(z_mean(found, expected)) < Z
    assert abs(z_mean(found, msd(0.9 * RATE, persistence, hours, MOORE_SQUARED[len(shape)]))) > Z


def test_the_closed_form_has_its_limits():
    """Of the oracle: straight flight for P >> t (r^2 t^2 + r t), and r t + r^2 (t P - P^2 / 3) for small steps."""
    assert msd(0.01, 1e9, 400, 1.0) == pytest.approx(4.0 + 16.0, rel=0.02)
    assert msd(0.01, 100.0, 1000, 1.0) == pytest.approx(10.0 + 1e-4 * (1e5 - 1e4 / 3), rel=0.02)


@pytest.mark.slow
def test_at_long_times_the_walk_diffuses_with_its_enhanced_coefficient():
    """MSD / (4 t) at 60 h, when the walk has forgotten its direction 20 times.

    The walkers are 96 sites apart, five standard deviations: few meet. D is 5.4 times that of the blind walk.
    """
    persistence, hours = 3.0, 60
    found = squared_displacements((1536, 1536), 96, persistence, hours, range(12))
    p = RATE / 2
    blind = 1.5 * RATE / 4
    enhanced = blind * (1 - p + RATE * persistence)
    assert msd(RATE, persistence, hours, 1.5) / (4 * hours) == pytest.approx(enhanced, rel=0.03)
    assert abs(z_mean(found, msd(RATE, persistence, hours, 1.5))) < Z
    assert abs(z_mean(found, msd(0.9 * RATE, persistence, hours, 1.5))) > Z
    assert found.mean() / (4 * hours) > 4 * blind
