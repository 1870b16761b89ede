"""From text to orders and plans; docs/regimens.md has the grammar."""

from typing import Any

from ...abm.errors import InputError
from ..dosing import ROUTES
from . import parse_clauses as clauses
from .clauses import WEEKDAYS, Calendar, Given
from .course import Course
from .order import Order
from .plan import Line, Plan
from .pointing import Misfit
from .tokens import END, NAME, NUMBER, Cursor, Token

Place = tuple[Token, Token]
MANY = ("skips", "delays", "reductions")
NAMES = {
    **{"per_day": "the number of doses a day", "days": "days", "every": "the interval"},
    **{"block": "time on and off", "start": "the first day", "end": "the end", "most": "the cap"},
    **{"round_to": "rounding", "once": "'once'"},
}
# part of a course -> what a Misfit calls its clause
CLAUSE = {"round_to": "round", "skips": "skip", "delays": "delay", "reductions": "reduce"}


class _Parser:
    """Reads one text; remembers where every part stands, to point at what does not fit."""

    def __init__(self, text: str):
        if not text.strip():
            raise InputError("order: the text is empty; write for example '240 mg iv over 60 min q2w x 13'")
        self.cursor = Cursor(text)
        self.places: dict[tuple[int, str, object], Place] = {}  # (id of a part, clause, value)
        self.kept: list[object] = []  # parts stay alive, so that an id means one part

    def order(self) -> Order:
        """Read one order, up to the end of the text or of its line in a plan."""
        cursor = self.cursor
        steps: list[tuple[Course, ...]] = []
        first = cursor.here
        while True:
            step = [self.course()]
            while cursor.accept("+"):
                step.append(self.course())
            steps.append(tuple(step))
            comma = 1 if cursor.here.text == "," else 0
            if cursor.ahead(comma).text != "then" or cursor.ahead(comma + 1).kind == NAME:
                break
            cursor.place += comma + 1
        calendar = self.calendar()
        last = cursor.before
        try:
            order = Order(tuple(steps), calendar)
        except Misfit as fault:
            raise self.at(fault, (first, last)) from None
        return order

    def course(self) -> Course:
        """Read ``[load ..., then] [pulse] amount route clauses``."""
        cursor = self.cursor
        first = cursor.here
        parts: dict[str, Any] = {}
        places: dict[tuple[str, object], Place] = {}
        if cursor.accept("load"):
            load = cursor.here
            parts["load"] = self.given()
            places["load", None] = load, cursor.before
            cursor.accept(",")
            cursor.expect("then")
        parts["pulse"] = cursor.accept("pulse")
        start = cursor.here
        parts["given"] = self.given()
        places["amount", None] = start, cursor.before
        if parts["given"].over:
            places["over", None] = cursor.tokens[cursor.place - 2], cursor.before
        while self.clause(parts, places):
            pass
        if parts.pop("once", False) and parts.keys() & {"per_day", "days", "every", "block"}:
            raise cursor.error("'once' and a frequency or days exclude one another", *places["once", None])
        try:
            course = Course(**parts)
        except Misfit as fault:
            self.places.update({(0, *key): place for key, place in places.items()})
            raise self.at(fault, (first, cursor.before), 0) from None
        self.kept.append(course)
        self.places.update({(id(course), *key): place for key, place in places.items()})
        self.places[id(course), "", None] = first, cursor.before
        return course

    def given(self) -> Given:
        """Read amount, route and the length of an infusion."""
        cursor = self.cursor
        amount = clauses.amount(cursor)
        route = cursor.take()
        if route.text not in ROUTES:
            raise cursor.unknown("route", route, ROUTES)
        over = clauses.span(cursor, "a length of time such as 60 min") if cursor.accept("over") else None
        return Given(amount, route.text, over)

    def clause(self, parts: dict[str, Any], places: dict[tuple[str, object], Place]) -> bool:
        """Read one clause into the parts of a course; False where the course is over."""
        cursor = self.cursor
        comma = 1 if cursor.here.text == "," else 0
        word = cursor.ahead(comma)
        over = word.text in ("then", "+", ";", "weekdays", "move") or word.kind in (END, NAME)
        if over and word.text != "," and not (comma and word.kind == END):
            return False
        cursor.place += comma
        first = cursor.here
        try:
            part, value = self.one_clause(places)
        except Misfit as fault:
            raise cursor.error(str(fault), first, cursor.before) from None
        name = CLAUSE.get(part, part)
        if part in MANY:
            value = (*parts.get(part, ()), value)
        elif part in parts:
            raise cursor.error(f"a second clause for {NAMES[part]}", first, cursor.before)
        if part:
            parts[part] = value
        places[name, None] = first, cursor.before
        return True

    def one_clause(self, places: dict[tuple[str, object], Place]) -> tuple[str, Any]:
        """Read one clause: the part of a course, and its value."""
        cursor = self.cursor
        if cursor.here.kind == NUMBER:
            if cursor.ahead().text not in clauses.TIME_WORDS:
                raise cursor.wanted("a frequency, a clause or the end")
            return "block", clauses.block(cursor)

        def noted(clause: str):
            return lambda day, start, end: places.__setitem__((clause, day), (start, end))

        word = cursor.take()
        match word.text:
            case text if text in clauses.DAILY:
                return "per_day", clauses.DAILY[text]
            case text if text in clauses.WEEKLY:
                return "every", clauses.WEEKLY[text]
            case text if text[0:1] == "q" and text[1:2].isdigit():
                return clauses.frequency(cursor, word)
            case "once":
                return "once", True
            case "d" | "days":
                return "days", clauses.days(cursor, noted("days"))
            case "x":
                return "end", clauses.Times(cursor.whole("the number of cycles"))
            case "for":
                return "end", clauses.lasting(cursor)
            case "until":
                return "end", clauses.until(cursor)
            case "from":
                cursor.expect("day")
                return "start", cursor.whole("the first day")
            case "max":
                return "most", clauses.amount(cursor)
            case "round":
                cursor.expect("to")
                return "round_to", clauses.amount(cursor)
            case "skip":
                return "skips", clauses.skip(cursor, noted("skip"))
            case "delay":
                return "delays", clauses.delay(cursor)
            case "reduce":
                return "reductions", clauses.reduction(cursor)
        raise cursor.unknown("frequency or clause", word, clauses.CLAUSE_WORDS)

    def calendar(self) -> Calendar | None:
        """Read ``weekdays only, day 1 is a Monday`` at the end of an order."""
        cursor = self.cursor
        comma = 1 if cursor.here.text == "," else 0
        if cursor.ahead(comma).text not in ("weekdays", "move"):
            return None
        cursor.place += comma
        first = cursor.here
        rule = "weekdays only" if cursor.accept("weekdays") else "move weekends"
        cursor.expect("only") if rule == "weekdays only" else cursor.expect("move", "weekends")
        cursor.accept(",")
        if not cursor.accept("day", "1", "is", "a"):
            raise cursor.error(
                f"'{rule}' needs the weekday of day 1: add 'day 1 is a Monday'", first, cursor.before
            )
        day = cursor.take()
        names = {name.lower(): number for number, name in enumerate(WEEKDAYS)}
        names |= {name[:3]: number for name, number in names.items()}
        if day.text not in names:
            raise cursor.unknown("weekday", day, [name.lower() for name in WEEKDAYS])
        return Calendar(rule, names[day.text])

    def plan(self) -> Plan:
        """Read ``drug: order; drug: order, then drug: order``."""
        cursor = self.cursor
        phases: list[tuple[Line, ...]] = []
        first = cursor.here
        while True:
            phase = [self.line()]
            while cursor.accept(";") or (cursor.here.kind == NAME and self.on_new_line()):
                if cursor.here.kind == END:
                    break
                phase.append(self.line())
            phases.append(tuple(phase))
            cursor.accept(",")
            if not cursor.accept("then"):
                break
        self.finish()
        try:
            return Plan(tuple(phases))
        except Misfit as fault:
            raise self.at(fault, (first, cursor.before)) from None

    def on_new_line(self) -> bool:
        """Whether the next token begins a line of the text."""
        return "\n" in self.cursor.text[self.cursor.before.end : self.cursor.here.start]

    def line(self) -> Line:
        """Read ``drug: order``."""
        cursor = self.cursor
        name = cursor.here
        if name.kind != NAME:
            raise cursor.wanted("a drug and a colon, such as 'irinotecan:',")
        cursor.take()
        cursor.expect(":")
        line = Line(name.text, self.order())
        self.kept.append(line)
        self.places[id(line), "", None] = name, cursor.before
        self.places[id(line), "drug", None] = name, name
        return line

    def finish(self) -> None:
        """Refuse what is left over."""
        if self.cursor.here.kind != END:
            if self.cursor.here.kind == NAME:
                raise self.cursor.error("an order names no drug; a plan begins with one", self.cursor.here)
            raise self.cursor.wanted("the end of the order")

    def at(self, fault: Misfit, whole: Place, key: int | None = None) -> InputError:
        """Return a misfit as an error that points at its clause, or else at the whole."""
        part = id(fault.part) if key is None else key
        for place in ((part, fault.clause, fault.value), (part, fault.clause, None), (part, "", None)):
            if place in self.places:
                return self.cursor.error(str(fault), *self.places[place])
        return self.cursor.error(str(fault), *whole)


def parse_regimen(text: str) -> Order:
    """Return the order of one drug that a text describes; ``str`` of it is canonical text.

    Parameters
    ----------
    text : str
        Such as ``35 mg/m2 po bid d1-5,8-12 q28d x 6``; the grammar is in docs/regimens.md.

    Raises
    ------
    InputError
        With the text, carets under the word that is at fault, and what was expected there.
    """
    parser = _Parser(text)
    if parser.cursor.here.kind == NAME:
        raise parser.cursor.error("an order names no drug; this is a plan of several", parser.cursor.here)
    order = parser.order()
    parser.finish()
    return order


def parse_plan(text: str) -> Plan:
    """Return the plan of several drugs that a text describes; ``str`` of it is canonical text.

    Parameters
    ----------
    text : str
        Such as ``A: 5 mg/kg iv q2w until day 56, then B: 50 mg po daily``; a new line may stand for ``;``.

    Raises
    ------
    InputError
        As ``parse_regimen``.
    """
    return _Parser(text).plan()
