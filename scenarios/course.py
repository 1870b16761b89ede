"""What advances in a run: a tissue with its body, or a tissue alone, with one face for both."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from ..abm.advance import Tissue
from ..abm.model import Model
from ..abm.state import State
from ..abm.volume import tumour_volume_cm3
from ..ode_coupling.couple import CoupledRun, species_names
from ..ode_coupling.system import Body

Doses = list[tuple[float, str, float]]


class Course(Protocol):
    """What a run needs to know of whatever it advances.

    Attributes
    ----------
    tissue : Tissue
    body_columns, body_units : list of str
        Body states, outputs and plasma levels, with their units.
    species : list of str
        Of the ledger.
    weights : dict of str to float
        Body cells that one lattice cell of a type stands for.
    """

    tissue: Tissue
    body_columns: list[str]
    body_units: list[str]
    species: list[str]
    weights: dict[str, float]

    def advance(self, steps: int) -> None:
        """Advance by a number of time steps of the tissue."""

    def body_row(self) -> np.ndarray:
        """Return the body columns at present."""

    def residuals(self) -> np.ndarray:
        """Return the relative residual of every species of the ledger."""

    def volume_cm3(self) -> float:
        """Return the volume of the tumour, cm3."""

    def refused(self) -> dict[str, int]:
        """Return how many arrivals of each circulating type found no site."""

    def doses(self) -> Doses:
        """Return the doses as given and scheduled: (day, drug, amount)."""

    def stop_dosing(self, day: float) -> None:
        """Drop the doses after a day."""

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return everything that changes as named arrays, exact."""

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Take over what ``to_arrays`` returned."""


class TissueAlone:
    """A tissue without a body: nothing arrives, and body signals are what a controller makes them."""

    def __init__(self, tissue: Tissue):
        self.tissue = tissue
        self.body_columns: list[str] = []
        self.body_units: list[str] = []
        self.species: list[str] = []
        self.weights: dict[str, float] = {}

    def advance(self, steps: int) -> None:
        """Advance by a number of time steps of the tissue."""
        self.tissue.advance(steps)

    def body_row(self) -> np.ndarray:
        """Return no columns."""
        return np.zeros(0)

    def residuals(self) -> np.ndarray:
        """Return no species."""
        return np.zeros(0)

    def volume_cm3(self) -> float:
        """Return the volume of the sites that tumour cells hold, cm3."""
        model = self.tissue.model
        held = self.tissue.state.counts(model)[tumour_columns(model)].sum()
        return float(held) * model.site_um**3 * 1e-12

    def refused(self) -> dict[str, int]:
        """Return nothing: no cell arrives."""
        return {}

    def doses(self) -> Doses:
        """Return nothing: what a controller gives is a series of its own."""
        return []

    def stop_dosing(self, day: float) -> None:
        """Do nothing: there is no body to dose."""

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return everything that changes as named arrays, exact."""
        return self.tissue.state.to_arrays()

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Take over what ``to_arrays`` returned."""
        self.tissue.state = State.from_arrays(arrays)


class WithBody:
    """A tissue coupled to a body.

    Parameters
    ----------
    coupled : CoupledRun
    plasma : sequence of mapping
        Entries of ``plasma`` in [coupling]: drug, body (state) and factor.
    """

    def __init__(self, coupled: CoupledRun, plasma: Sequence[Mapping[str, Any]]):
        self.coupled, self.tissue = coupled, coupled.tissue
        model, body = coupled.tissue.model, coupled.body.model
        self._plasma = [
            (
                body.index("states", entry["body"]),
                model.scope.number(entry["factor"], "nM/dose", "[coupling] plasma"),
            )
            for entry in plasma
        ]
        parts = (*body.states, *body.outputs)
        self.body_columns = [*(part.name for part in parts), *(f"plasma {p['drug']}" for p in plasma)]
        self.body_units = [*(part.unit for part in parts), *("nM" for _ in plasma)]
        self.species = list(species_names(coupled.ports))
        self.weights = {port.type: port.weight for port in coupled.ports.cells}

    def advance(self, steps: int) -> None:
        """Advance by a number of time steps of the tissue."""
        for _ in range(steps):
            self.coupled.step()

    def body_row(self) -> np.ndarray:
        """Return the body columns at present."""
        body = self.coupled.body
        plasma = [body.y[index] * factor for index, factor in self._plasma]
        return np.concatenate([body.y, body.outputs(), plasma])

    def residuals(self) -> np.ndarray:
        """Return the relative residual of every species of the ledger."""
        return self.coupled.residuals()

    def volume_cm3(self) -> float:
        """Return the volume of the lesion from its weighted count, cm3."""
        ports, body = self.coupled.ports, self.coupled.body
        model = self.tissue.model
        counts = self.tissue.state.counts(model)
        amount = sum(
            port.weight * counts[model.type_id(port.type) - 1] for port in ports.cells if not port.blood
        )
        density = amount / ports.tissue_volume_L
        cell, share = (body_parameter(body, name) for name in ("v_tumor", "V_e"))
        return float(tumour_volume_cm3(density, ports.tissue_volume_L, cell, share))

    def refused(self) -> dict[str, int]:
        """Return how many arrivals of each circulating type found no site."""
        pairs = zip(self.coupled.ports.cells, self.coupled.refused, strict=True)
        return {port.type: int(number) for port, number in pairs if port.blood}

    def doses(self) -> Doses:
        """Return the doses as given and scheduled: (day, drug, amount)."""
        return [(dose.time_days, dose.drug, dose.amount) for dose in self.coupled.body.regimen.doses]

    def stop_dosing(self, day: float) -> None:
        """Drop the doses after a day."""
        self.coupled.body.stop_dosing(day)

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return everything that changes as named arrays, exact."""
        return self.coupled.to_arrays()

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Take over what ``to_arrays`` returned."""
        self.tissue.state = State.from_arrays(arrays)
        self.coupled.restore(arrays)


def tumour_columns(model: Model) -> list[int]:
    """Return the positions of the tumour types in a row of counts; all types where no group is so called."""
    tumour = [info.id - 1 for info in model.types if info.group == "tumour"]
    return tumour or list(range(len(model.types)))


def body_parameter(body: Body, name: str) -> float:
    """Return a parameter of a body by name."""
    return float(body.p[body.model.index("parameters", name)])
