"""When the doses of a course fall: its clauses, and the times that follow from them."""

from dataclasses import dataclass

from .clauses import DAY_HOURS, Delay, End, Given, OnOff, Reduction, Skip, UntilProgression
from .quantities import Amount, Every


@dataclass(frozen=True)
class Schedule:
    """The clauses of one line of treatment with one drug, and when its doses fall.

    A cycle is ``block`` (weeks on and off) if there is one, else ``every``. ``days`` are days of a cycle;
    without them a course with ``per_day`` is given every day, any other on day 1 of a cycle.

    Attributes
    ----------
    given : Given
    per_day : int, optional
        Doses a day, evenly apart from the start of the day: 1, 2, 3, 4, 6, 8, 12 or 24.
    days : tuple of int
    every : Every, optional
    block : OnOff, optional
        Within it ``per_day``, ``days`` and ``every`` start anew at each time on.
    start : int, optional
        Day of treatment on which the course begins; when its turn comes if absent.
    end : End, optional
        Open-ended if absent and the course repeats.
    load : Given, optional
        Takes the place of the first dose.
    pulse : bool
        For the reader: doses of courses that run together add up.
    most, round_to : Amount, optional
        Cap of the full dose, and what a tablet or vial holds.
    skips, delays, reductions : tuple
        In the order of cycle or day, as ``str`` prints them.
    """

    given: Given
    per_day: int | None = None
    days: tuple[int, ...] = ()
    every: Every | None = None
    block: OnOff | None = None
    start: int | None = None
    end: End | None = None
    load: Given | None = None
    pulse: bool = False
    most: Amount | None = None
    round_to: Amount | None = None
    skips: tuple[Skip, ...] = ()
    delays: tuple[Delay, ...] = ()
    reductions: tuple[Reduction, ...] = ()

    @property
    def cyclic(self) -> bool:
        """Whether the course has numbered cycles."""
        return self.block is not None or self.every is not None

    @property
    def period_hours(self) -> float | None:
        """Length of what repeats (h): a cycle, or a day; None if nothing does."""
        if self.block is not None:
            return self.block.hours
        if self.every is not None:
            return self.every.hours
        return DAY_HOURS if self.per_day and not self.days else None

    @property
    def open_ended(self) -> bool:
        """Whether the course goes on without end."""
        return self.period_hours is not None and isinstance(self.end, UntilProgression | None)

    def offsets(self) -> list[float]:
        """Return the times (h) of the doses of one period, from its start."""
        within = [k * DAY_HOURS / (self.per_day or 1) for k in range(self.per_day or 1)]
        if self.block is None:
            length = self.period_hours or DAY_HOURS * max(self.days, default=1)
            return self._round(0.0, length, within)
        inner = self.every.hours if self.every else self.block.on.hours
        starts = [k * inner for k in range(int(-(-self.block.on.hours // inner)))]
        times = [time for start in starts for time in self._round(start, inner, within)]
        return [time for time in times if time < self.block.on.hours]

    def _round(self, start: float, length: float, within: list[float]) -> list[float]:
        """Return the times of one inner cycle."""
        if self.days:
            days = list(self.days)
        else:
            days = list(range(1, int(length // DAY_HOURS) + 1)) if self.per_day else [1]
        return [start + (day - 1) * DAY_HOURS + time for day in days for time in within]
