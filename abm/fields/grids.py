"""The grids of the multigrid solver: geometry and memory, made once per lattice shape.

A lattice has three axes, slabs x rows x columns; in two dimensions a slab is a single row. Each axis is halved
until two or three cells are left (one, while another axis is longer). Where a size is odd, the last cell stays
alone and so becomes narrow beside the others, which costs no convergence (one of three cells would: its errors of
short wave in the other directions are not smoothed). Coarse operators are finite volumes on these widths.

A row is stored as its even columns followed by its odd columns, with ghosts at either end: the points of one
colour of the chessboard are then contiguous, their neighbours in other rows and slabs have the same index, and
every loop of the solver runs over consecutive numbers.
"""

import math
from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError

Array = NDArray[np.float64]  # double precision, but in the memory of a solver in single precision
Indices = NDArray[np.int64]

SMALLEST = 3
PAD = 8  # first slot of a half row: a cache line of 8 numbers, so that vector loads do not straddle two
PAGE = 64  # cache lines
FAR = 6  # least distance of a neighbour from a whole or half number of pages, in cache lines
MOST_COARSEST = SMALLEST**3
LOW_UNIT, HIGH_UNIT, LOW, HIGH, SHARE, LEFT, INSIDE, STEP = range(8)  # kinds of `cells`
FIRST, BELOW = 0, 1  # kinds of `tree`


class Workspace(NamedTuple):
    """Memory and geometry of the solver for one lattice shape (level 0 is the lattice itself).

    `real` is float32 or float64, the precision of the solver.

    Attributes
    ----------
    levels : int64[level, 7]
        Slabs, rows, columns, offset in the split arrays, offset in `absorption`, slots of a half row, half
        rows from a slab to the next.
    value, rhs, inverse : real[:]
        Split rows of all levels: unknown, right-hand side, inverse of the diagonal of the operator.
    faces : float64[:]
        Where diffusivity varies: conductance of the lower face of each point along slabs, then along columns,
        then (in three dimensions) along rows, each like `value`; empty otherwise.
    absorption : real[:]
        Mean q of the coarse cells, row-major, levels 1 and up (where diffusivity varies their sum, from level 0).
    cells : real[kind, level, axis, cell]
        By LOW_UNIT and HIGH_UNIT: geometric weights of the two neighbours along an axis (periodic, unit
        diffusion). LOW and HIGH: the same with the diffusion and boundary of the present solve. SHARE: share
        of a cell in its coarse cell (1 where diffusivity varies, where coarse cells hold sums). LEFT: weight of
        the lower one of its two coarse neighbours. INSIDE: part of the way from the cell before, in the same
        coarse cell, that lies below the centre of that. STEP: length of that way.
    columns : real[2, level, parity, slot]
        Share and weight of the left neighbour for split columns.
    tree : int64[kind, level, axis, cell]
        By FIRST: first cell of a coarse cell (with an end). BELOW: lower one of the two coarse neighbours.
    edges : real[level, 10]
        Weight between columns of the common width; for parity x end (last, first column of its parity) x side
        what their weights add to it; 1 if any of these is not zero.
    lines : real[3, column]
        Row buffers: residual, its mean, interpolated correction.
    sums : float64[3, column]
        Sums by column.
    small : float64[28, 27]
        Factors of the linear system of the coarsest level, and its unknowns.
    counters : int64[1]
        Number of values that a correction would have made negative (set to zero instead) so far.
    """

    levels: Indices
    value: Array
    rhs: Array
    inverse: Array
    faces: Array
    absorption: Array
    cells: Array
    columns: Array
    tree: Indices
    edges: Array
    lines: Array
    sums: Array
    small: Array
    counters: Indices


class Axis(NamedTuple):
    """One axis of one level: neighbour weights and the links to the next coarser level."""

    low: Array
    high: Array
    share: Array
    left: Array
    inside: Array
    step: Array
    first: Indices
    below: Indices


def _parents(size: int, longest: int) -> Indices:
    """Return the coarse cell of each cell of an axis, given the number of cells of the longest axis.

    Two cells merge into one only while another axis is longer: a smoother of single points needs the strongly
    coupled direction to be the one that is coarsened.
    """
    index = np.arange(size)
    return index if longest <= SMALLEST else index // 2


def _merged(widths: Array, parent: Indices) -> Array:
    """Return the widths of the coarse cells."""
    return np.bincount(parent, weights=widths).astype(np.float64)


def _axis(widths: Array, parent: Indices) -> Axis:
    """Return weights of neighbours and of transfers for one axis (widths in lattice sites)."""
    index = np.arange(widths.size)
    low = 2.0 / ((np.roll(widths, 1) + widths) * widths)
    high = 2.0 / ((np.roll(widths, -1) + widths) * widths)
    if widths.size == 1:
        low, high = np.zeros(1), np.zeros(1)
    coarse = _merged(widths, parent)
    first = np.searchsorted(parent, np.arange(coarse.size + 1))
    step = 0.5 * (np.roll(widths, 1) + widths)
    if coarse.size == widths.size:
        one = np.ones(widths.size)
        return Axis(low, high, one, one, one, step, first, index)
    length = widths.sum()
    centre = np.cumsum(widths) - 0.5 * widths
    middle = np.cumsum(coarse) - 0.5 * coarse
    ringed = np.concatenate(([middle[-1] - length], middle, [middle[0] + length]))
    below = (index + 1) // 2 - 1
    right = ringed[below + 2]
    left = (right - centre) / (right - ringed[below + 1])
    inside = (middle[parent] - centre + step) / step
    return Axis(low, high, widths / coarse[parent], left, inside, step, first, below)


