"""The formulae that govern a run, with function definitions written out and local parameters replaced."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from xml.etree.ElementTree import Element

from ...abm.errors import InputError
from .document import Document

RELATIONS = ("lt", "leq", "gt", "geq", "eq", "neq")
TIME = "http://www.sbml.org/sbml/symbols/time"
MOST_NODES, MOST_DEPTH = 200_000, 1_000
FRAMES = 10_000  # some calls for every level


@contextmanager
def followed() -> Iterator[None]:
    """Let Python follow formulae, and rules behind rules, as deep as a file may nest."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, FRAMES))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


class Formulae:
    """The formulae of rules, kinetic laws, stoichiometries and triggers of a document (MathML; Level 1 has none).

    Attributes
    ----------
    rules : dict of str to Element
        Variable -> formula of its assignment rule.
    triggers : list of Element
        In the order of the events; an event without one has ``<false/>``.
    all : list of Element

    Raises
    ------
    InputError
        Functions that call themselves, or grow beyond 200,000 terms when written out.
    """

    def __init__(self, document: Document):
        self._path, self._nodes = document.path, 0
        model = document.model
        self._functions: dict[str, tuple[list[str], Element]] = {}
        for definition in model.iter("functionDefinition"):
            found = definition.find("math/lambda")
            if found is not None and len(found) and found[-1].tag != "bvar":
                names = ["".join(e.itertext()).strip() for e in found[:-1]]
                self._functions[definition.get("id", "")] = names, found[-1]
        self.rules = {
            rule.get("variable", ""): self._written(formula)
            for rule in model.iter("assignmentRule")
            if (formula := formula_of(rule)) is not None
        }
        self.triggers = [
            Element("false") if formula is None else self._written(formula)
            for event in model.iter("event")
            for formula in [formula_of(event.find("trigger"))]
        ]
        rates = [self._written(f) for rule in model.iter("rateRule") if (f := formula_of(rule)) is not None]
        laws = list(self._laws(model))
        ratios = [
            self._written(f) for e in model.iter("stoichiometryMath") if (f := formula_of(e)) is not None
        ]
        self.all = [*self.rules.values(), *rates, *laws, *ratios, *self.triggers]

    def _laws(self, model: Element) -> Iterator[Element]:
        for law in model.iter("kineticLaw"):
            if (formula := formula_of(law)) is not None:
                own = [*law.iter("localParameter"), *law.iter("parameter")]
                yield self._written(formula, {e.get("id", ""): cn(e.get("value", "NaN")) for e in own})

    def _written(self, e: Element, bound: Mapping[str, Element] | None = None, depth: int = 0) -> Element:
        """Return a formula without calls of the file's functions, bound names replaced."""
        self._nodes += 1
        if self._nodes > MOST_NODES or depth > MOST_DEPTH:
            raise InputError(
                f"{self._path}: its functions make more than {MOST_NODES:,} terms when written out, or call "
                "themselves; write them shorter"
            )
        bound = bound or {}
        name = (e.text or "").strip()
        if e.tag == "ci" and name in bound:
            return bound[name]
        if e.tag == "apply" and len(e) and e[0].tag == "ci":
            called = (e[0].text or "").strip()
            if called in self._functions:
                names, body = self._functions[called]
                values = [self._written(part, bound, depth + 1) for part in e[1:]]
                return self._written(body, dict(zip(names, values, strict=False)), depth + 1)
        made = Element(e.tag, dict(e.attrib))
        made.text, made.tail = e.text, e.tail
        made.extend([self._written(part, bound, depth + 1) for part in e])
        return made

    def expanded(self, e: Element) -> Element:
        """Return a formula without calls of the file's functions."""
        return self._written(e)

    def rule_of(self, e: Element) -> Element | None:
        """Return the assignment rule behind a <ci>."""
        return self.rules.get((e.text or "").strip()) if e.tag == "ci" else None

    def within(self, e: Element) -> Iterator[Element]:
        """Yield all elements of a formula, and of the assignment rules that it names, each rule once."""
        seen: set[str] = set()
        waiting = [e]
        while waiting:
            part = waiting.pop()
            yield part
            waiting.extend(part)
            name = (part.text or "").strip()
            if part.tag == "ci" and name in self.rules and name not in seen:
                seen.add(name)
                waiting.append(self.rules[name])


def formula_of(parent: Element | None) -> Element | None:
    """Return the formula in the <math> of an element, None where there is none."""
    found = None if parent is None else parent.find("math")
    return None if found is None or not len(found) else found[0]


def is_relation(e: Element) -> bool:
    """Tell whether an element compares numbers."""
    return e.tag == "apply" and len(e) > 2 and e[0].tag in RELATIONS


def apply(operator: str, *parts: Element) -> Element:
    """Return <apply> of an operator."""
    made = Element("apply")
    made.extend([Element(operator), *parts])
    return made


def ci(name: str) -> Element:
    """Return <ci> of a name."""
    made = Element("ci")
    made.text = name
    return made


def cn(text: str) -> Element:
    """Return <cn> of a number."""
    made = Element("cn")
    made.text = text
    return made


def time_symbol() -> Element:
    """Return the <csymbol> of time."""
    made = Element("csymbol", {"encoding": "text", "definitionURL": TIME})
    made.text = "time"
    return made


def is_time(e: Element) -> bool:
    """Tell whether an element is the time of the model."""
    return e.tag == "csymbol" and e.get("definitionURL") == TIME


def number(e: Element) -> float | None:
    """Return the number of a <cn>, None where it is none."""
    texts = [e.text or "", *(part.tail or "" for part in e)]
    try:
        values = [float(text) for text in texts]
    except ValueError:
        return None
    if e.get("type") == "e-notation" and len(values) == 2:
        return values[0] * 10.0 ** values[1] if abs(values[1]) < 300 else None
    if e.get("type") == "rational" and len(values) == 2:
        return values[0] / values[1] if values[1] else None
    return values[0]
