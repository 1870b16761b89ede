"""Hold the rate of every cell against the bound that thinning uses: a proof by looking, for tests and for doubt."""

import numpy as np

from ..lattice import Lattice
from ..model import Model
from ..state import State
from ..vocabulary import ADMIT, BECOME, BEGET, DIE, KILL, SECRETE, TAKE_UP, VERBS
from .decide import FATE_CLOCK, KILL_CLOCK, Agenda
from .sense import most_contacts, rate_bound, rates_at


class RateBoundError(RuntimeError):
    """A rate exceeded its bound: the thinning would lose events."""


def audit_rates(model: Model, state: State, lattice: Lattice, agenda: Agenda) -> None:
    """Compare the rates of every cell with their bounds, which are up to date.

    Raises
    ------
    RateBoundError
        Names type, behaviour, place, rate and bound of the first rate above its bound, to the last bit.
    """
    view, tables = state.view(model), model.tables
    shape = state.occupant.shape
    for info in model.types:
        row = tables.types[info.id]
        places = np.flatnonzero(view.occupant == info.id)
        rates = np.zeros(places.size)
        for clock in ("fate", "kill", "move"):
            total = np.zeros(2)
            for slot in range(row[f"{clock}_first"], row[f"{clock}_last"]):
                rates_at(slot, places, view, lattice, tables, rates)
                bound = rate_bound(slot, view, lattice, tables)
                total += [np.abs(rates).max(initial=0.0), bound]
                if places.size and not total[0] <= total[1]:
                    worst = int(np.argmax(np.abs(rates)))
                    place = tuple(int(i) for i in np.unravel_index(places[worst], shape))
                    raise RateBoundError(
                        f"{info.name}: '{behaviour_name(model, slot)}' at (layer, *site) {place} has the rate "
                        f"{float(rates[worst])!r}/h, above its bound of {float(bound)!r}/h "
                        f"at day {state.day(model):.3f}"
                    )
            if clock != "move":
                at, contacts = (FATE_CLOCK, 1) if clock == "fate" else (KILL_CLOCK, most_contacts(lattice))
                if total[0] * contacts > agenda.bound[at, info.id] * (1.0 + 1e-12):
                    raise RateBoundError(f"{info.name}: the bounds of the {clock} clock are out of date")


def behaviour_name(model: Model, slot: int) -> str:
    """Return the verb and the object of a behaviour, as a model file writes them."""
    row = model.tables.slots[slot]
    verb = next(word for word, code in VERBS.items() if code == row["verb"])
    if row["verb"] in (BECOME, ADMIT, BEGET):
        return f"{verb} {model.types[row['object'] - 1].name}"
    if row["verb"] in (SECRETE, TAKE_UP):
        return f"{verb} {model.fields[row['object']].name}"
    if row["verb"] == KILL:
        members = model.tables.sets[row["object"]]
        return f"{verb} {' or '.join(info.name for info in model.types if members[info.id])}"
    if row["verb"] == DIE:
        return model.events[row["event"]].partition(": ")[2]
    return verb
