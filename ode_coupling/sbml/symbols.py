"""What every identifier of an SBML model is: state, constant, input, or something that follows."""

import math
import re
from typing import Any

import numpy as np

from ...abm.errors import InputError
from .formula import TIME, names_in, python_source

_DOI = re.compile(r"doi[:/.](?:org/)?(10\.\d{4,9}/\S+)$")
_PUBMED = re.compile(r"pubmed[:/](\d+)$")


class Symbols:
    """The identifiers of a model by what they are.

    Parameters
    ----------
    model : libsbml.Model
    where : str
        The file, for messages.

    Attributes
    ----------
    states, constants, inputs : list of str
        Species and rated quantities; constants, which become parameters; what a body may set.
    amounts : set of str
        Species whose symbol is an amount.
    algebraic : dict of str to libsbml.ASTNode
        Assignment rules and kinetic laws.
    rates, initial : dict of str to libsbml.ASTNode
        Rate rules and initial assignments.
    changes : dict of str to list of (reaction, stoichiometry)
    divisor : dict of str to str
        Species whose symbol is a concentration -> its compartment.
    numbers : dict of str to float
        Identified stoichiometries.
    assigned : list of str
        Constants and states that an initial assignment sets.
    where : dict of str to str
        Identifier -> the element of the file, in words.
    values : dict of str to (float or None)
        Values at time 0 as written.
    converted : dict of str to str
        Species whose initial value is written as amount where the symbol is a concentration, or the other way
        round -> compartment.
    source : str
        DOI or PMID of the model, or ``user``.
    """

    def __init__(self, model: Any, where: str):
        self.states: list[str] = []
        self.constants: list[str] = []
        self.inputs: list[str] = []
        self.amounts: set[str] = set()
        self.algebraic: dict[str, Any] = {}
        self.rates: dict[str, Any] = {}
        self.initial: dict[str, Any] = {}
        self.changes: dict[str, list[tuple[str, float]]] = {}
        self.divisor: dict[str, str] = {}
        self.numbers: dict[str, float] = {}
        self.where: dict[str, str] = {}
        self.values: dict[str, float | None] = {}
        self.converted: dict[str, str] = {}
        self.source = _source(model)
        self._rules(model)
        for compartment in model.getListOfCompartments():
            size = compartment.getSize() if compartment.isSetSize() else None
            self._quantity(compartment, "compartment", size)
        for parameter in model.getListOfParameters():
            value = parameter.getValue() if parameter.isSetValue() else None
            self._quantity(parameter, "parameter", value, not parameter.getConstant())
        for species in model.getListOfSpecies():
            self._species(species, model, where)
        self._reactions(model)
        self.assigned = [name for name in self.initial if name in self.states or name in self.constants]

    def _rules(self, model: Any) -> None:
        for rule in model.getListOfRules():
            table, kind = (self.rates, "rate") if rule.isRate() else (self.algebraic, "assignment")
            table[rule.getVariable()] = rule.getMath()
            self.where[rule.getVariable()] = f"{kind} rule of '{rule.getVariable()}'"
        for assignment in model.getListOfInitialAssignments():
            self.initial[assignment.getSymbol()] = assignment.getMath()

    def _quantity(self, element: Any, kind: str, value: float | None, varies: bool = False) -> None:
        """Sort one compartment, parameter or species that no reaction changes."""
        name = element.getId()
        self.where.setdefault(name, f"{kind} '{name}'")
        self.values[name] = value
        if name in self.algebraic:
            return
        if name in self.rates:
            self.states.append(name)
            self.changes[name] = []
        elif varies and not value and name not in self.initial:
            self.inputs.append(name)
        else:
            self.constants.append(name)

    def _species(self, species: Any, model: Any, where: str) -> None:
        name, room = species.getId(), species.getCompartment()
        compartment = model.getCompartment(room)
        is_amount = species.getHasOnlySubstanceUnits() or compartment.getSpatialDimensions() == 0
        if is_amount:
            self.amounts.add(name)
        value: float | None = None
        if species.isSetInitialAmount():
            value = species.getInitialAmount()
        elif species.isSetInitialConcentration():
            value = species.getInitialConcentration()
        if is_amount != species.isSetInitialAmount():
            self.converted[name] = room
        ruled = name in self.algebraic or name in self.rates
        if ruled or species.getBoundaryCondition() or species.getConstant():
            self._quantity(species, "species", value)
            return
        self.where[name] = f"species '{name}'"
        if not is_amount and (room in self.rates or room in self.algebraic):
            raise InputError(
                f"{where}: species '{name}': compartment '{room}' changes its size; give the species "
                'hasOnlySubstanceUnits="true"'
            )
        self.values[name] = value
        self.states.append(name)
        self.changes[name] = []
        if not is_amount:
            self.divisor[name] = room

    def _reactions(self, model: Any) -> None:
        for reaction in model.getListOfReactions():
            name = reaction.getId()
            self.where[name] = f"reaction '{name}'"
            self.algebraic[name] = reaction.getKineticLaw().getMath()
            for sign, references in (
                (-1.0, reaction.getListOfReactants()),
                (1.0, reaction.getListOfProducts()),
            ):
                for reference in references:
                    if reference.getId():
                        self.numbers[reference.getId()] = reference.getStoichiometry()
                    species = reference.getSpecies()
                    if species in self.changes and species not in self.rates:
                        self.changes[species].append((name, sign * reference.getStoichiometry()))


