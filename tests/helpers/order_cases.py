"""Orders and plans at random, and a slow clock that says which hours a course has doses in."""

from dataclasses import replace
from functools import cache

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
maybe = st.booleans()

# A strategy is checked when it is first drawn from, which costs more than the draw: each is made once.
upto = cache(lambda most, least=1: st.integers(least, most))
some = cache(lambda most, size: st.sets(upto(most), max_size=size).map(sorted))
one_of = cache(lambda *choices: st.sampled_from(choices))
optional = cache(lambda strategy: st.none() | strategy)

amounts = {kind: st.tuples(values, one_of(*units)).map(lambda v: Amount(*v)) for kind, units in UNITS.items()}
flats = {
    kind: optional(st.integers(1, 500).map(lambda v, unit=units[0]: Amount(float(v), unit)))
    for kind, units in UNITS.items()
}
minutes = optional(st.floats(0.5, 59.0).map(lambda v: Span(v, "min")))
percents = st.floats(0.5, 99.5)
everys = optional(
    st.tuples(st.integers(1, 40), one_of("d", "w")).map(lambda v: Every(*v))
    | one_of(5, 9, 36, 60).map(lambda hours: Every(hours, "h"))
)
lates = one_of(Span(7.0, "d"), Span(1.5, "d"), Span(12.0, "h"), Span(1.0, "w"))


@cache
@st.composite
def givens(draw, kind):
    return Given(draw(amounts[kind]), draw(one_of("iv", "po", "sc", "im")), draw(minutes))


@cache
@st.composite
def schedules(draw):
    """How often: the parts of a course that say when its doses fall."""
    per_day = draw(one_of(None, 1, 2, 3, 4, 6, 8, 12, 24))
    every = draw(everys)
    if every and every.unit == "h":
        return {"every": every}
    longest = int(every.hours // 24) if every else 20
    block = None
    if draw(maybe):
        on = Span(float(longest + draw(upto(15, 0))), "d")
        block = OnOff(on, Span(float(draw(upto(9))), draw(one_of("d", "w"))))
        longest = longest if every else int(on.value)
    days = tuple(draw(some(longest, 6)))
    if block and not (per_day or every or days):
        per_day = 1
    return {"per_day": per_day, "days": days, "every": every, "block": block}


@cache
@st.composite
def courses(draw, kind, ends, first=False):
    parts = draw(schedules())
    cyclic = bool(parts.get("every") or parts.get("block"))
    repeats = cyclic or (parts.get("per_day") and not parts.get("days"))
    end = draw(ends) if repeats else None
    last = end.count if isinstance(end, Times) else 12
    extra = {}
    if cyclic:
        extra["skips"] = tuple(Skip((), c) for c in draw(some(last, 2)))
        extra["delays"] = tuple(Delay(c, draw(lates)) for c in draw(some(last, 2)))
    named = sorted(draw(reduced(("cycle", "day") if cyclic else ("day",), last)))
    extra["reductions"] = tuple(Reduction(draw(percents), word, n) for word, n in named)
    most = draw(flats[kind])
    if most is None or draw(maybe):
        extra["round_to"] = most or draw(flats[kind])
    return Course(
        given=draw(givens(kind)),
        load=draw(optional(givens(kind))),
        pulse=draw(maybe),
        most=most,
        start=draw(optional(upto(90))) if first else None,
        end=end,
        **parts,
        **extra,
    )


@cache
def reduced(words, last):
    return st.sets(st.tuples(one_of(*words), upto(last)), max_size=2)


finite = upto(9).map(Times) | upto(9).map(lambda weeks: Lasting(Span(float(weeks), "w")))
any_end = finite | st.none() | st.just(UntilProgression()) | upto(36_000, 30_000).map(UntilDay)
any_calendar = optional(
    st.tuples(one_of("weekdays only", "move weekends"), upto(6, 0)).map(lambda v: Calendar(*v))
)


@cache
@st.composite
def orders(draw, ends=any_end, calendars=any_calendar):
    kind = draw(one_of("mg", "mg", "cells", "units"))
    steps = [
        tuple(draw(courses(kind, finite, k == 0)) for _ in range(draw(upto(2))))
        for k in range(draw(upto(2)) - 1)
    ]
    steps.append(tuple(draw(courses(kind, ends, not steps)) for _ in range(draw(upto(2)))))
    return Order(tuple(steps), draw(calendars))


names = st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9_.-]{0,8}\Z")
several_names = st.sets(names, min_size=1, max_size=2).map(sorted)
plan_calendar = optional(st.just(Calendar("weekdays only", 2)))


@st.composite
def plans(draw):
    phases = []
    for last in (False, True)[draw(upto(1, 0)) :]:
        ends = any_end if last else finite
        drugs = draw(several_names)
        phases.append(tuple(Line(drug, _begun(draw(orders(ends, plan_calendar)))) for drug in drugs))
    return Plan(tuple(phases))


def _begun(order):
    """Without days of treatment to start on, which may have gone by in a later phase."""
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
