"""Slow, obvious doubles of the field solvers: sparse matrices and dense convolution."""

import numpy as np
from scipy import sparse
from scipy.sparse import linalg


def operator(q: np.ndarray, diffusion_per_h: float | np.ndarray, periodic: bool) -> sparse.csc_matrix:
    """Return the matrix of q c - div D grad c on sites in row-major order, one link at a time.

    The conductance between two sites is the harmonic mean of theirs.
    """
    each = np.broadcast_to(np.asarray(diffusion_per_h, dtype=float), q.shape)
    sites = np.arange(q.size).reshape(q.shape)
    entries = [(site, site, value) for site, value in zip(sites.ravel(), q.ravel(), strict=True)]
    for axis in range(q.ndim):
        for here in np.ndindex(q.shape):
            if here[axis] == 0 and not periodic:
                continue
            before = tuple(i - (a == axis) for a, i in enumerate(here))  # -1 is the last one
            d, e = each[here], each[before]
            t = 2.0 * d * e / (d + e) if d * e > 0.0 else 0.0
            i, j = sites[here], sites[before]
            entries += [(i, i, t), (j, j, t), (i, j, -t), (j, i, -t)]
    rows, columns, values = zip(*entries, strict=True)
    return sparse.coo_matrix((values, (rows, columns)), shape=(q.size, q.size)).tocsc()


def direct(q: np.ndarray, s: np.ndarray, diffusion_per_h: float | np.ndarray, periodic: bool) -> np.ndarray:
    """Solve by sparse LU."""
    return linalg.spsolve(operator(q, diffusion_per_h, periodic), s.ravel()).reshape(q.shape)


def box_mean(values: np.ndarray, radius: int, passes: int) -> np.ndarray:
    """Average over the box of 2 radius + 1 sites a side by explicit sums over the map mirrored at its edges."""
    out, side = values, 2 * radius + 1
    for _ in range(passes):
        wide = np.pad(out, radius, mode="symmetric")
        windows = [
            wide[tuple(slice(a, a + n) for a, n in zip(shift, values.shape, strict=True))]
            for shift in np.ndindex((side,) * values.ndim)
        ]
        out = np.sum(windows, axis=0) / side**values.ndim
    return out
