"""The lattice: sites in memory order, neighbours as offsets, edges that reflect nothing or wrap around.

A site is its flat index (z * ny + y) * nx + x; a section has nz = 1. Cells sit on layers, so the place of a
cell is layer * sites + site.
"""

from typing import NamedTuple

import numpy as np

MOST_RINGS = 4  # a quarter of a block of rows: nothing acts farther, so blocks of one colour are independent
LAYERS, NZ, NY, NX, SITES, NEIGHBOURS, PERIODIC = range(7)
MOORE, VON_NEUMANN = range(2)


class Lattice(NamedTuple):
    """Geometry as kernels see it.

    Attributes
    ----------
    size : int64[7]
        Layers, planes, rows, columns, sites, number of nearest neighbours, 1 if periodic.
    offset : int32[k, 3]
        Steps along z, y and x to the sites around one, ring by ring, the nearest neighbours first.
    flat : int64[k]
        The same as a difference of flat indices.
    ring : int64[MOST_RINGS + 1]
        Ring r holds the offsets ring[r - 1] to ring[r].
    room : uint8[site]
        Distance to the nearest edge in sites, at most MOST_RINGS.
    """

    size: np.ndarray
    offset: np.ndarray
    flat: np.ndarray
    ring: np.ndarray
    room: np.ndarray


def offsets(dimensions: int, neighbourhood: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the offsets (z, y, x) of all rings and where each ring ends."""
    reach = range(-MOST_RINGS, MOST_RINGS + 1)
    rings: list[list[tuple[int, int, int]]] = [[] for _ in range(MOST_RINGS)]
    for dz in reach if dimensions == 3 else (0,):
        for dy in reach:
            for dx in reach:
                steps = abs(dz), abs(dy), abs(dx)
                ring = max(steps) if neighbourhood == MOORE else sum(steps)
                if 1 <= ring <= MOST_RINGS:
                    rings[ring - 1].append((dz, dy, dx))
    ends = np.cumsum([0] + [len(ring) for ring in rings])
    return np.array([o for ring in rings for o in ring], np.int32), ends.astype(np.int64)


def make_lattice(layers: int, shape: tuple[int, ...], neighbourhood: int, periodic: bool) -> Lattice:
    """Return the geometry of a lattice of shape (rows, columns) or (planes, rows, columns)."""
    nz, ny, nx = (1, *shape)[-3:]
    offset, ring = offsets(len(shape), neighbourhood)
    flat = (offset.astype(np.int64) @ np.array([ny * nx, nx, 1])).astype(np.int64)
    room = np.full((nz, ny, nx), MOST_RINGS, np.uint8)
    for axis, n in enumerate((nz, ny, nx)):
        if axis == 0 and len(shape) == 2:
            continue
        edge = np.minimum(np.minimum(np.arange(n), np.arange(n)[::-1]), MOST_RINGS).astype(np.uint8)
        room = np.minimum(room, edge.reshape([-1 if a == axis else 1 for a in range(3)]))
    size = np.array([layers, nz, ny, nx, nz * ny * nx, ring[1], int(periodic)], np.int64)
    return Lattice(size, offset, flat, ring, np.ascontiguousarray(room).reshape(-1))
