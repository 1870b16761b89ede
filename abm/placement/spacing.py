"""Points that keep apart."""

import itertools
import math

import numpy as np

from .luck import generator


def spaced_sites(free: np.ndarray, preferred: np.ndarray, number: int, seed: int) -> tuple[np.ndarray, float]:
    """Return random sites that keep apart, and the least distance that was asked of them (sites).

    Candidates are visited in random order and kept if no kept one is nearer than .6 of the side of the square
    (cube in 3-D) that one point has to itself; where too few fit, the distance shrinks by a fifth and the
    visit goes on. Sites that are free but not preferred are visited only once the distance has shrunk three
    times.

    Parameters
    ----------
    free, preferred : ndarray of bool
    number : int
        At most the number of free sites.
    """
    kept = np.zeros(free.shape, bool)
    root = math.sqrt if free.ndim == 2 else math.cbrt
    spacing = 0.6 * root(free.size / number) if number else 0.0
    order = generator(seed, "vessels").permutation(free.size)
    placed = shrunk = 0
    while placed < number:
        allowed = free & ~kept if shrunk >= 3 else free & preferred & ~kept
        blocked = _near(kept, spacing)
        candidates = order[(allowed & ~blocked).reshape(-1)[order]]
        stamp = _stamp(spacing, free.ndim)
        for site in zip(*(axis.tolist() for axis in np.unravel_index(candidates, free.shape)), strict=True):
            if blocked[site]:
                continue
            kept[site] = True
            placed += 1
            _press(stamp, blocked, site)
            if placed == number:
                break
        if placed < number:
            spacing, shrunk = (spacing * 0.8 if spacing > 1 else 0.0), shrunk + 1
    return kept, spacing


def _stamp(spacing: float, ndim: int) -> np.ndarray:
    reach = math.floor(spacing)
    offsets = np.ix_(*itertools.repeat(np.arange(-reach, reach + 1), ndim))
    squares = sum(offset**2 for offset in offsets)
    return np.logical_or(squares < spacing**2, squares == 0)


def _press(stamp: np.ndarray, blocked: np.ndarray, site: tuple[int, ...]) -> None:
    """Block what the stamp covers when it is centred on a site, cut at the edges of the lattice."""
    reach = stamp.shape[0] // 2
    here = tuple(slice(max(0, c - reach), c + reach + 1) for c in site)
    area = blocked[here]
    first = [part.start - c + reach for part, c in zip(here, site, strict=True)]
    area |= stamp[tuple(slice(f, f + n) for f, n in zip(first, area.shape, strict=True))]


def _near(kept: np.ndarray, spacing: float) -> np.ndarray:
    """Return which sites lie nearer than the spacing to a kept site."""
    stamp = _stamp(spacing, kept.ndim)
    blocked = np.zeros(kept.shape, bool)
    for site in np.argwhere(kept).tolist():
        _press(stamp, blocked, tuple(site))
    return blocked
