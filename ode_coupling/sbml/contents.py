"""What an SBML document declares: which quantities change, by what, and what they are counted in."""

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from .document import Document

_RULES = {
    "parameterRule": "name",
    "speciesConcentrationRule": "species",
    "specieConcentrationRule": "specie",
    "compartmentVolumeRule": "compartment",
}


class Contents:
    """The quantities of a document.

    Attributes
    ----------
    species, compartments, quantities : dict of str to Element
        By identifier; ``quantities`` are global parameters.
    assigned, rated, struck : set of str
        What an assignment rule, a rate rule, or an event gives its value.
    states : list of str
        What changes with time other than by an assignment rule.
    constants, inputs, outputs : list of str
        What keeps its value; what a body may set; what follows from the states and constants.
    moving, kept : set of str
        What changes other than by leaps; what keeps its value between leaps (both without assignment rules).
    """

    def __init__(self, document: Document):
        model = document.model
        self.species = named(model, "species", "specie")
        self.compartments = named(model, "compartment")
        self.quantities = {
            name: e for path in ("listOfParameters",) for name, e in _listed(model.find(path), "parameter")
        }
        self.references = {
            e.get("id", ""): e for e in model.iter("speciesReference") if e.get("id") and document.level > 2
        }
        self.assigned: set[str] = {rule.get("variable", "") for rule in model.iter("assignmentRule")}
        self.rated: set[str] = {rule.get("variable", "") for rule in model.iter("rateRule")}
        for tag, key in _RULES.items():
            for rule in model.iter(tag):
                (self.rated if rule.get("type") == "rate" else self.assigned).add(rule.get(key, ""))
        self.struck: set[str] = {e.get("variable", "") for e in model.iter("eventAssignment")}
        self.initial = {e.get("symbol", "") for e in model.iter("initialAssignment")}
        derived = {
            e.get("symbol", "")
            for e in model.iter("initialAssignment")
            if {*e.iter("ci"), *e.iter("csymbol")}
        }
        self.delayed = any(event.find("delay") is not None for event in model.iter("event"))
        self.reactions = [r.get("id") or r.get("name") or "" for r in model.iter("reaction")]
        changing = self.rated | self.struck
        floating = {
            name
            for name, e in self.species.items()
            if not is_true(e, "boundaryCondition")
            and not is_true(e, "constant")
            and name not in self.assigned
        }
        # a concentration that no reaction changes is diluted where its compartment grows
        diluted = {
            name
            for name, e in self.species.items()
            if not self.is_amount(name) and e.get("compartment") in changing | self.assigned
        }
        everything = [*self.compartments, *self.quantities, *self.species]
        self.states = [
            name
            for name in (*everything, *self.references)
            if name in (changing | floating | diluted) - self.assigned
        ]
        reacting = {
            e.get("species") or e.get("specie") or ""
            for reaction in model.iter("reaction")
            for tag in ("speciesReference", "specieReference")
            for e in reaction.iter(tag)
        }
        flowing = {n for n in diluted if self.species[n].get("compartment") not in self.struck - self.rated}
        self.moving = (self.rated | (floating & reacting) | flowing | set(self.reactions)) - self.assigned
        self.kept = {*everything, *self.references} - self.moving - self.assigned
        self.inputs = [
            name
            for name, e in self.quantities.items()
            if e.get("constant") in ("false", "0")
            and float(e.get("value") or 0.0) == 0.0
            and name not in changing | self.assigned | self.initial
        ]
        self.constants = [
            name
            for name in everything
            if name not in {*self.states, *self.inputs} and name not in self.assigned | derived
        ]
        followed = self.assigned | (derived - set(self.states))
        self.outputs = [*(name for name in everything if name in followed), *self.reactions]

    def is_amount(self, name: str) -> bool:
        """Tell whether the symbol of a species is an amount, not a concentration."""
        e = self.species[name]
        room = self.compartments.get(e.get("compartment", ""))
        return is_true(e, "hasOnlySubstanceUnits") or (
            room is not None and room.get("spatialDimensions") == "0"
        )


def is_true(e: Element, key: str) -> bool:
    """Tell whether an attribute is true, by XML Schema's words."""
    return e.get(key) in ("true", "1")


def named(model: Element, *tags: str) -> dict[str, Element]:
    """Return the elements of a model by identifier (Level 1 calls it name)."""
    return {e.get("id") or e.get("name") or "": e for tag in tags for e in model.iter(tag)}


def _listed(parent: Element | None, tag: str) -> Iterator[tuple[str, Element]]:
    for e in parent.iterfind(tag) if parent is not None else ():
        yield e.get("id") or e.get("name") or "", e
