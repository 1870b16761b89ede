"""What advances in a run: a tissue with its body, or a tissue alone, with one face for both."""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from ...abm.advance import Tissue
from ...abm.errors import InputError, unknown_word
from ...abm.measures.volume import CELL_FRACTION, CELL_VOLUME_CM3, tumour_volume_cm3
from ...abm.model import Model
from ...abm.state import State
from ...ode_coupling.couple import CoupledRun, species_names
from ...ode_coupling.system import Body
from .marrow import ANC, Marrow

CM3_PER_UM3 = 1e-12
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
        """Return the largest relative residual that any step has left in the ledger, by species."""

    def volume_cm3(self) -> float:
        """Return the volume of the tumour, cm3."""

    def level(self, name: str) -> float:
        """Return a state or output of the body."""

    def level_unit(self, name: str) -> str:
        """Return its unit."""

    def refused(self) -> dict[str, int]:
        """Return how many arrivals of each circulating type found no site."""

    def outcome(self) -> dict[str, float]:
        """Return what became of the body, one number a name."""

    def set_dose(self, drug: str, factor: float) -> None:
        """Give a share of every planned dose of a drug that starts from now on."""

    def given(self, drug: str) -> tuple[float, float]:
        """Return the amounts of a drug given and planned so far."""

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

    def level(self, name: str) -> float:
        """Refuse: there is no body."""
        raise InputError(f"'{name}' belongs to a body, and the scenario has none; add a [body]")

    def level_unit(self, name: str) -> str:
        """Refuse: there is no body."""
        raise InputError(f"'{name}' belongs to a body, and the scenario has none; add a [body]")

    def outcome(self) -> dict[str, float]:
        """Return nothing: there is no body."""
        return {}

    def set_dose(self, drug: str, factor: float) -> None:
        """Refuse: there is no body to dose."""
        raise InputError(f"doses of '{drug}' belong to a body, and the scenario has none; add a [body]")

    def given(self, drug: str) -> tuple[float, float]:
        """Return nothing given and nothing planned."""
        return 0.0, 0.0

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
    coupling : mapping
        [coupling] of the scenario: its ``plasma``, ``cell_volume`` and ``cell_share``.
    marrow : Marrow, optional
        Neutrophils that the body's drugs act on.
    """

    def __init__(self, coupled: CoupledRun, coupling: Mapping[str, Any], marrow: Marrow | None = None):
        plasma = coupling.get("plasma", [])
        self._cell_cm3, self._share = _cell_size(coupling, coupled.tissue.model, coupled.body)
        self.coupled, self.tissue, self._marrow = coupled, coupled.tissue, marrow
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
        if marrow:
            self.body_columns.append(ANC.name)
            self.body_units.append(ANC.unit)
        named = set(tumour_types(model))
        self._tumour = [p for p in coupled.ports.cells if (p.type in named if named else not p.blood)]
        self.species = list(species_names(coupled.ports))
        self.weights = {port.type: port.weight for port in coupled.ports.cells}

    def advance(self, steps: int) -> None:
        """Advance by a number of time steps of the tissue."""
        for _ in range(steps):
            self.coupled.step()
            if self._marrow:
                self._marrow.advance(self.coupled.body)

    def body_row(self) -> np.ndarray:
        """Return the body columns at present."""
        body = self.coupled.body
        plasma = [body.y[index] * factor for index, factor in self._plasma]
        marrow = [self._marrow.count()] if self._marrow else []
        return np.concatenate([body.y, body.outputs(), plasma, marrow])

    def residuals(self) -> np.ndarray:
        """Return the largest relative residual that any step has left in the ledger, by species."""
        return np.maximum(self.coupled.ledger.worst, self.coupled.residuals())

    def volume_cm3(self) -> float:
        """Return the volume of the lesion from its weighted count of tumour cells, cm3."""
        ports, model = self.coupled.ports, self.tissue.model
        counts = self.tissue.state.counts(model)
        amount = sum(port.weight * counts[model.type_id(port.type) - 1] for port in self._tumour)
        density = amount / ports.tissue_volume_L
        return float(tumour_volume_cm3(density, ports.tissue_volume_L, self._cell_cm3, self._share))

    def level(self, name: str) -> float:
        """Return a state or output of the body, or the neutrophil count."""
        if self._marrow and name == ANC.name:
            return self._marrow.count()
        return body_level(self.coupled.body, name)

    def level_unit(self, name: str) -> str:
        """Return the unit of a state or output of the body.

        Raises
        ------
        InputError
            The body has none of this name.
        """
        units = dict(zip(self.body_columns, self.body_units, strict=True))
        known = [n for n in units if not n.startswith("plasma ")]
        if name not in known:
            raise unknown_word("state or output of the body", name, known, "'of' of what is observed")
        return units[name]

    def outcome(self) -> dict[str, float]:
        """Return the lowest neutrophil count and the days below grades 3 and 4, where neutrophils are followed."""
        return self._marrow.outcome() if self._marrow else {}

    def set_dose(self, drug: str, factor: float) -> None:
        """Give a share of every planned dose of a drug that starts from now on."""
        body = self.coupled.body
        body.set_dose(drug, factor, body.t)

    def given(self, drug: str) -> tuple[float, float]:
        """Return the amounts of a drug given and planned so far."""
        return self.coupled.body.dosed.get(drug, 0.0), self.coupled.body.planned(drug)

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
        return self.coupled.to_arrays() | (self._marrow.to_arrays() if self._marrow else {})

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Take over what ``to_arrays`` returned."""
        self.tissue.state = State.from_arrays(arrays)
        self.coupled.restore(arrays)
        if self._marrow:
            self._marrow.restore(arrays)


def _cell_size(coupling: Mapping[str, Any], model: Model, body: Body) -> tuple[float, float]:
    """Return the volume of a tumour cell (cm3) and the share of a tumour that is tumour cells."""
    known = {parameter.name for parameter in body.model.parameters}
    found = []
    for key, unit, size, own, published in (
        ("cell_volume", "um^3", CM3_PER_UM3, "v_tumor", CELL_VOLUME_CM3),
        ("cell_share", "1", 1.0, "V_e", CELL_FRACTION),
    ):
        if key in coupling:
            found.append(model.scope.positive(coupling[key], unit, f"[coupling] {key}", zero=False) * size)
        else:
            found.append(body_parameter(body, own) if own in known else published)
    return found[0], found[1]


def tumour_columns(model: Model) -> list[int]:
    """Return the positions of the tumour types in a row of counts; all types where no group is so called."""
    tumour = [model.type_id(name) - 1 for name in tumour_types(model)]
    return tumour or list(range(len(model.types)))


def tumour_types(model: Model) -> list[str]:
    """Return the types that count as tumour: those of the group of that name."""
    return [info.name for info in model.types if info.group == "tumour"]


def body_level(body: Body, name: str) -> float:
    """Return a state or output of a body by name; a state comes first."""
    if any(state.name == name for state in body.model.states):
        return body.get(name)
    return body.output(name)


def body_parameter(body: Body, name: str) -> float:
    """Return a parameter of a body by name."""
    return float(body.p[body.model.index("parameters", name)])
