"""What changes during a run of the tissue, and all that a checkpoint of it stores."""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numba import njit

from .model import Model
from .placement import Placement
from .tables import STATS, View
from .vessels import first_uids


@njit(cache=True)
def count_types(occupant: np.ndarray, n_types: int) -> np.ndarray:
    """Return how often every type id occurs in a flat occupancy."""
    counts = np.zeros((4, n_types), np.int64)  # four tallies, so that one count need not wait for the last
    whole = occupant.size - occupant.size % 4
    for i in range(0, whole, 4):
        for k in range(4):
            counts[k, occupant[i + k]] += 1
    for i in range(whole, occupant.size):
        counts[0, occupant[i]] += 1
    return counts.sum(axis=0)


@dataclass
class State:
    """The tissue at one moment.

    Attributes
    ----------
    step : int
        Steps done.
    seed : int
    occupant : ndarray of uint8, shape (layer, y, x)
        Cell-type id, 0 where empty.
    uid : ndarray of uint64, shape (layer, y, x)
        Identity of the cell, by descent; 0 where empty.
    fields : ndarray of float64, shape (field, y, x)
    stats : ndarray of float64, shape (field, 5)
        Columns as in ``tables.STATS``.
    densities : ndarray of float64, shape (density, y, x)
    density_max, density_reference : ndarray of float64, shape (density,)
    body : ndarray of float64, shape (signal,)
        Body signals in force.
    events : ndarray of int64, shape (event,)
        How often each event has happened.
    region : ndarray of uint8, shape (y, x)
    entry_factor : ndarray of float64, shape (type + 1, region)
        Relative weight of entry points by arriving type and region.
    entry_points : ndarray of int64, shape (point,)
        Cells that admit arrivals, flat (layer, y, x), as of the last update of any field.
    entry_weights : ndarray of float64, shape (type + 1, point)
        Their cumulated weights by arriving type.
    field_cycles, field_fallbacks : ndarray of int64, shape (field,)
        Multigrid cycles spent, and solves that did not reach their tolerance.
    """

    step: int
    seed: int
    occupant: np.ndarray
    uid: np.ndarray
    fields: np.ndarray
    stats: np.ndarray
    densities: np.ndarray
    density_max: np.ndarray
    density_reference: np.ndarray
    body: np.ndarray
    events: np.ndarray
    region: np.ndarray
    entry_factor: np.ndarray
    entry_points: np.ndarray
    entry_weights: np.ndarray
    field_cycles: np.ndarray
    field_fallbacks: np.ndarray

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return everything as named arrays, exact."""
        return {f"tissue_{f.name}": np.asarray(getattr(self, f.name)) for f in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray]) -> "State":
        """Return the state that ``to_arrays`` described."""
        values: dict[str, Any] = {f.name: np.array(arrays[f"tissue_{f.name}"]) for f in fields(cls)}
        values |= {name: int(values[name]) for name in ("step", "seed")}
        return cls(**values)

    def view(self, model: Model) -> View:
        """Return the arrays as kernels see them (no copies)."""
        for i, row in enumerate(model.tables.fields):
            self.stats[i, 0] = self.body[row["scale"]] if row["scale"] >= 0 else 1.0
        return View(
            self.occupant,
            self.uid,
            self.fields,
            self.stats.view(STATS).reshape(-1),
            self.densities,
            self.density_max,
            self.body,
        )

    def counts(self, model: Model) -> np.ndarray:
        """Return the number of cells of every type, shape (type,)."""
        return count_types(self.occupant.reshape(-1), len(model.types) + 1)[1:]

    def day(self, model: Model) -> float:
        """Return the time in days."""
        return self.step * model.dt_h / 24.0


def first_state(
    model: Model, placement: Placement, seed: int, entry_factor: np.ndarray | None = None
) -> State:
    """Return the state at time 0 of a placed tissue.

    Parameters
    ----------
    entry_factor : ndarray, shape (type + 1, region), optional
        Relative weight of entry points; 1 everywhere by default.
    """
    _, ny, nx = placement.occupant.shape
    n_fields, n_densities = len(model.fields), len(model.densities)
    field_values = np.zeros((n_fields, ny, nx)) + model.tables.fields["initial"][:, None, None]
    regions = len(placement.region_names)
    factor = np.ones((len(model.types) + 1, regions)) if entry_factor is None else entry_factor
    return State(
        step=0,
        seed=seed,
        occupant=placement.occupant.copy(),
        uid=first_uids(placement.occupant, seed),
        fields=field_values,
        stats=np.repeat(model.tables.fields["initial"][:, None], 5, axis=1),
        densities=np.zeros((n_densities, ny, nx)),
        density_max=np.zeros(n_densities),
        density_reference=np.zeros(n_densities),
        body=np.array([signal.default for signal in model.signals]),
        events=np.zeros(len(model.events), np.int64),
        region=placement.region.copy(),
        entry_factor=factor,
        entry_points=np.zeros(0, np.int64),
        entry_weights=np.zeros((len(model.types) + 1, 0)),
        field_cycles=np.zeros(n_fields, np.int64),
        field_fallbacks=np.zeros(n_fields, np.int64),
    )
