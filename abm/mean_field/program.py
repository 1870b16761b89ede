"""Write the program of a mean field from the tables that the engine runs on."""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .. import vocabulary as v
from ..compile.rules import inherited
from ..compile.words import split_behaviour
from ..lattice import offsets
from ..model import Model
from ..ode_model import Parameter
from . import rhs as columns
from .classes import CellClass, Classes, read_classes

HOURS_A_DAY = 24.0
MOST_NEIGHBOURHOODS = 100_000  # of one term, beyond which its rules sense the mean neighbourhood


@dataclass(frozen=True)
class Behaviour:
    """One slot of the tables with the words it was declared in."""

    slot: int
    type: str
    verb: int
    do: str
    entry: dict[str, Any]
    rules: tuple[dict[str, Any], ...]


@dataclass
class Numbers:
    """Named numbers at the head of ``p``."""

    rows: list[Parameter] = field(default_factory=list)

    def add(self, name: str, value: float, unit: str, source: str, description: str = "") -> int:
        """Return the position of a number, added if its name is new."""
        for at, row in enumerate(self.rows):
            if row.name == name:
                return at
        self.rows.append(Parameter(name, float(value), unit, source, description))
        return len(self.rows) - 1


@dataclass
class Writer:
    """A program in the making."""

    model: Model
    classes: Classes
    behaviours: dict[str, list[Behaviour]]
    numbers: Numbers = field(default_factory=Numbers)
    terms: list[list[float]] = field(default_factory=list)
    modifiers: list[tuple[int, int, int]] = field(default_factory=list)
    slots: dict[int, tuple[int, int, int]] = field(default_factory=dict)
    rules: list[tuple] = field(default_factory=list)
    categories: list[tuple[int, int, int, int]] = field(default_factory=list)
    members: list[list[int]] = field(default_factory=list)
    remains: dict[tuple[int, int], int] = field(default_factory=dict)  # (type left, class killed): class
    notes: list[str] = field(default_factory=list)

    def source_of(self, expression: str) -> str:
        """Return the source of a number: that of the parameter if it is one, else ``derived``."""
        for parameter in self.model.parameters:
            if parameter.name == expression:
                return parameter.source
        return "derived"

    def unit_of(self, rule: np.void) -> str:
        """Return the unit of what a rule senses."""
        items = {v.FIELD: self.model.fields, v.BODY: self.model.signals, v.DENSITY: self.model.densities}
        units = [
            items[rule[f"sense{k}"]][rule[f"subject{k}"]].unit for k in ("", "2") if rule[f"sense{k}"] in items
        ]  # fmt: skip
        return "*".join(unit for unit in units if unit != "1") or "1"

    def slot(self, behaviour: Behaviour) -> int:
        """Return the row of a slot, written at first use."""
        rows = list(self.slots)
        if behaviour.slot in self.slots:
            return rows.index(behaviour.slot)
        table = self.model.tables
        given = table.slots[behaviour.slot]
        per_day = behaviour.verb in (*v.FATE, v.KILL)
        kind = {v.SECRETE: "unit/h", v.TAKE_UP: "1/h", v.BEGET: "1", v.DIE_DIVIDING: "1"}
        label = f"{behaviour.type}: {behaviour.do}"
        base = self.numbers.add(
            label,
            given["base"] * (HOURS_A_DAY if per_day else 1.0),
            "1/d" if per_day else kind[behaviour.verb],
            self.source_of(behaviour.entry["rate"]),
            f"base rate, {behaviour.entry['rate']}",
        )
        first = len(self.rules)
        for k, words in enumerate(behaviour.rules):
            row = table.rules[given["rule_first"] + k]
            place = [
                self.numbers.add(f"{label} | rule {k + 1} {key}", row[key], self.unit_of(row) if key == "half" else "1",
                                 self.source_of(words.get(key, "")))
                for key in ("half", "power", "fold")
            ]  # fmt: skip
            rest = (row[key] for key in ("effect", "response", "sense", "subject", "sense2", "subject2"))
            self.rules.append((*place, *rest))
        self.slots[behaviour.slot] = (base, first, len(self.rules))
        return len(rows)

    def categories_of(self, using: list[Behaviour], layer: int, fills: bool, target: int) -> tuple[int, int]:
        """Write the categories of neighbours that some slots tell apart; (0, 0) where none senses them.

        Parameters
        ----------
        using : list of Behaviour
        layer : int
            Layer of the sensing cell.
        fills : bool
            Whether it matters that a neighbour on the own layer is occupied.
        target : int
            Set of the victims, -1 if nobody is killed.
        """
        table = self.model.tables
        slots = [table.slots[behaviour.slot] for behaviour in using]
        rules = [rule for slot in slots for rule in table.rules[slot["rule_first"] : slot["rule_last"]]]
        sensed = [(rule[f"sense{k}"], rule[f"subject{k}"]) for rule in rules for k in ("", "2")]
        local = [pair for pair in sensed if pair[0] in (v.CONTACT, v.CROWDING)]
        if not local:
            return 0, 0
        sets = sorted({int(subject) for sense, subject in local if sense == v.CONTACT} | ({target} - {-1}))
        fills = fills or any(sense == v.CROWDING for sense, _ in local)
        near = sites_in_reach(self.model, 1)
        number, rows, members = 1, [], []
        for other in range(len(self.model.layers)):
            groups: dict[tuple, list[int]] = {}
            for info in self.model.types:
                if table.types[info.id]["layer"] == other:
                    mark = tuple(table.sets[s][info.id] for s in sets)
                    groups.setdefault((*mark, fills and other == layer), []).append(info.id)
            nothing = (*(0 for _ in sets), False)
            if not groups.keys() - {nothing}:
                continue
            rest = groups.pop(nothing, [])
            sites = near if other == layer else near + 1
            for ids in (*groups.values(), [0, *rest]):
                rows.append((other, sites, ids[0], int(fills and other == layer and ids[0] > 0)))
                members.append([int(t in ids) for t in range(len(self.model.types) + 1)])
            number *= math.comb(sites + len(groups), len(groups))
        if number > MOST_NEIGHBOURHOODS:
            names = ", ".join(f"{b.type}: {b.do}" for b in using)
            self.notes.append(
                f"{names}: {number} different neighbourhoods are too many to average over, so its rules sense "
                "the mean neighbourhood"
            )
            return 0, 0
        first = len(self.categories)
        self.categories += rows
        self.members += members
        return first, len(self.categories)

    def term(self, c: int, kind: int, behaviour: Behaviour, **more: int) -> list[float]:
        """Write one term; keywords name further columns."""
        table = self.model.tables
        layer = int(table.types[self.model.type_id(behaviour.type)]["layer"])
        values = [0.0] * (columns.CATEGORY_LAST + 1)
        for nowhere in (
            columns.MOTHER,
            columns.DAUGHTER,
            columns.BELOW,
            columns.SET,
            columns.LEFT,
            columns.FIELD_AT,
        ):
            values[nowhere] = -1.0
        given = {"CLASS": c, "KIND": kind, "SLOT": self.slot(behaviour), "LAYER": layer} | more
        for name, value in given.items():
            values[getattr(columns, name)] = float(value)
        self.terms.append(values)
        return values


