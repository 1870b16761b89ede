"""Build the mean field of a model."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import vocabulary as v
from ..errors import InputError, unknown_word
from ..model import Model
from ..ode_model import OdeModel, Parameter, Variable
from .equations import equation_lines
from .program import HOURS_A_DAY, Writer, matrix, pack, sites_in_reach, write_program
from .rhs import observe, rhs


@dataclass(frozen=True)
class MeanField:
    """The well-mixed limit of a lattice model.

    Attributes
    ----------
    model : Model
        The model that was read.
    ode : OdeModel
        States: occupied fraction of the sites of its layer, one for each type, or for each value of the counters
        that a type carries (``progenitor[divisions_left=3]``). Inputs: arrivals from the body (fraction of the
        layer's sites, 1/d). Outputs: occupied fraction of each type and of each layer, and the fields. Time: d.
    notes : tuple of str
        Everything that the equations leave out or replace, in words; the rest is exact for independent sites.
    """

    model: Model
    ode: OdeModel
    notes: tuple[str, ...]
    _writer: Writer

    def equations(self) -> list[str]:
        """Return the equations as lines of text, with the value, unit and source of every name in them."""
        return equation_lines(self._writer)

    def slope(self, y: np.ndarray) -> np.ndarray:
        """Return dy/dt (1/d) at fractions ``y``, shape (states,), with the model's own numbers and no arrivals."""
        dy = np.zeros(len(self.ode.states))
        u = np.zeros(len(self.ode.inputs))
        at = np.ascontiguousarray(y, dtype=np.float64)
        self.ode.rhs(0.0, at, self.ode.parameter_values(), u, dy)
        return dy

    def step(self, y: np.ndarray) -> np.ndarray:
        """Return the fractions one lattice step later, y + p(y), of a model of per-step probabilities.

        Raises
        ------
        InputError
            The model's update is another one: its mean field is the differential equation alone.
        """
        if self.model.tables.update != v.PROBABILITIES:
            raise InputError(
                f"{self.model.name}: a step-by-step map belongs to update = '{v.UPDATES[v.PROBABILITIES]}' and "
                f"this model has '{v.UPDATES[self.model.tables.update]}'; integrate its equations instead"
            )
        return np.asarray(y, dtype=np.float64) + self.model.dt_h / HOURS_A_DAY * self.slope(y)


def mean_field(model: Model, initial: Mapping[str, float] | None = None) -> MeanField:
    """Return the mean field of a model as an ordinary differential equation.

    Parameters
    ----------
    model : Model
    initial : mapping of str to float, optional
        Occupied fraction by cell type or state at time 0; 0 where not given. Density signals that are normalised
        at time 0 are normalised with it.

    Raises
    ------
    InputError
        A counter takes too many values to be followed, or ``initial`` names no type or state or is no fraction.
    """
    writer = write_program(model)
    cells = writer.classes.rows
    states = [cell.name for cell in cells]
    start = _start(writer, initial or {})
    share = np.zeros(len(model.types) + 1)
    for c, cell in enumerate(cells):
        share[model.type_id(cell.type)] += start[c]
    tables, numbers = model.tables, writer.numbers
    types = [(int(tables.types[t]["layer"]), sites_in_reach(model, 1)) for t in range(len(share))]
    admitted = sorted({int(slot["object"]) for slot in tables.slots if slot["verb"] == v.ADMIT})
    arrivals = [writer.classes.index(writer.classes.carried(t)) for t in admitted]
    own = []
    for cell in cells:  # what is not followed stays as it begins
        begins = tables.carries[model.type_id(cell.type)]["initial"]
        values = dict(cell.values)
        own.append([values.get(i.name, b) for i, b in zip(model.attributes, begins, strict=True)] or [0.0])
    leftovers = np.full((len(share), len(cells)), -1.0)
    for (left, victim), c in writer.remains.items():
        leftovers[left, victim] = c
    fields = _fields(writer)
    densities = _densities(writer, share)
    body = _body(writer)
    blocks = [
        matrix(types, 2),
        matrix([(model.type_id(cell.type),) for cell in cells], 1),
        matrix(own, 1),
        matrix(writer.terms, 1),
        matrix(writer.modifiers, 3),
        matrix(list(writer.slots.values()), 3),
        matrix(writer.rules, 9),
        matrix([list(row) for row in tables.sets], len(share)),
        matrix(writer.categories, 4),
        matrix(writer.members, len(share)),
        fields,
        densities,
        body,
        matrix([(c,) for c in arrivals], 1),
        leftovers,
    ]
    p = pack([row.value for row in numbers.rows], blocks)
    program = [
        Parameter(f"program {k}", float(value), "1", "derived")
        for k, value in enumerate(p[len(numbers.rows) :])
    ]
    notes = tuple(dict.fromkeys([*_notes(writer), *writer.notes]))
    layers = model.layers
    ode = OdeModel(
        name=f"{model.name}_mean_field",
        time_unit="d",
        states=tuple(Variable(name, "1", "occupied fraction of the sites of its layer") for name in states),
        inputs=tuple(
            Variable(f"arrivals_{model.types[t - 1].name}", "1/d", "from the body") for t in admitted
        ),
        outputs=(
            *(Variable(info.name, "1", "occupied fraction") for info in model.types),
            *(Variable(f"occupied_{layer}", "1", "occupied fraction of the layer") for layer in layers),
            *(Variable(f"field_{info.name}", info.unit) for info in model.fields),
        ),
        parameters=(*numbers.rows, *program),
        initial=start,
        rhs=rhs,
        observe=observe,
        notes="; ".join(notes),
    )
    return MeanField(model, ode, notes, writer)


def _start(writer: Writer, initial: Mapping[str, float]) -> np.ndarray:
    cells = writer.classes.rows
    start, names = np.zeros(len(cells)), [cell.name for cell in cells]
    types = {info.name: names[info.id - 1] for info in writer.model.types}  # the first classes, in this order
    for word, fraction in initial.items():
        if word not in names and word not in types:
            raise unknown_word("cell type or state", word, {*names, *types}, "initial")
        if not 0.0 <= fraction <= 1.0:
            raise InputError(
                f"initial {word} = {fraction} is not an occupied fraction; give a number from 0 to 1"
            )
        start[names.index(types.get(word, word))] += fraction
    return start


def _fields(writer: Writer) -> np.ndarray:
    model, add, rows = writer.model, writer.numbers.add, []
    for row, entry in zip(model.tables.fields, model.spec.sections["field"], strict=True):
        unit = entry["unit"]

        def number(key: str, column: str, its_unit: str, row: Any = row, entry: dict = entry) -> int:
            source = writer.source_of(entry.get(key, ""))
            return add(f"field {entry['name']}: {key}", row[column], its_unit, source)

        level = -1
        if row["boundary"] == v.FIXED:
            level = number("boundary_level", "boundary_level", unit)
        rows.append(
            (
                number("decay", "decay", "1/h"),
                number("background", "background", f"{unit}/h"),
                number("vessel_exchange", "vessel_exchange", "1/h"),
                number("vessel_level", "vessel_level", unit),
                level,
                row["background_signal"],
                row["vessels"],
                row["normalise"],
                row["scale"],
            )
        )
    return matrix(rows, 9)


def _densities(writer: Writer, share: np.ndarray) -> np.ndarray:
    model, rows = writer.model, []
    for k, (row, info) in enumerate(zip(model.tables.densities, model.densities, strict=True)):
        reference, source = 1.0, "derived"
        if row["normaliser"] >= 0:
            reference = float(share @ model.tables.sets[row["normaliser"]]) or 1.0
        at = writer.numbers.add(
            f"density {info.name}: reference", reference, "1", source, "mean crowd that it is divided by"
        )
        rows.append((at, *model.tables.density_weight[k]))
    return matrix(rows, 1 + share.size)


def _body(writer: Writer) -> np.ndarray:
    rows = []
    for signal in writer.model.signals:
        at = writer.numbers.add(f"body {signal.name}", signal.default, signal.unit, "assumed", "default")
        affinity = writer.numbers.add(
            f"body {signal.name}: affinity",
            signal.affinity,
            "1" if signal.free_of < 0 else "signal",
            "assumed",
        )
        rows.append((at, signal.free_of, affinity))
    return matrix(rows, 3)


def _notes(writer: Writer) -> list[str]:
    model = writer.model
    tables = model.tables
    found = []
    step = f"{model.dt_h:g} h"
    if tables.update == v.PROBABILITIES:
        found.append(
            f"update: probabilities per step of {step} are read as rates, p/dt; step() gives the map y + p(y)"
        )
    elif tables.update == v.ATTEMPTS:
        found.append(f"update: attempts with p = r dt at random cells, one a cell and step of {step} on average, "
                     "are rates r in the limit of many cells")  # fmt: skip
    else:
        found.append(f"update: time is continuous; the lattice draws the same rates once a step of {step}")
    if not model.periodic:
        found.append(
            f"edges: every site has {sites_in_reach(model, 1)} neighbours, also at the faces of the lattice"
        )
    if any(slot["verb"] == v.MIGRATE for slot in tables.slots):
        found.append(
            "migration: it only stirs, and a well-mixed tissue is stirred already; directions are left out"
        )
    if any(slot["verb"] == v.ADMIT for slot in tables.slots):
        found.append("entry: arrivals enter anywhere on their layer with the chance that a site is empty")
    senses = {(int(r[f"sense{k}"]), int(r[f"subject{k}"])) for r in tables.rules for k in ("", "2")}
    for k, info in enumerate(model.fields):
        if (v.RELATIVE_FIELD, k) in senses:
            found.append(f"field {info.name}: relative to its mean it is 1 everywhere")
        if (v.FIELD, k) not in senses:
            continue
        if tables.fields[k]["boundary"] == v.FIXED:
            found.append(
                f"field {info.name}: it is at its boundary level everywhere; penetration is left out"
            )
        elif tables.fields[k]["normalise"]:
            found.append(f"field {info.name}: its pattern, of mean 1, is 1 everywhere")
        else:
            found.append(
                f"field {info.name}: quasi-steady and uniform, source over decay and uptake; gradients are left out"
            )
    for k, density in enumerate(model.densities):
        if (v.DENSITY, k) in senses:
            found.append(f"density {density.name}: its mean; the finite radius is left out")
            if tables.densities[k]["normaliser"] >= 0:
                found.append(
                    f"density {density.name}: 1 at the initial fractions; not normalised where these are 0"
                )
    return found
