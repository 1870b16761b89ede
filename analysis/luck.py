"""Draws of the clinic (scans, new lesions, deaths): counter-based, by patient and seed, the same in every arm."""

import hashlib
from collections.abc import Sequence

import numpy as np

from ..abm.snapshot import RunRecord

# Purposes, apart from those of cells, arrivals and visits inside a run.
SCAN, NEW_LESION, DEATH = 310, 311, 312

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_A, _B = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S11 = (np.uint64(s) for s in (30, 27, 31, 11))


def keys_of(records: Sequence[RunRecord], seed: int = 0) -> np.ndarray:
    """Return one key a run, shape (runs,): that of its patient and seed, so that arms share it."""
    words = (f"clinic {seed} {r.patient} {r.seed}".encode() for r in records)
    digests = (hashlib.blake2b(word, digest_size=8).digest() for word in words)
    return np.array([int.from_bytes(digest, "little") for digest in digests], dtype=np.uint64)


def mix(z: np.ndarray) -> np.ndarray:
    """Return well-mixed 64-bit hashes: the finaliser of SplitMix64 (10.1145/2660193.2660195), as in the engine."""
    z = np.atleast_1d(np.asarray(z, dtype=np.uint64)) + _GOLDEN
    z = (z ^ (z >> _S30)) * _A
    z = (z ^ (z >> _S27)) * _B
    return z ^ (z >> _S31)


def bits(keys: np.ndarray, purpose: int, numbers: np.ndarray) -> np.ndarray:
    """Return hashes of every key with every number, shape (keys, numbers)."""
    stem = mix(mix(np.asarray(keys, dtype=np.uint64)) ^ np.uint64(purpose))
    mixed = stem[:, np.newaxis] ^ np.asarray(numbers, dtype=np.uint64)[np.newaxis, :]
    return mix(mixed.ravel()).reshape(mixed.shape)


def uniforms(keys: np.ndarray, purpose: int, numbers: np.ndarray) -> np.ndarray:
    """Return uniform numbers in [0, 1), shape (keys, numbers)."""
    return (bits(keys, purpose, numbers) >> _S11).astype(float) * 2.0**-53


def normals(keys: np.ndarray, purpose: int, numbers: np.ndarray) -> np.ndarray:
    """Return standard normal numbers (Box and Muller), shape (keys, numbers)."""
    first = bits(keys, purpose, numbers)
    second = mix(first.ravel()).reshape(first.shape)
    radius = np.sqrt(-2.0 * np.log1p(-(first >> _S11).astype(float) * 2.0**-53))
    return radius * np.cos(2.0 * np.pi * (second >> _S11).astype(float) * 2.0**-53)


def exponentials(keys: np.ndarray, purpose: int, numbers: np.ndarray) -> np.ndarray:
    """Return unit-exponential numbers, -ln U, shape (keys, numbers)."""
    return -np.log1p(-uniforms(keys, purpose, numbers))
