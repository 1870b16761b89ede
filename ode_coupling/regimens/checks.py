"""What the clauses of a course must agree on."""

from itertools import pairwise

from .clauses import DAY_HOURS, PER_DAY, Skip, Times, UntilProgression, check_count, check_days
from .pointing import Misfit
from .quantities import Amount, plain
from .schedule import Schedule


def check_course(course: Schedule) -> None:
    """Check one course.

    Raises
    ------
    Misfit
        Naming the clause that is at fault.
    """
    _check_schedule(course)
    _check_end(course)
    _check_amounts(course)
    _check_infusions(course)
    _check_changes(course)


def _check_schedule(course: Schedule) -> None:
    if course.per_day is not None and course.per_day not in PER_DAY:
        raise Misfit(f"{course.per_day} doses a day are not evenly apart in whole hours", "per_day")
    check_days(course.days, "days")
    if course.start is not None:
        check_count(course.start, "the first day", "start")
    every, block = course.every, course.block
    if every and every.hours % DAY_HOURS and (course.per_day or course.days):
        raise Misfit(f"{every} is no whole number of days, so that it has no days of treatment", "every")
    if block and not (course.per_day or course.days or every):
        raise Misfit("say how often within the time on: daily, bid, weekly, days", "block")
    if block and every and every.hours > block.on.hours:
        raise Misfit(f"{every} is longer than the {block.on} on", "every")
    length = every.hours if every else block.on.hours if block else None
    if length is not None:
        last = length / DAY_HOURS
        if outside := [day for day in course.days if day > last]:
            raise Misfit(
                f"day {outside[0]} lies outside days 1 to {plain(last)} of the cycle", "days", outside[0]
            )


def _check_end(course: Schedule) -> None:
    if course.end is None or course.period_hours is not None:
        return
    cure = (
        "give an interval such as q28d"
        if isinstance(course.end, Times | UntilProgression)
        else "leave it out"
    )
    raise Misfit(f"nothing repeats here that '{course.end}' could end; {cure}", "end")


def _check_amounts(course: Schedule) -> None:
    kind = course.given.amount.kind
    flat: tuple[tuple[str, Amount | None], ...] = (("most", course.most), ("round", course.round_to))
    if course.load and course.load.amount.kind != kind:
        raise Misfit(f"a load in {course.load.amount.kind} does not fit doses in {kind}", "load")
    for clause, amount in flat:
        if amount and (amount.kind != kind or not amount.flat):
            raise Misfit(f"'{amount}' must be one number of {kind} for every patient", clause)
    if course.most and course.round_to and course.round_to.of_flat() > course.most.of_flat():
        raise Misfit(f"doses rounded to {course.round_to} cannot stay within {course.most}", "round")


def _check_infusions(course: Schedule) -> None:
    """An infusion ends before the next dose of its course begins."""
    times = course.offsets()
    if course.period_hours is not None:
        times = [*times, course.period_hours + times[0]]
    gaps = [after - before for before, after in pairwise(times)]
    for clause, given, least in (
        ("over", course.given, min(gaps, default=None)),
        ("load", course.load, gaps[0] if gaps else None),
    ):
        if given and given.over and least is not None and given.over.hours > least:
            gap = f"{plain(least / DAY_HOURS)} days" if least % DAY_HOURS == 0.0 else f"{plain(least)} h"
            raise Misfit(f"an infusion over {given.over} is longer than the {gap} to the next dose", clause)


def _check_changes(course: Schedule) -> None:
    last = course.end.count if isinstance(course.end, Times) else None
    numbered = [("skip", s.cycle) for s in course.skips if s.cycle is not None]
    numbered += [("delay", d.cycle) for d in course.delays]
    numbered += [("reduce", r.number) for r in course.reductions if r.since == "cycle"]
    for clause, cycle in numbered:
        if not course.cyclic:
            raise Misfit(
                "the course has no cycles; count in days, or give an interval such as q28d", clause, cycle
            )
        if last is not None and cycle > last:
            raise Misfit(f"there is no cycle {cycle}, the course has {last}", clause, cycle)
    for skip in course.skips:
        _check_skip(course, skip)
    changes: dict[str, list] = {
        "skip": [(skip.cycle, day) for skip in course.skips for day in skip.days or (0,)],
        "delay": [delay.cycle for delay in course.delays],
        "reduce": [(cut.since, cut.number) for cut in course.reductions],
    }
    for clause, named in changes.items():
        if len(set(named)) < len(named):
            raise Misfit(f"two clauses '{clause}' name the same dose or cycle", clause)


def _check_skip(course: Schedule, skip: Skip) -> None:
    if course.cyclic and skip.cycle is None:
        raise Misfit("say of which cycle, for example 'skip d8 of cycle 2'", "skip", skip.days[0])
    if not course.cyclic and not course.days:  # day by day: every day has doses, up to the end
        return
    due = {int(offset // DAY_HOURS) + 1 for offset in course.offsets()}
    if missing := [day for day in skip.days if day not in due]:
        raise Misfit(f"no dose is due on day {missing[0]}", "skip", missing[0])
