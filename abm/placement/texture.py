"""Random fields and the tumour sites that they mark."""

import functools
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from .luck import first_sites, generator

PATTERNS = ("glands", "scattered", "nests", "disc")
# Smoothing length (um) and share of tumour sites inside a gland or nest. Glands keep room to grow.
_TEXTURE = {"glands": (60.0, 0.8), "nests": (150.0, 0.95)}


def texture(shape: tuple[int, ...], sigma_sites: float, rng: np.random.Generator) -> np.ndarray:
    """Return a Gaussian random field, white noise smoothed by a Gaussian of this standard deviation (sites).

    Mean 0 and variance 1 over the sample. It is cut from a wider one, so that opposite edges are unrelated.
    """
    pad = math.ceil(4 * sigma_sites)
    wide = tuple(n + pad for n in shape)
    waves = np.ix_(*(np.fft.fftfreq(n) for n in wide[:-1]), np.fft.rfftfreq(wide[-1]))
    damping = np.exp(-2.0 * (np.pi * sigma_sites) ** 2 * sum(k**2 for k in waves))
    axes = range(len(shape))
    smooth = np.fft.irfftn(np.fft.rfftn(rng.standard_normal(wide), axes=axes) * damping, s=wide, axes=axes)
    field = smooth[tuple(slice(n) for n in shape)]
    spread = field.std()
    return (field - field.mean()) / spread if spread > 0 else np.zeros(shape)


def distance_to(point: tuple[float, ...], shape: tuple[int, ...]) -> np.ndarray:
    """Return the distance of every site to a point (sites; site centres at whole numbers)."""
    axes = np.ix_(*(np.arange(n) - c for n, c in zip(shape, point, strict=True)))
    return functools.reduce(np.hypot, axes)


def tumour_sites(
    shape: tuple[int, ...], site_um: float, rules: Mapping[str, Any], seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return where tumour cells sit, the glands they sit in and how much a site belongs to tumour.

    Returns
    -------
    sites : ndarray of bool
        Exactly ``round(occupancy * sites)`` are true.
    inside : ndarray of bool
        Interior of glands, nests or disc (nowhere for scattered cells).
    affinity : ndarray of float64
        Standardised; 0 everywhere for scattered cells.
    """
    size = math.prod(shape)
    wanted = round(rules["occupancy"] * size)
    luck = generator(seed, "tumour").random(size)
    if rules["pattern"] == "scattered":
        return first_sites(luck, wanted, shape), np.zeros(shape, bool), np.zeros(shape)
    if rules["pattern"] == "disc":
        distance = distance_to(tuple((n - 1) / 2 for n in shape), shape)
        # sites at the same distance are taken in random order
        sites = first_sites(distance.reshape(-1) + 1e-6 * luck, wanted, shape)
        return sites, sites.copy(), -(distance - distance.mean()) / distance.std()
    scale_um, fill = _TEXTURE[rules["pattern"]]
    affinity = texture(shape, rules.get("scale_um", scale_um) / site_um, generator(seed, "glands"))
    inside = first_sites(-affinity.reshape(-1), max(wanted, round(wanted / fill)), shape)
    chosen = first_sites(np.where(inside.reshape(-1), luck, 2.0), wanted, shape)
    return chosen, inside, affinity
