"""The world as one cell's kernels see it: every array a pointer, every size a number."""

from typing import Any, NamedTuple

from numba import njit

from ..lattice import LAYERS, NEIGHBOURS, NX, NY, NZ, PERIODIC, SITES, Lattice
from ..tables import Tables, View
from .pointers import pointer


class World(NamedTuple):
    """State, geometry and model in one hand; see `View`, `Lattice` and `Tables` for what each part means.

    Two-dimensional tables are flat: a row of ``sets``, ``victim_event`` and ``carries`` has ``types_1`` or
    ``attributes_n`` entries, a row of ``fields`` and ``densities`` has ``sites``, one of ``attributes``
    ``places``.
    """

    occupant: Any
    uid: Any
    attributes: Any
    fields: Any
    stats: Any
    densities: Any
    body: Any
    now_h: float

    layers: int
    nz: int
    ny: int
    nx: int
    sites: int
    places: int
    neighbours: int
    periodic: int
    offset: Any
    flat: Any
    ring: Any
    room: Any

    types: Any
    slots: Any
    rules: Any
    changes: Any
    carries: Any
    sets: Any
    victim_event: Any
    types_1: int
    attributes_n: int
    dt_h: float
    update: int
    events: int


@njit(cache=True)
def world_of(view: View, lattice: Lattice, tables: Tables) -> World:
    """Return the world at the present time; it lasts as long as the arrays it points to."""
    size = lattice.size
    return World(
        pointer(view.occupant),
        pointer(view.uid),
        pointer(view.attributes),
        pointer(view.fields),
        pointer(view.stats),
        pointer(view.densities),
        pointer(view.body),
        view.clock[0],
        size[LAYERS],
        size[NZ],
        size[NY],
        size[NX],
        size[SITES],
        size[LAYERS] * size[SITES],
        size[NEIGHBOURS],
        size[PERIODIC],
        pointer(lattice.offset),
        pointer(lattice.flat),
        pointer(lattice.ring),
        pointer(lattice.room),
        pointer(tables.types),
        pointer(tables.slots),
        pointer(tables.rules),
        pointer(tables.changes),
        pointer(tables.carries),
        pointer(tables.sets),
        pointer(tables.victim_event),
        tables.types.size,
        tables.carries.shape[1],
        tables.dt_h,
        tables.update,
        tables.events,
    )


@njit(cache=True)
def neighbour(site: int, k: int, ring: int, w: Any) -> int:
    """Return the site at the k-th offset, which lies in a ring; -1 beyond a closed edge.

    ``w`` is the world, or a smaller tuple with its geometry.
    """
    if w.room[site] >= ring:
        return site + w.flat[k]
    return across(site, k, w)


@njit(cache=True)
def across(site: int, k: int, w: Any) -> int:
    """Return the site at the k-th offset from a site near an edge; -1 beyond a closed edge."""
    z = site // (w.ny * w.nx) + w.offset[3 * k]
    y = (site // w.nx) % w.ny + w.offset[3 * k + 1]
    x = site % w.nx + w.offset[3 * k + 2]
    if w.periodic:
        z, y, x = z % w.nz, y % w.ny, x % w.nx
    elif z < 0 or z >= w.nz or y < 0 or y >= w.ny or x < 0 or x >= w.nx:
        return -1
    return (z * w.ny + y) * w.nx + x


@njit(cache=True)
def site_of(place: int, w: Any) -> int:
    """Return the site of a place on any layer."""
    while place >= w.sites:  # a few layers at most: cheaper than a division
        place -= w.sites
    return place
