"""What every kind of placement checks."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from ..errors import InputError, unknown_word
from ..snapshot import CellTypeInfo

REGIONS = ("core", "margin")
IGNORE = "ignore"


def check_shape(shape: tuple[int, ...], site_um: float) -> None:
    """Check the lattice.

    Raises
    ------
    InputError
    """
    if len(shape) not in (2, 3) or min(shape) < 1 or not (math.isfinite(site_um) and site_um > 0):
        raise InputError(
            f"a lattice needs rows, columns (and planes in 3-D) and a pitch above 0, got {shape} and {site_um} um"
        )


def check_types(names: Iterable[str], types: Iterable[CellTypeInfo], where: str) -> None:
    """Check that these are names of cell types.

    Raises
    ------
    InputError
    """
    known = [info.name for info in types]
    for name in names:
        if name not in known:
            raise unknown_word("cell type", str(name), known, where)


def check_shares(shares: Any, types: Iterable[CellTypeInfo], where: str) -> None:
    """Check that a composition names types of one layer and its shares are not negative and add up to 1.

    Raises
    ------
    InputError
    """
    if not isinstance(shares, Mapping) or not shares:
        raise InputError(f"{where}: write cell types and shares, such as {{ A = 0.25, B = 0.75 }}")
    types = tuple(types)
    check_types(shares, types, where)
    for name, share in shares.items():
        check_number(share, where, name, 0.0, 1.0)
    if abs(sum(shares.values()) - 1) > 1e-6:
        raise InputError(f"{where}: shares add up to {sum(shares.values()):g}; make them add up to 1")
    layers = {info.layer for info in types if info.name in shares}
    if len(layers) > 1:
        raise InputError(
            f"{where}: its cell types sit on several layers ({', '.join(sorted(layers))}); use one"
        )


def check_number(value: Any, where: str, key: str, least: float, most: float = math.inf) -> None:
    """Check that a setting is a number within bounds.

    Raises
    ------
    InputError
    """
    number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not number or not least <= value <= most:
        bounds = f"{least:g} or more" if most == math.inf else f"{least:g} to {most:g}"
        raise InputError(f"{where}: '{key}' must be a number, {bounds}, got {value!r}")


def check_whole(value: Any, where: str, key: str, least: int) -> None:
    """Check that a setting is a whole number.

    Raises
    ------
    InputError
    """
    check_number(value, where, key, least)
    if value != int(value):
        raise InputError(f"{where}: '{key}' must be a whole number, got {value!r}")


def check_mapping(
    mapping: Mapping[str, Any], types: tuple[CellTypeInfo, ...], kind: str = "phenotype"
) -> dict[str, Mapping[str, float]]:
    """Return label -> {type: share} of every phenotype or label that is to be placed.

    Raises
    ------
    InputError
        Unknown cell type, or a composition that is none.
    """
    shares: dict[str, Mapping[str, float]] = {}
    for label, target in mapping.items():
        where = f"mapping of {kind} '{label}'"
        if target == IGNORE:
            continue
        if isinstance(target, str):
            if target not in [info.name for info in types]:
                raise unknown_word("cell type", target, [*(info.name for info in types), IGNORE], where)
            shares[label] = {target: 1.0}
        else:
            check_shares(target, types, where)
            shares[label] = target
    return shares


def target_words(target: Any) -> str:
    """Return what a mapping says of one phenotype or label as words."""
    if isinstance(target, str):
        return "left out" if target == IGNORE else f"placed as {target}"
    return "placed as " + ", ".join(f"{share:g} {name}" for name, share in target.items())
