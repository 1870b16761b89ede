"""The rules by which tissue is drawn: reproducible luck, exact shares, textures, spaced points."""

import hashlib
import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from .errors import InputError, unknown_word
from .snapshot import CellTypeInfo

PATTERNS = ("glands", "scattered", "nests", "disc")
REGIONS = ("core", "margin")
FILLS = ("mirror", "density", "none")
IGNORE = "ignore"
_KEYS = (
    *("occupancy", "pattern", "scale_um", "composition", "stroma", "vessels"),
    *("margin_um", "immune", "least_immune"),
)
# Smoothing length (um) and share of tumour sites inside a gland or nest. Glands keep room to grow.
_TEXTURE = {"glands": (60.0, 0.8), "nests": (150.0, 0.95)}


def generator(seed: int, purpose: str) -> np.random.Generator:
    """Return the random generator of one purpose: it depends on the seed and the purpose alone.

    Parameters
    ----------
    seed : int
    purpose : str
        Hashed with the seed (BLAKE2b) to the 128-bit key of a Philox generator (10.1145/2063384.2063405).
    """
    key = hashlib.blake2b(f"{int(seed)}|{purpose}".encode(), digest_size=16).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(key, "little")))


def exact_numbers(total: int, shares: Mapping[str, float]) -> dict[str, int]:
    """Return whole numbers that add up to the total, by largest remainder; ties go to the first named."""
    exact = {name: total * share / sum(shares.values()) for name, share in shares.items()}
    numbers = {name: math.floor(value + 1e-9) for name, value in exact.items()}
    by_remainder = sorted(exact, key=lambda name: numbers[name] - exact[name])
    for name in by_remainder[: total - sum(numbers.values())]:
        numbers[name] += 1
    return numbers


def shuffled_ids(
    total: int, shares: Mapping[str, float], ids: Mapping[str, int], rng: np.random.Generator
) -> np.ndarray:
    """Return type ids in random order, uint8 (total,), each type in its exact number."""
    numbers = exact_numbers(total, shares)
    values = np.repeat([ids[name] for name in numbers], list(numbers.values()))
    return rng.permutation(values.astype(np.uint8))


def texture(shape: tuple[int, int], sigma_sites: float, rng: np.random.Generator) -> np.ndarray:
    """Return a Gaussian random field, white noise smoothed by a Gaussian of this standard deviation (sites).

    Mean 0 and variance 1 over the sample; shape (ny, nx). It is cut from a wider one, so that opposite
    edges are unrelated.
    """
    pad = math.ceil(4 * sigma_sites)
    wide = (shape[0] + pad, shape[1] + pad)
    ky, kx = np.fft.fftfreq(wide[0])[:, None], np.fft.rfftfreq(wide[1])[None, :]
    damping = np.exp(-2.0 * (np.pi * sigma_sites) ** 2 * (kx**2 + ky**2))
    smooth = np.fft.irfft2(np.fft.rfft2(rng.standard_normal(wide)) * damping, s=wide)
    field = smooth[: shape[0], : shape[1]]
    spread = field.std()
    return (field - field.mean()) / spread if spread > 0 else np.zeros(shape)


