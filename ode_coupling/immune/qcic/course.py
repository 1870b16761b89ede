"""The course of QCIC patients from dose edge to dose edge, many in one compiled call that frees other threads."""

import bisect
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
from numba import njit, types

from ...dosing import Dose, Regimen
from ...integrate import MATRIX, ODE_FUNCTION, OK, VECTOR, _advance, compiled_ode
from .names import X1_C, X3_C, Chem_C, Targ_C, dose_rate_bevacizumab, dose_rate_TAS102
from .rhs import rhs

PROGRESSION_TRI = 0.2
ASSESSMENT_DAYS = 56.0
DRUGS = {"TAS102": dose_rate_TAS102, "bevacizumab": dose_rate_bevacizumab}
COUNTS, CUBE = types.int64[::1], types.float64[:, :, ::1]


@njit(
    types.void(
        ODE_FUNCTION, MATRIX, MATRIX, MATRIX, VECTOR, VECTOR, MATRIX, MATRIX, VECTOR, COUNTS, COUNTS, VECTOR,
        COUNTS, CUBE,
    ),
    cache=True,
    nogil=True,
    error_model="numpy",
)  # fmt: skip
def follow(model, y, p, clock, u, edges, rates, boluses, times, rows, picks, tolerance, status, records):
    """Take every patient through ``times`` and record the picked states, stopping at every dose edge.

    Parameters
    ----------
    model : compiled right-hand side
    y, p : ndarray, shape (patients, states) and (patients, parameters)
        ``y`` is advanced in place.
    clock : ndarray, shape (patients, 3)
        Time (d), step size to go on with, and the size of the first step after the last dose edge. That one
        opens the next edge: what fits a drug's slow tail would be refused there several times over.
    u : ndarray, shape (inputs,)
    edges, rates, boluses : ndarray, shape (edges,) and (edges, 2)
        As in ``Regimen``, for TAS-102 and bevacizumab.
    times, rows : ndarray, shape (stops,)
        Days to stop at, ascending, and the row of the record there (-1 for none).
    picks : ndarray of int64
        States to record.
    tolerance : ndarray, shape (2,)
        Relative and absolute.
    status : ndarray, shape (patients,)
        Of the integrator; a patient that fails stays at the last good state.
    records : ndarray, shape (patients, records, picks)
    """
    inputs = u.copy()
    for i in range(y.shape[0]):
        t, h, opening = clock[i, 0], clock[i, 1], clock[i, 2]
        here = np.searchsorted(edges, t, side="right") - 1
        on_edge = here >= 0 and edges[here] == t
        for stop in range(times.size):
            while t < times[stop] and status[i] == OK:
                if here >= 0:
                    inputs[dose_rate_TAS102], inputs[dose_rate_bevacizumab] = rates[here, 0], rates[here, 1]
                else:
                    inputs[dose_rate_TAS102] = inputs[dose_rate_bevacizumab] = 0.0
                if on_edge:
                    y[i, Chem_C] += boluses[here, 0]
                    y[i, Targ_C] += boluses[here, 1]
                    h = opening if opening > 0.0 else h
                end = times[stop]
                if here + 1 < edges.size and edges[here + 1] < end:
                    end = edges[here + 1]
                status[i], t, h, _, first = _advance(
                    model, t, end, y[i], p[i], inputs, tolerance[0], tolerance[1], h
                )
                opening = first if on_edge and first > 0.0 else opening
                on_edge = here + 1 < edges.size and edges[here + 1] == t
                here += on_edge
            if status[i] == OK and rows[stop] >= 0:
                for k in range(picks.size):
                    records[i, rows[stop], k] = y[i, picks[k]]
        clock[i, 0], clock[i, 1], clock[i, 2] = t, h, opening


