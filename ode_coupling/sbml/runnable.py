"""The model that the engine runs: the file's own, its conditions watched, rewritten where the engine is wrong."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape, quoteattr

from .clock import Clock
from .contents import Contents
from .document import DECLARATION, MATHML, Document
from .formulae import Formulae, apply, ci, cn, formula_of, is_time, time_symbol
from .timed import Timed
from .watch import conditions, phases

FOREVER = 1e300  # a time after all others
_LEFT_OUT = ("annotation", "notes", "listOfConstraints")
_PLACES = ("listOfParameters/parameter", "listOfCompartments/compartment", "listOfSpecies/species")
_SUBLISTS = ("listOfReactants", "listOfProducts")


@dataclass(frozen=True)
class Event:
    """An event of the file.

    Attributes
    ----------
    held : str
        Parameter: the trigger counts as false up to this time; at first that is for ever.
    met : str
        Parameter: 1 where the trigger is true, else 0.
    initially : bool
        Whether the trigger counts as true before time 0.
    """

    held: str
    met: str
    initially: bool


class Runnable:
    """A document ready for the engine.

    Attributes
    ----------
    document : Document
    contents : Contents
    clock : Clock
    text : str
        SBML of the same level and version.
    events : list of Event
        Those that have a trigger.
    ahead : str
        Parameter: what triggers count time from; nothing where the model has none.
    phases : list of str
        Parameters: a unit is a period, or the way between two jumps, of a condition on states.

    Raises
    ------
    InputError
        Its functions call themselves.
    """

    def __init__(self, document: Document):
        self.document, self.contents = document, Contents(document)
        self.formulae = Formulae(document)
        self.clock = Clock(self.formulae, self.contents)
        self.events: list[Event] = []
        self.phases: list[str] = []
        self.ahead = ""
        model = copy.deepcopy(document.model)
        self._own = "_"
        while f' id="{self._own}' in document.text:
            self._own += "_"
        if document.level > 1:
            self._start_at_numbers(model)
            self._split_reactions(model)
            self._assign_initial_stoichiometries(model)
            self._watch(model)
        root = Element("sbml", {"level": str(document.level), "version": str(document.version)})
        root.append(model)
        self.text = DECLARATION + "".join(_written(root, document.namespace))

    def _start_at_numbers(self, model: Element) -> None:
        """Write what an initial assignment of a number gives as a value, which the engine lets be changed."""
        timed = Timed(self.formulae, self.contents)
        places = {e.get("id", ""): e for path in _PLACES for e in model.iterfind(path)}
        for assignments in model.findall("listOfInitialAssignments"):
            for assignment in list(assignments):
                name, formula = assignment.get("symbol", ""), formula_of(assignment)
                if formula is None or name not in places:
                    continue
                formula = self.formulae.expanded(formula)
                if timed.alone(formula) and not any(e.tag in ("ci", "csymbol") for e in formula.iter()):
                    self._start_at(places[name], timed.at(formula, 0.0, float))
                    assignments.remove(assignment)
            if not assignments.findall("initialAssignment"):
                model.remove(assignments)

    def _start_at(self, e: Element, value: float) -> None:
        key = {"parameter": "value", "compartment": "size"}.get(e.tag)
        if key is None:
            for given in ("initialAmount", "initialConcentration"):
                e.attrib.pop(given, None)
            key = "initialAmount" if self.contents.is_amount(e.get("id", "")) else "initialConcentration"
        e.set(key, repr(value))

    def _split_reactions(self, model: Element) -> None:
        """Give every further mention of a species in a reaction, where one varies, a reaction of its own."""
        for reactions in model.iter("listOfReactions"):
            for reaction in list(reactions):
                for k, (side, e) in enumerate(self._repeated(reaction)):
                    reaction.find(side).remove(e)  # type: ignore[union-attr]
                    twin = Element("reaction", dict(reaction.attrib))
                    twin.set("id", f"{self._own}{k + 2}_{reaction.get('id')}")
                    twin.append(Element(side))
                    twin[0].append(e)
                    twin.extend(copy.deepcopy(part) for part in reaction if part.tag not in _SUBLISTS)
                    reactions.append(twin)

    def _repeated(self, reaction: Element) -> list[tuple[str, Element]]:
        mentions = [(side, e) for side in _SUBLISTS for e in reaction.iterfind(f"{side}/speciesReference")]
        seen: set[str] = set()
        found = []
        for side, e in mentions:
            name = e.get("species", "")
            if name in seen and any(self._varies(o) for _, o in mentions if o.get("species") == name):
                found.append((side, e))
            seen.add(name)
        return found

    def _varies(self, reference: Element) -> bool:
        contents = self.contents
        changing = contents.initial | contents.assigned | contents.rated | contents.struck
        return reference.find("stoichiometryMath") is not None or reference.get("id", "") in changing

    def _assign_initial_stoichiometries(self, model: Element) -> None:
        """Let a parameter start at what a stoichiometry starts at, which then follows it."""
        references = {e.get("id", ""): e for e in model.iter("speciesReference") if e.get("id")}
        fixed = references.keys() - self.contents.rated - self.contents.struck
        for k, assignment in enumerate(model.iter("initialAssignment")):
            name = assignment.get("symbol", "")
            if name in fixed:
                start = f"{self._own}start_{k}"
                list_in(model, "listOfParameters").append(parameter_of(start, 0.0))
                list_in(model, "listOfRules").append(rule_of(name, ci(start)))
                assignment.set("symbol", start)
                references[name].set("constant", "false")

    def _watch(self, model: Element) -> None:
        watched = conditions(self.formulae, self.contents)
        listed = [
            (trigger, math)
            for trigger in model.iter("trigger")
            for math in trigger.iterfind("math")
            if len(math)
        ]
        if not watched and not listed:
            return
        parameters, rules = list_in(model, "listOfParameters"), list_in(model, "listOfRules")
        events = list_in(model, "listOfEvents")
        if listed:
            self._count_from(model, parameters)
        for k, (trigger, math) in enumerate(listed):
            names = Event(
                f"{self._own}held_{k}", f"{self._own}met_{k}", trigger.get("initialValue") != "false"
            )
            self.events.append(names)
            parameters.extend([parameter_of(names.held, FOREVER), parameter_of(names.met, 0.0)])
            rules.append(rule_of(names.met, _as_number(math[0])))
            math[0] = apply("and", math[0], apply("gt", self._now(), ci(names.held)))
        for k, phase in enumerate(phases(self.formulae, self.contents)):
            self.phases.append(f"{self._own}phase_{k}")
            parameters.append(parameter_of(self.phases[-1], 0.0))
            rules.append(rule_of(self.phases[-1], phase))
        nothing = f"{self._own}nothing"
        if watched:
            parameters.append(parameter_of(nothing, 0.0))
        for k, condition in enumerate(watched):
            events.append(self._harmless(f"{self._own}watch_{k}", condition, nothing))

    def _count_from(self, model: Element, parameters: Element) -> None:
        """Let triggers, and the rules that they may name, count time from a parameter.

        At every new start the engine asks the triggers as if it were time 0.
        """
        self.ahead = f"{self._own}ahead"
        parameters.append(parameter_of(self.ahead, 0.0))
        for asked in (*model.iter("trigger"), *model.iter("assignmentRule")):
            for parent in list(asked.iter()):
                parent[:] = [self._now() if is_time(part) else part for part in parent]

    def _now(self) -> Element:
        return apply("plus", time_symbol(), ci(self.ahead))

    def _harmless(self, name: str, condition: Element, nothing: str) -> Element:
        newer = self.document.level > 2
        event = Element("event", {"id": name})
        trigger = Element("trigger", {"initialValue": "true", "persistent": "true"} if newer else {})
        if newer or self.document.version > 3:
            event.set("useValuesFromTriggerTime", "true")
        trigger.append(math_of(condition))
        assignments, assignment = Element("listOfEventAssignments"), Element("eventAssignment")
        assignment.set("variable", nothing)
        assignment.append(math_of(cn("0")))
        assignments.append(assignment)
        event.extend([trigger, assignments])
        return event


def list_in(model: Element, tag: str) -> Element:
    """Return a list of a model, made in its place where it has none."""
    found = model.find(tag)
    if found is None:
        order = ("listOfFunctionDefinitions", "listOfUnitDefinitions", "listOfCompartmentTypes", "listOfSpeciesTypes",
                 "listOfCompartments", "listOfSpecies", "listOfParameters", "listOfInitialAssignments", "listOfRules",
                 "listOfReactions", "listOfEvents")  # fmt: skip
        before = order[: order.index(tag)]
        found = Element(tag)
        model.insert(
            max((i + 1 for i, e in enumerate(model) if e.tag in (*before, *_LEFT_OUT[:2])), default=0), found
        )
    return found


def parameter_of(name: str, value: float) -> Element:
    return Element("parameter", {"id": name, "value": repr(value), "constant": "false"})


def rule_of(variable: str, formula: Element) -> Element:
    rule = Element("assignmentRule", {"variable": variable})
    rule.append(math_of(formula))
    return rule


def _as_number(condition: Element) -> Element:
    made, piece, otherwise = Element("piecewise"), Element("piece"), Element("otherwise")
    piece.extend([cn("1"), condition])
    otherwise.append(cn("0"))
    made.extend([piece, otherwise])
    return made


def math_of(formula: Element) -> Element:
    made = Element("math")
    made.append(formula)
    return made


def _written(e: Element, namespace: str) -> Iterator[str]:
    """Yield the XML of an element in the namespaces of SBML and MathML alone."""
    waiting: list[Element | str] = [e]
    while waiting:
        part = waiting.pop()
        if isinstance(part, str):
            yield part
            continue
        if part.tag in _LEFT_OUT:
            continue
        space = {"sbml": namespace, "math": MATHML}.get(part.tag)
        words = [f"{key}={quoteattr(value)}" for key, value in part.attrib.items() if "}" not in key]
        yield " ".join([f"<{part.tag}", *([f'xmlns="{space}"'] if space else []), *words]) + ">"
        yield escape(part.text or "") if not len(part) or part.tag == "cn" else ""
        waiting.append(f"</{part.tag}>")
        for child in reversed(part):
            if part.tag == "cn":
                waiting.append(escape(child.tail or ""))
            waiting.append(child)
