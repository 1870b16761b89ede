"""Which conditions a run has to stop at: one harmless event each, so that an integrator steps over none.

An integrator finds where one comparison changes its answer within a step, but not where it changes twice.
A window ``a < x and x < b`` is two comparisons, each of which changes once.
"""

import itertools
from collections.abc import Iterable, Iterator
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from .contents import Contents
from .formulae import Formulae, apply, cn, is_relation, is_time

TURNING = {"sin": "cos", "cos": "sin"}  # where one turns, the other crosses 0
JUMPING = ("floor", "ceiling", "rem", "quotient")
DISCRETE = ("floor", "ceiling", "quotient", "not", "and", "or", "xor", "implies")


def conditions(formulae: Formulae, contents: Contents) -> list[Element]:
    """Return formulae that are true or false and change where the model may have a corner, none of them twice.

    Those are all comparisons, each pair by itself; the jumps of ``floor`` and its like; and, inside comparisons,
    the turning points of sine and cosine and the zeros of what stands in ``abs`` or under a power.
    """
    found = (condition for formula in formulae.all for condition in _of(formula, formulae))
    return _once(c for c in found if any(is_moving(e, contents) for e in formulae.within(c)))


def phases(formulae: Formulae, contents: Contents) -> list[Element]:
    """Return formulae of states of which sine and cosine in comparisons, and ``floor`` and its like, repeat with 1."""
    found = []
    for formula in formulae.all:
        for e in formula.iter("apply"):
            parts = formulae.within(e) if is_relation(e) else [e]
            found += [p for p in map(_phase, parts) if p is not None]
    states = contents.moving
    return _once(p for p in found if any(_name(e) in states for e in formulae.within(p) if e.tag == "ci"))


def _once(found: Iterable[Element]) -> list[Element]:
    return list({ElementTree.tostring(e): e for e in found}.values())


def _name(e: Element) -> str:
    return (e.text or "").strip()


def _phase(e: Element) -> Element | None:
    if e.tag != "apply" or len(e) < 2:
        return None
    if e[0].tag in (*TURNING, "tan"):
        return apply("divide", e[1], Element("pi"))
    if e[0].tag in JUMPING:
        return apply("divide", e[1], e[2]) if len(e) > 2 else apply("plus", e[1])
    return None


def _of(formula: Element, formulae: Formulae) -> Iterator[Element]:
    for e in formula.iter("apply"):
        if is_relation(e):
            sides = list(e)[1:]
            for left, right in itertools.pairwise(sides):
                yield apply("gt", left, right) if e[0].tag in ("eq", "neq") else apply(e[0].tag, left, right)
            for side in sides:
                yield from _corners(side, formulae)
        elif len(e) and e[0].tag in JUMPING:
            yield _jump(e)


def _corners(side: Element, formulae: Formulae) -> Iterator[Element]:
    for e in formulae.within(side):
        if e.tag != "apply" or len(e) < 2:
            continue
        if e[0].tag in TURNING:
            yield apply("gt", apply(TURNING[e[0].tag], e[1]), cn("0"))
        elif e[0].tag in ("abs", "power"):
            yield apply("gt", e[1], cn("0"))
        elif e[0].tag in JUMPING:
            yield _jump(e)


def _jump(e: Element) -> Element:
    """Return what changes with every jump: whether the whole number is even."""
    whole = apply("ceiling", e[1]) if e[0].tag == "ceiling" else apply("floor", e[1])
    if len(e) > 2:
        whole = apply("floor", apply("divide", e[1], e[2]))
    return apply("gt", apply("cos", apply("times", Element("pi"), whole)), cn("0"))


def is_moving(e: Element, contents: Contents) -> bool:
    """Tell whether an element is time, or a quantity that changes other than by leaps."""
    return is_time(e) or (e.tag == "ci" and _name(e) in contents.moving)


def moves(e: Element, formulae: Formulae, contents: Contents) -> bool:
    """Tell whether the value of a formula can change other than by leaps."""
    seen: set[str] = set()
    waiting = [e]
    while waiting:
        part = waiting.pop()
        name = _name(part)
        if is_moving(part, contents):
            return True
        if part.tag == "piecewise":
            waiting.extend(branch[0] for branch in part if len(branch))
        elif part.tag == "ci" and name in formulae.rules and name not in seen:
            seen.add(name)
            waiting.append(formulae.rules[name])
        elif not (is_relation(part) or (part.tag == "apply" and len(part) and part[0].tag in DISCRETE)):
            waiting.extend(part)
    return False
