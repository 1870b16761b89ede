"""Give the cells of a table sites of their own."""

import functools
import math

import numpy as np


def settle(
    x: np.ndarray,
    y: np.ndarray,
    kind: np.ndarray,
    shape: tuple[int, ...],
    reach: float,
    z: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Give every cell of one layer a site of its own.

    A site goes to the cell nearest to its centre (ties: smaller z, then y, then x, then kind); the others, in
    order of z, y, x and kind, take the nearest free site (ties: smaller plane, then row, then column).

    Parameters
    ----------
    x, y : ndarray, shape (cell,)
        Positions in sites; site (row, column) covers [column, column + 1) x [row, row + 1).
    kind : ndarray, shape (cell,)
        Whatever tells cells apart.
    shape : tuple of int
    reach : float
        Farthest distance from a position to the centre of its site, in sites.
    z : ndarray, shape (cell,), in 3-D

    Returns
    -------
    site : ndarray of int64, shape (cell,)
        Flat index of the site, or -1 for a cell that found none.
    moved : ndarray of float64, shape (cell,)
        Distance to the site's centre where it is not the cell's own site; 0 elsewhere.
    """
    position = (y, x) if z is None else (z, y, x)
    index = [np.clip(np.floor(p).astype(np.int64), 0, n - 1) for p, n in zip(position, shape, strict=True)]
    own = np.ravel_multi_index(tuple(index), shape) if x.size else np.zeros(0, np.int64)
    # from the last axis to the first, so that in 2-D the distance is hypot(x, y) to the last bit
    parts = [p - i - 0.5 for p, i in zip(position[::-1], index[::-1], strict=True)]
    off_centre = functools.reduce(np.hypot, parts)
    site = np.full(x.size, -1, np.int64)
    by_rank = np.lexsort((kind, *position[::-1], off_centre, own))
    first = by_rank[np.r_[True, np.diff(own[by_rank]) > 0]] if x.size else by_rank
    site[first] = own[first]
    free = np.ones(math.prod(shape), bool)
    free[own[first]] = False
    moved = np.zeros(x.size)
    rest = np.setdiff1d(np.arange(x.size), first)
    steps = math.ceil(reach) + 1
    for cell in rest[np.lexsort((kind[rest], *(p[rest] for p in position[::-1])))]:
        spans = [
            (max(0, i[cell] - steps), min(n, i[cell] + steps + 1)) for i, n in zip(index, shape, strict=True)
        ]
        around = np.ix_(*(np.arange(*span) for span in spans))
        offsets = [a + 0.5 - p[cell] for a, p in zip(around[::-1], position[::-1], strict=True)]
        distance = functools.reduce(np.hypot, offsets)
        near = np.ravel_multi_index(np.broadcast_arrays(*around), shape)
        distance[~free[near]] = np.inf
        nearest = int(np.argmin(distance))  # the first of equals: smaller plane, then row, then column
        if distance.flat[nearest] <= reach:
            site[cell] = near.flat[nearest]
            moved[cell] = distance.flat[nearest]
            free[site[cell]] = False
    return site, moved