def sites_in_reach(model: Model, rings: int) -> int:
    """Return how many sites lie within so many rings of a site."""
    _, ends = offsets(model.dimensions, v.NEIGHBOURHOODS.index(model.spec.model["neighbourhood"]))
    return int(ends[rings])


def behaviours_of(model: Model) -> dict[str, list[Behaviour]]:
    """Return per type the slots of the tables beside the words that declared them."""
    entries = inherited(model.spec, "behaviour", "do")
    rules = inherited(model.spec, "rule", "behaviour")
    columns_of_types = model.tables.types.dtype.names or ()
    clocks = [name.removesuffix("_first") for name in columns_of_types if name.endswith("_first")]
    found: dict[str, list[Behaviour]] = {}
    for info in model.types:
        row, mine = model.tables.types[info.id], []
        for clock in clocks:
            slots = range(int(row[f"{clock}_first"]), int(row[f"{clock}_last"]))
            verbs = {int(model.tables.slots[slot]["verb"]) for slot in slots}
            declared = [e for e in entries[info.name] if split_behaviour(e["do"], e["where"])[0] in verbs]
            for slot, entry in zip(slots, declared, strict=True):
                own = tuple(rule for rule in rules[info.name] if rule["behaviour"] == entry["do"])
                verb = int(model.tables.slots[slot]["verb"])
                mine.append(Behaviour(slot, info.name, verb, entry["do"], entry, own))
        found[info.name] = mine
    return found


