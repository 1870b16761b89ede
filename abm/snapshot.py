"""What simulated and real tissue look like to whatever measures them, and the record of one run."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np


@dataclass(frozen=True)
class CellTypeInfo:
    """Names and looks of one cell type (id 0 is an empty site and has no entry)."""

    id: int
    name: str
    display: str
    layer: str
    group: str
    colour: str


@dataclass(frozen=True)
class Snapshot:
    """Tissue at one time.

    Attributes
    ----------
    time_days : float
    site_um, thickness_um : float
        Lattice pitch and section thickness, um.
    layers : dict of str to ndarray of uint8, shape (ny, nx) or (nz, ny, nx)
        Cell-type id of every site, 0 where empty.
    types : tuple of CellTypeInfo
    fields : dict of str to ndarray of float32, same shape
    field_units : dict of str to str
    weights : dict of str to float
        Body cells that one lattice cell of a type stands for (1 for real tissue).
    """

    time_days: float
    site_um: float
    thickness_um: float
    layers: dict[str, np.ndarray]
    types: tuple[CellTypeInfo, ...]
    fields: dict[str, np.ndarray] = field(default_factory=dict)
    field_units: dict[str, str] = field(default_factory=dict)
    weights: dict[str, float] = field(default_factory=dict)

    @property
    def area_mm2(self) -> float:
        """Return the area of the section (of one plane of a block), mm2."""
        ny, nx = next(iter(self.layers.values())).shape[-2:]
        return ny * nx * self.site_um**2 * 1e-6

    def section(self) -> "Snapshot":
        """Return the middle plane of a block as a section; a section is returned as it is."""
        shape = next(iter(self.layers.values())).shape
        if len(shape) == 2:
            return self
        middle = shape[0] // 2
        return replace(
            self,
            layers={name: layer[middle] for name, layer in self.layers.items()},
            fields={name: values[middle] for name, values in self.fields.items()},
        )

    def mask(self, *names: str) -> np.ndarray:
        """Return a boolean map, of the shape of a layer, of the sites that hold a type (or a group) of these names."""
        found = [info for info in self.types if info.name in names or info.group in names]
        shape = next(iter(self.layers.values())).shape
        mask = np.zeros(shape, dtype=bool)
        for info in found:
            mask |= self.layers[info.layer] == info.id
        return mask

    def count(self, *names: str) -> int:
        """Return how many cells are of these types or groups."""
        return sum(
            int(np.count_nonzero(self.layers[info.layer] == info.id))
            for info in self.types
            if info.name in names or info.group in names
        )


@dataclass(frozen=True)
class Columns:
    """A recorded table with a time axis of its own.

    Attributes
    ----------
    time_days : ndarray, shape (time,)
    values : dict of str to ndarray, shape (time,)
        By column; a table of one column bears its own name.
    units : dict of str to str
    """

    time_days: np.ndarray
    values: dict[str, np.ndarray]
    units: dict[str, str]


@dataclass(frozen=True)
class RunRecord:
    """One run as the analysis sees it: series, snapshots and provenance, no file behind it.

    Attributes
    ----------
    scenario, arm, patient : str
    seed : int
    time_days : ndarray, shape (time,)
    types : tuple of CellTypeInfo
    count : ndarray of int64, shape (time, type)
        Lattice cells per type, columns in the order of ``types``.
    tumour_volume_cm3 : ndarray, shape (time,)
    body : dict of str to ndarray, shape (time,)
        Every body state and output by name; units in ``body_units``.
    field_mean : dict of str to ndarray, shape (time,)
    events : dict of str to ndarray of int64, shape (time,)
        Cumulative numbers by "<type>: <cause>", for example "DSTC: die apoptosis".
    ledger : dict of str to ndarray, shape (time,)
        Relative residual of every exchanged species.
    doses : list of (time_days, drug, amount)
    snapshots : tuple of Snapshot
    area_mm2 : float
    weights : dict of str to float
    attributes : dict
        Root attributes of the run file (scenario text, versions, stop reason, wall times, tissue report).
    parameters : list of dict with keys name, value, unit, source, owner
    more : dict of str to Columns
        What some runs record besides: ``control`` (what controllers set), ``account`` (cumulated flows of the
        fields), ``pair_correlation``, ``pair_total``, ``mean_field_valid`` and ``visit``.
    """

    scenario: str
    arm: str
    patient: str
    seed: int
    time_days: np.ndarray
    types: tuple[CellTypeInfo, ...]
    count: np.ndarray
    tumour_volume_cm3: np.ndarray
    body: dict[str, np.ndarray]
    body_units: dict[str, str]
    field_mean: dict[str, np.ndarray]
    field_units: dict[str, str]
    events: dict[str, np.ndarray]
    ledger: dict[str, np.ndarray]
    doses: list[tuple[float, str, float]]
    snapshots: tuple[Snapshot, ...]
    area_mm2: float
    weights: dict[str, float]
    attributes: dict[str, Any]
    parameters: list[dict[str, Any]]
    more: dict[str, "Columns"] = field(default_factory=dict)

    def counts_of(self, *names: str) -> np.ndarray:
        """Return the number of cells of these types or groups at every recorded time."""
        columns = [i for i, t in enumerate(self.types) if t.name in names or t.group in names]
        return self.count[:, columns].sum(axis=1)
