"""Doses as exact events: boluses, infusions and cycles, compiled to a table of edges."""

import bisect
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ..abm.errors import InputError, unknown_word

ROUTES = {"iv": "into a vein", "po": "by mouth", "sc": "under the skin", "im": "into a muscle"}
SAME_TIME_DAYS = 1e-9  # less than 0.1 ms
TAS102_DAYS = (1, 2, 3, 4, 5, 8, 9, 10, 11, 12)


@dataclass(frozen=True)
class Dose:
    """One administration.

    Attributes
    ----------
    time_days : float
        Start.
    drug : str
        As in the model's input ``dose_rate_<drug>``.
    amount : float
        Total amount, in the unit of the model's drug states.
    duration_days : float
        Length of a constant infusion; 0 is a bolus.
    route : str
        One of ``ROUTES``. A model takes a drug by a route through its input ``dose_rate_<drug>_<route>`` if
        it has one so named, else through ``dose_rate_<drug>``.
    """

    time_days: float
    drug: str
    amount: float
    duration_days: float = 0.0
    route: str = "iv"

    def __post_init__(self) -> None:
        for key in ("time_days", "amount", "duration_days"):
            value = getattr(self, key)
            if not math.isfinite(value):
                raise InputError(f"dose of {self.drug}: {key} must be a finite number, not {value}")
        for key in ("amount", "duration_days"):
            if getattr(self, key) < 0.0:
                raise InputError(
                    f"dose of {self.drug}: {key} must not be negative, it is {getattr(self, key)}"
                )
        if self.route not in ROUTES:
            raise unknown_word("route", self.route, ROUTES, f"dose of {self.drug}")

    @property
    def end_days(self) -> float:
        """Time at which the dose is complete."""
        return self.time_days + self.duration_days


def cycle_doses(
    drug: str,
    amount: float,
    days: Sequence[float] = TAS102_DAYS,
    cycle_days: float = 28.0,
    cycles: int | None = 6,
    duration_days: float = 0.1,
    first_day: float = 1.0,
    until_days: float | None = None,
    missed: Iterable[float] = (),
    route: str = "iv",
) -> list[Dose]:
    """Return the doses of a cyclic schedule in order of time.

    Parameters
    ----------
    drug, amount, duration_days, route
        As for ``Dose``; amount per administration.
    days : sequence of float
        Days of treatment within a cycle, counted from 1 as clinics do, at most ``cycle_days``.
    cycle_days : float
    cycles : int or None
        Number of cycles; None repeats until ``until_days``.
    first_day : float
        Time (d) of day 1 of the first cycle.
    until_days : float, optional
        No dose starts at or after this time.
    missed : iterable of float
        Start times (d) of doses that are not given; each must be one of the schedule.

    Raises
    ------
    InputError
        For a schedule without end, days outside the cycle, or a missed day on which no dose is due.
    """
    where = f"cycle of {drug}"
    if not cycle_days > 0.0:
        raise InputError(f"{where}: cycle_days must be positive, it is {cycle_days}")
    if outside := [day for day in days if not 1.0 <= day < cycle_days + 1.0]:
        raise InputError(f"{where}: day {outside[0]} lies outside days 1 to {cycle_days:g} of the cycle")
    if cycles is None:
        if until_days is None:
            raise InputError(f"{where}: give a number of cycles, or until_days for treatment without end")
        cycles = max(0, math.ceil((until_days - first_day) / cycle_days))
    if cycles < 0 or cycles != int(cycles):
        raise InputError(f"{where}: cycles must be a whole number from 0 on, it is {cycles}")
    starts = [first_day + c * cycle_days + day - 1.0 for c in range(int(cycles)) for day in sorted(days)]
    left_out = set(missed)
    if unknown := sorted(left_out.difference(starts)):
        raise InputError(f"{where}: no dose is due on missed day {unknown[0]:g}")
    return [
        Dose(start, drug, amount, duration_days, route)
        for start in starts
        if start not in left_out and (until_days is None or start < until_days)
    ]


def _edges(doses: Sequence[Dose]) -> tuple[list[float], dict[float, int]]:
    """Return the edges in order, and which one every start and end belongs to.

    Times that differ by rounding alone, such as the end of one infusion and the start of the next, are one
    edge, at the start: no solver can step from one to the other.
    """
    starts = {dose.time_days for dose in doses}
    edges: list[float] = []
    place: dict[float, int] = {}
    for time in sorted(starts.union(dose.end_days for dose in doses)):
        if not edges or time - edges[-1] > SAME_TIME_DAYS:
            edges.append(time)
        elif time in starts and edges[-1] not in starts:
            edges[-1] = time
        place[time] = len(edges) - 1
    return edges, place


class Regimen:
    """Doses compiled to edges: between two edges the rate of every drug is constant.

    A bolus at time t acts at the start of an advance from t, so the state at t is the trough before it.

    Parameters
    ----------
    doses : iterable of Dose

    Attributes
    ----------
    drugs : tuple of str
    columns : tuple of (drug, route)
        By drug, then by route. Where each drug has one route, they are in the order of ``drugs``.
    edges : list of float
        Times (d) at which a rate changes or a bolus falls, in order.
    rates, boluses : ndarray, shape (edges, columns)
        Rate (amount/d) from the edge on, and amount given at once at the edge.
    """

    def __init__(self, doses: Iterable[Dose] = ()):
        self.doses = tuple(sorted(doses, key=lambda dose: (dose.time_days, dose.drug)))
        self.drugs = tuple(sorted({dose.drug for dose in self.doses}))
        self.columns = tuple(sorted({(dose.drug, dose.route) for dose in self.doses}))
        self.edges, place = _edges(self.doses)
        self.rates = np.zeros((len(self.edges), len(self.columns)))
        self.boluses = np.zeros_like(self.rates)
        for dose in self.doses:
            column = self.columns.index((dose.drug, dose.route))
            first, last = place[dose.time_days], place[dose.end_days]
            if first == last:
                self.boluses[first, column] += dose.amount
            else:  # over the rounded duration, so that the whole amount arrives
                self.rates[first:last, column] += dose.amount / (self.edges[last] - self.edges[first])

        # amount given up to every edge, boluses at the edge included
        steps = np.diff(self.edges)[:, None] * self.rates[:-1] if self.edges else self.rates
        given = self.boluses.cumsum(axis=0)
        given[1:] += steps.cumsum(axis=0)
        # by drug, as plain lists: the ledger asks at every step
        self._course: dict[str, tuple[list[float], list[float]]] = {}
        for drug in self.drugs:
            columns = [k for k, (name, _) in enumerate(self.columns) if name == drug]
            self._course[drug] = (
                given[:, columns].sum(axis=1).tolist(),
                self.rates[:, columns].sum(axis=1).tolist(),
            )

    def delivered(self, drug: str, time_days: float) -> float:
        """Return the amount of a drug given before a time (d), by all routes together."""
        edge = bisect.bisect_left(self.edges, time_days) - 1
        if edge < 0 or drug not in self._course:
            return 0.0
        given, rate = self._course[drug]
        return given[edge] + rate[edge] * (time_days - self.edges[edge])

    def stopped(self, time_days: float) -> "Regimen":
        """Return the regimen without the doses that start at or after a time (d); running ones go on."""
        return Regimen(dose for dose in self.doses if dose.time_days < time_days)
