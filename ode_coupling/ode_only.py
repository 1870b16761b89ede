"""QCIC patients without a lattice: one trajectory, or a cohort on several threads."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..abm.errors import InputError, unknown_word
from .dosing import Dose
from .immune.qcic.arms import arm_doses
from .immune.qcic.course import ASSESSMENT_DAYS, PROGRESSION_TRI, Cohort, tumour_cells
from .immune.qcic.model import TUMOUR_TYPES, VARIANTS, qcic
from .immune.qcic.persister import persister_patient
from .immune.qcic.tables import sampled_names
from .system import Body, BodyError

NAMED_VARIANTS = (*VARIANTS, "persister")
ATOL, ATOL_PER_RTOL = 1e-4, 1e5  # cells/L and drug amounts; the first, or rtol times the second where less


def simulate(
    patient: Mapping[str, float],
    doses: Iterable[Dose],
    days: float,
    every_days: float = 7.0,
    variant: str = "conservative",
    burn_in_days: float = 0.0,
    rtol: float = 1e-6,
    until_progression: bool = False,
) -> dict[str, np.ndarray]:
    """Integrate one ODE-only QCIC patient.

    Parameters
    ----------
    patient : mapping
        Parameter name to value, over the published values.
    doses : iterable of Dose
        Times count from day 0, the end of the burn-in.
    days, every_days : float
        Horizon and interval of the records; the horizon is recorded too.
    variant : str
        paper_exact, conservative, corrected, or persister (conservative, with the patient changed).
    burn_in_days : float
        Days before day 0 during which the tumour is frozen and no drug is given.
    rtol : float
        Relative tolerance; the absolute one, in cells/L and drug amounts, is 1e-4, or 1e5 rtol where less.
    until_progression : bool
        Drop the doses from the first assessment on, every eight weeks, at which TRI is 0.2 or more.

    Returns
    -------
    dict of ndarray, shape (records,)
        ``time_days``, every state by name (cells/L, amounts), ``tumour_volume_cm3`` and ``TRI`` (volume over
        that of day 0, less 1).

    Raises
    ------
    InputError
        For an unknown variant or parameter, a negative horizon or an interval that is not positive.
    BodyError
        If the equations blow up.
    """
    planned = tuple(doses)
    times = _times(days, every_days, burn_in_days)
    changed = _as_variant(dict(patient), variant)
    body = Body(qcic(), changed, planned, rtol, _atol(rtol))
    cohort = _begin(body.p[np.newaxis], variant, burn_in_days, rtol, 1, [changed])
    picks = np.arange(len(body.model.states))
    records = cohort.advance(planned, times, picks, until_progression)
    _check(cohort, [changed])
    result = {"time_days": times, **{v.name: records[0, :, i] for i, v in enumerate(body.model.states)}}
    return with_volume(result, body)


def follow_body(
    body: Body, days: float, every_days: float = 7.0, until_progression: bool = False
) -> dict[str, np.ndarray]:
    """Take one QCIC body with its companions through time, as ``simulate`` does.

    Parameters
    ----------
    body : Body
        At day 0; advanced in place.
    days, every_days, until_progression
        As for ``simulate``.

    Raises
    ------
    InputError
        For a negative horizon or an interval that is not positive.
    BodyError
        If the equations blow up.
    """
    times, names = _times(days, every_days, 0.0), [state.name for state in qcic().states]
    visits = np.arange(ASSESSMENT_DAYS, days + 1e-9, ASSESSMENT_DAYS)
    tumour = [names.index(name) for name in TUMOUR_TYPES]
    start = float(body.y[tumour].sum())
    rows = {}
    for time in np.union1d(times, visits):
        body.advance_to(float(time))
        rows[time] = body.y[: len(names)].copy()
        if (
            until_progression
            and time in visits
            and float(body.y[tumour].sum()) / start - 1.0 >= PROGRESSION_TRI
        ):
            body.stop_dosing(float(time))
    states = np.array([rows[time] for time in times])
    return with_volume({"time_days": times} | {name: states[:, i] for i, name in enumerate(names)}, body)


def with_volume(course: dict[str, np.ndarray], body: Body) -> dict[str, np.ndarray]:
    """Return a course of states with ``tumour_volume_cm3`` and ``TRI``, by the parameters of its body."""
    cells = np.sum([course[name] for name in TUMOUR_TYPES], axis=0)
    value = dict(zip((q.name for q in body.model.parameters), body.p.tolist(), strict=True))
    volume = value["v_tumor"] * cells * value["V_C"] / value["V_e"]
    return course | {"tumour_volume_cm3": volume, "TRI": cells / cells[0] - 1.0}


@dataclass(frozen=True)
class Trajectories:
    """What ``simulate_population`` returns.

    Attributes
    ----------
    time_days : ndarray, shape (records,)
    states : tuple of str
    values : ndarray, shape (patients, records, states)
        Cells/L and drug amounts.
    TRI : ndarray, shape (patients, records)
        Tumour cells over those of day 0, less 1.
    """

    time_days: np.ndarray
    states: tuple[str, ...]
    values: np.ndarray
    TRI: np.ndarray


def simulate_population(
    patients: np.ndarray,
    arm: str,
    days: float,
    every_days: float = 7.0,
    *,
    variant: str = "paper_exact",
    schedule: str = "published",
    states: Sequence[str] | None = None,
    burn_in_days: float = 0.0,
    rtol: float = 1e-6,
    workers: int = 1,
    columns: Sequence[str] | None = None,
) -> Trajectories:
    """Integrate a cohort of ODE-only QCIC patients in one arm.

    Parameters
    ----------
    patients : ndarray, shape (patients, 21)
        The parameters that vary between patients, columns as in the published tables (``sampled_names``), or
        as ``columns`` says.
    arm : str
        placebo, tas102 or tas102_bev.
    days, every_days, variant, burn_in_days, rtol
        As for ``simulate``.
    schedule : str
        published, or clinical (until progression).
    states : sequence of str, optional
        States to record; the 57 of the model if absent.
    workers : int
        Threads. The numbers do not depend on it.
    columns : sequence of str, optional
        Parameters that the columns hold, the 21 among them; further ones are set for each patient, too.

    Raises
    ------
    InputError
        For a table of another shape, values that are negative or not finite, or an unknown name.
    BodyError
        If the equations of a patient blow up; the message has his row.
    """
    model, names = qcic(), tuple(columns or sampled_names())
    if missing := sorted(set(sampled_names()) - set(names)):
        raise InputError(f"qcic: columns lack {', '.join(missing)}; half a patient is nobody")
    table = np.array(patients, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] != len(names):
        raise InputError(
            f"qcic: patients must have {len(names)} columns ({', '.join(names)}), not {table.shape}"
        )
    if not np.all(np.isfinite(table) & (table >= 0.0)):
        row, column = np.argwhere(~(np.isfinite(table) & (table >= 0.0)))[0]
        raise InputError(
            f"qcic: patient in row {row}: '{names[column]}' must be a finite number from 0 on, "
            f"not {table[row, column]}"
        )
    if workers < 1:
        raise InputError(f"qcic: workers must be 1 or more, not {workers}")
    times = _times(days, every_days, burn_in_days)
    clinical = schedule == "clinical"
    doses = arm_doses(arm, schedule, days if clinical else None)
    rows = [_as_variant(dict(zip(names, row, strict=True)), variant) for row in table.tolist()]
    p = np.tile(model.parameter_values(), (len(rows), 1))
    p[:, [model.index("parameters", name) for name in names]] = np.array(
        [[r[n] for n in names] for r in rows]
    )
    cohort = _begin(p, variant, burn_in_days, rtol, workers, rows)
    chosen = tuple(states or (state.name for state in model.states[:57]))
    tumour = [model.index("states", name) for name in TUMOUR_TYPES]
    picks = np.array([model.index("states", name) for name in chosen] + tumour)
    start = tumour_cells(cohort.y)
    records = cohort.advance(doses, times, picks, clinical)
    _check(cohort, rows)
    cells = records[:, :, -len(tumour) :].sum(axis=2)
    return Trajectories(times, chosen, records[:, :, : len(chosen)], cells / start[:, np.newaxis] - 1.0)


def _atol(rtol: float) -> float:
    return min(ATOL, ATOL_PER_RTOL * rtol)


def _times(days: float, every_days: float, burn_in_days: float) -> np.ndarray:
    if not (0.0 <= days < np.inf and 0.0 < every_days < np.inf and 0.0 <= burn_in_days < np.inf):
        raise InputError(
            f"qcic: days and burn_in_days must not be negative and every_days positive, "
            f"they are {days}, {burn_in_days} and {every_days}"
        )
    return np.append(np.arange(0.0, days, every_days), days)


def _as_variant(patient: dict[str, float], variant: str) -> dict[str, float]:
    """Return a patient as a variant sees him; InputError for an unknown variant."""
    if variant not in NAMED_VARIANTS:
        raise unknown_word("variant", variant, NAMED_VARIANTS, "qcic")
    if variant != "persister":
        return patient
    published = {q.name: q.value for q in qcic().parameters}
    return persister_patient({name: published[name] for name in sampled_names()} | patient)


def _begin(p: np.ndarray, variant: str, burn_in_days: float, rtol: float, workers: int, rows) -> Cohort:
    """Return patients at day 0, after their burn-in."""
    model = qcic()
    u = np.zeros(len(model.inputs))
    u[model.index("inputs", "variant")] = VARIANTS.get(variant, VARIANTS["conservative"])
    y = np.array([model.initial_of(row) for row in p])
    if burn_in_days > 0.0:
        frozen = u.copy()
        frozen[model.index("inputs", "freeze_tumour")] = 1.0
        waiting = Cohort(y, p, frozen, -burn_in_days, rtol, _atol(rtol), workers)
        waiting.advance((), np.array([0.0]), np.empty(0, np.int64))
        _check(waiting, rows)
    return Cohort(y, p, u, 0.0, rtol, _atol(rtol), workers)


def _check(cohort: Cohort, rows: Sequence[Mapping[str, float]]) -> None:
    """Raise BodyError, which names state, time and parameters, for the first patient that failed."""
    failed = np.flatnonzero(cohort.status)
    if not failed.size:
        return
    k = int(failed[0])
    body = Body(qcic(), rows[k], rtol=cohort.rtol, atol=cohort.atol, start_days=cohort.clock[k, 0])
    body.y[:], body.u[:] = cohort.y[k], cohort.u
    where = f"patient in row {k}: " if len(rows) > 1 else ""
    try:
        body.advance_to(body.t + 1.0)
    except BodyError as error:
        raise BodyError(f"{where}{error}") from None
    raise BodyError(f"{where}qcic: no step from day {body.t:g} on meets the tolerance {cohort.rtol:g}")
