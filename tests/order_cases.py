"""Orders and plans at random, and a slow clock that says which hours a course has doses in."""

from hypothesis import strategies as st

from oncolattice.ode_coupling.regimens import Line, Order, Plan
from oncolattice.ode_coupling.regimens.clauses import (
    Calendar,
    Delay,
    Given,
    Lasting,
    OnOff,
    Reduction,
    Skip,
    Times,
    UntilDay,
    UntilProgression,
)
from oncolattice.ode_coupling.regimens.course import Course
from oncolattice.ode_coupling.regimens.quantities import Amount, Every, Span

UNITS = {
    "mg": ("mg", "g", "ug", "mg/m2", "g/m2", "ug/m2", "mg/kg", "g/kg", "ug/kg", "AUC"),
    "cells": ("cells", "cells/kg"),
    "units": ("units",),
}
values = st.one_of(st.integers(1, 3000).map(float), st.floats(1e-6, 1e12))
counts = st.integers(1, 9)


@st.composite
def givens(draw, kind):
    amount = Amount(draw(values), draw(st.sampled_from(UNITS[kind])))
    over = draw(st.none() | st.builds(Span, st.floats(0.5, 59.0), st.just("min")))
    return Given(amount, draw(st.sampled_from(["iv", "po", "sc", "im"])), over)


@st.composite
def schedules(draw):
    """How often: the parts of a course that say when its doses fall."""
    per_day = draw(st.sampled_from([None, 1, 2, 3, 4, 6, 8, 12, 24]))
    every = draw(
        st.none()
        | st.builds(Every, st.integers(1, 40), st.sampled_from(["d", "w"]))
        | st.builds(Every, st.sampled_from([5, 9, 36, 60]), st.just("h"))
    )
    if every and every.unit == "h":
        return {"every": every}
    longest = int(every.hours // 24) if every else 20
    block = None
    if draw(st.booleans()):
        on = Span(float(longest + draw(st.integers(0, 15))), "d")
        block = OnOff(on, Span(float(draw(counts)), draw(st.sampled_from(["d", "w"]))))
        longest = longest if every else int(on.value)
    days = tuple(sorted(draw(st.sets(st.integers(1, longest), max_size=6))))
    if block and not (per_day or every or days):
        per_day = 1
    return {"per_day": per_day, "days": days, "every": every, "block": block}


@st.composite
def courses(draw, kind, ends, first=False):
    parts = draw(schedules())
    cyclic = bool(parts.get("every") or parts.get("block"))
    repeats = cyclic or (parts.get("per_day") and not parts.get("days"))
    end = draw(ends) if repeats else None
    last = end.count if isinstance(end, Times) else 12
    cycles = st.integers(1, last)
    flat = st.builds(Amount, st.integers(1, 500).map(float), st.just(UNITS[kind][0]))
    extra = {}
    if cyclic:
        extra["skips"] = tuple(Skip((), c) for c in sorted(draw(st.sets(cycles, max_size=2))))
        late = st.sampled_from([Span(7.0, "d"), Span(1.5, "d"), Span(12.0, "h"), Span(1.0, "w")])
        extra["delays"] = tuple(Delay(c, draw(late)) for c in sorted(draw(st.sets(cycles, max_size=2))))
    since = st.tuples(st.sampled_from(["cycle", "day"] if cyclic else ["day"]), cycles)
    named = sorted(draw(st.sets(since, max_size=2)))
    extra["reductions"] = tuple(Reduction(draw(st.floats(0.5, 99.5)), word, n) for word, n in named)
    most = draw(st.none() | flat)
    if most is None or draw(st.booleans()):
        extra["round_to"] = most or draw(st.none() | flat)
    return Course(
        given=draw(givens(kind)),
        load=draw(st.none() | givens(kind)),
        pulse=draw(st.booleans()),
        most=most,
        start=draw(st.none() | st.integers(1, 90)) if first else None,
        end=end,
        **parts,
        **extra,
    )


finite = st.builds(Times, counts) | st.builds(Lasting, st.builds(Span, counts.map(float), st.just("w")))
any_end = finite | st.none() | st.just(UntilProgression()) | st.builds(UntilDay, st.integers(30_000, 36_000))


@st.composite
def orders(draw, ends=any_end, calendars=None):
    kind = draw(st.sampled_from(["mg", "mg", "cells", "units"]))
    several = st.integers(1, 2)
    steps = [
        tuple(draw(courses(kind, finite, k == 0)) for _ in range(draw(several)))
        for k in range(draw(several) - 1)
    ]
    steps.append(tuple(draw(courses(kind, ends, not steps)) for _ in range(draw(several))))
    if calendars is None:
        calendars = st.none() | st.builds(
            Calendar, st.sampled_from(["weekdays only", "move weekends"]), st.integers(0, 6)
        )
    return Order(tuple(steps), draw(calendars))


@st.composite
def plans(draw):
    names = st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9_.-]{0,8}\Z")
    calendars = st.none() | st.just(Calendar("weekdays only", 2))
    phases = []
    for last in (False, True)[draw(st.integers(0, 1)) :]:
        drugs = sorted(draw(st.sets(names, min_size=1, max_size=2)))
        ends = any_end if last else finite
        phases.append(tuple(Line(drug, _begun(draw(orders(ends, calendars)))) for drug in drugs))
    return Plan(tuple(phases))


def _begun(order):
    """Without days of treatment to start on, which may have gone by in a later phase."""
    from dataclasses import replace

    steps = tuple(tuple(replace(course, start=None) for course in step) for step in order.steps)
    return Order(steps, order.calendar)


def due_hours(course, hours):
    """Return the hours from the start of a course, below a limit, that have a dose: one look at each hour.

    For courses without delays; what the calendar on the wall says, not how it is computed.
    """
    found = []
    for hour in range(hours):
        rest, cycle = hour, 1
        if course.block:
            cycle, rest = divmod(hour, int(course.block.hours))
            cycle += 1
            if rest >= course.block.on.hours:
                continue
        if course.every:
            inner, rest = divmod(rest, int(course.every.hours))
            cycle = cycle if course.block else inner + 1
        day, of_day = divmod(rest, 24)
        wanted = day + 1 in course.days if course.days else (course.per_day or day == 0)
        if course.every and course.every.unit == "h":
            wanted = rest == 0
        elif of_day % (24 // (course.per_day or 1)) or (of_day and not course.per_day):
            continue
        if not course.period_hours and hour >= 24 * max(course.days, default=1):
            break
        if isinstance(course.end, Times) and cycle > course.end.count and course.cyclic:
            break
        if isinstance(course.end, Times) and not course.cyclic and hour >= 24 * course.end.count:
            break
        if isinstance(course.end, Lasting) and hour >= course.end.span.hours:
            break
        if any(skip.cycle == cycle for skip in course.skips):
            continue
        if wanted:
            found.append(hour)
    return found
