"""An order: everything that is given of one drug, one course after the other or together."""

import math
from dataclasses import dataclass, replace
from itertools import pairwise

from ...abm.errors import InputError
from ..dosing import Dose
from .body_size import BodySize
from .clauses import DAY_HOURS, Calendar, Given, UntilProgression
from .course import Course
from .pointing import Misfit, pointed_at


@dataclass(frozen=True)
class Order:
    """The order of one drug.

    Attributes
    ----------
    steps : tuple of tuple of Course
        The courses of a step run together and add up; a step begins when the one before is over.
    calendar : Calendar, optional

    Raises
    ------
    Misfit
        A step never begins or begins too late, or doses come out in different units.
    """

    steps: tuple[tuple[Course, ...], ...]
    calendar: Calendar | None = None

    def __post_init__(self) -> None:
        if not self.steps or not all(self.steps):
            raise Misfit("an order needs a course", "amount")
        kind = self.unit
        for course in self.courses:
            if course.given.amount.kind != kind:
                raise Misfit(
                    f"doses in {course.given.amount.kind} do not add to those in {kind}",
                    "amount",
                    None,
                    course,
                )
        self.ends_hours(0.0)

    def __str__(self) -> str:
        text = ", then ".join(" + ".join(map(str, step)) for step in self.steps)
        return f"{text}, {self.calendar}" if self.calendar else text

    @property
    def courses(self) -> list[Course]:
        """All courses."""
        return [course for step in self.steps for course in step]

    @property
    def unit(self) -> str:
        """What the doses come out in: mg, cells or units."""
        return self.steps[0][0].given.amount.kind

    @property
    def open_ended(self) -> bool:
        """Whether the last step goes on without end."""
        return any(course.open_ended for course in self.steps[-1])

    @property
    def to_progression(self) -> bool:
        """Whether the words 'until progression' are in the order."""
        return any(isinstance(course.end, UntilProgression) for course in self.courses)

    def turns_hours(self, turn_hours: float) -> list[float]:
        """Return when each step begins (h since day 1), and last when the order is over (inf: never).

        Raises
        ------
        Misfit
            Something comes after a course that never ends, or begins before its turn.
        """
        turns = [turn_hours]
        for number, step in enumerate(self.steps, start=1):
            ends = [course.ends_hours(turns[-1]) for course in step]
            if number < len(self.steps) and None in ends:
                raise Misfit(
                    "what comes before 'then' never ends; give it x N, for N weeks or until day N",
                    "end",
                    None,
                    step[ends.index(None)],
                )
            turns.append(max(math.inf if end is None else end for end in ends))
        return turns

    def ends_hours(self, turn_hours: float) -> float:
        """Return when the order is over (h since day 1) if its turn comes at a time; inf if never."""
        return self.turns_hours(turn_hours)[-1]

    def until_progression(self) -> "Order":
        """Return the order with the number of cycles of its last step passed over."""
        return replace(self, steps=(*self.steps[:-1], tuple(c.without_count() for c in self.steps[-1])))

    def doses(
        self,
        drug: str,
        size: BodySize | None = None,
        until_days: float | None = None,
        first_day: float = 0.0,
        turn_hours: float = 0.0,
    ) -> list[Dose]:
        """Return the doses in order of time.

        Parameters
        ----------
        drug : str
        size : BodySize, optional
            Of the patient; needed for amounts by surface, weight or filtration.
        until_days : float, optional
            No dose starts at or after this time (d); needed where the order has no end.
        first_day : float
            Time (d) at which day 1 begins.
        turn_hours : float
            When the order's turn comes within a plan (h since day 1).

        Raises
        ------
        InputError
            Open-ended without ``until_days``, a patient of unknown size, a dose rounded to nothing, or
            doses that meet when weekends are moved.
        """
        if not math.isfinite(first_day) or (until_days is not None and not math.isfinite(until_days)):
            raise InputError(f"order of {drug}: first_day and until_days must be finite numbers")
        first_day, last = float(first_day), math.inf if until_days is None else until_days
        if until_days is None and (endless := next((c for c in self.courses if c.open_ended), None)):
            raise pointed_at(
                f"order of {drug}: this goes on without end; give until_days, x N, for N weeks or until day N",
                str(self),
                str(endless),
            )
        doses: list[Dose] = []
        for step, turn in zip(self.steps, self.turns_hours(turn_hours), strict=False):
            for course in step:
                doses += self._given(course, turn, drug, size or BodySize(), last, first_day)
        return sorted(doses, key=lambda dose: dose.time_days)

    def _given(
        self, course: Course, turn: float, drug: str, size: BodySize, last: float, first_day: float
    ) -> list[Dose]:
        """Return the doses of one course."""
        doses: list[Dose] = []
        for due, _, is_load in course.due(turn):
            if _time_days(first_day, due) >= last:
                break
            hours = self.calendar.shifted(due) if self.calendar else due
            if hours is None or _time_days(first_day, hours) >= last:
                continue
            given = course.load if is_load and course.load else course.given
            amount = self._amount(course, given, size, drug)
            amount = self._rounded(course, amount * course.share(due, turn), drug)
            length = given.over.days if given.over else 0.0
            doses.append(Dose(_time_days(first_day, hours), drug, amount, length, given.route))
        if self.calendar:
            self._check_apart(doses, drug)
        return doses

    def _amount(self, course: Course, given: Given, size: BodySize, drug: str) -> float:
        """Return the full amount of a dose, capped."""
        try:
            full = given.amount.of(size)
        except InputError as error:
            raise pointed_at(f"order of {drug}: {error}", str(self), str(given.amount)) from None
        return min(full, course.most.of_flat()) if course.most else full

    def _rounded(self, course: Course, amount: float, drug: str) -> float:
        """Return an amount as what tablets or vials make up, halves up but not beyond the cap."""
        if course.round_to is None:
            return amount
        unit = course.round_to.of_flat()
        pieces = math.floor(amount / unit + 0.5)
        if course.most and pieces * unit > course.most.of_flat():
            pieces -= 1
        if pieces < 1:
            raise pointed_at(
                f"order of {drug}: a dose of {amount:g} {self.unit} is rounded to nothing",
                str(self),
                str(course.round_to),
            )
        return pieces * unit

    def _check_apart(self, doses: list[Dose], drug: str) -> None:
        """Doses moved off a weekend must not meet others."""
        in_time = sorted(doses, key=lambda dose: dose.time_days)
        for before, after in pairwise(in_time):
            if after.time_days < before.end_days or after.time_days == before.time_days:
                raise pointed_at(
                    f"order of {drug}: two doses would be given at day {after.time_days:g}; "
                    "order other days, or weekdays only",
                    str(self),
                    str(self.calendar),
                )


def _time_days(first_day: float, hours: float) -> float:
    """Return a time (d), the nearest there is to whole hours, so that it meets other clocks that count hours."""
    first_hours = first_day * DAY_HOURS
    return (first_hours + hours) / DAY_HOURS if first_hours.is_integer() else first_day + hours / DAY_HOURS
