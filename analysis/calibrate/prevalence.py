"""Prevalence weights: the least change of a population that gives it the frequencies of a real one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...abm.errors import InputError
from ..columns import weights_of

_ROUNDS = 10_000


@dataclass(frozen=True)
class Weights:
    """Prevalence weights of a population.

    Attributes
    ----------
    weight : ndarray, shape (patients,)
        Of mean 1.
    effective : float
        Effective sample size.
    misfit : float
        Largest difference of a frequency from its target.
    rounds : int
    """

    weight: np.ndarray
    effective: float
    misfit: float
    rounds: int


def effective_sample_size(weights: np.ndarray) -> float:
    """Return (sum w)^2 / sum w^2, the number of equal weights that carry as much (Kish)."""
    weight = np.asarray(weights, dtype=float)
    return float(weight.sum() ** 2 / np.square(weight).sum())


def prevalence_weights(
    classes: Mapping[str, Sequence[str] | np.ndarray],
    targets: Mapping[str, Mapping[str, float]],
    tolerance: float = 1e-6,
) -> Weights:
    """Return the weights of greatest entropy with which every margin has its target frequencies.

    Iterative proportional fitting (10.1214/aoms/1177731829): margin after margin, each class is scaled to its
    share, until all fit at once.

    Parameters
    ----------
    classes : mapping of str to sequence of str, n patients each
        Margin (such as an arm) to the class of every patient.
    targets : mapping of str to (mapping of str to float)
        Margin to class to share; shares of a margin are scaled to add up to 1.
    tolerance : float
        Largest difference of a frequency from its target.

    Raises
    ------
    InputError
        Margins that differ, a class without a target, a target that no patient can meet, or margins that
        cannot be met together.
    """
    if not classes or classes.keys() != targets.keys():
        raise InputError(
            f"prevalence weights: classes are given for {sorted(classes)} and targets for {sorted(targets)}; "
            "name the same margins in both"
        )
    members, shares = _members(classes, targets)
    weight = np.ones(members[0].shape[1])
    for rounds in range(1, _ROUNDS + 1):
        for inside, share in zip(members, shares, strict=True):
            mass = inside @ weight
            weight = weight * ((share * weight.sum() / np.where(mass > 0.0, mass, 1.0)) @ inside)
        misfit = max(
            float(np.abs(inside @ weight / weight.sum() - share).max())
            for inside, share in zip(members, shares, strict=True)
        )
        if misfit <= tolerance:
            weight = weight / weight.mean()
            return Weights(weight, effective_sample_size(weight), misfit, rounds)
    raise InputError(
        f"prevalence weights: the margins cannot be met together (still off by {misfit:.2g} after {_ROUNDS} rounds); "
        "join classes or widen the population"
    )


def _members(
    classes: Mapping[str, Sequence[str] | np.ndarray], targets: Mapping[str, Mapping[str, float]]
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return, margin by margin, membership (classes, patients) as 0 and 1, and the shares of the classes."""
    members, shares = [], []
    size = len(next(iter(classes.values())))
    for margin, found in classes.items():
        words, wanted = np.asarray(found), targets[margin]
        if len(words) != size:
            raise InputError(f"prevalence weights: '{margin}' has {len(words)} patients, others have {size}")
        if unknown := sorted(set(words.tolist()) - wanted.keys()):
            raise InputError(
                f"prevalence weights: '{margin}' has patients of class {unknown[0]}, and no target for it"
            )
        share = np.array([wanted[word] for word in wanted], dtype=float)
        if not (np.isfinite(share).all() and (share >= 0.0).all() and share.sum() > 0.0):
            raise InputError(
                f"prevalence weights: shares of '{margin}' must be 0 or more, one of them above 0"
            )
        inside = np.array([words == word for word in wanted], dtype=float)
        for word, row, part in zip(wanted, inside, share, strict=True):
            if part > 0.0 and not row.any():
                raise InputError(
                    f"prevalence weights: {part:g} of '{margin}' should be {word}, but no patient is; "
                    "join that class with another or widen the population"
                )
        members.append(inside)
        shares.append(share / share.sum())
    return members, shares


def systematic_picks(weights: np.ndarray, n: int, seed: int, order: np.ndarray | None = None) -> np.ndarray:
    """Return n picks in proportion to weights by systematic resampling, rows in ascending order.

    One random start and equal steps along the cumulated weights: patient i is picked floor or ceil of n w_i /
    sum w times, and any run of neighbours in the order as many times as its weight asks for, to within one.

    Parameters
    ----------
    weights : ndarray, shape (patients,)
    n : int
    seed : int
    order : ndarray of int, shape (patients,), optional
        Order along which to step; patients who are alike should stand together. As given if absent.

    Raises
    ------
    InputError
        For weights that are negative, not finite or all 0, or n below 1.
    """
    weight = weights_of(weights, len(weights))
    if n < 1:
        raise InputError(f"systematic picks: n must be 1 or more, got {n}")
    along = np.arange(weight.size) if order is None else np.asarray(order)
    edges = np.cumsum(weight[along])
    marks = (np.random.default_rng(seed).random() + np.arange(n)) * (edges[-1] / n)
    return np.sort(along[np.minimum(np.searchsorted(edges, marks, side="right"), weight.size - 1)])
