"""Read an SBML file as an `OdeModel` whose engine is libRoadRunner."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import numpy as np

from ...abm.compile.quantities import Unit, parse_unit
from ...abm.errors import InputError, unknown_word
from ...abm.ode_model import OdeModel, Parameter, Variable
from ..system import DOSE_RATE, OWNED
from .contents import Contents
from .document import Document, open_document
from .engine import BodyEngine, Engine, roadrunner
from .formulae import followed
from .owned import hand_over
from .prepare import prepared
from .refused import refuse_foreign, refuse_instants
from .runnable import Runnable
from .shield import refuse_deadly
from .units import UNDECLARED, Units

DAY_S = 86400.0
_RESOURCE = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}resource"
_DOI = re.compile(r"doi[:/.](?:org/)?(10\.\d{4,9}/\S+)$")
_PUBMED = re.compile(r"pubmed[:/](\d+)$")


def checked(path: str | Path, owned: Sequence[str] = (), *, finite: bool = True) -> tuple[Runnable, Units]:
    """Return a file that the engine can be trusted with, some of its species handed over to a lattice.

    With ``finite`` every number in it must be.

    Raises
    ------
    InputError
        The extra is not installed, or the file is not valid or holds what is refused.
    """
    path = Path(path)
    try:
        roadrunner()
    except ImportError:
        raise InputError(
            f'{path}: reading SBML needs libRoadRunner; install the extra: pip install "oncolattice[sbml]"'
        ) from None
    document = open_document(path)
    refuse_foreign(document, finite)
    units = Units(document)
    units.seconds_per_time_unit()
    try:
        with followed():
            runnable = Runnable(prepared(hand_over(document, owned)))
            refuse_instants(runnable.formulae, runnable.contents, document.path)
    except RecursionError:
        raise InputError(
            f"{document.path}: its rules go through too many others; write them shorter"
        ) from None
    refuse_deadly(document, runnable.text)
    return runnable, units


def read_sbml(
    path: str | Path, doses: Mapping[str, str] | None = None, owned: Sequence[str] = ()
) -> OdeModel:
    """Return the model of an SBML file (Levels 1 to 3, core) for a `Body`.

    A state has the value of its SBML symbol: the concentration of a species, or its amount where
    ``hasOnlySubstanceUnits``. Time runs in days whatever the unit of the file. Parameters that are not
    constant, follow no rule and start at 0 become inputs; assignment rules and rates of reactions are outputs.

    Parameters
    ----------
    path : str or Path
    doses : mapping of str to str, optional
        Drug -> species that its doses enter, by an input ``dose_rate_<drug>`` (amount/d).
    owned : sequence of str, optional
        Species that a lattice writes (`owned.hand_over`); each has an input ``owned_<species>``, which says so.

    Raises
    ------
    InputError
        The extra is not installed; the file is not valid, or holds what is refused, by name.
    """
    runnable, units = checked(path, owned)
    document, contents = runnable.document, runnable.contents
    where = document.path.name
    changing = [
        n for n in contents.states if n in contents.species and n not in contents.rated | contents.struck
    ]
    for drug, species in (doses or {}).items():
        if species not in changing:
            raise unknown_word("species that changes", species, changing, f"{where}: doses of {drug}")
        if "conversionFactor" in {*contents.species[species].keys(), *document.model.keys()}:
            raise InputError(f"{where}: species '{species}' has a conversionFactor; doses cannot enter it")
    ports = [(DOSE_RATE + drug, species) for drug, species in (doses or {}).items()]
    inputs = [*contents.inputs, *(port for port, _ in ports)]
    seconds = units.seconds_per_time_unit()

    def engine() -> BodyEngine:
        return BodyEngine(
            Engine(runnable, ports), DAY_S / (seconds or DAY_S), inputs, [species for _, species in ports]
        )

    first = engine()
    start = first.engine.state()
    values = first.engine.get(contents.constants)
    for name, value in (
        *zip(contents.states, start, strict=True),
        *zip(contents.constants, values, strict=True),
    ):
        if not np.isfinite(value):
            raise InputError(f"{where}: '{name}' has no finite value at time 0; give it one")
    described = Described(document, contents, units)
    return OdeModel(
        name=document.model.get("id") or document.model.get("name") or document.path.stem,
        time_unit="d",
        states=tuple(map(described.variable, contents.states)),
        inputs=(
            *map(described.variable, contents.inputs),
            *(described.dose_rate(port, species) for port, species in ports),
            *(Variable(f"{OWNED}{name}", "1", f"1 where a lattice owns {name}") for name in owned),
        ),
        outputs=tuple(map(described.variable, contents.outputs)),
        parameters=tuple(
            Parameter(v.name, float(value), v.unit, source(document), v.description, v.measure)
            for v, value in zip(map(described.variable, contents.constants), values, strict=True)
        ),
        initial=start,
        rhs=first.slope,
        observe=first.observe,
        notes="; ".join(_notes(document, contents, seconds)),
        start=first.start if contents.initial else None,
        engine=engine,
        memory="events with a delay" if contents.delayed else "",
    )


def rooms(path: str | Path) -> dict[str, tuple[str, bool]]:
    """Return, for every species of a file, its compartment and whether its value is an amount, not a concentration.

    Raises
    ------
    InputError
        The file cannot be read or is no SBML.
    """
    contents = Contents(open_document(Path(path)))
    return {
        name: (e.get("compartment", ""), contents.is_amount(name)) for name, e in contents.species.items()
    }


class Described:
    """Name, unit and meaning of the quantities of a file."""

    def __init__(self, document: Document, contents: Contents, units: Units):
        self.document, self.contents, self.units = document, contents, units
        self._reactions = {r.get("id") or r.get("name") or "": r for r in document.model.iter("reaction")}
        hour = parse_unit("h")
        self._time = Unit((units.seconds_per_time_unit() or DAY_S) / 3600.0, hour.dimension)

    def variable(self, name: str) -> Variable:
        """Return one quantity."""
        e, above, *below = self._unit(name)
        texts = [self.units.text(unit) for unit in (above, *below)]
        unit = UNDECLARED if UNDECLARED in texts else "/".join(texts)
        measure = self.units.measure(above)
        if below:
            measure = _over(measure, self._time if name in self._reactions else self.units.measure(*below))
        return Variable(name, unit, " ".join((e.get("name") or "").split()) if e.get("id") else "", measure)

    def dose_rate(self, port: str, species: str) -> Variable:
        """Return the input by which doses enter a species, in units of its amount a day."""
        amount = self._default(self.contents.species[species], "substance", "substanceUnits", "units")
        text = self.units.text(amount)
        unit = f"{'amount' if text == UNDECLARED else text}/d"
        return Variable(
            port, unit, f"dose into {species}", _over(self.units.measure(amount), parse_unit("d"))
        )

    def _unit(self, name: str) -> tuple[Any, ...]:
        """Return the element of a quantity, its unit, and what that is divided by, if it is."""
        contents, model = self.contents, self.document.model
        if name in contents.species:
            e = contents.species[name]
            amount = self._default(e, "substance", "substanceUnits", "units")
            room = contents.compartments.get(e.get("compartment", ""))
            if contents.is_amount(name) or room is None:
                return e, amount
            return e, amount, self._default(room, "volume", "units")
        if name in contents.compartments:
            e = contents.compartments[name]
            return e, self._default(e, "volume", "units")
        if name in contents.quantities:
            e = contents.quantities[name]
            return e, e.get("units")
        if name in contents.references:
            return contents.references[name], "dimensionless"
        old = self.document.level < 3
        extent = model.get("extentUnits") or ("substance" if old else None)
        return self._reactions[name], extent, model.get("timeUnits") or ("time" if old else None)

    def _default(self, e: Element, kind: str, *keys: str) -> str | None:
        own = next((e.get(key) for key in keys if e.get(key)), None)
        return own or self.document.model.get(f"{kind}Units") or (kind if self.document.level < 3 else None)


def _over(unit: Unit | None, by: Unit | None) -> Unit | None:
    """Return one unit divided by another, None where either is not known."""
    if unit is None or by is None:
        return None
    return Unit(unit.size / by.size, tuple(a - b for a, b in zip(unit.dimension, by.dimension, strict=True)))


def source(document: Document) -> str:
    """Return the DOI or PMID that the model's annotation gives, or ``user``."""
    annotation = document.model.find("annotation")
    for e in annotation.iter() if annotation is not None else ():
        uri = e.get(_RESOURCE, "")
        if found := _DOI.search(uri):
            return found[1]
        if found := _PUBMED.search(uri):
            return f"PMID {found[1]}"
    return "user"


def _notes(document: Document, contents: Contents, seconds: float | None) -> list[str]:
    model = document.model
    events = [e.get("id") or str(i + 1) for i, e in enumerate(model.iter("event"))]
    notes = [f"events: {', '.join(events)}"] if events else []
    if contents.delayed:
        notes.append("an event has a delay: a body of this model cannot be saved and resumed")
    if seconds is None:
        notes.append("the file declares no unit of time: days are assumed")
    if next(model.iter("constraint"), None) is not None:
        notes.append("constraints are not watched")
    return notes
