"""How many cells of every type: shares and counts turned into exact numbers."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from ..errors import InputError, unknown_word
from .checks import check_number, check_shares, check_types, check_whole
from .lattice import Lattice
from .luck import exact_numbers

_WHERE = "[tissue]"


def tumour_total(rules: Mapping[str, Any], sites: int) -> int:
    """Return the number of cells that ``occupancy`` (share of sites) asks for; of ``counts`` without one.

    Raises
    ------
    InputError
    """
    if "occupancy" in rules:
        check_number(rules["occupancy"], _WHERE, "occupancy", 0.0, 1.0)
        return round(rules["occupancy"] * sites)
    if "composition" in rules or "counts" not in rules:
        raise InputError(f"{_WHERE}: 'occupancy' is missing (share of sites); or give 'counts' alone")
    return sum(_counts(rules).values())


def split(total: int, rules: Mapping[str, Any], lattice: Lattice) -> dict[str, int]:
    """Return the exact number of cells of every type, in the order of the types.

    ``counts`` fixes the numbers that it names. Of the rest of the total, types in ``ceil`` take their share
    rounded up, the others share what is left by largest remainder.

    Parameters
    ----------
    total : int
        Cells of the types of ``composition`` together; without one, ``counts`` says it all.
    rules : mapping
        ``composition`` {type: share of the total}, ``counts`` {type: cells}, ``ceil`` (types), all optional.
    lattice : Lattice

    Raises
    ------
    InputError
        Unknown type, a share above 1, shares that do not add up to 1, more counts than cells.
    """
    numbers, composition = _counts(rules), rules.get("composition", {})
    check_types(numbers, lattice.types, f"{_WHERE} counts")
    _check_ceil(rules, composition)
    if not (composition or numbers):
        raise InputError(f"{_WHERE}: 'composition' is missing (cell type = share); or give 'counts'")
    if composition:
        check_shares(composition, lattice.types, f"{_WHERE} composition")
        fixed = sum(number for name, number in numbers.items() if name in composition)
        left = total - fixed
        if left < 0:
            raise InputError(f"{_WHERE}: 'counts' ask for {fixed} cells of {total}; lower them")
        others = {name: share for name, share in composition.items() if name not in numbers}
        for name in rules.get("ceil", ()):
            if name in others:
                numbers[name] = min(left, math.ceil(round(total * others.pop(name), 9)))
                left -= numbers[name]
        if left and not sum(others.values()):
            raise InputError(
                f"{_WHERE}: {left} of {total} cells have no type; give 'composition' one more type"
            )
        numbers |= exact_numbers(left, others) if left else dict.fromkeys(others, 0)
    return check_room(numbers, lattice)


def site_shares(rules: Mapping[str, Any], lattice: Lattice) -> dict[str, int]:
    """Return the number of cells of every type from its share of all sites, rounded (up, if in ``ceil``).

    Raises
    ------
    InputError
    """
    shares, sites = rules["shares"], math.prod(lattice.shape)
    if not isinstance(shares, Mapping) or not shares:
        raise InputError(f"{_WHERE} shares: write cell types and shares of sites, such as {{ A = 0.25 }}")
    check_types(shares, lattice.types, f"{_WHERE} shares")
    _check_ceil(rules, shares)
    numbers = {}
    for name, share in shares.items():
        check_number(share, f"{_WHERE} shares", name, 0.0, 1.0)
        exact = round(share * sites, 9)
        numbers[name] = math.ceil(exact) if name in rules.get("ceil", ()) else round(exact)
    return check_room(numbers, lattice)


def check_room(numbers: Mapping[str, int], lattice: Lattice) -> dict[str, int]:
    """Return the numbers in the order of the types.

    Raises
    ------
    InputError
        A layer has fewer sites than its types have cells.
    """
    ordered = {info.name: numbers[info.name] for info in lattice.types if info.name in numbers}
    sites = math.prod(lattice.shape)
    for layer in lattice.layers:
        here = {info.name: ordered.get(info.name, 0) for info in lattice.types if info.layer == layer}
        if sum(here.values()) > sites:
            asked = ", ".join(f"{number} {name}" for name, number in here.items() if number)
            raise InputError(
                f"{_WHERE}: {asked} ask for {sum(here.values())} sites of layer '{layer}', which has {sites}; "
                "place fewer or enlarge the lattice"
            )
    return ordered


def scatter(lattice: Lattice, numbers: Mapping[str, int], where: Any, purpose: str) -> None:
    """Put cells on random free sites of a mask, every type with luck of its own."""
    for name, number in numbers.items():
        lattice.add(name, number, where, purpose)


def _counts(rules: Mapping[str, Any]) -> dict[str, int]:
    counts = rules.get("counts", {})
    if not isinstance(counts, Mapping):
        raise InputError(f"{_WHERE} counts: write cell types and numbers, such as {{ A = 50 }}")
    for name, number in counts.items():
        check_whole(number, f"{_WHERE} counts", name, 0)
    return {name: int(number) for name, number in counts.items()}


def _check_ceil(rules: Mapping[str, Any], shares: Iterable[str]) -> None:
    for name in rules.get("ceil", ()):
        if name not in shares:
            raise unknown_word("cell type", str(name), shares, f"{_WHERE} ceil")
