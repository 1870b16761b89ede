"""Acceptance of plausible patients so that their outputs follow those of real ones (Allen 2016).

Allen, Rieger and Musante (10.1002/psp4.12063): a plausible patient is taken with a chance in proportion to the
density of the target over that of the plausible patients at his outputs.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.spatial import KDTree
from scipy.special import gammaln
from scipy.stats import gaussian_kde

from ...abm.errors import InputError
from .prevalence import effective_sample_size

NEIGHBOURS = 5  # as published
_SCALES = 200
_SLACK = 0.01  # a scale may cost this much in the distance from the target


@dataclass(frozen=True)
class Acceptance:
    """Patients taken from a plausible population.

    Attributes
    ----------
    chance : ndarray, shape (patients,)
        Of being taken.
    taken : ndarray of bool, shape (patients,)
    scale : float
        What the density ratio, of mean 1, was multiplied by before it was cut at 1.
    distance : ndarray, shape (outputs,)
        Kolmogorov-Smirnov distance of the patients, weighted by their chance, from the target.
    effective : float
        Effective sample size of these weights.
    """

    chance: np.ndarray
    taken: np.ndarray
    scale: float
    distance: np.ndarray
    effective: float

    @property
    def proposed(self) -> int:
        """Return how many plausible patients there were."""
        return int(self.taken.size)

    @property
    def accepted(self) -> int:
        """Return how many were taken."""
        return int(self.taken.sum())


def density_ratio(
    plausible: np.ndarray,
    target: np.ndarray | Callable[[np.ndarray], np.ndarray],
    neighbours: int = NEIGHBOURS,
) -> np.ndarray:
    """Return target density over plausible density at each plausible patient, scaled to mean 1.

    The density of the plausible patients is that of the ball to the k-th nearest neighbour, outputs scaled to
    unit variance. That of a target sample is a Gaussian kernel estimate (rule of Scott).

    Parameters
    ----------
    plausible : ndarray, shape (patients, outputs)
    target : ndarray, shape (people, outputs), or callable
        Real outputs, or their density at an array like ``plausible``.
    neighbours : int

    Raises
    ------
    InputError
        Outputs that differ in number, are not finite or do not vary, or fewer patients than neighbours.
    """
    outputs = _table(plausible, "plausible patients")
    if len(outputs) <= neighbours or neighbours < 1:
        raise InputError(
            f"acceptance needs more patients ({len(outputs)}) than neighbours ({neighbours}), and one or more of those"
        )
    spread = outputs.std(axis=0)
    if not spread.all():
        raise InputError(
            f"acceptance: output {int(np.argmin(spread))} is the same in all patients; leave it out"
        )
    scaled = outputs / spread
    radius = KDTree(scaled).query(scaled, neighbours + 1)[0][:, -1]
    size = outputs.shape[1]
    log_ball = 0.5 * size * np.log(np.pi) - gammaln(0.5 * size + 1.0)
    with np.errstate(divide="ignore"):
        log_plausible = np.log(neighbours / len(outputs)) - log_ball - size * np.log(radius)
    if callable(target):
        wanted = np.asarray(target(outputs), dtype=float)
    else:
        real = _table(target, "target")
        if real.shape[1] != size:
            raise InputError(f"acceptance: the target has {real.shape[1]} outputs, the patients {size}")
        wanted = gaussian_kde((real / spread).T)(scaled.T)
    # patients who coincide have an endless density: one of them would be worth nothing
    ratio = np.where(np.isfinite(log_plausible), wanted * np.exp(-log_plausible), 0.0)
    if not ratio.sum() > 0.0:
        raise InputError(
            "acceptance: no plausible patient lies where the target has any density; widen the laws"
        )
    return ratio / ratio.mean()


def accept(plausible: np.ndarray, target: np.ndarray, seed: int, neighbours: int = NEIGHBOURS) -> Acceptance:
    """Take patients whose outputs follow a target sample.

    The chance is min(1, scale x density ratio). A larger scale takes more patients and distorts more, because
    more chances are cut at 1: it is the largest whose mean distance from the target is within 0.01 of the
    smallest that any scale reaches.

    Parameters
    ----------
    plausible : ndarray, shape (patients, outputs)
    target : ndarray, shape (people, outputs)
    seed : int
    neighbours : int

    Raises
    ------
    InputError
        As ``density_ratio``.
    """
    ratio = density_ratio(plausible, target, neighbours)
    outputs, real = _table(plausible, "plausible patients"), _table(target, "target")
    scales = np.geomspace(1.0 / ratio.max(), 1.0 / ratio[ratio > 0.0].min(), _SCALES)
    distances = [_distances(outputs, np.minimum(1.0, s * ratio), real) for s in scales]
    means = np.array([d.mean() for d in distances])
    best = int(np.flatnonzero(means <= means.min() + _SLACK)[-1])
    chance = np.minimum(1.0, scales[best] * ratio)
    taken = np.random.default_rng(seed).random(chance.size) < chance
    return Acceptance(chance, taken, float(scales[best]), distances[best], effective_sample_size(chance))


def _table(values: np.ndarray, what: str) -> np.ndarray:
    table = np.asarray(values, dtype=float)
    table = table[:, np.newaxis] if table.ndim == 1 else table
    if table.ndim != 2 or not np.isfinite(table).all():
        raise InputError(f"acceptance: {what} must be a table of finite outputs, one row a patient")
    return table


def _distances(outputs: np.ndarray, weight: np.ndarray, real: np.ndarray) -> np.ndarray:
    """Return the weighted Kolmogorov-Smirnov distance of each output."""
    found = np.empty(outputs.shape[1])
    for k in range(found.size):
        order = np.argsort(outputs[:, k])
        points = np.concatenate([outputs[order, k], np.sort(real[:, k])])
        mass = np.concatenate([[0.0], np.cumsum(weight[order])]) / weight.sum()
        ours = mass[np.searchsorted(outputs[order, k], points, side="right")]
        theirs = np.searchsorted(np.sort(real[:, k]), points, side="right") / len(real)
        found[k] = np.abs(ours - theirs).max()
    return found
