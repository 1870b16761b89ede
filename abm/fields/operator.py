"""The operator q - D lap on every level, and views of the levels in the flat arrays."""

import math

from numba import njit

from .grids import PAD, Array, Indices, Links, Workspace
from .transfer import mean_absorption

SINK_LIMIT = 4.0  # most absorption of a site seen from afar, in D/h^2: what its neighbours can send


@njit(cache=True)
def split_view(flat: Array, levels: Indices, level: int) -> Array:
    """Return the split block of one level as rows and slots."""
    start, rows, slots = levels[level, 2], 2 * (levels[level, 0] + 2), levels[level, 4]
    return flat[start : start + rows * slots].reshape((rows, slots))


@njit(cache=True)
def absorption_view(flat: Array, levels: Indices, level: int) -> Array:
    """Return the mean absorption of a coarse level as rows and columns."""
    ny, nx, start = levels[level, 0], levels[level, 1], levels[level, 3]
    return flat[start : start + ny * nx].reshape((ny, nx))


@njit(cache=True)
def links_view(work: Workspace, level: int) -> Links:
    """Return the weights of the neighbours on one level."""
    return Links(work.west[level], work.east[level], work.north[level], work.south[level])


@njit(cache=True)
def set_links(work: Workspace, level: int, diffusion: float, periodic: bool) -> None:
    """Scale the geometric weights of one level by the diffusion and cut them at a wall."""
    ny, nx = work.levels[level, 0], work.levels[level, 1]
    for h in range(2):
        for k in range(work.levels[level, 4]):
            work.west[level, h, k] = diffusion * work.west_unit[level, h, k]
            work.east[level, h, k] = diffusion * work.east_unit[level, h, k]
    for j in range(ny):
        work.north[level, j] = diffusion * work.north_unit[level, j]
        work.south[level, j] = diffusion * work.south_unit[level, j]
    if not periodic:
        work.west[level, 0, PAD] = 0.0
        work.east[level, (nx - 1) & 1, (nx + 1) // 2 - 1 + PAD] = 0.0
        work.north[level, 0] = 0.0
        work.south[level, ny - 1] = 0.0


@njit(cache=True)
def set_operator(q: Array, diagonal: Array, inverse: Array, links: Links) -> None:
    """Fill the diagonal of q - D lap and its inverse (zero where nothing leaves the voxel)."""
    west, east, north, south = links
    ny, nx = q.shape
    for j in range(ny):
        vertical = north[j] + south[j]
        for h in range(2):
            r = 2 * j + 2 + h
            for k in range((nx + 1 - h) // 2):
                d = q[j, 2 * k + h] + (vertical + (west[h, k + PAD] + east[h, k + PAD]))
                diagonal[r, k + PAD] = d
                inverse[r, k + PAD] = 1.0 / d if d > 0.0 else 0.0


@njit(cache=True)
def prepare(work: Workspace, q: Array, diffusion_per_h: float, periodic: bool) -> None:
    """Set the operators of all levels: q averaged over the cells, diffusion on their widths.

    A strong sink in one site takes no more than diffusion brings to it, so q is limited on its way to the
    first coarse level; averaged as it is, it would hold the corrections back (where 1 % of the sites are
    strong sinks a cycle would leave 0.64 of the residual instead of 0.45).
    """
    depth = work.levels.shape[0]
    finer = q
    for level in range(depth):
        if level:
            mean = absorption_view(work.absorption, work.levels, level)
            mean_absorption(
                finer,
                mean,
                work.x_share[level - 1],
                work.y_share[level - 1],
                work.y_parent[level - 1],
                (
                    work.levels[level - 1, 0],
                    work.levels[level - 1, 1],
                    work.levels[level, 0],
                    work.levels[level, 1],
                ),
                SINK_LIMIT * diffusion_per_h if level == 1 and diffusion_per_h > 0.0 else math.inf,
            )
            finer = mean
        set_links(work, level, diffusion_per_h, periodic)
        set_operator(
            finer,
            split_view(work.diagonal, work.levels, level),
            split_view(work.inverse, work.levels, level),
            links_view(work, level),
        )
