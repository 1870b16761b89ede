"""Tissue drawn by rules: glands, stroma, vessels and immune cells."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import InputError, unknown_word
from ..snapshot import CellTypeInfo
from .checks import REGIONS, check_number, check_shares, check_types
from .lattice import Lattice, Placement, empty_lattice
from .luck import exact_numbers, first_sites, generator, shuffled_ids
from .spacing import spaced_sites
from .texture import PATTERNS, texture, tumour_sites

DRAWN_KEYS = (
    *("occupancy", "pattern", "scale_um", "composition", "clone_um", "stroma", "vessels"),
    *("margin_um", "immune", "least_immune"),
)


def place_drawn(
    shape: tuple[int, ...],
    site_um: float,
    types: Sequence[CellTypeInfo],
    layers: Sequence[str],
    rules: Mapping[str, Any],
    seed: int,
) -> Placement:
    """Draw tissue by rules.

    Parameters
    ----------
    shape : tuple of int
        (Planes,) rows and columns.
    site_um : float
        Lattice pitch, um.
    types, layers
        Cell types and layer names of the model; a cell sits on the layer of its type.
    rules : mapping
        ``occupancy`` (share of tumour sites, reached exactly), ``pattern`` (glands, nests, scattered, disc),
        ``scale_um`` (smoothing length of glands or nests), ``composition`` (tumour type = share, exact, mixed
        at random), ``clone_um`` (smoothing length of patches of one tumour type; 0 or absent: mixed),
        ``stroma`` {type, fraction of sites}, ``vessels`` {type, per_mm2}, ``margin_um`` (width of the region
        "margin" along the first columns; 0 for none), ``immune`` {type: {region: cells per mm2}},
        ``least_immune`` (fewest cells of an immune type; its densities are raised in proportion).
        Densities per mm2 are those of a section one site thick, in 3-D of every plane.
    seed : int
        Every kind of cell has luck of its own.

    Raises
    ------
    InputError
        Unknown key or word, value out of bounds, or more cells than sites.
    """
    lattice = empty_lattice(shape, site_um, types, layers, seed)
    check_rules(rules, lattice.types, shape[-1] * site_um)
    region = np.zeros(shape, np.uint8)
    margin = round(rules.get("margin_um", 0.0) / site_um)
    region[..., :margin] = 1
    region_names = REGIONS if margin else REGIONS[:1]
    chosen, inside, affinity = tumour_sites(shape, site_um, rules, seed)
    tumour = int(np.count_nonzero(chosen))
    layer = lattice.layer_of[next(iter(rules["composition"]))]
    lattice.occupant[layer][chosen] = _tumour_types(chosen, rules, lattice)
    report: dict[str, Any] = {
        "kind": "drawn",
        "rules": _words(rules, margin, margin * site_um),
        "tumour": {
            "pattern": rules["pattern"],
            "sites": tumour,
            "occupancy": tumour / chosen.size,
            "gland_share": float(inside.mean()),
            "fill_of_glands": float(chosen[inside].mean()) if inside.any() else None,
        },
    }
    return lattice.finished(
        region,
        region_names,
        report | add_surroundings(lattice, rules, inside, affinity, region, region_names),
    )


def _tumour_types(chosen: np.ndarray, rules: Mapping[str, Any], lattice: Lattice) -> np.ndarray:
    """Return the types of the tumour sites, in exact numbers: mixed, or the heights of a smooth random field."""
    number, sigma = int(np.count_nonzero(chosen)), rules.get("clone_um", 0.0) / lattice.site_um
    if sigma == 0.0:
        luck = generator(lattice.seed, "composition")
        return shuffled_ids(number, rules["composition"], lattice.ids, luck)
    heights = texture(chosen.shape, sigma, generator(lattice.seed, "clones"))[chosen]
    numbers = exact_numbers(number, rules["composition"])
    types = np.empty(number, np.uint8)
    types[np.argsort(heights, kind="stable")] = np.repeat(
        [lattice.ids[name] for name in numbers], list(numbers.values())
    )
    return types


def add_surroundings(
    lattice: Lattice,
    rules: Mapping[str, Any],
    inside: np.ndarray,
    affinity: np.ndarray,
    region: np.ndarray,
    region_names: tuple[str, ...],
) -> dict[str, Any]:
    """Add vessels, stroma and immune cells by rules; return what the report says of them.

    Parameters
    ----------
    inside : ndarray of bool
        Where vessels only go when there is no room elsewhere.
    affinity : ndarray of float64
        How much a site belongs to tumour; stroma prefers low values.

    Raises
    ------
    InputError
        More cells than sites.
    """
    report: dict[str, Any] = {}
    if "vessels" in rules:
        report["vessels"] = _add_vessels(lattice, rules["vessels"], inside)
    if "stroma" in rules:
        _add_stroma(lattice, rules, affinity)
    report["immune"] = {
        name: _add_immune(lattice, name, densities, rules.get("least_immune", 0), region, region_names)
        for name, densities in rules.get("immune", {}).items()
    }
    return report


def _add_vessels(lattice: Lattice, table: Mapping[str, Any], inside: np.ndarray) -> dict[str, Any]:
    name, free = table["type"], lattice.free(table["type"])
    number = round(table["per_mm2"] * free.size * lattice.site_um**2 * 1e-6)
    room = int(np.count_nonzero(free))
    if number > room:
        raise InputError(f"[tissue] vessels: {number} do not fit on {room} free sites; lower 'per_mm2'")
    sites, spacing = spaced_sites(free, ~inside, number, lattice.seed)
    lattice.put(name, sites)
    return {
        "asked_per_mm2": float(table["per_mm2"]),
        "least_distance_um": spacing * lattice.site_um,
        "inside_glands": int(np.count_nonzero(sites & inside)),
    }


def _add_stroma(lattice: Lattice, rules: Mapping[str, Any], affinity: np.ndarray) -> None:
    name = rules["stroma"]["type"]
    free, shape = lattice.free(name), affinity.shape
    number = round(rules["stroma"]["fraction"] * free.size)
    room = int(np.count_nonzero(free))
    if number > room:
        raise InputError(f"[tissue] stroma: {number} sites are asked for, {room} are free; lower 'fraction'")
    sigma = rules.get("scale_um", 60.0) / lattice.site_um
    patches = texture(shape, sigma, generator(lattice.seed, "stroma patches"))
    # The lowest of score - Gumbel noise: a draw without replacement with weights exp(-score).
    score = 1.5 * (affinity - patches) - generator(lattice.seed, "stroma").gumbel(size=shape)
    lattice.put(name, first_sites(np.where(free, score, np.inf), number, shape))


def _add_immune(
    lattice: Lattice,
    name: str,
    densities: Mapping[str, float],
    least: int,
    region: np.ndarray,
    region_names: tuple[str, ...],
) -> dict[str, Any]:
    site_mm2 = lattice.site_um**2 * 1e-6
    masks = {word: region == i for i, word in enumerate(region_names)}
    expected = {word: densities[word] * int(mask.sum()) * site_mm2 for word, mask in masks.items()}
    numbers = {word: round(value) for word, value in expected.items()}
    raised = sum(numbers.values()) < least
    if raised:
        shares = expected if sum(expected.values()) > 0 else {w: float(m.sum()) for w, m in masks.items()}
        numbers = exact_numbers(least, shares)
    for word, mask in masks.items():
        lattice.add(name, numbers[word], mask, word)
    asked = {word: float(densities[word]) for word in region_names}
    return {"asked_per_mm2": asked, "raised_to_least": raised}


def check_rules(rules: Mapping[str, Any], types: tuple[CellTypeInfo, ...], width_um: float) -> None:
    """Check the settings of drawn tissue (meaning: ``place_drawn``).

    Raises
    ------
    InputError
        Unknown key or word, missing key, value out of bounds.
    """
    where = "[tissue]"
    for key in rules:
        if key not in DRAWN_KEYS:
            raise unknown_word("key", key, DRAWN_KEYS, where)
    for key in ("occupancy", "pattern", "composition"):
        if key not in rules:
            raise InputError(f"{where}: '{key}' is missing; drawn tissue needs it")
    check_number(rules["occupancy"], where, "occupancy", 0.0, 1.0)
    if rules["pattern"] not in PATTERNS:
        raise unknown_word("pattern", str(rules["pattern"]), PATTERNS, where)
    check_shares(rules["composition"], types, f"{where} composition")
    check_number(rules.get("clone_um", 0.0), where, "clone_um", 0.0, max(width_um, 60.0))
    margin_um = rules.get("margin_um", 0.0)
    check_number(margin_um, where, "margin_um", 0.0)
    if margin_um >= width_um:
        raise InputError(
            f"{where}: 'margin_um' of {margin_um:g} leaves no core on a lattice {width_um:g} um wide; "
            "narrow the margin or widen the lattice"
        )
    check_surroundings(rules, types, width_um, REGIONS if margin_um > 0 else REGIONS[:1])


def check_surroundings(
    rules: Mapping[str, Any], types: tuple[CellTypeInfo, ...], width_um: float, needed: tuple[str, ...]
) -> None:
    """Check the settings of stroma, vessels and immune cells; ``needed`` are the regions in use.

    Raises
    ------
    InputError
    """
    where = "[tissue]"
    check_number(rules.get("scale_um", 60.0), where, "scale_um", 1.0, max(width_um, 60.0))
    for key, amount, most in (("stroma", "fraction", 1.0), ("vessels", "per_mm2", math.inf)):
        if key not in rules:
            continue
        table = rules[key]
        if not isinstance(table, Mapping) or set(table) != {"type", amount}:
            raise InputError(f"{where}: '{key}' must be {{ type, {amount} }}, got {table!r}")
        check_types([table["type"]], types, f"{where} {key}")
        check_number(table[amount], f"{where} {key}", amount, 0.0, most)
    check_number(rules.get("least_immune", 0), where, "least_immune", 0)
    check_types(rules.get("immune", {}), types, f"{where} immune")
    for name, densities in rules.get("immune", {}).items():
        for region, value in densities.items():
            if region not in REGIONS:
                raise unknown_word("region", region, REGIONS, f"{where} immune {name}")
            check_number(value, f"{where} immune {name}", region, 0.0)
        for region in needed:
            if region not in densities:
                raise InputError(
                    f"{where} immune {name}: no density for region '{region}'; give cells per mm2"
                )


def _words(rules: Mapping[str, Any], margin: int, margin_um: float) -> list[str]:
    """Return the rules of drawn tissue as sentences."""
    words = {
        "glands": "tumour sites fill 80 % of the highest part of a smooth random field",
        "nests": "tumour sites fill 95 % of the highest part of a smooth random field",
        "scattered": "tumour sites are drawn at random",
        "disc": "tumour sites are those nearest to the centre",
    }
    mixing = "lie in patches" if rules.get("clone_um") else "are mixed at random"
    sentences = [words[rules["pattern"]], f"tumour types {mixing} in exact numbers"]
    sentences += surroundings_words(rules)
    if margin:
        sentences.append(f"the margin is the first {margin} columns ({margin_um:g} um); it holds tumour, too")
    return sentences


def surroundings_words(rules: Mapping[str, Any]) -> list[str]:
    """Return the rules of stroma, vessels and immune cells as sentences."""
    sentences = []
    if "vessels" in rules:
        sentences.append("vessels keep apart and lie outside glands where there is room")
    if "stroma" in rules:
        sentences.append("stroma prefers sites of low tumour field, in patches of its own")
    if rules.get("immune"):
        sentences.append("immune cells sit at random on the free sites of their region")
    return sentences