@dataclass
class Cohort:
    """Patients under way: states, parameters, time, and when their treatment stopped.

    Attributes
    ----------
    y, p : ndarray, shape (patients, states) and (patients, parameters)
    u : ndarray, shape (inputs,)
        Alike for all.
    t : float
        Days.
    rtol, atol : float
    workers : int
        Threads; the numbers do not depend on it.
    """

    y: np.ndarray
    p: np.ndarray
    u: np.ndarray
    t: float = 0.0
    rtol: float = 1e-6
    atol: float = 1e-4
    workers: int = 1
    clock: np.ndarray = field(init=False)
    status: np.ndarray = field(init=False)
    stopped: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.clock = np.zeros((len(self.y), 3))
        self.clock[:, 0] = self.t
        self.status = np.zeros(len(self.y), np.int64)
        self.stopped = np.full(len(self.y), np.inf)

    def advance(
        self,
        doses: Iterable[Dose],
        times: np.ndarray,
        picks: np.ndarray,
        until_progression: bool = False,
    ) -> np.ndarray:
        """Advance all patients and return the picked states at ``times``, shape (patients, times, picks).

        Parameters
        ----------
        doses : iterable of Dose
            TAS102 and bevacizumab.
        times : ndarray
            Days from ``t`` on, ascending.
        picks : ndarray of int
            States to record.
        until_progression : bool
            Drop a patient's doses that start at or after an assessment, every eight weeks from ``t`` on, at
            which the tumour has grown by 20 % or more.
        """
        planned = tuple(doses)
        records = np.full((len(self.y), times.size, picks.size), np.nan)
        starts_with = tumour_cells(self.y)
        first, last = self.t, float(times[-1])
        visits = (
            np.arange(first + ASSESSMENT_DAYS, last, ASSESSMENT_DAYS) if until_progression else np.empty(0)
        )
        for end in (*visits.tolist(), last):
            stops = np.union1d(times[(times > self.t) & (times < end)], [end])
            if self.t == first:
                stops = np.union1d(times[times == first], stops)
            rows = np.array([_row(times, stop) for stop in stops], np.int64)
            for stopped in np.unique(self.stopped):
                regimen = Regimen(dose for dose in planned if dose.time_days < stopped)
                self._follow(np.flatnonzero(self.stopped == stopped), regimen, stops, rows, picks, records)
            self.t = end
            grown = tumour_cells(self.y) >= (1.0 + PROGRESSION_TRI) * starts_with
            if until_progression:
                self.stopped[grown & np.isinf(self.stopped)] = end
        return records

    def _follow(self, members, regimen: Regimen, stops, rows, picks, records) -> None:
        edges = np.array(regimen.edges)
        rates, boluses = (_by_drug(regimen, table) for table in (regimen.rates, regimen.boluses))
        tolerance = np.array([self.rtol, self.atol])

        def share(chosen: np.ndarray) -> None:
            parts = [a[chosen] for a in (self.y, self.p, self.clock, self.status, records)]
            y, p, clock, status, kept = parts
            follow(
                compiled_ode(rhs), y, p, clock, self.u, edges, rates, boluses, stops, rows,
                picks.astype(np.int64), tolerance, status, kept,
            )  # fmt: skip
            self.y[chosen], self.clock[chosen], self.status[chosen], records[chosen] = y, clock, status, kept

        shares = [part for part in np.array_split(members, self.workers) if part.size]
        if len(shares) == 1:
            share(shares[0])
            return
        with ThreadPoolExecutor(self.workers) as threads:
            list(threads.map(share, shares))


def tumour_cells(y: np.ndarray) -> np.ndarray:
    """Return the tumour cells per litre of every patient, shape (patients,)."""
    return y[:, X1_C : X3_C + 1].sum(axis=1)


def _row(times: np.ndarray, stop: float) -> int:
    row = bisect.bisect_left(times, stop)
    return row if row < times.size and times[row] == stop else -1


def _by_drug(regimen: Regimen, table: np.ndarray) -> np.ndarray:
    """Return the columns of a table of a regimen by drug, in the order of ``DRUGS``."""
    ordered = np.zeros((len(table), len(DRUGS)))
    for k, drug in enumerate(DRUGS):
        for column, (name, _) in enumerate(regimen.columns):
            if name == drug:
                ordered[:, k] += table[:, column]
    return ordered
