"""What a V(1,1) cycle does on one level, on its way down or up."""

import math

from numba import njit

from .grids import FIRST, Workspace
from .relax import relax
from .transfer import prolong, restrict
from .varying import relax_varying, restrict_varying

CHUNK_SITES = (
    8192  # done at once by each stage of a pass: few calls, yet all stages find their rows in the cache
)


@njit(cache=True, nogil=True)
def visit(work: Workspace, level: int, rising: bool, periodic: bool) -> None:
    """Correct a level by the next coarser one, smooth it and send its residual down, in one pass through memory.

    On the way down there is nothing to correct, on the way up nothing to send down, but that on the lattice itself
    the last sweep of a cycle and the first of the next are done at once. Each half sweep follows one slab behind
    the one before, the correction goes ahead, the residual comes last (on a ring when all else is done). The sums
    of r, r r and r s over the lattice are left in the row buffers.
    """
    varying, down = work.faces.size > 0, level == 0 or not rising
    sweeps = 2 if rising and level == 0 else 1
    levels, tree = work.levels, work.tree
    n0, m0, halves = levels[level, 0], levels[level + 1, 0], 2 * sweeps
    odd = 0  # on a ring of odd length two neighbours share a colour
    for axis in range(3):
        odd += levels[level, axis] & 1 if levels[level, axis] > 1 else 0
    both = periodic and odd > 0
    if level == 0:
        work.sums[:, :] = 0.0
    turns, met = n0 + halves + 1, 0
    coarse_z = min(0, m0)  # a plain 0 would compile its callees anew
    chunk = max(1, CHUNK_SITES // (levels[level, 1] * levels[level, 2]))
    for start in range(0, turns, chunk):
        stop = min(start + chunk, turns)
        if rising and start < n0:
            met += prolong(work, level, start, min(stop, n0), both, periodic, -math.inf if level else 0.0)
        late = halves if periodic and stop == turns else 0
        if varying:
            relax_varying(work, level, halves, start, stop + late, periodic)
        else:
            relax(work, level, halves, start, stop + late, periodic)
        ready = coarse_z
        done = (n0 if stop == turns else 0) if periodic else stop - 1 - halves
        while down and ready < m0 and tree[FIRST, level, 0, ready + 1] <= done:
            ready += 1
        if ready > coarse_z and varying:
            restrict_varying(work, level, coarse_z, ready, both)
        elif ready > coarse_z:
            restrict(work, level, coarse_z, ready, both)
        coarse_z = ready
    if level == 0:
        work.counters[0] += met
    if down:
        begin = levels[level + 1, 3]
        work.value[begin : begin + m0 * levels[level + 1, 6] * levels[level + 1, 5]] = 0.0
