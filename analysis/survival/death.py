"""Survival expected by one death function for all arms, and deaths drawn from it."""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from ...abm.snapshot import RunRecord
from .times import Times


@dataclass(frozen=True)
class DeathFunction:
    """Chance of death on a day: logistic((ln(X/X0) - mu) / sigma).

    Attributes
    ----------
    mu, sigma : float
        1 and 1; ``mu`` is the ln(X/X0) at which half would die within a day.
    source : str
    note : str
    """

    mu: float = 1.60
    sigma: float = 0.195
    source: str = "fitted"
    note: str = "fitted elsewhere (ODE-only population, persister variant); not re-fitted here"

    def probability(self, relative: np.ndarray) -> np.ndarray:
        """Return the chance of death per day at a relative tumour burden X/X0 (0 for no tumour)."""
        relative = np.asarray(relative, dtype=float)
        present = relative > 0.0
        log = np.log(np.where(present, relative, 1.0))
        return np.where(present, expit((log - self.mu) / self.sigma), 0.0 * relative)  # NaN stays NaN


DEATH = DeathFunction()


def relative_burden(record: RunRecord) -> np.ndarray:
    """Return V/V0 on every whole day of a run from day 0, shape (days + 1,)."""
    volume = np.asarray(record.tumour_volume_cm3, dtype=float)
    days = np.arange(math.floor(float(record.time_days[-1]) + 1e-9) + 1)
    return np.interp(days, record.time_days, volume) / (volume[0] if volume[0] > 0.0 else math.nan)


def expected_survival(relative: np.ndarray, death: DeathFunction = DEATH) -> np.ndarray:
    """Return the chance to be alive on each day: the product of 1 - p over the days before it.

    Parameters
    ----------
    relative : ndarray, shape (days + 1,)
        X/X0 at the start of day 0, 1, ...
    death : DeathFunction

    Returns
    -------
    ndarray, shape (days + 1,)
        1 on day 0. The chance of a day is that of the burden at its start, so the horizon's own is unused.
    """
    alive = 1.0 - death.probability(relative)[:-1]
    return np.concatenate([[1.0], np.cumprod(alive)])


def arm_survival(curves: Sequence[np.ndarray]) -> np.ndarray:
    """Return the mean expected survival of an arm whose patients may be followed for different times.

    While all are followed it is the plain mean; a patient whose run ends is censored there: later days
    multiply by the survivors' mean daily survival among those still followed, as Kaplan-Meier does.

    Parameters
    ----------
    curves : list of ndarray, shape (days_i + 1,)

    Returns
    -------
    ndarray, shape (longest days + 1,)
    """
    longest = max(len(curve) for curve in curves)
    table = np.full((len(curves), longest), np.nan)
    for row, curve in zip(table, curves, strict=True):
        row[: len(curve)] = curve
    mean = np.ones(longest)
    for day in range(1, longest):
        followed = ~np.isnan(table[:, day])
        before = table[followed, day - 1].sum()
        mean[day] = mean[day - 1] * (table[followed, day].sum() / before if before > 0.0 else 0.0)
    return mean


def draw_deaths(records: Sequence[RunRecord], death: DeathFunction = DEATH, seed: int = 0) -> Times:
    """Draw one time of death a run from its expected survival.

    The luck belongs to patient and seed, not to the arm: a patient has the same luck in every arm. A run
    that ends before death is censored at its last whole day.

    Parameters
    ----------
    records : list of RunRecord
    death : DeathFunction
    seed : int
        Seed of the draws.
    """
    time, observed = np.zeros(len(records)), np.zeros(len(records), dtype=bool)
    for i, record in enumerate(records):
        words = f"death {seed} {record.patient} {record.seed}".encode()
        key = int.from_bytes(hashlib.blake2b(words, digest_size=16).digest(), "little")
        luck = np.random.Generator(np.random.Philox(key=key)).random()
        curve = expected_survival(relative_burden(record), death)
        dead = np.flatnonzero(curve <= luck)
        observed[i] = dead.size > 0
        time[i] = dead[0] if dead.size else len(curve) - 1
    return Times(time, observed)
