"""The clauses after amount and route, each one function from words to a part of a course."""

import re
from collections.abc import Callable
from typing import Any

from .clauses import PER_DAY, Delay, Lasting, OnOff, Reduction, Skip, Times, UntilDay, UntilProgression
from .quantities import MOST, UNITS, Amount, Every, Span
from .tokens import NUMBER, WORD, Cursor, Token

TIME_WORDS = {
    word: unit
    for unit, words in (
        ("min", ("min", "mins", "minute", "minutes")),
        ("h", ("h", "hr", "hrs", "hour", "hours")),
        ("d", ("d", "day", "days")),
        ("w", ("w", "wk", "wks", "week", "weeks")),
    )
    for word in words
}
DAILY = {"qd": 1} | {word: count for count, word in PER_DAY.items()}
WEEKLY = {"weekly": Every(1, "w"), "qw": Every(1, "w"), "qod": Every(2, "d")}
_EVERY = re.compile(r"q(\d+)([a-z]+)")
MORE_WORDS = (
    *("over", "d1-5", "weekly", "q3w", "q28d", "q8h", "once", "4 weeks on 2 weeks off", "from day", "x"),
    *(
        "for",
        "until",
        "max",
        "round to",
        "skip",
        "delay",
        "reduce to",
        "then",
        "weekdays only",
        "move weekends",
    ),
)
CLAUSE_WORDS = tuple(dict.fromkeys((*("daily", "bid", "tid", "qid"), *MORE_WORDS)))
Found = tuple[str, Any]  # name of a part of a course, and its value


def amount(cursor: Cursor) -> Amount:
    """Read ``35 mg/m2`` or ``AUC 5``."""
    if cursor.accept("auc"):
        value = _positive(cursor, "the target AUC")
        return Amount(value, "AUC")
    value = _positive(cursor, "an amount such as 35 mg/m2")
    unit = cursor.take()
    name = {"mcg": "ug", "mcg/m2": "ug/m2", "mcg/kg": "ug/kg"}.get(unit.text, unit.text)
    if name not in UNITS or unit.kind != WORD:
        raise cursor.unknown("unit", unit, [word for word in UNITS if word != "AUC"])
    return Amount(value, name)


def _positive(cursor: Cursor, what: str) -> float:
    if cursor.here.text == "-" and cursor.ahead().kind == NUMBER:
        raise cursor.error("an amount must be positive", cursor.here, cursor.ahead())
    value = cursor.number(what)
    if not 0.0 < value < float("inf"):
        raise cursor.error("an amount must be positive", cursor.before)
    return value


def span(cursor: Cursor, what: str) -> Span:
    """Read a length of time such as ``90 min`` or ``4 weeks``."""
    value = cursor.number(what)
    number = cursor.before
    if value <= 0.0:
        raise cursor.error("a length of time must be positive", number)
    unit = cursor.take()
    if unit.text not in TIME_WORDS:
        raise cursor.unknown("unit of time", unit, TIME_WORDS)
    if value > MOST:
        raise cursor.error(f"a length of time must be at most {MOST} of its unit", number)
    return Span(value, TIME_WORDS[unit.text])


def frequency(cursor: Cursor, word: Token) -> Found:
    """Read q3w, q28d, q8h."""
    match = _EVERY.fullmatch(word.text)
    if not match:
        raise cursor.unknown("frequency", word, (*DAILY, *WEEKLY, "q3w", "q28d", "q36h"))
    number, unit = int(match[1]), TIME_WORDS.get(match[2])
    if unit not in ("h", "d", "w"):
        raise cursor.error(
            f"unknown unit '{match[2]}' of an interval (valid: h for hours, d for days, w for weeks)", word
        )
    if not 1 <= number <= MOST:
        raise cursor.error(f"an interval must be a whole number from 1 to {MOST}", word)
    if unit == "h" and 24 % number == 0:
        return "per_day", 24 // number
    return "every", Every(number, unit)


def days(cursor: Cursor, note: Callable[[int, Token, Token], None]) -> tuple[int, ...]:
    """Read ``1-5,8-12`` after the d; ``note`` is told where each day stands."""
    found: list[int] = []
    while True:
        first = cursor.here
        low = high = cursor.whole("a day")
        if cursor.accept("-"):
            high = cursor.whole("the last day of a range")
            if high < low:
                raise cursor.error(f"the range is reversed; write {high}-{low}", first, cursor.before)
        for day in range(low, high + 1):
            if day in found:
                raise cursor.error(f"overlapping: day {day} is named twice", first, cursor.before)
            found.append(day)
            note(day, first, cursor.before)
        more = cursor.here.text == "," and cursor.ahead().kind == NUMBER
        if not more or cursor.ahead(2).text in TIME_WORDS:
            return tuple(sorted(found))
        cursor.take()


def block(cursor: Cursor) -> OnOff:
    """Read ``4 weeks on 2 weeks off``."""
    on = span(cursor, "weeks or days on")
    cursor.expect("on")
    cursor.accept(",")
    off = span(cursor, "weeks or days off")
    cursor.expect("off")
    return OnOff(on, off)


def lasting(cursor: Cursor) -> Lasting | Times:
    """Read ``8 weeks`` or ``6 cycles`` after for."""
    if cursor.ahead().text in ("cycle", "cycles"):
        count = cursor.whole("the number of cycles")
        cursor.take()
        return Times(count)
    return Lasting(span(cursor, "a length of time such as 8 weeks, or 6 cycles"))


def until(cursor: Cursor) -> UntilDay | UntilProgression:
    """Read ``progression`` or ``day 56`` after until."""
    if cursor.accept("progression"):
        return UntilProgression()
    if cursor.here.text != "day":
        raise cursor.unknown("end", cursor.here, ("progression", "day"))
    cursor.take()
    return UntilDay(cursor.whole("the last day"))


def skip(cursor: Cursor, note: Callable[[int, Token, Token], None]) -> Skip:
    """Read ``d8 of cycle 2``, ``cycle 2`` or ``d8`` after skip."""
    if cursor.accept("cycle"):
        return Skip((), cursor.whole("the number of a cycle"))
    cursor.expect("d")
    left_out = days(cursor, note)
    cycle = None
    if cursor.accept("of"):
        cursor.expect("cycle")
        cycle = cursor.whole("the number of a cycle")
    return Skip(left_out, cycle)


def delay(cursor: Cursor) -> Delay:
    """Read ``cycle 3 by 7d`` after delay."""
    cursor.expect("cycle")
    cycle = cursor.whole("the number of a cycle")
    cursor.expect("by")
    return Delay(cycle, span(cursor, "a length of time such as 7d"))


def reduction(cursor: Cursor) -> Reduction:
    """Read ``to 80% from cycle 3`` or ``to 80% from day 15`` after reduce."""
    cursor.expect("to")
    percent = cursor.number("a share such as 80%")
    if not 0.0 < percent < 100.0:
        raise cursor.error("a dose is reduced to a share between 0 and 100 %", cursor.before)
    cursor.expect("%")
    cursor.expect("from")
    if cursor.here.text not in ("cycle", "day"):
        raise cursor.unknown("word", cursor.here, ("cycle", "day"))
    since = cursor.take().text
    return Reduction(percent, since, cursor.whole(f"the number of a {since}"))
