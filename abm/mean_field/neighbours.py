"""Every neighbourhood of independent sites, once, with its probability.

Sites are sorted into categories: types that no rule of the term tells apart count as one. The categories of
one layer form a run, and the number of sites of a run that fall into each category is multinomial.
"""

import math

import numpy as np
from numba import njit

RUN, SITES = 0, 1  # columns of a category


@njit(cache=True)
def probabilities(categories: np.ndarray, members: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Return the probability of each category; the last of a run holds the empty site and takes the rest."""
    n = categories.shape[0]
    chances = np.zeros(n)
    rest = 1.0
    for k in range(n):
        if k == 0 or categories[k, RUN] != categories[k - 1, RUN]:
            rest = 1.0
        if members[k, 0] == 1.0:
            chances[k] = max(rest, 0.0)
            continue
        for t in range(1, share.size):
            if members[k, t] == 1.0:
                chances[k] += share[t]
        rest -= chances[k]
    return chances


@njit(cache=True)
def first_neighbourhood(categories: np.ndarray, counts: np.ndarray) -> None:
    """Write the neighbourhood that has every site of a run in its first category."""
    for k in range(categories.shape[0]):
        opens = k == 0 or categories[k, RUN] != categories[k - 1, RUN]
        counts[k] = categories[k, SITES] if opens else 0.0


@njit(cache=True)
def next_neighbourhood(categories: np.ndarray, counts: np.ndarray) -> bool:
    """Step to the next neighbourhood; False after the last one.

    Runs count like the wheels of an odometer; within a run the compositions of its sites follow one another
    by NEXCOM (Nijenhuis and Wilf, Combinatorial Algorithms, 1978).
    """
    n = categories.shape[0]
    first = 0
    while first < n:
        last = first + 1
        while last < n and categories[last, RUN] == categories[first, RUN]:
            last += 1
        if counts[last - 1] < categories[first, SITES]:
            k = first
            while counts[k] == 0.0:
                k += 1
            moved = counts[k]
            counts[k] = 0.0
            counts[first] = moved - 1.0
            counts[k + 1] += 1.0
            return True
        counts[last - 1] = 0.0
        counts[first] = categories[first, SITES]
        first = last
    return False


@njit(cache=True)
def weight(categories: np.ndarray, chances: np.ndarray, counts: np.ndarray) -> float:
    """Return the probability of a neighbourhood, a product of one multinomial a run."""
    product = 1.0
    for k in range(categories.shape[0]):
        if k == 0 or categories[k, RUN] != categories[k - 1, RUN]:
            product *= math.gamma(categories[k, SITES] + 1.0)
        product *= chances[k] ** counts[k] / math.gamma(counts[k] + 1.0)
    return product
