"""A strip of cells along one face of the lattice, or through its middle."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import InputError, unknown_word
from ..snapshot import CellTypeInfo
from .checks import check_number, check_whole
from .lattice import Placement, empty_lattice
from .numbers import scatter, split

# "x-" is the face of the first column; without a sign, the middle
SIDES = ("x-", "x+", "y-", "y+", "z-", "z+", "x", "y", "z")


def place_strip(
    shape: tuple[int, ...],
    site_um: float,
    types: Sequence[CellTypeInfo],
    layers: Sequence[str],
    rules: Mapping[str, Any],
    seed: int,
) -> Placement:
    """Fill the first sites along one side: a front, or a line from which cells grow.

    Parameters
    ----------
    shape, site_um, types, layers, seed
        As for ``place_drawn``.
    rules : mapping
        ``depth_sites`` (1 is a line), ``side`` ("x-" if absent, the first columns; "x" is the middle columns),
        ``packing`` (share of the strip's sites that hold a cell; 1 if absent), ``composition``, ``counts``
        and ``ceil`` as for ``place_scattered``.

    Raises
    ------
    InputError
        Unknown side or type, a strip deeper than the lattice, more cells than sites.
    """
    lattice = empty_lattice(shape, site_um, types, layers, seed)
    side, where = rules.get("side", SIDES[0]), "[tissue]"
    choices = SIDES if len(shape) == 3 else tuple(word for word in SIDES if word[0] != "z")
    if side not in choices:
        raise unknown_word("side", str(side), choices, where)
    if "depth_sites" not in rules:
        raise InputError(f"{where}: 'depth_sites' is missing; a strip needs its depth, 1 for a line")
    check_whole(rules["depth_sites"], where, "depth_sites", 1)
    packing = rules.get("packing", 1.0)
    check_number(packing, where, "packing", 0.0, 1.0)
    depth, axis = int(rules["depth_sites"]), -1 - "xyz".index(side[0])
    if depth > shape[axis]:
        raise InputError(
            f"{where}: a strip of {depth} sites is deeper than the lattice, {shape[axis]} sites along {side[0]}; "
            "lower 'depth_sites'"
        )
    first = {"-": 0, "+": shape[axis] - depth}.get(side[1:], (shape[axis] - depth) // 2)
    inside = np.zeros(shape, bool)
    np.moveaxis(inside, axis, 0)[first : first + depth] = True
    numbers = split(round(packing * int(inside.sum())), rules, lattice)
    scatter(lattice, numbers, inside, "strip")
    words = ["cells sit in a strip, its types mixed at random in exact numbers"]
    strip = {"side": side, "first_site": first, "depth_sites": depth}
    return lattice.finished_in_one_region({"kind": "strip", "rules": words, "strip": strip, "asked": numbers})
