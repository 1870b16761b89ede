"""A course: one amount by one route on one schedule, with what clinics change of it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from .checks import check_course
from .clauses import DAY_HOURS, PER_DAY, Lasting, Times, UntilDay, UntilProgression, day_text
from .pointing import Misfit
from .schedule import Schedule


@dataclass(frozen=True)
class Course(Schedule):
    """One line of treatment with one drug: a schedule whose clauses agree.

    Raises
    ------
    Misfit
        The clauses contradict one another.
    """

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
