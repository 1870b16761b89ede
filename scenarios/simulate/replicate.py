"""Many seeds of one arm: everything that does not depend on the seed is built once a worker."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from ...abm.errors import InputError
from ...abm.measures.pairs import mean_field_valid
from ..files.scenario import Scenario, load_scenario
from ..store import run_key, state_digest
from ..store.replicates import Replicate
from .build import Builder, Simulation
from .contents import Known, resolved
from .header import outcome_of
from .record import measure_pairs
from .run import RESULTS_VERSION, Schedule, attend, final_state, key_of


def arm_key(scenario: Scenario, known: Known | None = None) -> str:
    """Return the key of an arm: what decides its replicates, without the seed; ``known`` as for `resolved`."""
    return run_key({**resolved(scenario, 0, known=known), "seed": None}, RESULTS_VERSION)


def run_seeds(
    name: str, settings: tuple[str, ...], seeds: Sequence[int]
) -> tuple[list[Replicate], dict[int, str]]:
    """Run an arm for some seeds; return the replicates, and by seed why others failed.

    Parameters
    ----------
    name : str
        Library name or path of a scenario without a body.
    settings : tuple of str
        ``key=value[unit]``.
    seeds : sequence of int

    Raises
    ------
    InputError
        The scenario is wrong whatever the seed.
    """
    builder = _builder(name, settings)
    runs: list[Replicate] = []
    failed: dict[int, str] = {}
    for seed in seeds:
        try:
            runs.append(replicate(builder.build(seed)))
        except InputError as error:
            failed[seed] = f"InputError: {error}"
    return runs, failed


@lru_cache(maxsize=8)
def _builder(name: str, settings: tuple[str, ...]) -> Builder:
    return Builder(load_scenario(name, settings))


def replicate(simulation: Simulation) -> Replicate:
    """Run a simulation to its end and keep what comparisons of arms need.

    The numbers are those of `Run`: same schedule, same trial, same state at the end.
    """
    plan, trial, model = Schedule(simulation), simulation.trial, simulation.model
    course, state = simulation.course, simulation.tissue.state
    rows: dict[str, list[Any]] = {key: [] for key in ("time", "count", "control")}
    pairs: dict[str, list[Any]] = {key: [] for key in ("pair_total", "mean_field_valid")}
    step = 0
    while True:
        counts = state.counts(model)
        last = attend(simulation, step) or step == plan.end
        if step % plan.record == 0 or last:
            row = (state.day(model), counts, trial.levels[0] if trial.targets else np.nan)
            for values, value in zip(rows.values(), row, strict=True):
                values.append(value)
            if step % plan.pairs == 0 or last:
                found = measure_pairs(model, state)
                pairs["pair_total"].append(found.total)
                pairs["mean_field_valid"].append(mean_field_valid(found.total, found.occupancy))
        if last:
            break
        course.advance(plan.next(step) - step)
        step = state.step
    taken = {key: np.array(values) for key, values in (rows | pairs).items()}
    return Replicate(
        simulation.seed,
        key_of(simulation.scenario, simulation.seed),
        taken["time"],
        taken["count"],
        taken["control"],
        state.events.copy(),
        state_digest(final_state(simulation)),
        outcome_of(simulation, taken),
    )
