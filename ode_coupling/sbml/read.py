"""Read an SBML file as an `OdeModel`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ...abm.errors import unknown_word
from ...abm.ode_model import OdeModel, Parameter, Variable
from ..system import DOSE_RATE
from .document import EVENTS, event_lines, open_model
from .formula import TIME, python_source
from .generate import compiled_module
from .symbols import Symbols, evaluated, ordered
from .units import seconds_per_time_unit, unit_text

DAY_S = 86400.0


def read_sbml(path: str | Path, doses: Mapping[str, str] | None = None, events: str = "refuse") -> OdeModel:
    """Return the model of an SBML file (Levels 1 to 3, core) as compiled functions.

    A state has the value of its SBML symbol: the concentration of a species, or its amount where
    ``hasOnlySubstanceUnits``. Time runs in days whatever the unit of the file. Parameters that are not
    constant, follow no rule and start at 0 become inputs; assignment rules and rates of reactions are outputs.

    Parameters
    ----------
    path : str or Path
    doses : mapping of str to str, optional
        Drug -> species that its doses enter, by an input ``dose_rate_<drug>`` (amount/d).
    events : str
        refuse, or ignore, which leaves them out and says so in ``notes``.

    Raises
    ------
    InputError
        The extra is not installed; the file is not valid; an element that is not imported, by name.
    """
    path = Path(path)
    if events not in EVENTS:
        raise unknown_word("way with events", events, EVENTS, "read_sbml")
    model = open_model(path, events)
    where = path.name
    symbols = Symbols(model, where)
    for drug, species in (doses or {}).items():
        if species not in symbols.states:
            raise unknown_word("species that changes", species, symbols.states, f"{where}: doses of {drug}")
    seconds = seconds_per_time_unit(model)
    per_day = DAY_S / (seconds or DAY_S)
    start = evaluated(symbols, where)

    inputs = [*symbols.inputs, *(DOSE_RATE + drug for drug in doses or {})]
    algebraic = ordered(symbols, where)
    source = {name: f"y[{i}]" for i, name in enumerate(symbols.states)}
    source |= {name: f"p[{i}]" for i, name in enumerate(symbols.constants)}
    source |= {name: f"u[{i}]" for i, name in enumerate(symbols.inputs)}
    source |= {name: f"m[{i}]" for i, name in enumerate(algebraic)}
    source |= {name: repr(value) for name, value in symbols.numbers.items()}
    source[TIME] = "t" if per_day == 1.0 else f"(t * {per_day!r})"

    algebra = [python_source(symbols.algebraic[n], source, f"{where}: {symbols.where[n]}") for n in algebraic]
    changes = []
    for name in symbols.states:
        terms = [
            f"{stoichiometry!r} * {source[reaction]}" for reaction, stoichiometry in symbols.changes[name]
        ]
        if name in symbols.rates:
            terms = [python_source(symbols.rates[name], source, f"{where}: {symbols.where[name]}")]
        total = f"{per_day!r} * ({' + '.join(terms) or '0.0'})"
        entering = [
            f"u[{inputs.index(DOSE_RATE + d)}]" for d, species in (doses or {}).items() if species == name
        ]
        total = " + ".join([total, *entering])
        size = symbols.divisor.get(name)
        changes.append(f"({total}) / {source[size]}" if size else total)
    module = compiled_module(model.getId() or path.stem, algebra, changes)
    return OdeModel(
        name=model.getId() or path.stem,
        time_unit="d",
        states=tuple(_variable(model, name, symbols) for name in symbols.states),
        inputs=(
            *(_variable(model, name, symbols) for name in symbols.inputs),
            *(
                Variable(DOSE_RATE + d, "amount/d", f"dose into {species}")
                for d, species in (doses or {}).items()
            ),
        ),
        outputs=tuple(_variable(model, name, symbols) for name in algebraic),
        parameters=tuple(
            Parameter(v.name, start[v.name], v.unit, symbols.source, v.description)
            for v in (_variable(model, name, symbols) for name in symbols.constants)
        ),
        initial=np.array([start[name] for name in symbols.states]),
        rhs=module.rhs,
        observe=module.observe,
        notes="; ".join(_notes(model, seconds, symbols)),
    )


def _variable(model: Any, name: str, symbols: Symbols) -> Variable:
    element = model.getElementBySId(name)
    measured = element if name in symbols.values else element.getKineticLaw()
    return Variable(name, unit_text(measured.getDerivedUnitDefinition()), element.getName() or "")


def _notes(model: Any, seconds: float | None, symbols: Symbols) -> list[str]:
    notes = [f"{line} is left out" for line in event_lines(model)]
    if seconds is None:
        notes.append("the file declares no unit of time: days are assumed")
    if symbols.assigned:
        notes.append(
            f"initial assignments were evaluated once, at the file's own values: {', '.join(symbols.assigned)}"
        )
    if model.getNumConstraints():
        notes.append(f"{model.getNumConstraints()} constraints are not watched")
    return notes
