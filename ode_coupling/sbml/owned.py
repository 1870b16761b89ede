"""Species that a lattice owns: what would change them in the file is left to the lattice."""

import copy
from collections.abc import Sequence
from dataclasses import replace

from ...abm.errors import InputError, unknown_word
from .contents import Contents
from .document import Document

_SIDES = ("listOfReactants", "listOfProducts")


def hand_over(document: Document, names: Sequence[str]) -> Document:
    """Return a document in which nothing changes some species, so that a lattice can write them.

    Their rate rules go, and every reaction that makes or uses one of them has no effect on anything any more, as the
    lattice does what it did; its rate can still be read, and is what arrives in the tissue where a port says so.

    Raises
    ------
    InputError
        A name that is no species; one whose value follows a rule, an event or nothing.
    """
    if not names:
        return document
    contents, where = Contents(document), document.path.name
    for name in names:
        if name not in contents.species:
            raise unknown_word("species", name, contents.species, f"{where}: owned by the lattice")
        cure = "couple a species that reactions or a rate rule change"
        if name in contents.assigned:
            raise InputError(
                f"{where}: species '{name}' follows an assignment rule, no lattice can own it; {cure}"
            )
        if name in contents.struck:
            raise InputError(f"{where}: an event sets species '{name}', no lattice can own it; {cure}")
        if name not in contents.states:
            raise InputError(f"{where}: species '{name}' never changes, no lattice can own it; {cure}")
    model = copy.deepcopy(document.model)
    for species in (*model.iter("species"), *model.iter("specie")):
        if {species.get("id"), species.get("name")} & {*names}:
            species.set(
                "boundaryCondition", "false"
            )  # what has neither rule nor reaction would be a parameter
    for rules in model.iter("listOfRules"):
        for rule in list(rules):
            if {rule.get("variable"), rule.get("species")} & {*names}:
                rules.remove(rule)
    for reaction in model.iter("reaction"):
        sides = [side for tag in _SIDES for side in reaction.iterfind(tag)]
        if any({e.get("species"), e.get("specie")} & {*names} for side in sides for e in side):
            for side in sides:
                reaction.remove(side)
    return replace(document, model=model)
