"""Nearest-neighbour pair correlations: how far the lattice is from a well-mixed tissue.

F_ij = P(two neighbouring sites hold i and j) / (c_i c_j), with c the occupied fraction of all sites of the
layer and P over all links of the layer. F = 1 without correlation; above 1 the cells cluster. The definition is
that of the correlation function at distance 1 (Baker and Simpson 2010, 10.1103/PhysRevE.82.041905; Nardini et
al. 2021, 10.1098/rsif.2020.0987).
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from ..errors import unknown_word

VALID_BAND = 0.05  # the mean field is trusted while |F - 1| of the total occupancy is smaller
LINKS = ("von Neumann", "moore")
BOUNDARIES = ("no-flux", "periodic")
# half of the neighbours (z, y, x); the other half are the same links seen from the other end
_FACES = np.array([(0, 0, 1), (0, 1, 0), (1, 0, 0)])
_CORNERS_2D = np.array([(0, 0, 1), (0, 1, -1), (0, 1, 0), (0, 1, 1)])
_CORNERS_3D = np.array(
    [(0, 0, 1), (0, 1, -1), (0, 1, 0), (0, 1, 1)] + [(1, y, x) for y in (-1, 0, 1) for x in (-1, 0, 1)]
)


class Pairs(NamedTuple):
    """Pair correlations of one moment.

    Attributes
    ----------
    by_type : ndarray, shape (types, types), 1
        F of two types, symmetric, by position (id - 1). 1 where it is undefined: the types sit on different
        layers, or one of them has no cell.
    total : ndarray, shape (layers,), 1
        F of all occupied sites of a layer, 1 on an empty layer.
    occupancy : ndarray, shape (layers,), 1
        Occupied fraction of a layer.
    links : ndarray of int64, shape (layers,)
        Links a layer has; the standard deviation of ``total`` without any correlation is about
        (1 - occupancy) / (occupancy * sqrt(links)).
    """

    by_type: np.ndarray
    total: np.ndarray
    occupancy: np.ndarray
    links: np.ndarray


def pair_correlations(
    occupant: np.ndarray, types: int, links: str = "von Neumann", boundary: str = "no-flux"
) -> Pairs:
    """Return the nearest-neighbour pair correlations of an occupancy.

    Parameters
    ----------
    occupant : ndarray of uint8, shape (layers, ny, nx) or (layers, nz, ny, nx)
        Type ids, 0 for an empty site.
    types : int
        Number of types; ids run from 1 to this.
    links : str
        ``von Neumann`` (sites that share a face) or ``moore`` (a face, an edge or a corner).
    boundary : str
        ``no-flux`` (links end at the faces) or ``periodic``.

    Returns
    -------
    Pairs
        Free of NaN: what is undefined is 1, as without correlation.

    Raises
    ------
    InputError
        Unknown links or boundary.
    """
    for kind, word, choices in (("links", links, LINKS), ("boundary", boundary, BOUNDARIES)):
        if word not in choices:
            raise unknown_word(kind, word, choices, "pair correlations")
    flat = occupant.ndim == 3
    offsets = (_FACES[:2] if flat else _FACES) if links == LINKS[0] else _CORNERS_2D if flat else _CORNERS_3D
    layers = occupant.reshape(len(occupant), -1, *occupant.shape[-2:])
    by_type, total = np.ones((types, types)), np.ones(len(layers))
    occupancy, number = np.zeros(len(layers)), np.zeros(len(layers), np.int64)
    joins = np.zeros((len(layers), _LANES, types + 1, types + 1), np.int64)
    for k, sites in enumerate(layers):
        for dz, dy, dx in offsets:
            count_joins(sites, dz, dy, dx, boundary == "periodic", joins[k])
        seen = joins[k].sum(axis=0)
        seen = seen + seen.T  # every link from both ends
        cells = count_cells(sites.reshape(-1), types) / sites.size
        number[k], occupancy[k] = seen.sum() // 2, 1.0 - cells[0]
        by_chance = np.outer(cells, cells)[1:, 1:] * max(seen.sum(), 1)
        np.divide(seen[1:, 1:], by_chance, out=by_type, where=by_chance > 0.0)
        if occupancy[k] > 0.0 and seen.sum():
            total[k] = seen[1:, 1:].sum() / (seen.sum() * occupancy[k] ** 2)
    return Pairs(by_type, total, occupancy, number)


def mean_field_valid(total: np.ndarray, occupancy: np.ndarray) -> bool:
    """Return whether the pair correlations let a mean field be trusted.

    Parameters
    ----------
    total, occupancy : ndarray, shape (layers,), 1
        As in ``Pairs``.

    Returns
    -------
    bool
        |F - 1| < 0.05 on every layer that holds cells.
    """
    return bool(np.all((np.abs(np.asarray(total) - 1.0) < VALID_BAND) | (np.asarray(occupancy) <= 0.0)))


_LANES = 4  # equal pairs follow one another: counting them in turn in four tables spares the wait on one


@njit(cache=True)
def count_cells(sites: np.ndarray, types: int) -> np.ndarray:
    """Return how many sites hold each id, shape (types + 1,)."""
    counts = np.zeros((_LANES, types + 1), np.int64)
    whole = sites.size - sites.size % _LANES
    for k in range(0, whole, _LANES):
        counts[0, sites[k]] += 1
        counts[1, sites[k + 1]] += 1
        counts[2, sites[k + 2]] += 1
        counts[3, sites[k + 3]] += 1
    for k in range(whole, sites.size):
        counts[0, sites[k]] += 1
    return counts.sum(axis=0)


@njit(cache=True)
def count_joins(sites: np.ndarray, dz: int, dy: int, dx: int, periodic: bool, joins: np.ndarray) -> None:
    """Add the links along one offset, shape (nz, ny, nx), to tables by (type at the site, type at its neighbour).

    ``joins`` has shape (4, types + 1, types + 1), and only the sum over its first axis has a meaning.
    """
    nz, ny, nx = sites.shape
    first, last = max(0, -dx), nx - max(0, dx)
    for z in range(nz):
        for y in range(ny):
            to_z, to_y = z + dz, y + dy
            if periodic:
                to_z, to_y = to_z % nz, to_y % ny
            elif not (to_z < nz and 0 <= to_y < ny):
                continue
            here, there = sites[z, y], sites[to_z, to_y]
            x = first
            while x + _LANES <= last:
                joins[0, here[x], there[x + dx]] += 1
                joins[1, here[x + 1], there[x + 1 + dx]] += 1
                joins[2, here[x + 2], there[x + 2 + dx]] += 1
                joins[3, here[x + 3], there[x + 3 + dx]] += 1
                x += _LANES
            for i in range(x, last):
                joins[0, here[i], there[i + dx]] += 1
            if periodic:
                for i in range(first):
                    joins[0, here[i], there[(i + dx) % nx]] += 1
                for i in range(last, nx):
                    joins[0, here[i], there[(i + dx) % nx]] += 1
