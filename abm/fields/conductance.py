"""Conductances of faces on all levels where diffusivity varies.

A coarse face carries what a linear profile between the centres of two coarse cells would: the mean conductance of
the links along the way over its length, ways side by side. Resistances in series would be right for layers, but
miss the way round a single poor site; corrections would overshoot and, at a contrast of 100, diverge.
"""

import math

from numba import njit

from .grids import FIRST, INSIDE, MOST_COARSEST, PAD, STEP, Array, Workspace
from .operator import absorption_view, factorise
from .relax import wrap_columns
from .transfer import mean_absorption

SEGMENT = (0, 2, 1)  # place of an axis in `faces`


@njit(cache=True, nogil=True)
def place(work: Workspace, level: int, z: int, y: int, x: int) -> int:
    """Return where a point lies in the split arrays."""
    slots, pitch = work.levels[level, 5], work.levels[level, 6]
    return work.levels[level, 3] + PAD + (z * pitch + 2 * y + (x & 1)) * slots + x // 2


@njit(cache=True, nogil=True)
def wrap_faces(work: Workspace, level: int, periodic: bool) -> None:
    """Give the last column of each row its upper face: that of the first on a ring, none at a wall."""
    n2, slots = work.levels[level, 2], work.levels[level, 5]
    for z in range(work.levels[level, 0]):
        for y in range(work.levels[level, 1]):
            even = work.value.size + place(work, level, z, y, 0)
            wrap_columns(work.faces, even, slots, n2)
            if not periodic:
                work.faces[even + (n2 & 1) * slots + n2 // 2] = 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def fine_faces(work: Workspace, diffusion: Array, periodic: bool) -> None:
    """Fill the conductances of the lattice: the harmonic mean of the two sites, 0 beside one without diffusion."""
    n0, n1, n2 = diffusion.shape
    for axis in range(3):
        if diffusion.shape[axis] == 1:
            continue
        start = SEGMENT[axis] * work.value.size
        for z in range(n0):
            for y in range(n1):
                for x in range(n2):
                    a, b = diffusion[z, y, x], 0.0
                    if axis == 0 and (z or periodic):
                        b = diffusion[z - 1 if z else n0 - 1, y, x]
                    elif axis == 1 and (y or periodic):
                        b = diffusion[z, y - 1 if y else n1 - 1, x]
                    elif axis == 2 and (x or periodic):
                        b = diffusion[z, y, x - 1 if x else n2 - 1]
                    work.faces[start + place(work, 0, z, y, x)] = 2.0 * a * (b / (a + b)) if b > 0.0 else 0.0
    wrap_faces(work, 0, periodic)


@njit(cache=True, nogil=True)
def coarse_face(
    work: Workspace, level: int, axis: int, here: int, before: int, across: tuple[int, int]
) -> float:
    """Return the conductance between two coarse cells that follow one another, summed over the ways across.

    `here` and `before` are their places along the axis, `across` those along the other axes.
    """
    first, inside = work.tree[FIRST, level], work.cells[INSIDE, level, axis]
    steps = work.cells[STEP, level, axis]
    start = SEGMENT[axis] * work.value.size
    one, two = (1 if axis == 0 else 0), (1 if axis == 2 else 2)
    total = 0.0
    for i in range(first[one, across[0]], first[one, across[0] + 1]):
        for j in range(first[two, across[1]], first[two, across[1] + 1]):
            flow = length = 0.0
            for cell in (here, before):
                # The link between the two coarse cells is that below the first cell of the upper one.
                for c in range(first[axis, cell] + (0 if cell == here else 1), first[axis, cell + 1]):
                    if c == first[axis, here]:
                        part = 1.0
                    else:
                        part = inside[c] if cell == here else 1.0 - inside[c]
                    z, x = (c if axis == 0 else i), (c if axis == 2 else j)
                    y = c if axis == 1 else (i if axis == 0 else j)
                    # A unit gradient drops `step` over the link, whose conductance holds 1 / step.
                    flow += part * steps[c] * steps[c] * work.faces[start + place(work, level, z, y, x)]
                    length += part * steps[c]
            total += flow / (length * length)
    return total


@njit(cache=True, nogil=True)
def coarse_faces(work: Workspace, level: int, periodic: bool) -> None:
    """Fill the conductances of the level after this one."""
    m0, m1, m2 = work.levels[level + 1, 0], work.levels[level + 1, 1], work.levels[level + 1, 2]
    for axis in range(3):
        m = work.levels[level + 1, axis]
        if work.levels[0, axis] == 1:
            continue
        start = SEGMENT[axis] * work.value.size
        for z in range(m0):
            for y in range(m1):
                for x in range(m2):
                    here = z if axis == 0 else (y if axis == 1 else x)
                    across = (y if axis == 0 else z, y if axis == 2 else x)
                    face = 0.0
                    if m > 1 and (here or periodic):
                        face = coarse_face(work, level, axis, here, here - 1 if here else m - 1, across)
                    work.faces[start + place(work, level + 1, z, y, x)] = face
    wrap_faces(work, level + 1, periodic)


@njit(cache=True, nogil=True)
def conductance(work: Workspace, level: int, axis: int, side: int, at: tuple[int, int, int]) -> float:
    """Return the conductance of the lower (side 0) or upper (1) face of a point along an axis."""
    if work.levels[0, axis] == 1:
        return 0.0
    z, y, x = at
    if side:
        z = (z + 1) % work.levels[level, 0] if axis == 0 else z
        y = (y + 1) % work.levels[level, 1] if axis == 1 else y
        x = (x + 1) % work.levels[level, 2] if axis == 2 else x
    return work.faces[SEGMENT[axis] * work.value.size + place(work, level, z, y, x)]


@njit(cache=True, nogil=True, error_model="numpy")
def set_diagonal(work: Workspace, level: int, q: Array, limited: Array) -> None:
    """Fill the inverse of the diagonal; write q, limited to what the faces can bring, to `limited`."""
    n0, n1, n2 = q.shape
    for z in range(n0):
        for y in range(n1):
            for x in range(n2):
                brought = 0.0
                for axis in range(3):
                    for side in range(2):
                        brought += conductance(work, level, axis, side, (z, y, x))
                d = q[z, y, x] + brought
                work.inverse[place(work, level, z, y, x)] = 1.0 / d if d > 0.0 else 0.0
                limited[z, y, x] = min(q[z, y, x], brought) if level == 0 else q[z, y, x]


@njit(cache=True, nogil=True)
def set_coarsest_varying(work: Workspace, q: Array) -> None:
    """Set up and factorise the level of at most 3 x 3 x 3 cells."""
    level, small = work.levels.shape[0] - 1, work.small
    n0, n1, n2 = q.shape
    small[:] = 0.0
    for a in range(n0 * n1 * n2):
        z, y, x = a // (n1 * n2), a // n2 % n1, a % n2
        small[MOST_COARSEST, a] = q[z, y, x]
        small[a, a] += q[z, y, x]
        for axis in range(3):
            for side in range(2):
                t = conductance(work, level, axis, side, (z, y, x))
                step = 1 if side else -1
                b = ((z + (step if axis == 0 else 0)) % n0 * n1 + (y + (step if axis == 1 else 0)) % n1) * n2
                b += (x + (step if axis == 2 else 0)) % n2
                small[MOST_COARSEST, a] += t
                small[a, a] += t
                small[a, b] -= t
    factorise(small, n0 * n1 * n2)


@njit(cache=True, nogil=True)
def prepare_varying(work: Workspace, q: Array, diffusion: Array, periodic: bool) -> None:
    """Set the operators of all levels; see `prepare` for the limit of q."""
    fine_faces(work, diffusion, periodic)
    finer = absorption_view(work.absorption, work.levels, 0)
    set_diagonal(work, 0, q, finer)
    for level in range(1, work.levels.shape[0]):
        coarse_faces(work, level - 1, periodic)
        total = absorption_view(work.absorption, work.levels, level)
        mean_absorption(work, level - 1, finer, total, math.inf)
        set_diagonal(work, level, total, total)
        finer = total
    set_coarsest_varying(work, finer)
