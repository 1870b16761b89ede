"""Several ODE models under one roof: their names side by side, and what drives what."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, pairwise

import numpy as np

from ..abm.errors import InputError, unknown_word
from ..abm.ode_model import OdeModel
from .system import DOSE_RATE

KINDS = ("states", "inputs", "outputs", "parameters")


@dataclass(frozen=True)
class Drive:
    """What one part does to another: an input follows a state or output.

    Attributes
    ----------
    source : str
        State or output, by its name in the joint model (``pembrolizumab.concentration``).
    input : str
        Input by its name in the joint model (``PD1_occupancy``).
    half : float
        Above 0 the input is source / (source + half), which is the occupancy of a receptor if half is the
        dissociation constant in the unit of the source; at 0 it is the source itself.
    factor : float
        What the source is multiplied by first.
    """

    source: str
    input: str
    half: float = 0.0
    factor: float = 1.0

    def value(self, source: float) -> float:
        """Return the input that a value of the source makes."""
        scaled = self.factor * source
        return scaled / (scaled + self.half) if self.half > 0.0 else scaled


class Joint:
    """Where the parts of a joint model lie in its vectors.

    Parameters
    ----------
    models : mapping of str to OdeModel
        The systemic model under the name "", then its companions.
    drives : sequence of Drive

    Attributes
    ----------
    model : OdeModel
        All names side by side, those of a companion as ``<companion>.<name>``; dose rates keep their names,
        and every drive adds an output named as the input that it sets. Its ``rhs`` is plain Python over
        those of the parts: for tests and inspection, not for the integrator.
    slices : dict of str to list of slice
        Kind of name -> the part of the joint vector that belongs to each model.
    into : list of list of (Drive, bool, int, int, int)
        Per part the drives that end there: drive, source is a state, part and position of the source within
        it, position of the input in the joint vector.

    Raises
    ------
    InputError
        Unknown name, a drug that two parts take, an input driven twice or governed by doses, a number out of
        range.
    """

    def __init__(self, models: Mapping[str, OdeModel], drives: Sequence[Drive] = ()):
        self.parts, self.drives = tuple(models.values()), tuple(drives)
        self.slices = {kind: _slices([len(getattr(m, kind)) for m in self.parts]) for kind in KINDS}
        named = {kind: [_named(name, m, kind) for name, m in models.items()] for kind in KINDS}
        _check_doses(dict(zip(models, named["inputs"], strict=True)))
        places = {
            kind: {item.name: (i, k) for i, part in enumerate(named[kind]) for k, item in enumerate(part)}
            for kind in ("states", "outputs", "inputs")
        }
        self.into: list[list[tuple[Drive, bool, int, int, int]]] = [[] for _ in self.parts]
        seen: set[str] = set()
        for drive in self.drives:
            _check_drive(drive, places, seen)
            seen.add(drive.input)
            part, at = places["inputs"][drive.input]
            is_state = drive.source in places["states"]
            source = places["states" if is_state else "outputs"][drive.source]
            self.into[part].append((drive, is_state, *source, self.slices["inputs"][part].start + at))
        first, *others = self.parts
        variable = type(first.states[0])
        driven = (variable(d.input, "1", f"driven by {d.source}") for d in self.drives)
        self.model = OdeModel(
            name=f"{first.name} with {', '.join(list(models)[1:])}" if others else first.name,
            time_unit=first.time_unit,
            states=tuple(chain(*named["states"])),
            inputs=tuple(chain(*named["inputs"])),
            outputs=(*chain(*named["outputs"]), *driven),
            parameters=tuple(chain(*named["parameters"])),
            initial=np.concatenate([m.initial for m in self.parts]),
            rhs=self.rhs,
            observe=self.observe,
            notes="; ".join(m.notes for m in self.parts if m.notes),
        )

    def drive(self, part: int, t: float, y: np.ndarray, p: np.ndarray, u: np.ndarray) -> None:
        """Set the driven inputs of one part in the joint u from what the sources are at (t, y)."""
        for drive, is_state, source, at, to in self.into[part]:
            if is_state:
                u[to] = drive.value(y[self.slices["states"][source]][at])
            else:
                u[to] = drive.value(self._observed(source, t, y, p, u)[at])

    def _observed(self, part: int, t: float, y: np.ndarray, p: np.ndarray, u: np.ndarray) -> np.ndarray:
        out = np.zeros(len(self.parts[part].outputs))
        states, parameters, inputs = (self.slices[kind][part] for kind in ("states", "parameters", "inputs"))
        self.parts[part].observe(t, y[states], p[parameters], u[inputs], out)
        return out

    def rhs(self, t: float, y: np.ndarray, p: np.ndarray, u: np.ndarray, dy: np.ndarray) -> None:
        """Write the change of all states, with the drives as they are at (t, y)."""
        u = u.copy()
        for part in range(len(self.parts)):
            self.drive(part, t, y, p, u)
        for part, model in enumerate(self.parts):
            mine = {kind: self.slices[kind][part] for kind in KINDS}
            model.rhs(t, y[mine["states"]], p[mine["parameters"]], u[mine["inputs"]], dy[mine["states"]])

    def observe(self, t: float, y: np.ndarray, p: np.ndarray, u: np.ndarray, out: np.ndarray) -> None:
        """Write all outputs, with the drives as they are at (t, y)."""
        u = u.copy()
        for part in range(len(self.parts)):
            self.drive(part, t, y, p, u)
        for part in range(len(self.parts)):
            out[self.slices["outputs"][part]] = self._observed(part, t, y, p, u)
        position = {drive.input: to for ends in self.into for drive, *_, to in ends}
        out[self.slices["outputs"][-1].stop :] = [u[position[drive.input]] for drive in self.drives]


def _slices(sizes: Sequence[int]) -> list[slice]:
    ends = np.concatenate([[0], np.cumsum(sizes)]).tolist()
    return [slice(start, stop) for start, stop in pairwise(ends)]


def _named(name: str, model: OdeModel, kind: str) -> list:
    """Return the variables or parameters of a part with their names in the joint model."""
    return [
        item if not name or item.name.startswith(DOSE_RATE) else replace(item, name=f"{name}.{item.name}")
        for item in getattr(model, kind)
    ]


def _check_doses(inputs: Mapping[str, Sequence]) -> None:
    owner: dict[str, str] = {}
    for name, variables in inputs.items():
        for variable in variables:
            if variable.name in owner:
                drug = variable.name.removeprefix(DOSE_RATE)
                raise InputError(
                    f"companion {name}: '{drug}' is taken by {owner[variable.name] or 'the systemic model'} "
                    "already; keep it in one place, so that a dose has one way to go"
                )
            owner[variable.name] = name


def _check_drive(drive: Drive, places: Mapping[str, Mapping[str, object]], seen: set[str]) -> None:
    where = f"drive of {drive.input}"
    if drive.input not in places["inputs"]:
        raise unknown_word("input", drive.input, places["inputs"], where)
    sources = {*places["states"], *places["outputs"]}
    if drive.source not in sources:
        raise unknown_word("state or output", drive.source, sources, where)
    if drive.input.startswith(DOSE_RATE):
        raise InputError(f"{where}: the doses govern it; drive another input")
    if drive.input in seen:
        raise InputError(f"{where}: it is driven twice; an input has one source")
    if drive.input in sources:
        raise InputError(f"{where}: an output has this name already; rename one of them")
    for key in ("half", "factor"):
        if not 0.0 <= getattr(drive, key) < math.inf:
            raise InputError(f"{where}: {key} must be a finite number from 0 on, it is {getattr(drive, key)}")
