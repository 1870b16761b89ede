"""Harrell's index of concordance between a risk score and survival."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from ...abm.errors import InputError
from ..columns import chance, numbers, same_length
from .times import Times

_CELLS = 4_000_000  # pairs compared at once, 4 MB a mask


@dataclass(frozen=True)
class Concordance:
    """Harrell's C: the chance that of two comparable patients the one of higher risk has the event first.

    Attributes
    ----------
    index, standard_error, lower, upper : float
    pairs : int
        Comparable pairs.
    """

    index: float
    standard_error: float
    lower: float
    upper: float
    pairs: int


def concordance_index(times: Times, risk: Any, level: float = 0.95) -> Concordance:
    """Return Harrell's index of concordance (10.1001/jama.1982.03320430047030).

    A pair is comparable if the earlier time is an event; of two equal times, an event comes before a
    censoring and two events are not compared. Equal risks count one half. The standard error is the
    infinitesimal jackknife over patients.

    Parameters
    ----------
    times : Times, n patients
    risk : array_like, shape (n,)
        Higher means an earlier event.
    level : float

    Raises
    ------
    InputError
        For missing risks or no comparable pair.
    """
    score = numbers(risk, "risk")
    same_length(time=times.time, risk=score)
    z = float(stats.norm.ppf(0.5 + chance(level, "level") / 2.0))
    n = len(times)
    credit, share = np.zeros(n), np.zeros(n)
    events = np.flatnonzero(times.observed)
    rows = max(1, _CELLS // max(n, 1))
    for first in range(0, events.size, rows):
        i = events[first : first + rows, None]
        comparable = (times.time[i] < times.time) | ((times.time[i] == times.time) & ~times.observed)
        won = comparable * ((score[i] > score) + 0.5 * (score[i] == score))
        for total, part in ((credit, won), (share, comparable)):
            total[i[:, 0]] += part.sum(axis=1)
            total += part.sum(axis=0)
    pairs = float(share.sum()) / 2.0
    if pairs == 0.0:
        raise InputError("no pair of patients can be compared: no event comes before another's time")
    index = float(credit.sum() / 2.0 / pairs)
    error = math.sqrt(float(((credit - index * share) ** 2).sum())) / pairs
    return Concordance(index, error, max(0.0, index - z * error), min(1.0, index + z * error), int(pairs))
