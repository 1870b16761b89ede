"""Compact clusters of cells: where their centres go and which sites they take."""

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import InputError, unknown_word
from ..snapshot import CellTypeInfo
from .checks import check_number, check_types, check_whole
from .luck import first_sites, generator
from .texture import distance_to

_WHERE = "[tissue] nest"
_KEYS = ("type", "count", "places", "distance_um", "cells", "radius_um")


def check_nest(nest: Any, types: Sequence[CellTypeInfo], places: tuple[str, ...]) -> None:
    """Check a table { type, count, places, distance_um, cells, radius_um }; the first two are needed.

    Raises
    ------
    InputError
    """
    if not isinstance(nest, Mapping) or not {"type", "count"} <= set(nest):
        raise InputError(f"{_WHERE}: write {{ type, count }}, and more if wanted ({', '.join(_KEYS[2:])})")
    for key in nest:
        if key not in _KEYS:
            raise unknown_word("key", key, _KEYS, _WHERE)
    check_types([nest["type"]], types, _WHERE)
    check_whole(nest["count"], _WHERE, "count", 0)
    if nest.get("places", places[0]) not in places:
        raise unknown_word("places", str(nest["places"]), places, _WHERE)
    if "cells" in nest:
        check_whole(nest["cells"], _WHERE, "cells", 1)
    for key in ("radius_um", "distance_um"):
        if key in nest:
            check_number(nest[key], _WHERE, key, 0.0)
    if "cells" in nest and "radius_um" in nest:
        raise InputError(f"{_WHERE}: give 'cells' or 'radius_um' of a nest, not both")


def reach_of(cells: int, ndim: int) -> float:
    """Return the distance (sites) from a site to the farthest of so many nearest ones, itself included."""
    side = math.ceil(cells ** (1 / ndim)) + 1
    squares = sum(offset**2 for offset in np.ix_(*itertools.repeat(np.arange(-side, side + 1), ndim)))
    return math.sqrt(np.sort(squares, axis=None)[max(cells, 1) - 1])


def nearest_sites(centre: Sequence[float], number: int, allowed: np.ndarray, luck: np.ndarray) -> np.ndarray:
    """Return the allowed sites nearest to a point, exactly so many (ties by luck), as a mask."""
    score = distance_to(tuple(centre), allowed.shape) + 1e-6 * luck
    return first_sites(np.where(allowed, score, np.inf), number, allowed.shape)


def random_centres(
    candidates: np.ndarray, number: int, apart: float, seed: int, shrink: bool
) -> tuple[list[tuple[int, ...]], float]:
    """Return random candidate sites no nearer to one another than asked, and the distance kept (sites).

    Candidates are visited in random order. Where too few fit, the distance shrinks by a fifth and the visit
    starts afresh if ``shrink`` is true, else fewer are returned.
    """
    order = generator(seed, "nests").permutation(candidates.size)
    order = order[candidates.reshape(-1)[order]]
    while True:
        left = order
        kept: list[tuple[int, ...]] = []
        while left.size and len(kept) < number:
            site = tuple(int(c) for c in np.unravel_index(left[0], candidates.shape))
            kept.append(site)
            far = distance_to(site, candidates.shape).reshape(-1) >= max(apart, 0.5)
            left = left[far[left]]
        if len(kept) == number or not shrink or apart < 0.5:
            return kept, apart
        apart *= 0.8


def regular_centres(
    shape: tuple[int, ...], number: int, places: str, distance: float | None
) -> list[tuple[float, ...]]:
    """Return centres on a grid in the middle of the lattice, or in one row along x.

    Parameters
    ----------
    shape : tuple of int
    number : int
    places : str
        "regular" (as square or cubic a grid as the number allows) or "row".
    distance : float or None
        Between neighbouring centres, sites; None spreads them evenly over the lattice.
    """
    counts = _grid(number, len(shape)) if places == "regular" else (1,) * (len(shape) - 1) + (number,)
    axes = []
    for sites, count in zip(shape, counts, strict=True):
        step = sites / count if distance is None else distance
        axes.append([(sites - 1) / 2 + (i - (count - 1) / 2) * step for i in range(count)])
    return list(itertools.product(*axes))


def _grid(number: int, ndim: int) -> tuple[int, ...]:
    """Return numbers with this product, as equal as can be, in increasing order."""
    if ndim == 1:
        return (number,)
    first = max(k for k in range(1, number + 1) if number % k == 0 and k**ndim <= number)
    return (first, *_grid(number // first, ndim - 1))
