"""A trial without a lattice: every patient of a population in every arm, tumour and doses as in the lattice trial."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from ...abm.errors import InputError
from ...analysis.outcomes.death import largest_over_capacity
from ...ode_coupling.immune.qcic.model import TUMOUR_TYPES
from ...ode_coupling.immune.qcic.tables import sampled_names
from ...ode_coupling.ode_only import Trajectories, simulate_population
from ...ode_coupling.system import BodyError
from .laws import Population
from .sample import sample

# name of the arm -> arm of the body model
ARMS = {"placebo": "placebo", "TAS-102": "tas102", "TAS-102 + bevacizumab": "tas102_bev"}
WEEK_8_DAYS = 56.0
CAPACITIES = ("K1", "K2", "K3")
BASELINE = ("T8_C", "T1_C", "Treg_C", "T8_B", "TN8_B", "TN4_B", "NK_B", "N_B")


@dataclass(frozen=True)
class OdeTrial:
    """Courses of one population in all arms.

    Attributes
    ----------
    population, design, variant, schedule : str
    seed : int
    numbers : ndarray of int, shape (patients,)
        Number of each patient in the sample; the first is 1.
    blown_up : tuple of int
        Numbers of those whose equations blew up; they are in none of the arrays.
    patients : list of dict
        Body parameters.
    time_days : ndarray, shape (times,)
    tri : dict of str to ndarray, shape (patients, times)
        Arm to tumour response index.
    chi : dict of str to ndarray, shape (patients, times)
        Arm to X_j / K_j of the type with the most cells, by the patient's own K_j.
    baseline : dict of str to ndarray, shape (patients,)
        Immune states at day 0, after the burn-in, cells/L.
    """

    population: str
    design: str
    variant: str
    schedule: str
    seed: int
    numbers: np.ndarray
    blown_up: tuple[int, ...]
    patients: list[dict[str, float]]
    time_days: np.ndarray
    tri: dict[str, np.ndarray]
    chi: dict[str, np.ndarray]
    baseline: dict[str, np.ndarray]

    def week8(self, arm: str) -> np.ndarray:
        """Return the tumour response index of an arm at week 8, shape (patients,)."""
        return self.tri[arm][:, int(np.argmin(np.abs(self.time_days - WEEK_8_DAYS)))]


def run_ode_trial(
    population: Population,
    n: int,
    seed: int,
    *,
    days: float = 365.0,
    every_days: float = 2.0,
    design: str = "iid",
    arms: Sequence[str] = tuple(ARMS),
    variant: str = "conservative",
    schedule: str = "clinical",
    burn_in_days: float = 14.0,
    rtol: float = 1e-6,
    workers: int = 2,
) -> OdeTrial:
    """Run the first n patients of a population in every arm without a lattice.

    Parameters
    ----------
    population : Population
    n, seed, design
        As for ``sample``.
    days, every_days : float
        Horizon, and interval of the records.
    arms : sequence of str
        Of ``ARMS``.
    variant, schedule, burn_in_days, rtol, workers
        As for ``simulate_population``; clinical is until progression, as the lattice trial is.

    Raises
    ------
    InputError
        Fewer than one patient, or all of them blow up; a selection that holds a patient twice keeps both.
    """
    if n < 1:
        raise InputError(f"a trial needs one or more patients, got {n}")
    rows = sample(population, n, seed, design)
    columns = (*sampled_names(), *sorted(rows[0].keys() - set(sampled_names())))
    table = np.array([[row[name] for name in columns] for row in rows])
    states = (*TUMOUR_TYPES, *BASELINE)

    def courses(part: np.ndarray, arm: str) -> Trajectories:
        return simulate_population(
            table[part],
            ARMS[arm],
            days,
            every_days,
            variant=variant,
            schedule=schedule,
            states=states,
            burn_in_days=burn_in_days,
            rtol=rtol,
            workers=workers,
            columns=columns,
        )

    found: dict[str, dict[int, tuple[np.ndarray, np.ndarray]]] = {}
    time_days = np.empty(0)
    for arm in arms:
        pieces = _survivors(partial(courses, arm=arm), np.arange(n))
        found[arm] = {}
        for part, run in pieces:
            time_days = run.time_days
            found[arm] |= {int(k): (run.TRI[j], run.values[j]) for j, k in enumerate(part)}
    kept = np.array(sorted(set.intersection(*(set(rows) for rows in found.values()))), dtype=np.int64)
    if not kept.size:
        raise InputError(f"population {population.name}: the equations of all {n} patients blow up")
    capacity = table[:, [columns.index(name) for name in CAPACITIES]]
    first = found[arms[0]]
    return OdeTrial(
        population.name,
        design,
        variant,
        schedule,
        seed,
        kept + 1,
        tuple(int(k) + 1 for k in sorted(set(range(n)) - set(kept.tolist()))),
        [rows[k] for k in kept],
        time_days,
        {arm: np.array([found[arm][k][0] for k in kept]) for arm in arms},
        {
            arm: np.array([largest_over_capacity(found[arm][k][1][:, :3], capacity[k]) for k in kept])
            for arm in arms
        },
        {name: np.array([first[k][1][0, 3 + i] for k in kept]) for i, name in enumerate(BASELINE)},
    )


def _survivors(
    run: Callable[[np.ndarray], Trajectories], part: np.ndarray
) -> list[tuple[np.ndarray, Trajectories]]:
    """Return (patients, courses) of all whose equations do not blow up, by halving a batch that fails."""
    try:
        return [(part, run(part))]
    except BodyError:
        if part.size == 1:
            return []
    middle = part.size // 2
    return _survivors(run, part[:middle]) + _survivors(run, part[middle:])
