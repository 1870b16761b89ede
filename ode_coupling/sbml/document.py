"""Open an SBML file and refuse, by name, what the import does not know."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ...abm.errors import InputError

EVENTS = ("refuse", "ignore")


def open_model(path: Path, events: str) -> Any:
    """Return the checked libsbml.Model of a file, function definitions and local parameters written out.

    Parameters
    ----------
    path : Path
    events : str
        refuse, or ignore (the caller then says so).

    Raises
    ------
    InputError
        libSBML is missing, the file is not valid SBML, or it holds what is not imported.
    """
    try:
        import libsbml
    except ImportError:
        raise InputError(
            f"{path}: reading SBML needs libSBML; install the extra: pip install 'oncolattice[sbml]'"
        ) from None
    if not path.is_file():
        raise InputError(f"{path}: no such file; give an SBML file (.xml)")
    document = libsbml.readSBMLFromFile(str(path))
    document.setConsistencyChecks(libsbml.LIBSBML_CAT_UNITS_CONSISTENCY, False)
    document.setConsistencyChecks(libsbml.LIBSBML_CAT_MODELING_PRACTICE, False)
    if document.getModel() is not None:
        document.checkConsistency()
    for i in range(document.getNumErrors()):
        error = document.getError(i)
        if error.getSeverity() >= libsbml.LIBSBML_SEV_ERROR:
            text = " ".join(error.getMessage().split())
            raise InputError(f"{path}: not valid SBML, line {error.getLine()}: {text}")
    if document.getModel() is None:
        raise InputError(f"{path}: holds no SBML model")
    for i in range(document.getNumPlugins()):
        package = document.getPlugin(i).getPackageName()
        if document.getPackageRequired(package):
            raise InputError(
                f"{path}: needs the SBML package '{package}', which is not imported; flatten the model"
            )
    for conversion in ("promoteLocalParameters", "expandFunctionDefinitions"):
        options = libsbml.ConversionProperties()
        options.addOption(conversion, True)
        if document.convert(options) != libsbml.LIBSBML_OPERATION_SUCCESS:
            raise InputError(
                f"{path}: libSBML cannot write out the {conversion[6:]} of this file; do it by hand"
            )
    model = document.getModel()
    for problem in _foreign(model, events):
        raise InputError(f"{path}: {problem}")
    model.document = document  # which owns the memory of the model
    return model


def event_lines(model: Any) -> list[str]:
    """Return what each event of a model waits for, in words."""
    import libsbml

    lines = []
    for i in range(model.getNumEvents()):
        event = model.getEvent(i)
        when = libsbml.formulaToL3String(event.getTrigger().getMath()) if event.isSetTrigger() else "?"
        lines.append(f"event '{event.getId() or i + 1}' (when {when})")
    return lines


def _foreign(model: Any, events: str) -> Iterator[str]:
    """Yield what the model holds and the import does not know, with the cure."""
    if events == "refuse":
        for line in event_lines(model):
            yield (
                f"{line} is not imported; give what it does as a Dose into a species (doses = ...), "
                "or read the file with events = 'ignore'"
            )
    for i in range(model.getNumRules()):
        if model.getRule(i).isAlgebraic():
            yield "an algebraic rule is not imported; solve it for one variable and write an assignment rule"
    if model.isSetConversionFactor():
        yield "the model's conversionFactor is not imported; write species and reactions in one unit of amount"
    for i in range(model.getNumSpecies()):
        if model.getSpecies(i).isSetConversionFactor():
            name = model.getSpecies(i).getId()
            yield f"species '{name}': a conversionFactor is not imported; write it into the kinetic laws"
    for i in range(model.getNumReactions()):
        reaction = model.getReaction(i)
        name = reaction.getId()
        if reaction.isSetFast() and reaction.getFast():
            yield f"reaction '{name}': fast reactions are not imported; write its equilibrium as an assignment rule"
        if not reaction.isSetKineticLaw() or not reaction.getKineticLaw().isSetMath():
            yield f"reaction '{name}': has no kinetic law; write one"
        for reference in (*reaction.getListOfReactants(), *reaction.getListOfProducts()):
            if reference.isSetStoichiometryMath() or (
                model.getLevel() > 2 and not reference.isSetStoichiometry()
            ):
                yield f"reaction '{name}': the stoichiometry of '{reference.getSpecies()}' must be a plain number"
            if reference.getId() and model.getRuleByVariable(reference.getId()):
                yield f"reaction '{name}': the stoichiometry of '{reference.getSpecies()}' must not follow a rule"