def check_shape(shape: tuple[int, ...]) -> None:
    """Raise InputError for a size below 3, or a number of dimensions that is not 2 or 3."""
    if len(shape) not in (2, 3) or min(shape) < SMALLEST:
        size = " x ".join(str(n) for n in shape)
        raise InputError(f"a lattice with fields needs 2 or 3 axes of at least {SMALLEST} sites, not {size}")


def hierarchy(shape: tuple[int, ...]) -> tuple[list[tuple[Array, ...]], list[list[Axis]]]:
    """Return cell widths (in sites) and axes of all levels for a lattice of two or three dimensions.

    Raises
    ------
    InputError
        A size below 3, or a number of dimensions that is not 2 or 3.
    """
    check_shape(shape)
    sizes = (shape[0], 1, shape[1]) if len(shape) == 2 else shape
    widths = [tuple(np.ones(n) for n in sizes)]
    parents: list[list[Indices]] = []
    while len(widths) < 2 or max(w.size for w in widths[-1]) > SMALLEST:
        longest = max(w.size for w in widths[-1])
        parents.append([_parents(w.size, longest) for w in widths[-1]])
        widths.append(tuple(_merged(w, p) for w, p in zip(widths[-1], parents[-1], strict=True)))
    parents.append([np.arange(w.size) for w in widths[-1]])
    axes = [
        [_axis(w, p) for w, p in zip(ws, ps, strict=True)] for ws, ps in zip(widths, parents, strict=True)
    ]
    return widths, axes


def zeros(*shape: int, single: bool) -> Array:
    """Return zeros of either precision."""
    return cast(Array, np.zeros(shape, np.float32 if single else np.float64))


def aligned(*shape: int, after_page: int = 0, single: bool = False) -> Array:
    """Return zeros of either precision that start a number of cache lines (of 8 numbers) after a page."""
    size = math.prod(shape)
    flat = zeros(size + 2 * PAGE * PAD, single=single)
    start = -(flat.ctypes.data // flat.itemsize) % (PAGE * PAD) + after_page * PAD
    return flat[start : start + size].reshape(shape)


def _slots(size: int) -> int:
    """Return the length of a half row, with its ghosts: an odd number of cache lines."""
    cache_lines = 1 + -(-((size + 1) // 2 + 1) // PAD)
    return PAD * (cache_lines | 1)


def _pitch(rows: int, slots: int) -> int:
    """Return the half rows from a slab to the next, such that neighbours are not whole pages apart.

    Numbers whole pages apart compete for one place in the fastest cache, which would cost a factor of two.
    """
    pitch = 2 * rows
    while rows > 1 and min(pitch * slots // PAD % (PAGE // 2), -(pitch * slots // PAD) % (PAGE // 2)) < FAR:
        pitch += 1
    return pitch


def make_workspace(shape: tuple[int, ...], varying: bool = False, single: bool = False) -> Workspace:
    """Create the memory and geometry that `solve` needs for lattices of one shape.

    Parameters
    ----------
    shape : tuple of int
        Lattice size in sites, (ny, nx) or (nz, ny, nx), each at least 3.
    varying : bool
        For a diffusivity that varies in space (`solve_varying` in place of `solve`).
    single : bool
        In single precision (see `precision.suffices`).

    Returns
    -------
    Workspace
        About 40 bytes a site of a large lattice, 20 in single precision, 70 to 90 where diffusivity varies; one
        serves every field of that shape, in turn.

    Raises
    ------
    InputError
        A size below 3, or a number of dimensions that is not 2 or 3.
    """
    widths, axes = hierarchy(shape)
    depth, longest, slots = len(widths), max(shape), _slots(shape[-1])
    levels = np.zeros((depth, 7), dtype=np.int64)
    cells = zeros(8, depth, 3, longest + 1, single=single)
    columns = aligned(2, depth, 2, slots, single=single)
    tree = np.zeros((2, depth, 3, longest + 1), dtype=np.int64)
    split_size = coarse_size = 0
    for level, axis in enumerate(axes):
        n0, n1, n2 = (w.size for w in widths[level])
        pitch = _pitch(n1, _slots(n2))
        levels[level] = n0, n1, n2, split_size, coarse_size, _slots(n2), pitch
        split_size += n0 * pitch * _slots(n2)
        coarse_size += n0 * n1 * n2 if level or varying else 0
        for a, links in enumerate(axis):
            n = links.low.size
            cells[LOW_UNIT, level, a, :n], cells[HIGH_UNIT, level, a, :n] = links.low, links.high
            cells[SHARE, level, a, :n] = 1.0 if varying else links.share
            cells[LEFT, level, a, :n] = links.left
            cells[INSIDE, level, a, :n], cells[STEP, level, a, :n] = links.inside, links.step
            tree[FIRST, level, a, : links.first.size] = links.first
            tree[BELOW, level, a, :n] = links.below
        for parity in (0, 1):
            part = slice(PAD, PAD + (n2 + 1 - parity) // 2)
            columns[0, level, parity, part] = cells[SHARE, level, 2, parity:n2:2]
            columns[1, level, parity, part] = axis[2].left[parity::2]
    return Workspace(
        levels=levels,
        value=aligned(split_size, single=single),
        rhs=aligned(split_size, after_page=PAGE // 3, single=single),
        inverse=aligned(split_size, after_page=2 * PAGE // 3, single=single),
        faces=aligned(len(shape) * split_size if varying else 0, after_page=PAGE // 2, single=single),
        absorption=aligned(coarse_size, single=single),
        cells=cells,
        columns=columns,
        tree=tree,
        edges=zeros(depth, 10, single=single),
        lines=aligned(3, 2 * slots, single=single),
        sums=aligned(3, 2 * slots),
        small=np.zeros((MOST_COARSEST + 1, MOST_COARSEST)),
        counters=np.zeros(1, dtype=np.int64),
    )
