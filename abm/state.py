"""What changes during a run of the tissue, and all that a checkpoint of it stores."""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from .cells.attributes import begin_all
from .cells.vessels import first_uids
from .lattice import Lattice, make_lattice
from .model import Model
from .placement import Placement
from .tables import STATS, View
from .vocabulary import NEIGHBOURHOODS


@dataclass
class State:
    """The tissue at one moment; ``shape`` is (y, x) in a section and (z, y, x) in a block.

    Attributes
    ----------
    step : int
        Steps done.
    seed : int
    occupant : ndarray of uint8, shape (layer, *shape)
        Cell-type id, 0 where empty.
    uid : ndarray of uint64, shape (layer, *shape)
        Identity of the cell, by descent; 0 where empty.
    attributes : ndarray of float32, shape (attribute, layer, *shape)
        Counters as they are, clocks and timers as a point in time (h).
    number : ndarray of int64, shape (type + 1,)
        Cells of every type, kept up to date with every event.
    fields : ndarray of float64, shape (field, *shape)
    stats : ndarray of float64, shape (field, 5)
        Columns as in ``tables.STATS``.
    densities : ndarray of float64, shape (density, *shape)
    density_max, density_reference : ndarray of float64, shape (density,)
    body : ndarray of float64, shape (signal,)
        Body signals in force.
    events : ndarray of int64, shape (event,)
        How often each event has happened.
    region : ndarray of uint8, shape (*shape)
    entry_factor : ndarray of float64, shape (type + 1, region)
        Relative weight of entry points by arriving type and region.
    entry_points : ndarray of int64, shape (point,)
        Cells that admit arrivals, flat (layer, *shape), as of the last update of any field.
    entry_weights : ndarray of float64, shape (type + 1, point)
        Their cumulated weights by arriving type.
    field_cycles, field_fallbacks : ndarray of int64, shape (field,)
        Multigrid cycles spent, and solves that did not reach their tolerance.
    field_first_order : ndarray of int64, shape (field,)
        Second-order steps taken by first order, because they would have left a negative amount.
    field_transient : ndarray of uint8, shape (field,)
        1 where a field is stepped in time, 0 where it is at its steady state at every update.
    field_account : ndarray of float64, shape (field, 6)
        Amounts since time 0, in field unit times sites: secreted, delivered by vessels, taken up, decayed, in
        through the boundary, change (see ``fields.update.ACCOUNT``).
    field_rate : ndarray of float64, shape (field, 6)
        The same by hour as the last update found it, of the pattern of a field that a body signal scales.
    """

    step: int
    seed: int
    occupant: np.ndarray
    uid: np.ndarray
    attributes: np.ndarray
    number: np.ndarray
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
    field_first_order: np.ndarray
    field_transient: np.ndarray
    field_account: np.ndarray
    field_rate: np.ndarray

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return everything as named arrays, exact."""
        return {f"tissue_{f.name}": np.asarray(getattr(self, f.name)) for f in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray]) -> "State":
        """Return the state that ``to_arrays`` described."""
        values: dict[str, Any] = {f.name: np.array(arrays[f"tissue_{f.name}"]) for f in fields(cls)}
        values |= {name: int(values[name]) for name in ("step", "seed")}
        return cls(**values)

    @property
    def shape(self) -> tuple[int, ...]:
        """Return the shape of the lattice: (y, x) or (z, y, x)."""
        return self.occupant.shape[1:]

    def lattice(self, model: Model) -> Lattice:
        """Return the geometry as kernels see it."""
        neighbourhood = NEIGHBOURHOODS.index(model.spec.model["neighbourhood"])
        return make_lattice(len(model.layers), self.shape, neighbourhood, model.periodic)

    def view(self, model: Model) -> View:
        """Return the arrays as kernels see them (no copies, places flat)."""
        self.scale_fields(model)
        sites = self.region.size
        return View(
            self.occupant.reshape(-1),
            self.uid.reshape(-1),
            self.attributes.reshape(len(model.attributes), self.occupant.size),
            self.fields.reshape(len(model.fields), sites),
            self.stats.view(STATS).reshape(-1),
            self.densities.reshape(len(model.densities), sites),
            self.density_max,
            self.body,
            np.array([self.step * model.dt_h]),
        )

    def scale_fields(self, model: Model) -> None:
        """Note what the stored fields are multiplied with when sensed."""
        for i, row in enumerate(model.tables.fields):
            self.stats[i, 0] = self.body[row["scale"]] if row["scale"] >= 0 else 1.0

    def counts(self, model: Model) -> np.ndarray:
        """Return the number of cells of every type, shape (type,)."""
        return self.number[1:].copy()

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

    Raises
    ------
    InputError
        The placement is a section and the model a block, or the other way round, or too small.
    """
    shape = placement.occupant.shape[1:]
    model.check_shape(shape)
    n_fields, n_densities = len(model.fields), len(model.densities)
    column = (slice(None),) + (None,) * len(shape)
    field_values = np.zeros((n_fields, *shape)) + model.tables.fields["initial"][column]
    for i, info in enumerate(model.fields):
        given = placement.fields or {}
        if info.name in given:
            field_values[i] = given[info.name]
    regions = len(placement.region_names)
    factor = np.ones((len(model.types) + 1, regions)) if entry_factor is None else entry_factor
    uid = first_uids(placement.occupant, seed) if placement.uid is None else placement.uid.astype(np.uint64)
    number = np.bincount(placement.occupant.reshape(-1), minlength=len(model.types) + 1)
    number[0] = 0
    state = State(
        step=0,
        seed=seed,
        occupant=placement.occupant.copy(),
        uid=uid,
        attributes=np.zeros((len(model.attributes), *placement.occupant.shape), np.float32),
        number=number.astype(np.int64),
        fields=field_values,
        stats=np.repeat(model.tables.fields["initial"][:, None], 5, axis=1),
        densities=np.zeros((n_densities, *shape)),
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
        field_first_order=np.zeros(n_fields, np.int64),
        field_transient=np.zeros(n_fields, np.uint8),
        field_account=np.zeros((n_fields, 6)),
        field_rate=np.zeros((n_fields, 6)),
    )
    if model.attributes:
        begin_all(state.view(model), state.lattice(model), model.tables)
        for i, attribute in enumerate(model.attributes):
            given = placement.attributes or {}
            if attribute.name in given:
                state.attributes[i] = given[attribute.name]
    return state
