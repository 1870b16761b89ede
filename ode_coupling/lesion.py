"""One lesion: a tissue with its ports resolved, and what it exchanges with the body in a step."""

import numpy as np

from ..abm.advance import Tissue
from ..abm.errors import unknown_word
from .books import draw_arrivals, released_since, settle_cells
from .exchange import Exchange
from .ledger import Ledger
from .ports import Ports, resolve_cells
from .system import Body


class Lesion:
    """A tissue and its share of what the body sends.

    Parameters
    ----------
    tissue : Tissue
    body : Body
    ports : Ports
    fraction : float
        Share of the tumour that this lesion is: its part of the flux out of blood.

    Attributes
    ----------
    refused, waiting : ndarray of int64, shape (cell port,)
        Arrivals that found no site and stayed in blood; and those due that blood could not yet supply.
    amount : ndarray of float64, shape (cell port,)
        Cells of every port's type at the scale of the lesion.
    exchanges : list of Exchange or None
        By drug account.

    Raises
    ------
    InputError
        A port names what tissue or body do not have.
    """

    def __init__(self, tissue: Tissue, body: Body, ports: Ports, fraction: float = 1.0):
        self.tissue, self.body, self.ports, self.fraction = tissue, body, ports, fraction
        model, n = tissue.model, len(ports.cells)
        self.cells = resolve_cells(ports, model, body.model)
        known = {signal.name for signal in model.signals}
        for port in ports.signals:
            if port.signal not in known:
                raise unknown_word("body signal", port.signal, known, "coupling")
        self._signals = [(p.signal, *_where(body, p.body), p.factor) for p in ports.signals]
        weights = {port.type: port.weight for port in ports.cells}
        for release in ports.releases:
            if release.event not in model.events:
                raise unknown_word("event", release.event, model.events, "coupling")
        self._released = np.array([model.events.index(r.event) for r in ports.releases], np.int64)
        self._antigen = np.array(
            [r.amount * weights[r.event.partition(": ")[0]] for r in ports.releases], np.float64
        )
        litres = fraction * ports.tissue_volume_L
        self.exchanges = [Exchange(d.flux, tissue, body, litres) if d.flux else None for d in ports.drugs]
        self.refused, self.waiting = np.zeros(n, np.int64), np.zeros(n, np.int64)
        self._wanted, self._entered = np.zeros(n, np.int64), np.zeros(n, np.int64)
        self.amount = np.zeros(n)
        self._arriving = [(i, int(t)) for i, t in enumerate(self.cells.type_id) if self.cells.arrival[i] >= 0]
        self._days = model.dt_h / 24.0 * fraction
        self.count()

    def count(self) -> None:
        """Weigh the cells that are there."""
        np.multiply(self.cells.weight, self.tissue.state.number[self.cells.type_id], out=self.amount)

    def sense(self, outputs: np.ndarray) -> None:
        """Hand the body's states and outputs on to the tissue."""
        y = self.body.y
        self.tissue.set_body(
            {
                name: (y[index] if is_state else outputs[index]) * factor
                for name, is_state, index, factor in self._signals
            }
        )

    def step(self, outputs: np.ndarray, ledger: Ledger) -> float:
        """Draw arrivals, advance the tissue by a step, settle cells and drugs; return the antigen released.

        Parameters
        ----------
        outputs : ndarray
            Of the body, as this step finds it.
        """
        tissue, cells, y, litres = self.tissue, self.cells, self.body.y, self.ports.blood_volume_L
        state, wanted = tissue.state, self._wanted
        draw_arrivals(
            np.uint64(state.seed), state.step, cells.type_id, cells.weight, cells.arrival, cells.blood,
            outputs, y, self._days, litres, state.region.size, self.waiting, wanted,
        )  # fmt: skip
        before = state.events.copy()
        entered = tissue.step({type_id: int(wanted[i]) for i, type_id in self._arriving})
        for i, type_id in self._arriving:
            self._entered[i] = entered[type_id]
        settle_cells(
            state.events, before, cells.weight, cells.blood, cells.flows, wanted, self._entered, litres,
            y, self.refused, ledger.booked, ledger.gross,
        )  # fmt: skip
        self.count()
        return released_since(state.events, before, self._released, self._antigen)

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return everything that changes, the tissue's state included, as named arrays."""
        own = {"couple_refused": self.refused.copy(), "couple_waiting": self.waiting.copy()}
        own |= {f"couple_flux_{k}": e.to_arrays() for k, e in enumerate(self.exchanges) if e}
        return {**self.tissue.state.to_arrays(), **own}

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Take over counts and fluxes (the tissue's state is set by whoever owns it)."""
        self.refused[:], self.waiting[:] = arrays["couple_refused"], arrays["couple_waiting"]
        for k, exchange in enumerate(self.exchanges):
            if exchange:
                exchange.restore(arrays[f"couple_flux_{k}"])
        self.count()


def _where(body: Body, name: str) -> tuple[bool, int]:
    """Return (is a state, position) of a body state or output."""
    if any(state.name == name for state in body.model.states):
        return True, body.model.index("states", name)
    return False, body.model.index("outputs", name)
