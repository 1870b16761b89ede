"""How rarely the fields of the colorectal model may be updated.

Reference: the same patients with every field, density and entry weight brought up to date each 3 h. Over eight
seeds and 28 days the paired differences have standard errors of about 0.4 % (kills) and 0.2 % (tumour cells), so
that a bias of 2 % would be found with a probability above 99 %, and the limits of 1 % plus three standard errors
raise a false alarm in less than 1 % of trials where there is none.
"""

import numpy as np
import pytest

from oncolattice.scenarios.files.scenario import load_scenario
from oncolattice.scenarios.simulate.build import Builder

DAYS, SEEDS = 28, 8
OFTEN = [
    f"{name}=3h"
    for name in ("fast_interval", "field_interval", "slow_interval", "drug_interval", "competition_interval")
]


def outcomes(settings):
    """Return kills by T cells, tumour cells left and T cells present, shape (seed, 3)."""
    builder = Builder(load_scenario("mcrc_tas102_bev", settings))
    rows = []
    for seed in range(1, SEEDS + 1):
        simulation = builder.build(seed)
        simulation.course.advance(DAYS * 24)
        tissue, model = simulation.tissue, simulation.model
        named = dict(zip(model.events, tissue.state.events, strict=True))
        kills = sum(n for event, n in named.items() if "killed by" in event)
        counts = tissue.state.counts(model)
        groups = {
            group: sum(int(counts[i - 1]) for i in model.members(group)) for group in ("tumour", "immune")
        }
        rows.append([kills, groups["tumour"], groups["immune"]])
    return np.array(rows, float)


@pytest.mark.slow
def test_the_shipped_intervals_change_nothing_that_counts():
    relative = outcomes([]) / outcomes(OFTEN) - 1.0
    mean, error = relative.mean(axis=0), relative.std(axis=0, ddof=1) / np.sqrt(SEEDS)
    assert (error < 0.01).all(), error
    assert (np.abs(mean) < 0.01 + 3.0 * error).all(), (mean, error)
    assert (np.abs(mean) < 0.02).all(), (mean, error)
