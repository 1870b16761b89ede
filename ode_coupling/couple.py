"""Couple tissue and body: the only place where both sides meet.

What crosses is stated in amounts. One lattice cell of a type stands for ``weight`` body cells; arrivals are a
Poisson draw from the body's outward flux, limited by what blood holds, and exactly the cells that found a site
are debited; cells that leave are credited; drug crosses the vessel wall and is debited as the field receives it;
antigen is credited through a short buffer. A step is split, by name: ``strang``, half a step of the body, the
exchange and one step of the tissue, the other half of the body; or ``lie``, a step of the body, then the tissue.
"""

import bisect
import math
from collections.abc import Sequence

import numpy as np

from ..abm.advance import Tissue
from ..abm.errors import InputError
from ..abm.state import State
from .books import book_body, note_blood, take_stock
from .closure import check_account
from .dosing import Regimen
from .ledger import Ledger
from .lesion import Lesion
from .ports import STRANG, Ports, species_names
from .system import OWNED, Body, BodyError

FURTHER = "lesion{}_"  # what the arrays of the second lesion and later ones begin with


class CoupledRun:
    """A body and the tissues of one or several lesions, which advance together.

    Parameters
    ----------
    tissue : Tissue or sequence of Tissue
        One a lesion, with the same time step and with seeds of their own.
    body : Body
        Its densities of the owned types are overwritten by the lattices'.
    ports : Ports or sequence of Ports
        One a lesion; they differ in nothing but weights and scales.
    fractions : sequence of float
        Share of the tumour that each lesion is; 1 in all.

    Attributes
    ----------
    lesions : list of Lesion
    ledger : Ledger
        Species summed over the lesions.
    buffer, passed : float
        Antigen (cell equivalents) on its way to the body, and handed over.

    Raises
    ------
    InputError
        Ports that do not fit tissue or body, or could not keep books; lesions that do not fit one another.
    """

    def __init__(
        self,
        tissue: Tissue | Sequence[Tissue],
        body: Body,
        ports: Ports | Sequence[Ports],
        fractions: Sequence[float] = (1.0,),
    ):
        tissues = [tissue] if isinstance(tissue, Tissue) else list(tissue)
        crossing = [ports] * len(tissues) if isinstance(ports, Ports) else list(ports)
        _check_lesions(tissues, crossing, fractions)
        self.body, self.ports = body, crossing[0]
        self.lesions = [Lesion(t, body, p, f) for t, p, f in zip(tissues, crossing, fractions, strict=True)]
        for account in self.ports.drugs:
            check_account(account, body)
        self._cells = self.lesions[0].cells
        self.ledger = Ledger(species_names(self.ports))
        n = len(self.ports.cells)
        self._antigen = n if self.ports.releases else -1
        self._first_drug = n + bool(self.ports.releases)
        self._held = np.array(
            [
                (self._first_drug + k, body.model.index("states", state))
                for k, account in enumerate(self.ports.drugs)
                for state in account.states
            ],
            np.int64,
        ).reshape(-1, 2)
        self._exchanges = [
            (self._first_drug + k, exchange)
            for lesion in self.lesions
            for k, exchange in enumerate(lesion.exchanges)
            if exchange
        ]
        self._stock, self._before = np.zeros(len(self.ledger.species)), np.zeros(n)
        self._given = [0.0] * len(self.ports.drugs)
        self._regimen: Regimen | None = None
        self._quiet_until = 0.0
        self.buffer, self.passed = 0.0, 0.0
        self._days = tissues[0].model.dt_h / 24.0
        self._passing = float(-np.expm1(-self._days / self.ports.buffer_days))
        self._input = body.model.index("inputs", self.ports.release_input) if self.ports.releases else -1
        for port in self.ports.cells:
            body.set_input(f"{OWNED}{port.tissue}", 1.0)

    @property
    def tissue(self) -> Tissue:
        """Return the tissue of the first lesion."""
        return self.lesions[0].tissue

    @property
    def refused(self) -> np.ndarray:
        """Return the arrivals of each cell port that found no site, of all lesions."""
        return np.sum([lesion.refused for lesion in self.lesions], axis=0)

    def open(self) -> None:
        """Hand the placed tissue to the body and open the books; call once, at time 0."""
        if self._input >= 0:
            self.buffer = self.ports.release_at_start * self.ports.buffer_days
            self.body.u[self._input] = self.ports.release_at_start / self.ports.tissue_volume_L
        self._regimen = None
        self._given = self._dosed()
        self.ledger.open(self._measure())
        self._sense()

    def step(self) -> None:
        """Advance tissue and body by one time step of the tissue."""
        start, end = self._clock(0), self._clock(1)
        strang = self.ports.splitting == STRANG
        self._advance_body(start + 0.5 * self._days if strang else end)
        outputs = self._sense()
        released = 0.0
        for lesion in self._in_turn():
            released += lesion.step(outputs, self.ledger)
        self._release(released)
        stock = self._measure()
        if strang:
            self._advance_body(end)
            stock = self._measure()
        self._book_drugs()
        self.ledger.note(stock)

    def _clock(self, ahead: int) -> float:
        """Return the time (d) of the tissue, or some steps ahead."""
        tissue = self.tissue
        return (tissue.state.step + ahead) * tissue.model.dt_h / 24.0

    def _in_turn(self) -> list[Lesion]:
        """Return the lesions in an order that changes from step to step, which makes it symmetric in time."""
        return self.lesions if self.tissue.state.step % 2 == 0 else self.lesions[::-1]

    def _dosed(self) -> list[float]:
        """Return what was given of every drug so far; asked for only where a dose runs or may have begun."""
        regimen, now = self.body.regimen, self.body.t
        if regimen is self._regimen and now <= self._quiet_until:
            return self._given
        after = bisect.bisect_right(regimen.edges, now)
        resting = after == 0 or (regimen.edges[after - 1] < now and not regimen.rates[after - 1].any())
        following = regimen.edges[after] if after < len(regimen.edges) else math.inf
        self._regimen, self._quiet_until = regimen, following if resting else now
        dosed = self.body.dosed
        return [dosed.get(account.drug, 0.0) for account in self.ports.drugs]

    def _advance_body(self, until: float) -> None:
        """Advance the body and book what happened inside it to each blood pool."""
        body, ledger, blood = self.body, self.ledger, self._cells.blood
        note_blood(body.y, blood, self._before)
        body.advance_to(until)
        book_body(body.y, self._before, blood, self.ports.blood_volume_L, ledger.booked, ledger.gross)

    def _book_drugs(self) -> None:
        """Book what was given in the step, and what the tissues themselves have made or removed."""
        if self.ports.drugs:
            given = self._dosed()
            for species, (now, before) in enumerate(zip(given, self._given, strict=True), self._first_drug):
                if now != before:
                    self.ledger.book(species, now - before)
            self._given = given
        for species, exchange in self._exchanges:
            net, gross = exchange.sources()
            self.ledger.booked[species] += net
            self.ledger.gross[species] += gross

    def _sense(self) -> np.ndarray:
        """Hand the body's signals to every lesion; return the outputs of the body."""
        outputs = self.body.outputs()
        if not np.isfinite(outputs.sum()):
            name = self.body.model.outputs[int(np.argmin(np.isfinite(outputs)))].name
            raise BodyError(
                f"{self.body.model.name}: output {name} is no longer finite at day {self.body.t:.6g}"
            )
        for lesion in self.lesions:
            lesion.sense(outputs)
        return outputs

    def _release(self, released: float) -> None:
        """Pass antigen on through the buffer."""
        if self._input < 0:
            return
        self.buffer += released
        passing = self.buffer * self._passing
        self.buffer -= passing
        self.passed += passing
        self.ledger.book(self._antigen, released)
        self.body.u[self._input] = passing / self._days / self.ports.tissue_volume_L

    def _measure(self) -> np.ndarray:
        """Hand the lattices' densities to the body; return the amount of every species, tissue and body together."""
        stock, ports, cells = self._stock, self.ports, self._cells
        amount = self.lesions[0].amount
        if len(self.lesions) > 1:
            amount = np.sum([lesion.amount for lesion in self.lesions], axis=0)
        take_stock(
            amount, cells.blood, cells.tissue, ports.blood_volume_L, ports.tissue_volume_L, self._held,
            self.body.y, stock,
        )  # fmt: skip
        if self._antigen >= 0:
            stock[self._antigen] = self.passed + self.buffer
        for species, exchange in self._exchanges:
            stock[species] += exchange.held()
        return stock

    def residuals(self) -> np.ndarray:
        """Return the relative residual of every species of the ledger."""
        return self.ledger.residual(self._measure())

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return everything that changes as named arrays, exact."""
        arrays = {**self.body.state(), **self.ledger.to_arrays()}
        arrays["couple_antigen"] = np.array([self.buffer, self.passed])
        for number, lesion in enumerate(self.lesions, start=1):
            own = lesion.to_arrays()
            arrays |= own if number == 1 else {FURTHER.format(number) + key: a for key, a in own.items()}
        return arrays

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Take over body, books and buffers that ``to_arrays`` returned, and the states of further lesions.

        The state of the first lesion is given to its tissue before.
        """
        self.body.restore(arrays)
        self.ledger.restore(arrays)
        self.buffer, self.passed = (float(v) for v in arrays["couple_antigen"])
        self._regimen = None
        self._given = self._dosed()
        for number, lesion in enumerate(self.lesions, start=1):
            own, prefix = arrays, FURTHER.format(number)
            if number > 1:
                own = {key.removeprefix(prefix): a for key, a in arrays.items() if key.startswith(prefix)}
                lesion.tissue.state = State.from_arrays(own)
            lesion.restore(own)


def _check_lesions(tissues: Sequence[Tissue], ports: Sequence[Ports], fractions: Sequence[float]) -> None:
    """Raise InputError where lesions do not fit one another."""
    if not tissues or not len(tissues) == len(ports) == len(fractions):
        raise InputError(
            f"coupling: every lesion needs a tissue, ports and a fraction; there are {len(tissues)} tissues, "
            f"{len(ports)} ports and {len(fractions)} fractions"
        )
    if not all(f > 0.0 for f in fractions) or not abs(sum(fractions) - 1.0) <= 1e-9:
        raise InputError(f"coupling: fractions of lesions are above 0 and 1 in all, not {list(fractions)}")
    if len({tissue.model.dt_h for tissue in tissues}) > 1:
        raise InputError("coupling: all lesions need the same time_step")
    if len({tissue.state.seed for tissue in tissues}) < len(tissues):
        raise InputError("coupling: lesions with the same seed would share their luck; give each its own")
    shared = {(p.blood_volume_L, p.tissue_volume_L, p.splitting, *species_names(p)) for p in ports}
    if len(shared) > 1:
        raise InputError(
            "coupling: the ports of lesions differ in weights and scales only; name the same species"
        )
