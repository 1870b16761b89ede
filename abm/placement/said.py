"""What a placement lost, left out or assumed, in sentences for whoever reads its results."""

import difflib
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from ..errors import shortened, some

_CROWDED = 0.05  # share of lost cells from which on the unit is in doubt


def said_of_table(report: Mapping[str, Any], max_um: float, types: Mapping[str, str]) -> list[str]:
    """Return what became of the cells of a table, one sentence each; none if every cell has its own site.

    Parameters
    ----------
    report : mapping
        As ``place_table`` makes it.
    max_um : float
        Farthest that a cell may be put from its position, um.
    types : mapping
        Phenotype = cell types in words.
    """
    file = report["table"].get("file", "the cell table")
    found, placed, left = report["collisions"], report["phenotypes"], report["unmapped"]
    total = found["cells"] + sum(left.values()) + sum(report["ignored"].values())

    def tally(key: str) -> str:
        of = {f"{name} ({types[name]})": part[key] for name, part in placed.items()}
        return counted(of)

    notes = []
    if found["placed"] < total or found["moved"]:
        notes.append(f"{file}: {found['placed']} of {total} cells are placed")
    if found["moved"]:
        notes.append(
            f"{file}: {found['moved']} cells lie on a site that another one holds and take the nearest free one, "
            f"{found['mean_moved_um']:.0f} um away on average: {tally('moved')}"
        )
    if found["lost"]:
        doubt = "; are the positions in um?" if found["lost"] > _CROWDED * found["cells"] else ""
        notes.append(
            f"{file}: {found['lost']} of {found['cells']} mapped cells find no free site within {max_um:g} um and are "
            f"lost: {tally('lost')}{doubt}"
        )
    if left:
        notes.append(
            f"{file}: {sum(left.values())} of {total} cells have a phenotype without a cell type and are left out: "
            f"{counted(left)}; map it, to 'ignore' if that is meant"
        )
    return notes + said_of_absent(report["absent"], left, f"{file}: the mapping names phenotypes")


def said_of_absent(absent: Iterable[str], held: Collection[str], what: str) -> list[str]:
    """Return a sentence on words of a mapping that are not in the file, each with its nearest there."""
    words = []
    for name in absent:
        near = difflib.get_close_matches(name, held, n=1)
        words.append(f"'{name}'" + (f" (did you mean '{near[0]}'?)" if near else ""))
    return [f"{what} that the file does not hold: {some(words)}"] if words else []


def counted(numbers: Mapping[str, int]) -> str:
    """Return names with their numbers, the greatest first, as far as they are not 0."""
    ranked = sorted(numbers.items(), key=lambda item: (-item[1], item[0]))
    return some(f"{shortened(name, 60)} {number}" for name, number in ranked if number)