def tumour_sites(
    shape: tuple[int, int], site_um: float, rules: Mapping[str, Any], seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return where tumour cells sit, the glands they sit in and how much a site belongs to tumour.

    Returns
    -------
    sites : ndarray of bool, shape (ny, nx)
        Exactly ``round(occupancy * ny * nx)`` are true.
    inside : ndarray of bool, shape (ny, nx)
        Interior of glands, nests or disc (nowhere for scattered cells).
    affinity : ndarray of float64, shape (ny, nx)
        Standardised; 0 everywhere for scattered cells.
    """
    size = shape[0] * shape[1]
    wanted = round(rules["occupancy"] * size)
    luck = generator(seed, "tumour").random(size)
    if rules["pattern"] == "scattered":
        return first_sites(luck, wanted, shape), np.zeros(shape, bool), np.zeros(shape)
    if rules["pattern"] == "disc":
        y, x = np.mgrid[: shape[0], : shape[1]]
        distance = np.hypot(y - (shape[0] - 1) / 2, x - (shape[1] - 1) / 2)
        # sites at the same distance are taken in random order
        sites = first_sites(distance.reshape(-1) + 1e-6 * luck, wanted, shape)
        return sites, sites.copy(), -(distance - distance.mean()) / distance.std()
    scale_um, fill = _TEXTURE[rules["pattern"]]
    affinity = texture(shape, rules.get("scale_um", scale_um) / site_um, generator(seed, "glands"))
    inside = first_sites(-affinity.reshape(-1), max(wanted, round(wanted / fill)), shape)
    chosen = first_sites(np.where(inside.reshape(-1), luck, 2.0), wanted, shape)
    return chosen, inside, affinity


def first_sites(score: np.ndarray, number: int, shape: tuple[int, int]) -> np.ndarray:
    """Return the sites of lowest score, exactly as many as asked for (all, if fewer), as a mask."""
    mask = np.zeros(score.size, bool)
    mask[np.argsort(score, axis=None, kind="stable")[:number]] = True
    return mask.reshape(shape)


def spaced_sites(free: np.ndarray, preferred: np.ndarray, number: int, seed: int) -> tuple[np.ndarray, float]:
    """Return random sites that keep apart, and the least distance that was asked of them (sites).

    Candidates are visited in random order and kept if no kept one is nearer than .6 / sqrt(density); where
    too few fit, the distance shrinks by a fifth and the visit goes on. Sites that are free but not
    preferred are visited only once the distance has shrunk three times.

    Parameters
    ----------
    free, preferred : ndarray of bool, shape (ny, nx)
    number : int
        At most the number of free sites.
    """
    ny, nx = free.shape
    kept = np.zeros((ny, nx), bool)
    spacing = 0.6 * math.sqrt(free.size / number) if number else 0.0
    order = generator(seed, "vessels").permutation(free.size)
    placed = shrunk = 0
    while placed < number:
        allowed = free & ~kept if shrunk >= 3 else free & preferred & ~kept
        blocked = _near(kept, spacing)
        candidates = order[(allowed & ~blocked).reshape(-1)[order]]
        stamp = _stamp(spacing)
        reach = stamp.shape[0] // 2
        for site in candidates:
            y, x = divmod(int(site), nx)
            if blocked[y, x]:
                continue
            kept[y, x] = True
            placed += 1
            top, left = max(0, y - reach), max(0, x - reach)
            area = blocked[top : y + reach + 1, left : x + reach + 1]
            first_y, first_x = top - y + reach, left - x + reach
            area |= stamp[first_y : first_y + area.shape[0], first_x : first_x + area.shape[1]]
            if placed == number:
                break
        if placed < number:
            spacing, shrunk = (spacing * 0.8 if spacing > 1 else 0.0), shrunk + 1
    return kept, spacing


def _stamp(spacing: float) -> np.ndarray:
    reach = math.floor(spacing)
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    return (x**2 + y**2 < spacing**2) | ((x == 0) & (y == 0))


def _near(kept: np.ndarray, spacing: float) -> np.ndarray:
    """Return which sites lie nearer than the spacing to a kept site."""
    stamp = _stamp(spacing)
    reach = stamp.shape[0] // 2
    wide = np.zeros((kept.shape[0] + 2 * reach, kept.shape[1] + 2 * reach), bool)
    for y, x in np.argwhere(kept):
        wide[y : y + 2 * reach + 1, x : x + 2 * reach + 1] |= stamp
    return wide[reach : reach + kept.shape[0], reach : reach + kept.shape[1]]


def check_shape(shape: tuple[int, int], site_um: float) -> None:
    """Check the lattice.

    Raises
    ------
    InputError
    """
    if min(shape) < 1 or not (math.isfinite(site_um) and site_um > 0):
        raise InputError(f"a lattice needs rows, columns and a pitch above 0, got {shape} and {site_um} um")


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


def check_rules(rules: Mapping[str, Any], types: tuple[CellTypeInfo, ...], width_um: float) -> None:
    """Check the settings of drawn tissue (meaning: ``place_drawn``).

    Raises
    ------
    InputError
        Unknown key or word, missing key, value out of bounds.
    """
    where = "[tissue]"
    for key in rules:
        if key not in _KEYS:
            raise unknown_word("key", key, _KEYS, where)
    for key in ("occupancy", "pattern", "composition"):
        if key not in rules:
            raise InputError(f"{where}: '{key}' is missing; drawn tissue needs it")
    check_number(rules["occupancy"], where, "occupancy", 0.0, 1.0)
    if rules["pattern"] not in PATTERNS:
        raise unknown_word("pattern", str(rules["pattern"]), PATTERNS, where)
    check_number(rules.get("scale_um", 60.0), where, "scale_um", 1.0, max(width_um, 60.0))
    check_shares(rules["composition"], types, f"{where} composition")
    margin_um = rules.get("margin_um", 0.0)
    check_number(margin_um, where, "margin_um", 0.0)
    if margin_um >= width_um:
        raise InputError(
            f"{where}: 'margin_um' of {margin_um:g} leaves no core on a lattice {width_um:g} um wide; "
            "narrow the margin or widen the lattice"
        )
    for key, amount, most in (("stroma", "fraction", 1.0), ("vessels", "per_mm2", math.inf)):
        if key not in rules:
            continue
        table = rules[key]
        if not isinstance(table, Mapping) or set(table) != {"type", amount}:
            raise InputError(f"{where}: '{key}' must be {{ type, {amount} }}, got {table!r}")
        check_types([table["type"]], types, f"{where} {key}")
        check_number(table[amount], f"{where} {key}", amount, 0.0, most)
    check_number(rules.get("least_immune", 0), where, "least_immune", 0)
    needed = REGIONS if margin_um > 0 else REGIONS[:1]
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


def check_mapping(
    mapping: Mapping[str, Any], types: tuple[CellTypeInfo, ...]
) -> dict[str, Mapping[str, float]]:
    """Return phenotype -> {type: share} of every phenotype that is to be placed.

    Raises
    ------
    InputError
        Unknown cell type, or a composition that is none.
    """
    shares: dict[str, Mapping[str, float]] = {}
    for phenotype, target in mapping.items():
        where = f"mapping of phenotype '{phenotype}'"
        if target == IGNORE:
            continue
        if isinstance(target, str):
            if target not in [info.name for info in types]:
                raise unknown_word("cell type", target, [*(info.name for info in types), IGNORE], where)
            shares[phenotype] = {target: 1.0}
        else:
            check_shares(target, types, where)
            shares[phenotype] = target
    return shares


def settle(
    x: np.ndarray, y: np.ndarray, kind: np.ndarray, shape: tuple[int, int], reach: float
) -> tuple[np.ndarray, np.ndarray]:
    """Give every cell of one layer a site of its own.

    A site goes to the cell nearest to its centre (ties: smaller y, then x, then kind); the others, in order
    of y, x and kind, take the nearest free site (ties: smaller row, then column).

    Parameters
    ----------
    x, y : ndarray, shape (cell,)
        Positions in sites; site (row, column) covers [column, column + 1) x [row, row + 1).
    kind : ndarray, shape (cell,)
        Whatever tells cells apart.
    shape : (int, int)
    reach : float
        Farthest distance from a position to the centre of its site, in sites.

    Returns
    -------
    site : ndarray of int64, shape (cell,)
        row * columns + column, or -1 for a cell that found none.
    moved : ndarray of float64, shape (cell,)
        Distance to the site's centre where it is not the cell's own site; 0 elsewhere.
    """
    ny, nx = shape
    row = np.clip(np.floor(y).astype(np.int64), 0, ny - 1)
    column = np.clip(np.floor(x).astype(np.int64), 0, nx - 1)
    own = row * nx + column
    off_centre = np.hypot(x - column - 0.5, y - row - 0.5)
    site = np.full(x.size, -1, np.int64)
    by_rank = np.lexsort((kind, x, y, off_centre, own))
    first = by_rank[np.r_[True, np.diff(own[by_rank]) > 0]] if x.size else by_rank
    site[first] = own[first]
    free = np.ones(ny * nx, bool)
    free[own[first]] = False
    moved = np.zeros(x.size)
    rest = np.setdiff1d(np.arange(x.size), first)
    steps = math.ceil(reach) + 1
    for cell in rest[np.lexsort((kind[rest], x[rest], y[rest]))]:
        rows = np.arange(max(0, row[cell] - steps), min(ny, row[cell] + steps + 1))[:, None]
        columns = np.arange(max(0, column[cell] - steps), min(nx, column[cell] + steps + 1))[None, :]
        distance = np.hypot(columns + 0.5 - x[cell], rows + 0.5 - y[cell])
        near = rows * nx + columns
        distance[~free[near]] = np.inf
        nearest = int(np.argmin(distance))  # first of equals: row by row, so the smaller row, then column
        if distance.flat[nearest] <= reach:
            site[cell] = near.flat[nearest]
            moved[cell] = distance.flat[nearest]
            free[site[cell]] = False
    return site, moved


def drawn_words(rules: Mapping[str, Any], margin: int, margin_um: float) -> list[str]:
    """Return the rules of drawn tissue as sentences."""
    words = {
        "glands": "tumour sites fill 80 % of the highest part of a smooth random field",
        "nests": "tumour sites fill 95 % of the highest part of a smooth random field",
        "scattered": "tumour sites are drawn at random",
        "disc": "tumour sites are those nearest to the centre",
    }
    sentences = [words[rules["pattern"]], "tumour types are mixed at random in exact numbers"]
    if "vessels" in rules:
        sentences.append("vessels keep apart and lie outside glands where there is room")
    if "stroma" in rules:
        sentences.append("stroma prefers sites of low tumour field, in patches of its own")
    if rules.get("immune"):
        sentences.append("immune cells sit at random on the free sites of their region")
    if margin:
        sentences.append(f"the margin is the first {margin} columns ({margin_um:g} um); it holds tumour, too")
    return sentences


def table_words(fill: str, max_sites: float, mapping: Mapping[str, Any]) -> list[str]:
    """Return the rules of a placed table as sentences."""
    surround = {
        "mirror": "the surround repeats the placed core, mirrored at its edges",
        "density": "the surround holds cells at random at the densities of the core's bounding box",
        "none": "nothing is placed outside the core",
    }
    return [
        "on each layer a site goes to the cell nearest to its centre; the others take the nearest free site "
        f"within {max_sites:g} sites of their position, or are lost",
        "the order of rows does not matter: ties go by y, x, phenotype",
        surround[fill],
        *(f"{name}: {_target_words(target)}" for name, target in mapping.items()),
    ]


def _target_words(target: Any) -> str:
    if isinstance(target, str):
        return "left out" if target == IGNORE else f"placed as {target}"
    return "placed as " + ", ".join(f"{share:g} {name}" for name, share in target.items())
