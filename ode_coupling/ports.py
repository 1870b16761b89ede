"""What crosses between tissue and body: named ports, all in amounts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..abm.compile.events import TO_BODY
from ..abm.errors import InputError, unknown_word
from ..abm.model import Model
from ..abm.ode_model import OdeModel

STRANG, LIE = SPLITTINGS = ("strang", "lie")
ANTIGEN_INPUT = "antigen_rate"
PATTERN, EXCHANGED, DIRICHLET = EXCHANGES = ("pattern", "exchanged", "dirichlet")
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
class Flux:
    """Where a drug crosses the vessel wall: J = P S (plasma - tissue / K_p), summed over the vessel sites.

    The field's ``vessel_exchange`` is P S / (K_p x volume of a site); its level in blood is K_p times plasma.

    Attributes
    ----------
    field : str
        Field of the tissue model, in nM and stepped in time.
    state : str
        Body state that is debited and credited: the amount in the central compartment.
    volume_L, molar_mass_g_per_mol : float
        Volume of distribution of that compartment, and what turns mass into moles.
    scale : float, optional
        How many times its own volume the lattice stands for; absent, the lesion's volume (its fraction of
        ``tissue_volume_L``) over the lattice's.
    partition : float
        K_p, tissue over plasma at equilibrium (with what plasma proteins leave unbound).
    mg : float
        Milligrams in one unit of the body state.
    one_way : bool
        Dirichlet: blood is not debited, so that drug is created. The ledger shows it.
    """

    field: str
    state: str
    volume_L: float
    molar_mass_g_per_mol: float
    scale: float | None = None
    partition: float = 1.0
    mg: float = 1.0
    one_way: bool = False

    def __post_init__(self) -> None:
        for name in ("volume_L", "molar_mass_g_per_mol", "scale", "partition", "mg"):
            value = getattr(self, name)
            if value is not None and not (np.isfinite(value) and value > 0.0):
                raise InputError(f"coupling: {name} of field '{self.field}' must be positive, it is {value}")


@dataclass(frozen=True)
class DrugAccount:
    """The body states that hold what was given of a drug, and where it crosses into tissue, if it does."""

    drug: str
    states: tuple[str, ...]
    flux: Flux | None = None


@dataclass(frozen=True)
class Ports:
    """Everything that crosses, and the two volumes (L) that turn amounts into densities.

    Attributes
    ----------
    splitting : str
        strang (second order) or lie (first).
    buffer_days : float
        Time constant of the buffer through which antigen passes.
    release_at_start : float
        Antigen (cell equivalents/d) that the tissue has been releasing before time 0; 0 starts without any.
    """

    cells: tuple[CellPort, ...]
    signals: tuple[SignalPort, ...]
    releases: tuple[ReleasePort, ...]
    drugs: tuple[DrugAccount, ...]
    blood_volume_L: float
    tissue_volume_L: float
    release_input: str = ANTIGEN_INPUT
    release_name: str = "antigen"
    splitting: str = STRANG
    buffer_days: float = ANTIGEN_BUFFER_DAYS
    release_at_start: float = 0.0

    def __post_init__(self) -> None:
        if self.splitting not in SPLITTINGS:
            raise unknown_word("splitting", self.splitting, SPLITTINGS, "coupling")
        if not self.buffer_days > 0.0:
            raise InputError(f"coupling: the buffer of antigen must last above 0 d, not {self.buffer_days}")
        _once("cell type", [port.type for port in self.cells])
        _once("body state", [s for port in self.cells for s in (port.tissue, port.blood) if s])
        _once("body signal", [port.signal for port in self.signals])
        _once("drug", [account.drug for account in self.drugs])
        for port in self.cells:
            if port.arrival and not port.blood:
                raise InputError(
                    f"coupling: {port.type} arrives by '{port.arrival}' from no blood; name the state that is debited "
                    "with 'blood', or take out 'arrival'"
                )
        weighed = [port.type for port in self.cells]
        for release in self.releases:
            if (who := release.event.partition(": ")[0]) not in weighed:
                raise unknown_word(
                    "cell type", who, weighed, "coupling: only types of 'cells' release antigen"
                )


def _once(kind: str, names: Sequence[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"coupling: {kind} '{name}' is named twice; each crosses in one place")


def species_names(ports: Ports) -> Sequence[str]:
    """Return the species of the ledger in order."""
    released = [ports.release_name] if ports.releases else []
    return [p.type for p in ports.cells] + released + [d.drug for d in ports.drugs]


@dataclass
class CellTable:
    """The cell ports of one lesion as columns, in the order of the ports.

    Attributes
    ----------
    type_id, blood, tissue, arrival : ndarray of int64, shape (port,)
        Cell type; positions among body states and outputs, -1 where there is none.
    weight : ndarray of float64, shape (port,)
    flows : ndarray of int64, shape (flow, 3)
        Events that change a species: port, event, and 1 for a cell gained, -1 lost, 0 gone back to blood.
    """

    type_id: np.ndarray
    weight: np.ndarray
    tissue: np.ndarray
    blood: np.ndarray
    arrival: np.ndarray
    flows: np.ndarray = field(default_factory=lambda: np.zeros((0, 3), np.int64))


def resolve_cells(ports: Ports, model: Model, body: OdeModel) -> CellTable:
    """Return the cell ports as positions.

    Raises
    ------
    InputError
        Unknown type, state or output; a weight that is not positive.
    """
    for port in ports.cells:
        if not (port.weight > 0 and np.isfinite(port.weight)):
            raise InputError(f"coupling: the weight of {port.type} must be positive, got {port.weight:g}")

    def column(kind: str, names: list[str]) -> np.ndarray:
        return np.array([body.index(kind, name) if name else -1 for name in names], np.int64)

    table = CellTable(
        np.array([model.type_id(p.type, "coupling") for p in ports.cells], np.int64),
        np.array([p.weight for p in ports.cells], np.float64),
        column("states", [p.tissue for p in ports.cells]),
        column("states", [p.blood for p in ports.cells]),
        column("outputs", [p.arrival for p in ports.cells]),
    )
    circulates = [bool(port.blood) for port in ports.cells]
    table.flows = np.array(sorted(_flows(model, table.type_id.tolist(), circulates)), np.int64).reshape(-1, 3)
    return table


def _flows(model: Model, types: list[int], circulates: list[bool]) -> Iterator[tuple[int, int, int]]:
    """Yield (port, event, cells gained) of every event that changes a port's type; 0 for one gone back to blood."""
    for event, (before, after) in enumerate(model.event_cells.tolist()):
        if before in types:
            port = types.index(before)
            yield port, event, 0 if after == TO_BODY and circulates[port] else -1
        if after in types:
            yield types.index(after), event, 1
