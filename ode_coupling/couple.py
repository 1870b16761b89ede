"""Couple tissue and body: the only place where both sides meet.

What crosses is stated in amounts. One lattice cell of a type stands for ``weight`` body cells; arrivals are a
Poisson draw from the body's outward flux, limited by what blood holds, and exactly the cells that found a site
are debited; cells that leave are credited; antigen is credited through a short buffer. A step is
Strang-split: half a step of the body, the exchange and one step of the tissue, the other half of the body.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..abm.advance import Tissue
from ..abm.draws import mix, poisson, step_key
from ..abm.errors import InputError, unknown_word
from ..abm.ode_model import OdeModel
from .ledger import Ledger
from .system import Body

_PORT_PURPOSE = 100  # key of the draws of arrivals, apart from those of the cells
ANTIGEN_BUFFER_DAYS = 1.0  # assumed: smooths the integer deaths of a lattice; amounts are conserved


@dataclass(frozen=True)
class CellPort:
    """A cell type that the lattice owns: ``cells.<type>.blood_to_tissue`` and back, in body cells.

    Attributes
    ----------
    type : str
        Cell type of the tissue.
    tissue : str
        Body state that the lattice replaces (cells/L).
    weight : float
        Body cells that one lattice cell stands for.
    blood, arrival : str
        Body state of the blood pool and body output of the outward flux (cells/d); empty for a type that
        does not circulate.
    """

    type: str
    tissue: str
    weight: float
    blood: str = ""
    arrival: str = ""


@dataclass(frozen=True)
class SignalPort:
    """A body state or output that the tissue senses, times a factor."""

    signal: str
    body: str
    factor: float = 1.0


@dataclass(frozen=True)
class ReleasePort:
    """Antigen (cell equivalents) that one event of the tissue releases."""

    event: str
    amount: float


@dataclass(frozen=True)
class DrugAccount:
    """The body states that hold what was given of a drug."""

    drug: str
    states: tuple[str, ...]


@dataclass(frozen=True)
class Ports:
    """Everything that crosses, and the two volumes (L) that turn amounts into densities."""

    cells: tuple[CellPort, ...]
    signals: tuple[SignalPort, ...]
    releases: tuple[ReleasePort, ...]
    drugs: tuple[DrugAccount, ...]
    blood_volume_L: float
    tissue_volume_L: float
    release_input: str = "antigen_rate"
    release_name: str = "antigen"


@dataclass
class _Port:
    """A cell port resolved to positions."""

    type_id: int
    weight: float
    tissue: int
    blood: int
    arrival: int
    leave_events: list[int]
    change_events: list[tuple[int, int]] = field(default_factory=list)  # (event, cells gained)


class CoupledRun:
    """A tissue and a body that advance together.

    Parameters
    ----------
    tissue : Tissue
    body : Body
        Its densities of the owned types are overwritten by the lattice's.
    ports : Ports

    Attributes
    ----------
    ledger : Ledger
    refused : ndarray of int64, shape (cell port,)
        Arrivals that found no site and stayed in blood.
    """

    def __init__(self, tissue: Tissue, body: Body, ports: Ports):
        self.tissue, self.body, self.ports = tissue, body, ports
        model, body_model = tissue.model, body.model
        self._cells = [self._resolve(port) for port in ports.cells]
        self._signals = [(port.signal, *_where(body_model, port.body), port.factor) for port in ports.signals]
        known = {signal.name for signal in model.signals}
        for signal_port in ports.signals:
            if signal_port.signal not in known:
                raise unknown_word("body signal", signal_port.signal, known, "coupling")
        weights = {port.type: port.weight for port in ports.cells}
        self._releases = [
            (model.events.index(r.event), r.amount * weights[r.event.partition(": ")[0]])
            for r in ports.releases
        ]
        self._drugs = [[body_model.index("states", s) for s in account.states] for account in ports.drugs]
        self.ledger = Ledger(species_names(ports))
        self.refused = np.zeros(len(ports.cells), np.int64)
        self.buffer, self.passed = 0.0, 0.0
        for port in ports.cells:
            body.set_input(f"owned_{port.tissue}", 1.0)
        self._seed = np.uint64(tissue.state.seed)

    def _resolve(self, port: CellPort) -> _Port:
        model, body_model = self.tissue.model, self.body.model
        type_id = model.type_id(port.type, "coupling")
        if not port.weight > 0 or not np.isfinite(port.weight):
            raise InputError(f"coupling: the weight of {port.type} must be positive, got {port.weight:g}")
        resolved = _Port(
            type_id,
            port.weight,
            body_model.index("states", port.tissue),
            body_model.index("states", port.blood) if port.blood else -1,
            body_model.index("outputs", port.arrival) if port.arrival else -1,
            [],
        )
        for number, event in enumerate(model.events):
            who, _, what = event.partition(": ")
            if who == port.type and what == "leave":
                resolved.leave_events.append(number)
            elif who == port.type and what == "divide":
                resolved.change_events.append((number, 1))
            elif who == port.type and what != "division blocked":
                resolved.change_events.append((number, -1))
            elif what == f"become {port.type}":
                resolved.change_events.append((number, 1))
        return resolved

    def open(self) -> None:
        """Hand the placed tissue to the body and open the books; call once, at time 0."""
        counts = self.tissue.state.counts(self.tissue.model)
        self._own(counts)
        self.ledger.open(self._stock(counts))
        self._signal()

    def step(self) -> None:
        """Advance tissue and body by one time step of the tissue."""
        tissue = self.tissue
        half = tissue.model.dt_h / 48.0
        start = tissue.state.day(tissue.model)
        self._advance_body(start + half)
        self._signal()
        wanted = self._draw_arrivals()
        before = tissue.state.events.copy()
        entered = tissue.step(wanted)
        self._settle(wanted, entered, tissue.state.events - before)
        self._advance_body(tissue.state.day(tissue.model))

    def _advance_body(self, until: float) -> None:
        """Advance the body and book what happened inside it to each blood pool."""
        before = [self.body.y[port.blood] if port.blood >= 0 else 0.0 for port in self._cells]
        dosed = [self.body.dosed.get(account.drug, 0.0) for account in self.ports.drugs]
        self.body.advance_to(until)
        for i, port in enumerate(self._cells):
            if port.blood >= 0:
                self.ledger.book(i, self.ports.blood_volume_L * (self.body.y[port.blood] - before[i]))
        for k, account in enumerate(self.ports.drugs):
            given = self.body.dosed.get(account.drug, 0.0) - dosed[k]
            self.ledger.book(len(self._cells) + 1 + k, given)

    def _signal(self) -> None:
        outputs = self.body.outputs()
        self.tissue.set_body(
            {
                name: (self.body.y[index] if is_state else outputs[index]) * factor
                for name, is_state, index, factor in self._signals
            }
        )

    def _draw_arrivals(self) -> dict[int, int]:
        """Draw how many lattice cells of each type leave blood in this step, at most what blood holds."""
        outputs = self.body.outputs()
        days = self.tissue.model.dt_h / 24.0
        wanted = {}
        key = np.uint64(step_key(self._seed, self.tissue.state.step, _PORT_PURPOSE))
        for port in self._cells:
            if port.arrival < 0:
                continue
            expected = outputs[port.arrival] * days / port.weight
            held = int(self.ports.blood_volume_L * self.body.y[port.blood] / port.weight)
            drawn = poisson(expected, np.uint64(mix(key ^ np.uint64(port.type_id))))
            wanted[port.type_id] = min(int(drawn), held)
        return wanted

    def _settle(self, wanted: Mapping[int, int], entered: Mapping[int, int], events: np.ndarray) -> None:
        """Debit arrivals, credit departures and antigen, and hand the new densities to the body."""
        for i, port in enumerate(self._cells):
            if port.blood >= 0:
                came = entered.get(port.type_id, 0)
                left = sum(int(events[e]) for e in port.leave_events)
                self.refused[i] += wanted.get(port.type_id, 0) - came
                self.body.y[port.blood] += port.weight * (left - came) / self.ports.blood_volume_L
                self.ledger.transfer(i, port.weight * came)
                self.ledger.transfer(i, port.weight * left)
            for event, gained in port.change_events:
                if events[event]:
                    self.ledger.book(i, port.weight * gained * int(events[event]))
        self._release(events)
        self._own(self.tissue.state.counts(self.tissue.model))

    def _release(self, events: np.ndarray) -> None:
        """Pass antigen on through the buffer."""
        days = self.tissue.model.dt_h / 24.0
        released = sum(amount * int(events[e]) for e, amount in self._releases)
        self.buffer += released
        passing = self.buffer * -np.expm1(-days / ANTIGEN_BUFFER_DAYS)
        self.buffer -= passing
        self.passed += passing
        self.ledger.book(len(self._cells), released)
        self.body.set_input(self.ports.release_input, passing / days / self.ports.tissue_volume_L)

    def _own(self, counts: np.ndarray) -> None:
        for port in self._cells:
            self.body.y[port.tissue] = port.weight * counts[port.type_id - 1] / self.ports.tissue_volume_L

    def _stock(self, counts: np.ndarray) -> np.ndarray:
        """Return the measured amount of every species, tissue and body together."""
        stock = [
            port.weight * counts[port.type_id - 1]
            + (self.ports.blood_volume_L * self.body.y[port.blood] if port.blood >= 0 else 0.0)
            for port in self._cells
        ]
        stock.append(self.passed + self.buffer)
        stock += [float(sum(self.body.y[s] for s in states)) for states in self._drugs]
        return np.array(stock)

    def residuals(self) -> np.ndarray:
        """Return the relative residual of every species of the ledger."""
        return self.ledger.residual(self._stock(self.tissue.state.counts(self.tissue.model)))

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return everything that changes as named arrays, exact."""
        own = {
            "couple_refused": self.refused.copy(),
            "couple_antigen": np.array([self.buffer, self.passed]),
        }
        return {**self.tissue.state.to_arrays(), **self.body.state(), **self.ledger.to_arrays(), **own}

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Take over body, books and buffers that ``to_arrays`` returned (the tissue's state is given at creation)."""
        self.body.restore(arrays)
        self.ledger.restore(arrays)
        self.refused[:] = arrays["couple_refused"]
        self.buffer, self.passed = (float(v) for v in arrays["couple_antigen"])


def _where(body_model: OdeModel, name: str) -> tuple[bool, int]:
    """Return (is a state, position) of a body state or output."""
    if any(state.name == name for state in body_model.states):
        return True, body_model.index("states", name)
    return False, body_model.index("outputs", name)


def species_names(ports: Ports) -> Sequence[str]:
    """Return the species of the ledger in order."""
    return [p.type for p in ports.cells] + [ports.release_name] + [d.drug for d in ports.drugs]
