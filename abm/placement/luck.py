"""Reproducible luck of a placement: generators by purpose, exact numbers, random sites."""

import hashlib
import math
from collections.abc import Mapping

import numpy as np


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


def first_sites(score: np.ndarray, number: int, shape: tuple[int, ...]) -> np.ndarray:
    """Return the sites of lowest score, exactly as many as asked for (all, if fewer), as a mask."""
    mask = np.zeros(score.size, bool)
    mask[np.argsort(score, axis=None, kind="stable")[:number]] = True
    return mask.reshape(shape)
