"""Cut the lattice into blocks that can act at the same time.

A block has long rows: 16 rows of a section, or a pencil of 8 x 8 rows of a volume. Blocks of one colour do not
touch, because nothing acts further than a quarter of a block; colours follow one another. The cuts shift at
random each step. The block shape is part of the result, so it is fixed.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from ..lattice import NX, NY, NZ, PERIODIC, Lattice
from .world import World

ROWS_OF_SECTION, ROWS_OF_VOLUME = 16, 8
COLOURS = 9  # three an axis: even, odd, and the last of an odd ring


class Plan(NamedTuple):
    """The blocks of this step.

    Attributes
    ----------
    box : int64[block, 4]
        First plane, planes, first row, rows; beyond the last one a periodic axis wraps.
    colour : uint8[block]
    cuts : int64[2, cut, 3]
        First, number and colour of each part of an axis (scratch).
    number : int64[1]
        Blocks in use.
    moved : uint8[place]
        Cells that have had their round of moves, so that one that wandered into a block of a later colour does
        not move again (empty if nothing moves).
    """

    box: np.ndarray
    colour: np.ndarray
    cuts: np.ndarray
    number: np.ndarray
    moved: np.ndarray


def block_rows(nz: int) -> tuple[int, int]:
    """Return the planes and rows of a block in a lattice of nz planes."""
    return (1, ROWS_OF_SECTION) if nz == 1 else (ROWS_OF_VOLUME, ROWS_OF_VOLUME)


def make_plan(nz: int, ny: int, movers: int = 0) -> Plan:
    """Return room for the blocks of any shift; ``movers`` is the number of places if anything moves."""
    planes, rows = block_rows(nz)
    parts = [1 if nz == 1 else nz // planes + 2, ny // rows + 2]
    most = parts[0] * parts[1]
    return Plan(
        np.zeros((most, 4), np.int64),
        np.zeros(most, np.uint8),
        np.zeros((2, max(parts), 3), np.int64),
        np.zeros(1, np.int64),
        np.zeros(movers, np.uint8),
    )


def most_block_sites(nz: int, ny: int, nx: int) -> int:
    """Return the most sites that a block can have (blocks of a ring may be nearly twice as wide)."""
    planes, rows = block_rows(nz)
    return min(nz, 2 * planes) * min(ny, 2 * rows) * nx


@njit(cache=True)
def _cut(n: int, rows: int, bits: np.uint64, periodic: bool, cuts: np.ndarray) -> int:
    """Cut one axis at a random shift; return the number of parts."""
    if n == 1:
        cuts[0, 0], cuts[0, 1], cuts[0, 2] = 0, 1, 0
        return 1
    if periodic:
        parts = max(1, n // rows)
        shift = int(bits % np.uint64(n))
        for i in range(parts):
            first = i * n // parts
            cuts[i, 0] = (first + shift) % n
            cuts[i, 1] = (i + 1) * n // parts - first
            cuts[i, 2] = i & 1
        if parts > 1 and parts & 1:
            cuts[parts - 1, 2] = 2
        return parts
    shift = int(bits % np.uint64(rows))
    parts = (n + shift + rows - 1) // rows
    for i in range(parts):
        first = max(0, i * rows - shift)
        cuts[i, 0] = first
        cuts[i, 1] = min(n, (i + 1) * rows - shift) - first
        cuts[i, 2] = i & 1
    return parts


@njit(cache=True)
def plan_blocks(bits: np.uint64, lattice: Lattice, plan: Plan) -> None:
    """Cut the lattice at the shift that 64 hashed bits choose."""
    size, cuts = lattice.size, plan.cuts
    nz, ny, periodic = size[NZ], size[NY], size[PERIODIC] == 1
    rows = ROWS_OF_SECTION if nz == 1 else ROWS_OF_VOLUME
    parts_z = _cut(nz, ROWS_OF_VOLUME, bits >> np.uint64(32), periodic, cuts[0])
    parts_y = _cut(ny, rows, bits & np.uint64(0xFFFFFFFF), periodic, cuts[1])
    n = 0
    for i in range(parts_z):
        for j in range(parts_y):
            plan.box[n, 0], plan.box[n, 1] = cuts[0, i, 0], cuts[0, i, 1]
            plan.box[n, 2], plan.box[n, 3] = cuts[1, j, 0], cuts[1, j, 1]
            plan.colour[n] = 3 * cuts[0, i, 2] + cuts[1, j, 2]
            n += 1
    plan.number[0] = n


class Box(NamedTuple):
    """The rows of one block: first plane, planes, first row, rows."""

    z: int
    planes: int
    y: int
    rows: int


@njit(cache=True)
def box_of(block: int, plan: Plan) -> Box:
    """Return where a block lies."""
    box = plan.box
    return Box(box[block, 0], box[block, 1], box[block, 2], box[block, 3])


@njit(cache=True)
def run_of(k: int, box: Box, w: World) -> tuple[int, int]:
    """Return the first site and the length of the k-th run of a block, of two runs a plane.

    The rows of a plane lie one after another in memory; where they wrap around a periodic edge the rest of
    them is a second run, which is else of length 0.
    """
    wrapped = max(0, box.y + box.rows - w.ny)
    z = box.z + (k >> 1)
    if z >= w.nz:
        z -= w.nz
    if k & 1:
        return z * w.ny * w.nx, wrapped * w.nx
    return (z * w.ny + box.y) * w.nx, (box.rows - wrapped) * w.nx


def sites_of(plan: Plan, block: int, lattice: Lattice) -> np.ndarray:
    """Return the sites of a block (for tests and pictures)."""
    nz, ny, nx = (int(n) for n in lattice.size[NZ : NX + 1])
    z, planes, y, rows = (int(n) for n in plan.box[block])
    first = [((z + j) % nz * ny + (y + i) % ny) * nx for j in range(planes) for i in range(rows)]
    return (np.array(first)[:, None] + np.arange(nx)).reshape(-1)
