"""A lattice being filled, and the placement that comes of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..errors import InputError
from ..snapshot import CellTypeInfo
from .checks import check_shape
from .luck import first_sites, generator


@dataclass(frozen=True)
class Placement:
    """Tissue at time 0; ``shape`` is (ny, nx), or (nz, ny, nx) in 3-D.

    Attributes
    ----------
    occupant : ndarray of uint8, shape (layer, \\*shape)
        Cell-type id, 0 where empty.
    region : ndarray of uint8, shape (\\*shape)
        Index into ``region_names``.
    region_names : tuple of str
    report : dict
        What was placed, moved and lost, by which rules and from where; plain values that JSON can hold.
    uid : ndarray of uint64, shape (layer, \\*shape), optional
        Identities that the cells keep; new ones if None.
    attributes : dict of str to ndarray of float32, shape (layer, \\*shape)
        Attributes that the cells keep, by name; the others start as the model says.
    fields : dict of str to ndarray of float64, shape (\\*shape)
        Fields as the state holds them, by name; the others start as the model says.
    """

    occupant: np.ndarray
    region: np.ndarray
    region_names: tuple[str, ...]
    report: dict[str, Any] = field(default_factory=dict)
    uid: np.ndarray | None = None
    attributes: dict[str, np.ndarray] = field(default_factory=dict)
    fields: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def notes(self) -> list[str]:
        """Return what was lost, left out or assumed, one sentence each."""
        return self.report.get("notes", [])


@dataclass
class Lattice:
    """A lattice being filled."""

    site_um: float
    types: tuple[CellTypeInfo, ...]
    layers: tuple[str, ...]
    occupant: np.ndarray
    seed: int

    def __post_init__(self) -> None:
        self.ids = {info.name: info.id for info in self.types}
        self.layer_of = {info.name: self.layers.index(info.layer) for info in self.types}

    @property
    def shape(self) -> tuple[int, ...]:
        """Return the shape of one layer."""
        return self.occupant.shape[1:]

    def everywhere(self) -> np.ndarray:
        """Return a mask of all sites."""
        return np.ones(self.shape, bool)

    def free(self, name: str) -> np.ndarray:
        """Return the empty sites of the layer of a type, as a mask."""
        return self.occupant[self.layer_of[name]] == 0

    def put(self, name: str, sites: np.ndarray) -> None:
        """Put a cell of a type on every site of a mask."""
        self.occupant[self.layer_of[name]][sites] = self.ids[name]

    def add(self, name: str, number: int, where: np.ndarray, purpose: str) -> None:
        """Put cells of a type on random free sites of a mask.

        Raises
        ------
        InputError
            There are fewer free sites than cells.
        """
        open_sites = where & self.free(name)
        room = int(np.count_nonzero(open_sites))
        if number > room:
            raise InputError(
                f"[tissue] {name}: {number} cells do not fit on {room} free sites ({purpose}); place fewer"
            )
        luck = generator(self.seed, f"{name} {purpose}").random(open_sites.shape)
        luck[~open_sites] = 2.0
        self.put(name, first_sites(luck, number, open_sites.shape))

    def count(self, name: str, where: np.ndarray | None = None) -> int:
        """Return the number of cells of a type, all or within a mask."""
        found = self.occupant[self.layer_of[name]] == self.ids[name]
        return int(np.count_nonzero(found if where is None else found & where))

    def finished(
        self, region: np.ndarray, region_names: tuple[str, ...], report: dict[str, Any]
    ) -> Placement:
        """Return the placement with the numbers that every report holds."""
        extent, size = ("area_mm2", self.site_um**2 * 1e-6) if region.ndim == 2 else (
            "volume_mm3", self.site_um**3 * 1e-9
        )  # fmt: skip
        masks = {name: region == i for i, name in enumerate(region_names)}
        head = {
            "sites": list(region.shape),
            "site_um": self.site_um,
            "seed": self.seed,
            "placed": {info.name: self.count(info.name) for info in self.types},
            "regions": {
                name: {
                    extent: int(mask.sum()) * size,
                    "placed": {info.name: self.count(info.name, mask) for info in self.types},
                }
                for name, mask in masks.items()
            },
        }
        return Placement(self.occupant, region, region_names, head | report)

    def finished_in_one_region(self, report: dict[str, Any]) -> Placement:
        """Return the placement of a tissue that is core throughout."""
        return self.finished(np.zeros(self.shape, np.uint8), ("core",), report)


def empty_lattice(
    shape: tuple[int, ...],
    site_um: float,
    types: Sequence[CellTypeInfo],
    layers: Sequence[str],
    seed: int,
) -> Lattice:
    """Return a lattice without cells.

    Raises
    ------
    InputError
        Neither 2-D nor 3-D, a side below one site, or a pitch that is not above 0.
    """
    check_shape(shape, site_um)
    occupant = np.zeros((len(layers), *shape), np.uint8)
    return Lattice(site_um, tuple(types), tuple(layers), occupant, seed)
