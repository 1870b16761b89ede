"""What the words of a model file stand for: types, fields, signals, attributes and sets of types."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from .. import vocabulary as v
from ..errors import InputError, unknown_word
from ..snapshot import CellTypeInfo
from .parameters import Scope
from .quantities import in_unit, quantity

MOST_STEPS = 2**53  # whole numbers up to here are exact


class _Named(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def unit(self) -> str: ...


class _Signal(_Named, Protocol):
    @property
    def default(self) -> float: ...

    @property
    def pulse(self) -> bool: ...


@dataclass
class Words:
    """What the words of one model file mean; ``sets`` grows as groups are used.

    A ``draft`` has measured parameters that nothing has measured yet; what they decide is not judged.
    """

    scope: Scope
    types: tuple[CellTypeInfo, ...]
    fields: Sequence[_Named]
    signals: Sequence[_Signal]
    densities: Sequence[_Named]
    attributes: Sequence[_Named]
    carries: np.ndarray
    site_um: float
    dt_h: float
    draft: bool = False
    sets: list[list[int]] = field(default_factory=list)

    def index(self, kind: str, name: str, items: Sequence[Any], where: str) -> int:
        """Return the position of a name among items."""
        names = [item.name for item in items]
        if name not in names:
            raise unknown_word(kind, name, names, where)
        return names.index(name)

    def members(self, word: str, where: str) -> list[int]:
        """Return the 0/1 membership row of a type or group."""
        row = [0] + [int(word in (info.name, info.group)) for info in self.types]
        if not any(row):
            choices = {info.name for info in self.types} | {info.group for info in self.types}
            raise unknown_word("cell type or group", word, choices, where)
        return row

    def set_of(self, word: str, where: str) -> int:
        """Return the number of the set of a type or group, made at first use."""
        row = self.members(word, where)
        if row not in self.sets:
            self.sets.append(row)
        return self.sets.index(row)

    def steps(self, expression: str, where: str) -> int:
        """Return a time as a whole number of steps."""
        hours = self.scope.positive(expression, "h", where, zero=False)
        steps = round(hours / self.dt_h)
        if steps < 1 or abs(steps * self.dt_h - hours) > 1e-9 * hours:
            raise InputError(f"{where}: {hours:g} h is not a multiple of the time step of {self.dt_h:g} h")
        if steps > MOST_STEPS:
            raise InputError(
                f"{where}: {hours:g} h are more than {MOST_STEPS:g} time steps of {self.dt_h:g} h"
            )
        return steps

    def body_signal(self, entry: dict[str, Any], key: str, unit: str) -> int:
        """Return the position of the body signal that a field names, -1 if none; its unit must be this."""
        if key not in entry:
            return -1
        where = f"{entry['where']} {key}"
        index = self.index("body signal", entry[key], self.signals, where)
        given = self.signals[index].unit
        if abs(in_unit(quantity(1.0, given), unit, where) - 1.0) > 1e-9:
            raise InputError(f"{where}: '{entry[key]}' is in {given}, and {unit} is needed here")
        return index

    def sense(self, text: str, where: str) -> tuple[int, int, str]:
        """Return (sense, subject, unit) of one signal."""
        verb, _, name = text.partition(" ")
        if verb not in v.SENSES:
            raise unknown_word("signal", verb, v.SENSES, where)
        code = v.SENSES[verb]
        if code == v.CROWDING:
            if name:
                raise InputError(f"{where}: 'crowding' takes no object, got '{text}'")
            return code, 0, "1"
        if code == v.CONTACT:
            return code, self.set_of(name, where), "1"
        kind, items = {
            v.FIELD: ("field", self.fields),
            v.RELATIVE_FIELD: ("field", self.fields),
            v.BODY: ("body signal", self.signals),
            v.DENSITY: ("density", self.densities),
            v.OWN: ("attribute", self.attributes),
        }[code]
        index = self.index(kind, name, items, where)
        return code, index, "1" if code == v.RELATIVE_FIELD else items[index].unit


def split_behaviour(text: str, where: str) -> tuple[int, str]:
    """Return (verb, object) of a behaviour such as ``die apoptosis``."""
    verb, _, target = text.partition(" ")
    if verb not in v.VERBS:
        raise unknown_word("behaviour", verb, v.VERBS, where)
    if (verb in v.VERB_OBJECT) != bool(target):
        need = f"needs a {v.VERB_OBJECT[verb]}" if verb in v.VERB_OBJECT else "takes no object"
        raise InputError(f"{where}: '{verb}' {need}, got '{text}'")
    return v.VERBS[verb], target


def one_of(choices: Sequence[str], word: str, kind: str, where: str) -> int:
    """Return the position of a word among choices."""
    if word not in choices:
        raise unknown_word(kind, word, choices, where)
    return choices.index(word)
