"""The clauses of an order that are more than a number."""

from collections.abc import Iterable
from dataclasses import dataclass

from ...abm.errors import unknown_word
from ..dosing import ROUTES
from .pointing import Misfit
from .quantities import MOST, Amount, Span, plain

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
SATURDAY = 5
DAY_HOURS = 24.0
PER_DAY = {1: "daily", 2: "bid", 3: "tid", 4: "qid", 6: "q4h", 8: "q3h", 12: "q2h", 24: "q1h"}
WEEKEND_RULES = ("weekdays only", "move weekends")


def day_text(days: Iterable[int]) -> str:
    """Return sorted days with runs joined: 1, 2, 3, 8 becomes ``d1-3,8``."""
    runs: list[list[int]] = []
    for day in days:
        if runs and day == runs[-1][1] + 1:
            runs[-1][1] = day
        else:
            runs.append([day, day])
    return "d" + ",".join(f"{a}" if a == b else f"{a}-{b}" for a, b in runs)


def check_days(days: tuple[int, ...], clause: str) -> None:
    """Check that days are whole, from 1 on, in order and named once.

    Raises
    ------
    Misfit
    """
    for k, day in enumerate(days):
        check_count(day, "a day", clause)
        if k and day <= days[k - 1]:
            raise Misfit(f"day {day} overlaps or comes before another one", clause, day)


def check_count(value: int, what: str, clause: str) -> None:
    """Check a whole number from 1 on.

    Raises
    ------
    Misfit
    """
    if not 1 <= value <= MOST or value != int(value):
        raise Misfit(f"{what} must be a whole number from 1 to {MOST}, not {value:g}", clause, value)


@dataclass(frozen=True)
class Given:
    """What one administration is: amount, route, and the length of an infusion if it has one."""

    amount: Amount
    route: str
    over: Span | None = None

    def __post_init__(self) -> None:
        if self.route not in ROUTES:
            raise unknown_word("route", self.route, ROUTES, "order")

    def __str__(self) -> str:
        return f"{self.amount} {self.route}" + (f" over {self.over}" if self.over else "")


@dataclass(frozen=True)
class OnOff:
    """Weeks (or days) of treatment and of rest, in turn."""

    on: Span
    off: Span

    def __post_init__(self) -> None:
        for span in (self.on, self.off):
            if not span.whole_days:
                raise Misfit(f"treatment and rest last whole days, not {span}", "block")

    def __str__(self) -> str:
        return f"{self.on} on {self.off} off"

    @property
    def hours(self) -> float:
        """Length of treatment and rest together (h)."""
        return self.on.hours + self.off.hours


@dataclass(frozen=True)
class Times:
    """The end after so many cycles."""

    count: int

    def __post_init__(self) -> None:
        check_count(self.count, "the number of cycles", "end")

    def __str__(self) -> str:
        return f"x {self.count}"


@dataclass(frozen=True)
class Lasting:
    """The end after a length of time."""

    span: Span

    def __post_init__(self) -> None:
        if not self.span.whole_days:
            raise Misfit(f"an order lasts whole days, not {self.span}", "end")

    def __str__(self) -> str:
        return f"for {self.span}"


@dataclass(frozen=True)
class UntilDay:
    """The end after a day of treatment, on which doses may still be given."""

    day: int

    def __post_init__(self) -> None:
        check_count(self.day, "the last day", "end")

    def __str__(self) -> str:
        return f"until day {self.day}"


@dataclass(frozen=True)
class UntilProgression:
    """No end but progression."""

    def __str__(self) -> str:
        return "until progression"


End = Times | Lasting | UntilDay | UntilProgression


@dataclass(frozen=True)
class Skip:
    """Doses that are not given: days of a cycle, a whole cycle, or days of a course without cycles."""

    days: tuple[int, ...] = ()
    cycle: int | None = None

    def __post_init__(self) -> None:
        check_days(self.days, "skip")
        if self.cycle is None and not self.days:
            raise Misfit("skip names days, a cycle or both", "skip")
        if self.cycle is not None:
            check_count(self.cycle, "the number of a cycle", "skip")

    def __str__(self) -> str:
        if self.cycle is None:
            return f"skip {day_text(self.days)}"
        return (
            f"skip {day_text(self.days)} of cycle {self.cycle}" if self.days else f"skip cycle {self.cycle}"
        )


@dataclass(frozen=True)
class Delay:
    """A cycle that begins later, and all after it."""

    cycle: int
    by: Span

    def __post_init__(self) -> None:
        check_count(self.cycle, "the number of a cycle", "delay")

    def __str__(self) -> str:
        return f"delay cycle {self.cycle} by {self.by}"


@dataclass(frozen=True)
class Reduction:
    """A share of the full dose from a cycle, or from a day of treatment, on."""

    percent: float
    since: str
    number: int

    def __post_init__(self) -> None:
        if not 0.0 < self.percent < 100.0:
            raise Misfit(
                f"a dose is reduced to a share between 0 and 100 %, not {plain(self.percent)} %", "reduce"
            )
        if self.since not in ("cycle", "day"):
            raise unknown_word("word", self.since, ("cycle", "day"), "reduction")
        check_count(self.number, f"the number of a {self.since}", "reduce")

    def __str__(self) -> str:
        return f"reduce to {plain(self.percent)}% from {self.since} {self.number}"


@dataclass(frozen=True)
class Calendar:
    """What happens to doses that fall on Saturday or Sunday, and which weekday day 1 is (0 is Monday)."""

    rule: str
    first: int

    def __post_init__(self) -> None:
        if self.rule not in WEEKEND_RULES:
            raise unknown_word("weekend rule", self.rule, WEEKEND_RULES, "order")
        if self.first not in range(7):
            raise Misfit(f"a weekday is 0 (Monday) to 6, not {self.first}", "calendar")

    def __str__(self) -> str:
        return f"{self.rule}, day 1 is a {WEEKDAYS[self.first]}"

    def shifted(self, hours: float) -> float | None:
        """Return when (h since day 1 began) a dose due at a time is given; None if it is dropped."""
        weekday = (self.first + int(hours // DAY_HOURS)) % 7
        if weekday < SATURDAY:
            return hours
        return None if self.rule == "weekdays only" else hours + DAY_HOURS * (7 - weekday)
