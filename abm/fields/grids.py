"""The grids of the multigrid solver: geometry and memory, made once per lattice shape.

Each axis is halved until two or three cells are left (one, while the other axis is longer). Where a size is
odd, the last coarse cell takes three cells, so that its width stays below twice that of its neighbours at any
depth. Coarse operators are finite volumes on these widths.

A row is stored as its even columns followed by its odd columns, with one ghost at either end: the points of
one colour of the chessboard are then contiguous, their vertical neighbours have the same index, and every
loop of the solver runs over consecutive numbers.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
Size = tuple[int, int, int, int]  # rows, columns, coarse rows, coarse columns

SMALLEST = 3
PAD = 8  # first slot of a half row: a cache line of 8 numbers, so that vector loads do not straddle two


class Links(NamedTuple):
    """Weights of the four neighbours on one level: by parity and slot of the column, and by row."""

    west: Array
    east: Array
    north: Array
    south: Array


class Workspace(NamedTuple):
    """Memory and geometry of the solver for one lattice shape (level 0 is the lattice itself).

    Attributes
    ----------
    levels : int64[level, 5]
        Rows, columns, offset in the split arrays, offset in `absorption`, slots of a half row.
    value, rhs, diagonal, inverse : float64[:]
        Split rows of all levels: unknown, right-hand side, diagonal of the operator and its inverse.
    absorption : float64[:]
        Mean q of the coarse cells, row-major, levels 1 and up.
    west_unit, east_unit : float64[level, 2, slot]
        Geometric weights of the horizontal neighbours (periodic, unit diffusion), by parity of the column.
    north_unit, south_unit : float64[level, row]
        The same for the vertical neighbours.
    west, east, north, south : float64
        The same with the diffusion and boundary of the present solve.
    x_share, x_left : float64[level, 2, slot]
        Share of a column in its coarse cell; weight of the left one of its two coarse neighbours.
    y_share, y_left : float64[level, row]
        The same for rows.
    y_parent, y_low : int64[level, row]
        Coarse row that holds a row; lower one of its two coarse neighbours.
    lines : float64[5, column]
        Row buffers.
    small : float64[9, 10]
        Linear system of the coarsest level.
    counters : int64[1]
        Number of values that a correction would have made negative (set to zero instead) so far.
    """

    levels: Indices
    value: Array
    rhs: Array
    diagonal: Array
    inverse: Array
    absorption: Array
    west_unit: Array
    east_unit: Array
    north_unit: Array
    south_unit: Array
    west: Array
    east: Array
    north: Array
    south: Array
    x_share: Array
    x_left: Array
    y_share: Array
    y_left: Array
    y_parent: Indices
    y_low: Indices
    lines: Array
    small: Array
    counters: Indices


class _Axis(NamedTuple):
    """One axis of one level: neighbour weights and the links to the next coarser level."""

    before: Array
    after: Array
    share: Array
    left: Array
    parent: Indices
    low: Indices


def _parents(size: int, other: int) -> Indices:
    """Return the coarse cell of each cell of an axis, given the size of the other axis.

    Two or three cells merge into one only while the other axis is longer: a smoother of single points needs
    the strongly coupled direction to be the one that is coarsened.
    """
    index = np.arange(size)
    if size == 1 or (size <= SMALLEST and other <= SMALLEST):
        return index
    return np.minimum(index // 2, size // 2 - 1)


def _merged(widths: Array, parent: Indices) -> Array:
    """Return the widths of the coarse cells."""
    return np.bincount(parent, weights=widths).astype(np.float64)


def _axis(widths: Array, parent: Indices) -> _Axis:
    """Return weights of neighbours and of transfers for one axis (widths in lattice sites)."""
    index = np.arange(widths.size)
    before = 2.0 / ((np.roll(widths, 1) + widths) * widths)
    after = 2.0 / ((np.roll(widths, -1) + widths) * widths)
    if widths.size == 1:
        before, after = np.zeros(1), np.zeros(1)
    coarse = _merged(widths, parent)
    if coarse.size == widths.size:
        return _Axis(before, after, np.ones(widths.size), np.ones(widths.size), parent, index)
    length = widths.sum()
    centre = np.cumsum(widths) - 0.5 * widths
    middle = np.cumsum(coarse) - 0.5 * coarse
    ringed = np.concatenate(([middle[-1] - length], middle, [middle[0] + length]))
    low = (index + 1) // 2 - 1
    right = ringed[low + 2]
    left = (right - centre) / (right - ringed[low + 1])
    return _Axis(before, after, widths / coarse[parent], left, parent, low)


def _aligned(*shape: int) -> Array:
    """Return zeros that start on a cache line."""
    size = math.prod(shape)
    flat = np.zeros(size + PAD)
    start = -(flat.ctypes.data // flat.itemsize) % PAD
    return flat[start : start + size].reshape(shape)


def _slots(size: int) -> int:
    """Return the length of a half row of a line, with its ghosts, in whole cache lines."""
    return -(-(PAD + (size + 1) // 2 + 1) // PAD) * PAD


def make_workspace(ny: int, nx: int) -> Workspace:
    """Create the memory and geometry that `solve` needs for lattices of ny rows and nx columns.

    Parameters
    ----------
    ny, nx : int
        Lattice size in sites, each at least 3.

    Returns
    -------
    Workspace
        About 58 bytes a site at 256 x 256; one serves every field of that shape, one at a time.

    Raises
    ------
    InputError
        A size below 3.
    """
    if min(ny, nx) < SMALLEST:
        raise InputError(f"a lattice with fields needs at least {SMALLEST} sites each way, not {ny} x {nx}")
    grids = [(np.ones(ny), np.ones(nx))]
    parents = []
    while len(grids) < 2 or max(grids[-1][0].size, grids[-1][1].size) > SMALLEST:
        rows, columns = grids[-1]
        parents.append((_parents(rows.size, columns.size), _parents(columns.size, rows.size)))
        y_parents, x_parents = parents[-1]
        grids.append((_merged(rows, y_parents), _merged(columns, x_parents)))
    parents.append((np.arange(grids[-1][0].size), np.arange(grids[-1][1].size)))
    depth, slots = len(grids), _slots(nx)
    levels = np.zeros((depth, 5), dtype=np.int64)
    columns_of = [_aligned(depth, 2, slots) for _ in range(6)]
    rows_of = [_aligned(depth, ny) for _ in range(6)]
    y_parent = np.zeros((depth, ny), dtype=np.int64)
    y_low = np.zeros((depth, ny), dtype=np.int64)
    split_size = coarse_size = 0
    for level, (rows, columns) in enumerate(grids):
        n, m = rows.size, columns.size
        levels[level] = n, m, split_size, coarse_size, _slots(m)
        split_size += 2 * (n + 2) * _slots(m)
        coarse_size += n * m if level else 0
        y, x = _axis(rows, parents[level][0]), _axis(columns, parents[level][1])
        for k in range(4):
            rows_of[k][level, :n] = y[k]
            for parity in (0, 1):
                part = x[k][parity::2]
                columns_of[k][level, parity, PAD : PAD + part.size] = part
        y_parent[level, :n], y_low[level, :n] = y.parent, y.low
    west_unit, east_unit, x_share, x_left, west, east = columns_of
    north_unit, south_unit, y_share, y_left, north, south = rows_of
    return Workspace(
        levels=levels,
        value=_aligned(split_size),
        rhs=_aligned(split_size),
        diagonal=_aligned(split_size),
        inverse=_aligned(split_size),
        absorption=_aligned(coarse_size),
        west_unit=west_unit,
        east_unit=east_unit,
        north_unit=north_unit,
        south_unit=south_unit,
        west=west,
        east=east,
        north=north,
        south=south,
        x_share=x_share,
        x_left=x_left,
        y_share=y_share,
        y_left=y_left,
        y_parent=y_parent,
        y_low=y_low,
        lines=_aligned(5, 2 * _slots(nx)),
        small=np.zeros((9, 10)),
        counters=np.zeros(1, dtype=np.int64),
    )
