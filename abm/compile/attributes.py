"""Turn attributes of cells, and what changes them, from words into rows of numbers."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import vocabulary as v
from ..errors import InputError, unknown_word
from ..snapshot import CellTypeInfo
from ..tables import CARRIES
from .events import Events
from .model_file import ModelSpec, expand_groups
from .parameters import Scope
from .words import Words, split_behaviour

_MOST = 2.0**24  # a cell keeps an attribute in single precision, which tells whole numbers apart up to here


@dataclass(frozen=True)
class AttributeInfo:
    """Name, unit and kind (count, clock or timer) of an attribute."""

    name: str
    unit: str
    kind: str


def read_attributes(spec: ModelSpec) -> tuple[AttributeInfo, ...]:
    """Return the attributes of a specification in the order of declaration.

    Raises
    ------
    InputError
    """
    infos: list[AttributeInfo] = []
    for entry in spec.sections["attribute"]:
        where, kind = entry["where"], entry.get("kind", "count")
        if kind not in v.ATTRIBUTE_KINDS:
            raise unknown_word("kind", kind, v.ATTRIBUTE_KINDS, where)
        if entry["name"] in [info.name for info in infos]:
            raise InputError(f"{where}: attribute '{entry['name']}' is declared twice")
        unit = "1" if kind == "count" else "h"
        if entry["unit"] != unit:
            raise InputError(f"{where}: a {kind} is kept in unit '{unit}', not '{entry['unit']}'")
        infos.append(AttributeInfo(entry["name"], unit, kind))
    return tuple(infos)


def compile_attributes(spec: ModelSpec, scope: Scope, types: tuple[CellTypeInfo, ...]) -> np.ndarray:
    """Return which type carries which attribute, and how it starts, shape (type + 1, attribute).

    A type that is like another one carries what that one carries.

    Raises
    ------
    InputError
    """
    entries = spec.sections["attribute"]
    table = np.zeros((len(types) + 1, len(entries)), CARRIES)
    names = [info.name for info in types]
    for column, entry in enumerate(entries):
        where = entry["where"]
        carriers = set(expand_groups(entry["cell"], spec.sections["cell_type"], where))
        initial = scope.positive(entry["initial"], entry["unit"], f"{where} initial")
        spread = 0.0
        if "spread" in entry:
            spread = scope.positive(entry["spread"], entry["unit"], f"{where} spread")
        _check_size(initial + spread, entry["unit"], f"{where} initial + spread")
        for cell in spec.sections["cell_type"]:
            if cell.get("like") in carriers:
                carriers.add(cell["name"])
        for name in carriers:
            kind = v.ATTRIBUTE_KINDS[entry.get("kind", "count")]
            table[1 + names.index(name), column] = (initial, spread, 1, kind)
    return table


def compile_changes(
    entry: dict[str, Any], info: CellTypeInfo, spec: ModelSpec, words: Words, events: Events
) -> list[tuple]:
    """Return the changes that one behaviour of one type makes, in the order of declaration.

    Raises
    ------
    InputError
    """
    rows = []
    for change in spec.sections["change"]:
        where = change["where"]
        if change["on"] != entry["do"]:
            continue
        types = spec.sections["cell_type"]
        named = set(expand_groups(change["cell"], types, where)) if "cell" in change else {info.name}
        if not named & set(_forebears(info.name, types)):
            continue
        attribute = words.index("attribute", change["attribute"], words.attributes, where)
        carrier = info.id
        if split_behaviour(entry["do"], where)[0] == v.BECOME:  # what it becomes is what changes
            carrier = 1 + words.index("cell type", entry["do"].partition(" ")[2], words.types, where)
        if not words.carries[carrier, attribute]["carried"]:
            if "cell" not in change:
                continue
            name = words.types[carrier - 1].name
            raise InputError(f"{where}: {name} does not carry '{change['attribute']}'")
        if ("add" in change) == ("set" in change):
            raise InputError(f"{where}: give either add or set")
        sets = "set" in change
        amount = words.scope.number(
            change["set" if sets else "add"], words.attributes[attribute].unit, f"{where} amount"
        )
        _check_size(amount, words.attributes[attribute].unit, f"{where} amount")
        at_zero, target, event = -1, 0, -1
        if "at_zero" in change:
            at_zero, word = split_behaviour(change["at_zero"], f"{where} at_zero")
            if at_zero not in (v.BECOME, v.DIE):
                raise InputError(f"{where}: at_zero reads 'become <cell type>' or 'die <cause>'")
            if at_zero == v.BECOME:
                target = 1 + words.index("cell type", word, words.types, where)
                if words.types[target - 1].layer != info.layer:
                    raise InputError(
                        f"{where}: {info.name} cannot become {word}, which sits on another layer"
                    )
            # whoever carries the attribute then: after a become it is the new type that dies or becomes
            event = events.row(change["at_zero"], carrier, target, where)
        rows.append((amount, attribute, int(sets), at_zero, target, event))
    return rows


def _check_size(value: float, unit: str, where: str) -> None:
    if abs(value) > _MOST:
        raise InputError(
            f"{where} is {value:g} {unit}; a cell keeps an attribute in single precision, which tells steps of 1 "
            f"apart up to {_MOST:,.0f}: count in larger steps"
        )


def _forebears(name: str, types: list[dict[str, Any]]) -> list[str]:
    """Return a type and the types that it is like."""
    like = {entry["name"]: entry.get("like") for entry in types}
    chain: list[str] = []
    current: str | None = name
    while current:
        chain.append(current)
        current = like[current]
    return chain


def check_changes(spec: ModelSpec, behaviours: dict[str, list[dict[str, Any]]]) -> None:
    """Refuse a change on a behaviour that no carrier has.

    Raises
    ------
    InputError
    """
    for change in spec.sections["change"]:
        verb, _ = split_behaviour(change["on"], f"{change['where']} on")
        if verb not in (v.DIVIDE, v.KILL, v.BECOME):
            raise InputError(
                f"{change['where']}: a change happens on divide, kill or become, not on '{change['on']}'"
            )
        cells = change.get("cell", list(behaviours))
        names = list(expand_groups(cells, spec.sections["cell_type"], change["where"]))
        known = {entry["do"] for name in names for entry in behaviours[name]}
        if change["on"] not in known:
            raise unknown_word("behaviour", change["on"], known, f"{change['where']} on")
