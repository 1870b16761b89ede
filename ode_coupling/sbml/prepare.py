"""A document in forms that the engine gets right: what it rejects or gets wrong is said in another way."""

import copy
from collections.abc import Iterator
from dataclasses import replace
from xml.etree.ElementTree import Element

from .contents import Contents
from .document import Document
from .formulae import apply, ci, cn
from .runnable import list_in, math_of, parameter_of, rule_of


def prepared(document: Document) -> Document:
    """Return a document of the same meaning.

    * A kinetic law without a formula goes: its reaction has no rate.
    * A parameter without a value is no number until something gives it one.
    * Where an event sets a concentration and the size of its compartment, what it sets the concentration to is
      written as if the size stayed, as the engine turns it into an amount before the size changes.
    * A concentration with a rate rule in a compartment with an assignment rule follows a parameter that has the rule.
    """
    if document.level < 2:
        return document
    contents = Contents(document)
    model = copy.deepcopy(document.model)
    for reaction in model.iter("reaction"):
        for law in reaction.findall("kineticLaw"):
            if not any(len(math) for math in law.iterfind("math")):
                reaction.remove(law)
    for name, e in Contents(replace(document, model=model)).quantities.items():
        if e.get("value") is None and name not in contents.assigned | contents.initial | {*contents.inputs}:
            e.set("value", "NaN")
    for event in model.iter("event"):
        for concentration, room in struck_together(event, contents):
            _as_if_the_size_stayed(concentration, room)
    for name in rated_in_assigned(contents):
        _follow(name, model, contents)
    return replace(document, model=model)


def struck_together(event: Element, contents: Contents) -> Iterator[tuple[Element, Element]]:
    """Yield what an event sets a concentration to and what it sets the size of its compartment to."""
    struck = {e.get("variable", ""): e for e in event.iter("eventAssignment")}
    for name, e in struck.items():
        room = contents.species[name].get("compartment", "") if name in contents.species else ""
        if room in struck and not contents.is_amount(name):
            yield e, struck[room]


def rated_in_assigned(contents: Contents) -> list[str]:
    """Return the concentrations with a rate rule in a compartment with an assignment rule."""
    return [
        name
        for name, e in contents.species.items()
        if name in contents.rated
        and e.get("compartment", "") in contents.assigned
        and not contents.is_amount(name)
    ]


def _as_if_the_size_stayed(concentration: Element, room: Element) -> None:
    value, size = concentration.find("math"), room.find("math")
    if value is not None and size is not None and len(value) and len(size):
        now = ci(room.get("variable", ""))
        value[0] = apply("divide", apply("times", value[0], copy.deepcopy(size[0])), now)


def _follow(name: str, model: Element, contents: Contents) -> None:
    level, room = f"{name}_level", contents.species[name].get("compartment", "")
    while level in {e.get("id") for e in model.iter()}:
        level += "_"
    given = contents.species[name]
    list_in(model, "listOfParameters").append(
        parameter_of(level, float(given.get("initialConcentration") or 0.0))
    )
    rules = list_in(model, "listOfRules")
    for rule in rules.iterfind("rateRule"):
        if rule.get("variable") == name:
            rule.set("variable", level)
    rules.append(rule_of(name, ci(level)))
    for e in model.iter("eventAssignment"):
        if e.get("variable") == name:
            e.set("variable", level)
    if name in contents.initial:
        for e in model.iter("initialAssignment"):
            if e.get("symbol") == name:
                e.set("symbol", level)
    elif given.get("initialAmount") is not None:
        start = Element("initialAssignment", {"symbol": level})
        start.append(math_of(apply("divide", cn(given.get("initialAmount", "0")), ci(room))))
        list_in(model, "listOfInitialAssignments").append(start)