def write_program(model: Model) -> Writer:
    """Return the terms of a model's mean field: one for each class and behaviour.

    Raises
    ------
    InputError
        A counter takes too many values to be followed.
    """
    writer = Writer(model, read_classes(model), behaviours_of(model))
    slots = model.tables.slots
    deadly = [(int(slot["object"]), int(slot["leaves"])) for slot in slots if slot["verb"] == v.KILL]
    at = 0
    while at < len(writer.classes.rows):  # behaviours lead to further classes
        cell = writer.classes.rows[at]
        t = model.type_id(cell.type)
        for behaviour in writer.behaviours[cell.type]:
            _write(writer, at, cell, behaviour)
        for victims, left in deadly:
            if model.tables.sets[victims][t]:
                writer.remains[left, at] = writer.classes.index(writer.classes.carried(left, cell))
        at += 1
    writer.notes += writer.classes.notes
    return writer


def _write(writer: Writer, c: int, cell: CellClass, behaviour: Behaviour) -> None:
    verb, table, classes = behaviour.verb, writer.model.tables, writer.classes
    given = table.slots[behaviour.slot]
    layer = int(table.types[writer.model.type_id(cell.type)]["layer"])
    killing = verb == v.KILL
    if verb == v.DIVIDE:
        _write_division(writer, c, cell, behaviour)
        return
    kinds = {v.SECRETE: columns.GIVE, v.TAKE_UP: columns.TAKE, v.KILL: columns.SLAY}
    kind = kinds.get(verb, columns.LOSE)
    if kind == columns.LOSE and verb not in v.FATE:
        return
    to: CellClass | None = None
    if verb == v.DIE:
        to = classes.carried(int(given["leaves"]), cell)
    elif verb == v.BECOME:
        turned = classes.carried(int(given["object"]), cell)
        to = None if turned is None else classes.after(behaviour.slot, turned)
    elif killing:
        to = classes.after(behaviour.slot, cell)
    first, last = writer.categories_of([behaviour], layer, False, int(given["object"]) if killing else -1)
    writer.term(
        c, kind, behaviour, MOTHER=classes.index(to), SET=int(given["object"]) if killing else -1,
        LEFT=int(given["leaves"]) if killing else -1, FIELD_AT=int(given["object"]) if kind >= columns.GIVE else -1,
        CATEGORY_FIRST=first, CATEGORY_LAST=last,
    )  # fmt: skip


def _write_division(writer: Writer, c: int, cell: CellClass, behaviour: Behaviour) -> None:
    table, classes = writer.model.tables, writer.classes
    given = table.slots[behaviour.slot]
    layer = int(table.types[writer.model.type_id(cell.type)]["layer"])
    changing = [b for b in writer.behaviours[cell.type] if b.verb in v.PROBABILITIES_OF_DIVISION]
    first, last = writer.categories_of([behaviour, *changing], layer, True, -1)
    opened = len(writer.modifiers)
    for modifier in changing:
        row = table.slots[modifier.slot]
        if modifier.verb == v.DIE_DIVIDING:
            to = classes.carried(int(row["leaves"]), cell)
        else:
            to = classes.carried(int(row["object"]), classes.changed(behaviour.slot, cell))
        kills = int(modifier.verb == v.DIE_DIVIDING)
        writer.modifiers.append((writer.slot(modifier), kills, classes.index(to)))
    at = classes.index(classes.after(behaviour.slot, cell))
    seeks = int(given["target"] == v.ANY_NEIGHBOUR)
    writer.term(
        c, columns.SPLIT, behaviour, MODIFIER_FIRST=opened, MODIFIER_LAST=len(writer.modifiers), SEEKS=seeks,
        REACH=sites_in_reach(writer.model, int(given["rings"])),
        MOTHER=at, DAUGHTER=at, BELOW=int(given["below"]), CATEGORY_FIRST=first, CATEGORY_LAST=last,
    )  # fmt: skip


def matrix(rows: list, columns_if_empty: int) -> np.ndarray:
    """Return rows as a float64 matrix, of the right width even where there are none."""
    return np.array(rows, dtype=np.float64).reshape(-1, len(rows[0]) if rows else columns_if_empty)


def pack(numbers: list[float], blocks: list[np.ndarray]) -> np.ndarray:
    """Return ``p``: the numbers, the blocks, and where each block stands."""
    parts, header, at = [np.array(numbers, dtype=np.float64)], [], len(numbers)
    for rows in blocks:
        parts.append(rows.reshape(-1))
        header += [at, *rows.shape]
        at += rows.size
    return np.concatenate([*parts, np.array(header, dtype=np.float64)])
