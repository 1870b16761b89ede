"""Slow, obvious doubles of the field solvers: sparse matrices and dense convolution."""

import numpy as np
from scipy import sparse
from scipy.sparse import linalg


def line_laplacian(n: int, periodic: bool) -> sparse.csr_matrix:
    """Return minus the 1-D Laplacian of n cells as a graph: degree minus neighbours."""
    links = sparse.lil_matrix((n, n))
    for i in range(n if periodic else n - 1):
        links[i, (i + 1) % n] += 1.0
        links[(i + 1) % n, i] += 1.0
    links = links.tocsr()
    return sparse.diags(np.asarray(links.sum(axis=1)).ravel()) - links


def operator(q: np.ndarray, diffusion_per_h: float, periodic: bool) -> sparse.csc_matrix:
    """Return the matrix of q c - D lap c on the cells of q in row-major order."""
    ny, nx = q.shape
    laplacian = sparse.kron(line_laplacian(ny, periodic), sparse.eye(nx)) + sparse.kron(
        sparse.eye(ny), line_laplacian(nx, periodic)
    )
    return (sparse.diags(q.ravel()) + diffusion_per_h * laplacian).tocsc()


def direct(q: np.ndarray, s: np.ndarray, diffusion_per_h: float, periodic: bool) -> np.ndarray:
    """Solve by sparse LU."""
    return linalg.spsolve(operator(q, diffusion_per_h, periodic), s.ravel()).reshape(q.shape)


def box_mean(values: np.ndarray, radius: int, passes: int) -> np.ndarray:
    """Average over (2 radius + 1)^2 sites by explicit sums over the map mirrored at its edges."""
    out = values
    for _ in range(passes):
        wide = np.pad(out, radius, mode="symmetric")
        ny, nx = values.shape
        side = 2 * radius + 1
        shifts = [(a, b) for a in range(side) for b in range(side)]
        out = np.sum([wide[a : a + ny, b : b + nx] for a, b in shifts], axis=0) / side**2
    return out