def _source(model: Any) -> str:
    """Return the DOI or PMID that the model's annotation gives, or ``user``."""
    for i in range(model.getNumCVTerms()):
        term = model.getCVTerm(i)
        for k in range(term.getNumResources()):
            uri = term.getResourceURI(k)
            if found := _DOI.search(uri):
                return found[1]
            if found := _PUBMED.search(uri):
                return f"PMID {found[1]}"
    return "user"


def ordered(symbols: Symbols, where: str) -> list[str]:
    """Return what follows from the states in an order in which everything is known when it is needed.

    Raises
    ------
    InputError
        Rules that depend on one another in a circle.
    """
    order: list[str] = []

    def visit(name: str, above: tuple[str, ...]) -> None:
        if name in above:
            circle = " -> ".join([*above[above.index(name) :], name])
            raise InputError(f"{where}: {symbols.where[name]} depends on itself ({circle}); break the circle")
        if name not in order:
            for other in names_in(symbols.algebraic[name]):
                if other in symbols.algebraic:
                    visit(other, (*above, name))
            order.append(name)

    for name in symbols.algebraic:
        visit(name, ())
    return order


def evaluated(symbols: Symbols, where: str) -> dict[str, float]:
    """Return the value of every identifier at time 0.

    Raises
    ------
    InputError
        A value that is missing or not finite, or values that depend on one another in a circle.
    """
    formulae = symbols.algebraic | symbols.initial
    found = dict.fromkeys(symbols.inputs, 0.0) | symbols.numbers
    known = {*symbols.where, *symbols.numbers}

    def value(name: str, above: tuple[str, ...]) -> float:
        if name in found:
            return found[name]
        place = f"{where}: {symbols.where[name]}"
        if name in above:
            raise InputError(f"{place}: its value at time 0 depends on itself; break the circle")
        number = symbols.values.get(name)
        if name in formulae:
            names = {n: value(n, (*above, name)) for n in set(names_in(formulae[name])) if n in known}
            source = python_source(formulae[name], {n: f"v[{n!r}]" for n in names} | {TIME: "0.0"}, place)
            scope = {"np": np, "v": {n: np.float64(v) for n, v in names.items()}, "__builtins__": {}}
            with np.errstate(all="ignore"):
                number = float(eval(source, scope | {"abs": abs, "max": max, "min": min, "bool": bool}))
        elif name in symbols.converted and number is not None:
            size = value(symbols.converted[name], (*above, name))
            number = number * size if name in symbols.amounts else number / size if size else math.nan
        if number is None or not math.isfinite(number):
            raise InputError(f"{place}: has no finite value at time 0; give it one")
        found[name] = number
        return number

    for name in (*symbols.constants, *symbols.states):
        value(name, ())
    return found
