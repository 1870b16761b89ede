"""Types and the values of their counters, as classes of a mean field."""

from dataclasses import dataclass, field

import numpy as np

from .. import vocabulary as v
from ..errors import InputError
from ..model import Model

MOST_VALUES = 100  # classes of one type
DIGITS = 6  # of a counter, which cells carry in single precision


@dataclass(frozen=True)
class CellClass:
    """A cell type with one value for each attribute that is followed."""

    type: str
    values: tuple[tuple[str, float], ...]

    @property
    def name(self) -> str:
        """Return the name of the state: the type, with its values where it has any."""
        inner = ", ".join(f"{name}={value:g}" for name, value in self.values)
        return f"{self.type}[{inner}]" if inner else self.type


@dataclass
class Classes:
    """All classes that cells of a model can be in, found as behaviours lead to them."""

    model: Model
    followed: frozenset[int]  # counters that a rule senses or that end a cell at zero
    notes: list[str]
    rows: list[CellClass] = field(default_factory=list)
    _index: dict[CellClass, int] = field(default_factory=dict)

    def index(self, cell: CellClass | None) -> int:
        """Return the position of a class, added if it is new; -1 for no cell.

        Raises
        ------
        InputError
            A counter of the type takes too many values.
        """
        if cell is None:
            return -1
        if cell not in self._index:
            if sum(row.type == cell.type for row in self.rows) >= MOST_VALUES:
                names = ", ".join(name for name, _ in cell.values)
                raise InputError(
                    f"{self.model.name}: {names} of {cell.type} takes more than {MOST_VALUES} values, too many to "
                    "follow in a mean field; bound it with at_zero, or let no rule sense it"
                )
            self._index[cell] = len(self.rows)
            self.rows.append(cell)
        return self._index[cell]

    def carried(self, type_id: int, cell: CellClass | None = None) -> CellClass | None:
        """Return the class of a type that takes over the values of a cell (None: starts afresh); id 0 is no cell."""
        if type_id == 0:
            return None
        values, kept = dict(cell.values) if cell else {}, []
        for a, info in enumerate(self.model.attributes):
            row = self.model.tables.carries[type_id, a]
            if a in self.followed and row["carried"]:
                kept.append((info.name, values.get(info.name, round(float(row["initial"]), DIGITS))))
        return CellClass(self.model.types[type_id - 1].name, tuple(kept))

    def _changes(self, slot: int, cell: CellClass) -> list[np.void]:
        """Return what a behaviour changes of the counters of a cell."""
        row, names = self.model.tables.slots[slot], dict(cell.values)
        rows = self.model.tables.changes[row["change_first"] : row["change_last"]]
        return [r for r in rows if self.model.attributes[r["attribute"]].name in names]

    def changed(self, slot: int, cell: CellClass) -> CellClass:
        """Return the class of a cell after the changes of a behaviour, before any end at zero."""
        values = dict(cell.values)
        for row in self._changes(slot, cell):
            name = self.model.attributes[row["attribute"]].name
            before = 0.0 if row["sets"] else values[name]
            values[name] = round(max(0.0, before + float(row["amount"])), DIGITS)
        return CellClass(cell.type, tuple(values.items()))

    def after(self, slot: int, cell: CellClass) -> CellClass | None:
        """Return the class of a cell after a behaviour and what happens at zero; None if it dies of it."""
        now = self.changed(slot, cell)
        values = dict(now.values)
        for row in self._changes(slot, cell):
            if row["at_zero"] >= 0 and values[self.model.attributes[row["attribute"]].name] <= 0.0:
                return self.carried(int(row["object"]), now)
        return now


def read_classes(model: Model) -> Classes:
    """Return the classes of a model, at first one for each type."""
    tables, notes = model.tables, []
    sensed = {
        int(r[f"subject{k}"]) for r in tables.rules for k in ("", "2") if r[f"sense{k}"] == v.OWN
    }  # fmt: skip
    ends = {int(r["attribute"]) for r in tables.changes if r["at_zero"] >= 0}
    for a in sorted(sensed | ends):
        info, column = model.attributes[a], tables.carries[:, a]
        if info.kind != "count":
            value = float(column["initial"].max())
            notes.append(
                f"own {info.name} is a {info.kind}: it stays at its initial value of {value:g} {info.unit}, "
                "because a mean field knows no ages"
            )
            if a in ends:
                notes.append(f"own {info.name} is a {info.kind}: what happens when it is zero is left out")
        elif column["spread"].any():
            notes.append(f"own {info.name}: its spread between cells is left out, all start at the mean")
    followed = frozenset(a for a in sensed | ends if model.attributes[a].kind == "count")
    classes = Classes(model, followed, notes)
    for cell in model.types:
        classes.index(classes.carried(cell.id))
    return classes
