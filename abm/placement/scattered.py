"""Cells at random sites, in exact numbers."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import InputError
from ..snapshot import CellTypeInfo
from .lattice import Placement, empty_lattice
from .numbers import scatter, site_shares, split, tumour_total


def place_scattered(
    shape: tuple[int, ...],
    site_um: float,
    types: Sequence[CellTypeInfo],
    layers: Sequence[str],
    rules: Mapping[str, Any],
    seed: int,
) -> Placement:
    """Scatter cells at random, every type in its exact number and with luck of its own.

    Parameters
    ----------
    shape, site_um, types, layers, seed
        As for ``place_drawn``.
    rules : mapping
        ``occupancy`` (share of sites) with ``composition`` {type: share of the cells}, or ``counts`` {type:
        cells}, or both (``counts`` first, the others share the rest); or ``shares`` {type: share of all
        sites}. Numbers are rounded; types in ``ceil`` are rounded up.

    Raises
    ------
    InputError
        Unknown type, a share above 1, or more cells than sites.
    """
    lattice = empty_lattice(shape, site_um, types, layers, seed)
    if "shares" in rules:
        if "composition" in rules or "counts" in rules:
            raise InputError("[tissue]: give 'shares' of sites or 'composition' and 'counts', not both")
        numbers = site_shares(rules, lattice)
    else:
        numbers = split(tumour_total(rules, math.prod(shape)), rules, lattice)
    scatter(lattice, numbers, lattice.everywhere(), "scattered")
    words = ["every type sits on random free sites, in its exact number"]
    return lattice.finished_in_one_region({"kind": "scattered", "rules": words, "asked": numbers})
