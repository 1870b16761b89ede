"""A course: one amount by one route on one schedule, with what clinics change of it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from .checks import check_course
from .clauses import (
    DAY_HOURS,
    PER_DAY,
    Delay,
    End,
    Given,
    Lasting,
    OnOff,
    Reduction,
    Skip,
    Times,
    UntilDay,
    UntilProgression,
    day_text,
)
from .pointing import Misfit
from .quantities import Amount, Every


@dataclass(frozen=True)
class Course:
    """One line of treatment with one drug.

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

    Raises
    ------
    Misfit
        The clauses contradict one another.
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

    def __post_init__(self) -> None:
        check_course(self)

    def __str__(self) -> str:
        head = [f"load {self.load}, then"] if self.load else []
        head += ["pulse"] if self.pulse else []
        head.append(str(self.given))
        head += [PER_DAY[self.per_day]] if self.per_day else []
        head += [day_text(self.days)] if self.days else []
        head += [str(part) for part in (self.every, self.block) if part]
        head += [] if self.per_day or self.days or self.cyclic else ["once"]
        head += [f"from day {self.start}"] if self.start else []
        head += [str(self.end)] if self.end else []
        head += [f"max {self.most}"] if self.most else []
        head += [f"round to {self.round_to}"] if self.round_to else []
        changes = [*self.skips, *self.delays, *self.reductions]
        return ", ".join([" ".join(head), *map(str, changes)])

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

    def begins_hours(self, turn_hours: float) -> float:
        """Return when the course begins (h since day 1) if its turn comes at a time.

        Raises
        ------
        Misfit
            It is to start before its turn.
        """
        if self.start is None:
            return turn_hours
        begin = (self.start - 1) * DAY_HOURS
        if begin < turn_hours:
            raise Misfit(f"day {self.start} lies before the end of what comes before", "start", None, self)
        return begin

    def cycle_start_hours(self, cycle: int, begin_hours: float) -> float:
        """Return when a cycle begins (h since day 1), delays included."""
        late = sum(delay.by.hours for delay in self.delays if delay.cycle <= cycle)
        return begin_hours + (cycle - 1) * (self.period_hours or 0.0) + late

    def ends_hours(self, turn_hours: float) -> float | None:
        """Return when the course is over (h since day 1); None if it has no end.

        Raises
        ------
        Misfit
            It ends before it begins.
        """
        begin = self.begins_hours(turn_hours)
        match self.end:
            case Times(count):
                return self.cycle_start_hours(count, begin) + (self.period_hours or 0.0)
            case Lasting(span):
                return begin + span.hours
            case UntilDay(day):
                if day * DAY_HOURS <= begin:
                    raise Misfit(f"day {day} lies before the start of the course", "end", None, self)
                return day * DAY_HOURS
        if self.open_ended:
            return None
        lengths = [given.over.hours if given and given.over else 0.0 for given in (self.given, self.load)]
        return begin + DAY_HOURS * max(
            -(-(max(self.offsets()) + max(lengths)) // DAY_HOURS), max(self.days, default=1)
        )

    def due(self, turn_hours: float) -> Iterator[tuple[float, int, bool]]:
        """Yield (h since day 1, cycle, whether it is the load) of the doses due, endless if open-ended."""
        begin, period, offsets = self.begins_hours(turn_hours), self.period_hours, self.offsets()
        end = self.ends_hours(turn_hours)
        cycle = 1
        while True:
            start = self.cycle_start_hours(cycle, begin)
            for k, offset in enumerate(offsets):
                if end is not None and start + offset >= end:
                    return
                if not self._skipped(cycle, offset):
                    yield start + offset, cycle, self.load is not None and cycle == 1 and k == 0
            cycle += 1
            if period is None or (end is not None and self.cycle_start_hours(cycle, begin) >= end):
                return

    def _skipped(self, cycle: int, offset: float) -> bool:
        day = int(offset // DAY_HOURS) + 1
        if not self.cyclic and not self.days:
            day = cycle  # of a course given every day
        numbered = cycle if self.cyclic else None
        return any(s.cycle == numbered and (not s.days or day in s.days) for s in self.skips)

    def share(self, hours: float, turn_hours: float) -> float:
        """Return the share of the full dose that is given at a time (h since day 1)."""
        begin = self.begins_hours(turn_hours)
        latest, percent = -1.0, 100.0
        for cut in self.reductions:
            since = (cut.number - 1) * DAY_HOURS
            if cut.since == "cycle":
                since = self.cycle_start_hours(cut.number, begin)
            if latest <= since <= hours:
                latest, percent = since, cut.percent
        return percent / 100.0

    def without_count(self) -> "Course":
        """Return the course without its number of cycles."""
        return replace(self, end=UntilProgression()) if isinstance(self.end, Times) else self
