"""One row of outcomes a run: response, progression and biomarkers."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..abm.response import WEEK_8_DAYS, classify, tri_at
from ..abm.snapshot import RunRecord
from .biomarkers import BIOMARKERS, measure
from .series import Row, end_day, identity, snapshot_on, tri, week8_tri

CLASSES = ("CR", "PR", "SD", "PD")


@dataclass(frozen=True)
class Progression:
    """Progression of one run by the volume at its visits.

    Attributes
    ----------
    days : float
        Visit at which progression was seen, or the last visit without it.
    event : bool
        Whether progression was seen; the run is censored at ``days`` if not.
    """

    days: float
    event: bool


def visits(record: RunRecord, every_days: float = WEEK_8_DAYS) -> np.ndarray:
    """Return the days of the assessments that a run reached, without the baseline."""
    return np.arange(1, math.floor((end_day(record) + 1e-9) / every_days) + 1) * every_days


def progression(record: RunRecord, every_days: float = WEEK_8_DAYS) -> Progression:
    """Return the first visit with PD by ``qcic_tri``; death is no event here.

    Parameters
    ----------
    record : RunRecord
    every_days : float
        Days between visits, 56 as in QCIC (10.1038/s41540-025-00513-1).
    """
    days = visits(record, every_days)
    for day in days:
        if classify(tri_at(record.time_days, record.tumour_volume_cm3, day)) == "PD":
            return Progression(float(day), True)
    return Progression(float(days[-1]) if days.size else 0.0, False)


def outcome(record: RunRecord) -> Row:
    """Return the outcomes of one run as a row.

    Returns
    -------
    dict
        run, scenario, arm, patient, seed, days; ``tri_week8`` and ``class_week8`` (NaN and NE if day 56 was
        not reached), ``tri_end``, ``tri_best`` (lowest at a visit, NaN without a visit), ``pfs_days`` (NaN if
        censored) with ``pfs_event`` and ``last_visit_days``, then every biomarker at day 0 and week 8 (NaN
        without a snapshot or without the cell types).
    """
    value, seen = week8_tri(record), progression(record)
    at_visits = [tri_at(record.time_days, record.tumour_volume_cm3, day) for day in visits(record)]
    row = identity(record) | {
        "days": end_day(record),
        "tri_week8": value,
        "class_week8": classify(value),
        "tri_end": float(tri(record)[-1]),
        "tri_best": min(at_visits, default=math.nan),
        "pfs_days": seen.days if seen.event else math.nan,
        "pfs_event": int(seen.event),
        "last_visit_days": seen.days,
    }
    for label, day in (("day0", 0.0), ("week8", WEEK_8_DAYS)):
        snapshot = snapshot_on(record, day)
        values = measure(snapshot, BIOMARKERS) if snapshot else dict.fromkeys(BIOMARKERS, math.nan)
        row |= {f"{name}_{label}": found for name, found in values.items()}
    return row


def class_counts(values: Sequence[float] | np.ndarray) -> dict[str, int]:
    """Return how many tumour response indices fall in each class, with NE for NaN."""
    found = Counter(classify(float(value)) for value in values)
    return {name: found[name] for name in (*CLASSES, "NE")}


def disease_control(counts: Mapping[str, int]) -> int:
    """Return CR + PR + SD."""
    return counts["CR"] + counts["PR"] + counts["SD"]
