"""Counter-based random numbers: every draw is a hash of (seed, step, cell, purpose).

A draw depends on nothing else, so the same cell has the same luck whatever the order of sweeping, the
number of threads or the restart, and paired arms share luck until they differ. The mixer is the
finaliser of SplitMix64 (Steele 2014, 10.1145/2660193.2660195).
"""

import numpy as np
from numba import njit

# Purposes: one number for every kind of decision.
FATE, KILL, CHOICE, TARGET, PLACE, DAUGHTER, MOVE, DIRECTION, ORDER, SHIFT, ARRIVAL, ENTRY, RECRUIT = range(
    1, 14
)
BEGET, INITIAL, PERSIST, ATTEMPT, STIR = range(14, 19)
PURPOSES = 19
NO_STEP = 2**62  # the "step" of draws that belong to the whole run

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_A = np.uint64(0xBF58476D1CE4E5B9)
_B = np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)


@njit(cache=True)
def mix(z: np.uint64) -> np.uint64:
    """Return a well-mixed 64-bit hash of a 64-bit number."""
    z = np.uint64(z) + _GOLDEN
    z = (z ^ (z >> _S30)) * _A
    z = (z ^ (z >> _S27)) * _B
    return z ^ (z >> _S31)


@njit(cache=True)
def step_key(seed: np.uint64, step: int, purpose: int) -> np.uint64:
    """Return the key of all draws of one purpose in one step; combine with a uid by ``mix(uid ^ key)``."""
    return mix(mix(mix(np.uint64(seed)) ^ np.uint64(step)) ^ np.uint64(purpose))


@njit(cache=True)
def fill_keys(seed: np.uint64, step: int, keys: np.ndarray) -> None:
    """Write the keys of all purposes of one step, indexed by purpose (uint64, PURPOSES long)."""
    for purpose in range(1, PURPOSES):
        keys[purpose] = step_key(seed, step, purpose)


@njit(cache=True)
def below(bits: np.uint64, number: int) -> int:
    """Return a whole number in [0, number) from 64 hashed bits (to 2^-53)."""
    return int(uniform(bits) * number)


@njit(cache=True)
def normal(bits: np.uint64) -> float:
    """Return a standard normal number (Box and Muller) from 64 hashed bits."""
    radius = np.sqrt(-2.0 * np.log1p(-uniform(bits)))
    return radius * np.cos(2.0 * np.pi * uniform(mix(bits)))


@njit(cache=True)
def uniform(bits: np.uint64) -> float:
    """Return the uniform number in [0, 1) of 64 hashed bits."""
    return np.float64(bits >> _S11) * 1.1102230246251565e-16


@njit(cache=True)
def threshold(probability: float) -> np.uint64:
    """Return the lowest T such that ``bits < T`` wherever ``uniform(bits) < probability``."""
    if probability <= 0.0:
        return np.uint64(0)
    if probability >= 1.0:
        return np.uint64(0xFFFFFFFFFFFFFFFF)
    return np.uint64(np.ceil(probability * 9007199254740992.0)) << _S11


@njit(cache=True)
def poisson(mean: float, key: np.uint64) -> int:
    """Return a Poisson number by counting unit-rate arrivals in [0, mean]; exact for any mean."""
    if mean <= 0.0:
        return 0
    total, n = 0.0, 0
    while True:
        total -= np.log1p(-uniform(mix(key + np.uint64(n))))
        if total > mean:
            return n
        n += 1
