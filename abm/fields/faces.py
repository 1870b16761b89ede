"""The outer faces of the lattice: a level held at a face (Dirichlet) or behind a barrier (Robin).

The field at a face lies half a site from the centres beside it, so a site there exchanges with the outside at
the rate 1 / (h/P + h^2/2D): barrier and half a site in series, 2 D/h^2 where nothing bars the way. Such a site
gains that much q, and s in proportion to the outside level; faces that are not named let nothing through.
"""

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numba import njit

from ..errors import InputError, unknown_word
from .grids import Array

FACES = ("x-", "x+", "y-", "y+", "z-", "z+")


class Outside(NamedTuple):
    """What lies beyond a face: a level, in nM, and the permeability of the barrier before it, in um/h."""

    level_nm: float
    permeability_um_per_h: float = math.inf


class Faces(NamedTuple):
    """Permeation (permeability / site, 1/h; 0 = closed, inf = no barrier) and outside level (nM) of each face."""

    permeation: Array
    level: Array


def make_faces(conditions: Mapping[str, Outside], site_um: float, dimensions: int, where: str) -> Faces:
    """Return the conditions on the faces as numbers, in the order of `FACES`.

    Parameters
    ----------
    conditions : mapping of face words to `Outside`
        Open faces; all others are closed.
    site_um : float
        Width of a site, um.
    dimensions : int
        2 or 3; a 2-D lattice has no z faces.
    where : str
        File and key, for the message.

    Raises
    ------
    InputError
        Unknown face; level negative or not finite; permeability negative or NaN.
    """
    choices = FACES[: 2 * dimensions]
    permeation, level = np.zeros(len(FACES)), np.zeros(len(FACES))
    for word, outside in conditions.items():
        if word not in choices:
            raise unknown_word(f"face of a {dimensions}-D lattice", word, choices, where)
        if not 0.0 <= outside.level_nm < math.inf:
            raise InputError(
                f"{where}: the level outside face '{word}' must be a number of 0 or more, "
                f"not {outside.level_nm:g} nM"
            )
        if not outside.permeability_um_per_h >= 0.0:
            raise InputError(
                f"{where}: the permeability of face '{word}' must be 0 um/h or more, "
                f"not {outside.permeability_um_per_h:g}; leave it out to hold the level at the face itself"
            )
        k = FACES.index(word)
        permeation[k], level[k] = outside.permeability_um_per_h / site_um, outside.level_nm
    return Faces(permeation, level)


@njit(cache=True)
def _plane(face: int, size: tuple[int, int, int]) -> tuple[int, int, int, int, int, int]:
    """Return first and last + 1 of z, y and x of the sites along a face."""
    nz, ny, nx = size
    if face == 0:
        return 0, nz, 0, ny, 0, 1
    if face == 1:
        return 0, nz, 0, ny, nx - 1, nx
    if face == 2:
        return 0, nz, 0, 1, 0, nx
    if face == 3:
        return 0, nz, ny - 1, ny, 0, nx
    if face == 4:
        return 0, 1, 0, ny, 0, nx
    return nz - 1, nz, 0, ny, 0, nx


@njit(cache=True)
def _exchange(permeation: float, diffusion: float) -> float:
    """Return the rate at which a site exchanges through an open face, 1/h, given D/h^2."""
    if diffusion <= 0.0:
        return 0.0
    if permeation == math.inf:
        return 2.0 * diffusion
    return 1.0 / (1.0 / permeation + 0.5 / diffusion)


@njit(cache=True)
def add_faces(q: Array, s: Array, faces: Faces, even: float, uneven: Array) -> None:
    """Add the exchange through the open faces to q and s.

    Parameters
    ----------
    q, s : float64[nz, ny, nx]
        Absorption (1/h) and source (nM/h) of the sites; a 2-D lattice has nz = 1.
    faces : Faces
    even : float
        D/h^2 where it is the same everywhere, 1/h.
    uneven : float64[nz, ny, nx]
        D/h^2 of each site, or an array without elements where `even` holds.
    """
    for face in range(faces.permeation.size):
        if faces.permeation[face] > 0.0:
            z_first, z_end, y_first, y_end, x_first, x_end = _plane(face, q.shape)
            for z in range(z_first, z_end):
                for y in range(y_first, y_end):
                    for x in range(x_first, x_end):
                        rate = _exchange(faces.permeation[face], uneven[z, y, x] if uneven.size else even)
                        q[z, y, x] += rate
                        s[z, y, x] += rate * faces.level[face]


@njit(cache=True)
def face_flow(c: Array, face: int, faces: Faces, even: float, uneven: Array) -> tuple[float, float]:
    """Return what comes in through one face, net of what goes out, and what goes out, nM sites/h.

    Arguments as in `add_faces`; sums run by rows, then over rows, in a fixed order.
    """
    net = out = 0.0
    if faces.permeation[face] > 0.0:
        z_first, z_end, y_first, y_end, x_first, x_end = _plane(face, c.shape)
        for z in range(z_first, z_end):
            for y in range(y_first, y_end):
                row_net = row_out = 0.0
                for x in range(x_first, x_end):
                    rate = _exchange(faces.permeation[face], uneven[z, y, x] if uneven.size else even)
                    row_net += rate * (faces.level[face] - c[z, y, x])
                    row_out += rate * c[z, y, x]
                net += row_net
                out += row_out
    return net, out
