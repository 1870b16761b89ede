"""Exclusion processes that proliferate: how far the density lags behind the logistic law, and how fast fronts invade.

Random attempts as in Baker and Simpson 2010 (10.1103/PhysRevE.82.041905): N draws for a hop with P_m, then N for a
division with P_p; D = P_m/4 sites^2 a step, lambda = P_p. The reference numbers were measured with another program
on the same rules; their stated bands are wider than the chance variation here, so that a false alarm is rarer than 1
in 1,000 a number. Power: a rate 10 % off moves every front speed by 5 to 10 % and is refused by the tests of the
attempts themselves; here what must fail is a rule: independent cells (no lag) and draws that skip the newborn (a speed
that falls with P_p) are outside the bands.
"""

import math

import numpy as np
import pytest

from oncolattice.abm.advance import Tissue
from oncolattice.abm.compile.parameters import Override
from oncolattice.abm.measures.pairs import pair_correlations
from oncolattice.abm.model import load_model
from oncolattice.abm.placement import place_scattered, place_strip
from oncolattice.abm.state import first_state

CELLS = {"composition": {"cell": 1.0}}


def tissue(motility: float, proliferation: float, shape: tuple[int, int], rules: dict, seed: int) -> Tissue:
    """Return a lattice with a strip of cells along the first columns, or 5 % of the sites taken at random."""
    values = {"motility": motility, "proliferation": proliferation}
    model = load_model("baker2010", {name: Override(value, None, "user") for name, value in values.items()})
    place = place_strip if "depth_sites" in rules else place_scattered
    placement = place(shape, model.site_um, model.types, model.layers, rules | CELLS, seed)
    return Tissue(model, first_state(model, placement, seed))


def logistic(time: np.ndarray, rate: float, start: float) -> np.ndarray:
    """Return the density of cells that grow as if well mixed."""
    growth = start * np.exp(rate * time)
    return growth / (1 - start + growth)


def densities(proliferation: float, every: int, seed: int) -> np.ndarray:
    """Return density and density times F(1), of one run from 5 % to confluence, shape (2, time)."""
    run, found = tissue(1.0, proliferation, (100, 100), {"occupancy": 0.05}, seed), []
    while run.state.step < 10 / proliferation:
        pairs = pair_correlations(run.state.occupant, 1, boundary="periodic")
        found.append((pairs.occupancy[0], pairs.occupancy[0] * pairs.total[0]))
        run.advance(every)
    return np.array(found).T


def lag(density: np.ndarray, proliferation: float, every: int) -> float:
    """Return the largest distance of a density from the logistic law."""
    return float(np.abs(density - logistic(np.arange(density.size) * every, proliferation, 0.05)).max())


def without_luck(runs: np.ndarray, proliferation: float, every: int) -> np.ndarray:
    """Return the density that starts at 5 % and has its expected gain, P_p C (1 - F C), at every density.

    Shape of ``runs`` is (run, 2, time). F C, the chance that an attempt is blocked, hardly varies between runs at a
    given density; the luck of the first divisions, which shifts a run in time, is what this leaves out.
    """
    density, blocked = runs[:, 0].ravel(), runs[:, 1].ravel()
    bins = np.linspace(0.04, 1.0, 49)
    bin_of = np.digitize(density, bins)
    used = [k for k in range(bins.size + 1) if np.any(bin_of == k)]
    at = [density[bin_of == k].mean() for k in used] + [1.0]
    chance = [blocked[bin_of == k].mean() for k in used] + [1.0]
    found = [0.05]
    while len(found) < runs.shape[2]:
        value = found[-1]
        for _ in range(every):
            value += proliferation * value * (1 - np.interp(value, at, chance))
        found.append(value)
    return np.array(found)


def front_speed(motility: float, proliferation: float, columns: int, steps: int, seed: int) -> float:
    """Return the sites a step that planar fronts gain in the second half of some steps: two fronts of 400 rows."""
    run = tissue(motility, proliferation, (400, columns), {"side": "x", "depth_sites": 10}, seed)
    run.advance(steps // 2)
    time, filled = [], []
    for _ in range(40):
        run.advance(steps // 80)
        time.append(run.state.step)
        filled.append(run.state.number[1] / 800)
    assert run.state.occupant[0, :, [0, -1]].max() == 0  # the fronts have not met
    return float(np.polyfit(time, filled, 1)[0])


@pytest.mark.slow
@pytest.mark.parametrize(("proliferation", "runs", "reference"), [(0.1, 16, 0.104), (0.05, 16, 0.057)])
def test_the_density_lags_behind_the_logistic_law(proliferation, runs, reference):
    """Mean of 16 lattices, band +-30 % of the reference; its chance variation is 3 %. Independent cells lag 0."""
    every = max(1, round(0.05 / proliferation))
    found = np.array([densities(proliferation, every, seed)[0] for seed in range(runs)])
    assert lag(found.mean(axis=0), proliferation, every) == pytest.approx(reference, rel=0.3)


@pytest.mark.slow
def test_the_small_lag_of_slow_divisions():
    """At P_p = 0.01 the lag is 0.018 +- 30 %, at 0.001 no more than 0.0035 + 30 %, and above 0.

    The luck of the first divisions moves one run by 0.014, the mean of 16 by as much as the smaller reference itself.
    Without it, two halves of the runs agree to 5 % at 0.01.
    """
    found = np.array([densities(0.01, 1, seed) for seed in range(4)])
    assert lag(without_luck(found, 0.01, 1), 0.01, 1) == pytest.approx(0.018, rel=0.3)
    found = np.array([densities(0.001, 10, seed) for seed in range(2)])
    assert 0.0003 < lag(without_luck(found, 0.001, 10), 0.001, 10) < 1.3 * 0.0035


@pytest.mark.slow
@pytest.mark.parametrize(
    ("proliferation", "columns", "steps"), [(0.1, 220, 320), (0.05, 260, 480), (0.01, 360, 1200)]
)
def test_fronts_of_motile_cells_are_a_little_slower_than_fisher_waves(proliferation, columns, steps):
    """Speed over 2 sqrt(D lambda) between 0.84 and 0.97; 1 is the wave of the mean field."""
    fisher = math.sqrt(proliferation)  # D = 1/4
    assert 0.84 <= front_speed(1.0, proliferation, columns, steps, 1) / fisher <= 0.97


@pytest.mark.slow
@pytest.mark.parametrize(
    ("proliferation", "columns", "steps", "reference"), [(0.1, 280, 1600, 0.638), (0.3, 300, 600, 0.612)]
)
def test_fronts_of_cells_that_cannot_move(proliferation, columns, steps, reference):
    """Speed over P_p within 0.04; draws that skip the newborn give 0.583 and 0.541, outside the band."""
    assert front_speed(0.0, proliferation, columns, steps, 1) / proliferation == pytest.approx(
        reference, abs=0.04
    )
