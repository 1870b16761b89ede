"""The events of a model: what each is called, and which cell it takes from its site and leaves there."""

from dataclasses import dataclass, field

import numpy as np

from ..errors import InputError
from ..snapshot import CellTypeInfo

TO_BODY = -1  # in place of the type that stands there after: the cell has gone back to blood


@dataclass
class Events:
    """The event counters of a model, made at first use.

    Attributes
    ----------
    names : list of str
        "<type>: <what happened>".
    cells : list of (int, int)
        Type of the cell that was there before and that is there after, 0 for none, or TO_BODY.
    """

    types: tuple[CellTypeInfo, ...]
    names: list[str] = field(default_factory=list)
    cells: list[tuple[int, int]] = field(default_factory=list)

    def row(self, what: str, before: int, after: int, where: str, who: int = 0) -> int:
        """Return the counter of what happens to a type (``who``, if not the one that was there before).

        Raises
        ------
        InputError
            The same event leaves another type elsewhere in the model.
        """
        name = f"{self.types[(who or before) - 1].name}: {what}"
        if name not in self.names:
            self.names.append(name)
            self.cells.append((before, after))
        number = self.names.index(name)
        known = self.cells[number][1]
        if known != after:
            here, there = (self.types[t - 1].name if t > 0 else "nothing" for t in (after, known))
            raise InputError(
                f"{where}: '{name}' leaves {here} in the site, and {there} where it is declared before; one event "
                "leaves one thing, so give the causes different names, or the same 'leaves'"
            )
        return number

    def table(self) -> np.ndarray:
        """Return the changes of cells, int32 of shape (event, 2)."""
        return np.array(self.cells, np.int32).reshape(-1, 2)
