"""One row of outcomes a run: response, progression, growth, death and biomarkers; and one a biomarker."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...abm.measures.response import WEEK_8_DAYS, Assessment, classify, tri_at
from ...abm.measures.volume import sphere_diameter_mm
from ...abm.snapshot import RunRecord
from ..biomarkers import BIOMARKERS, measure
from ..series import Row, end_day, followed, identity, snapshot_on, swept_values, week8_tri
from ..survival import Times
from .assessment import Clinic, assess, imaged_volume_cm3, visit_days
from .death import deaths, until_death
from .growth import depth_of_response, early_shrinkage, fit_stein
from .study_table import SWEPT

CLASSES = ("CR", "PR", "SD", "PD")
BY_VOLUME = ("tri_week8", "best_tri")  # of a run's own findings: columns tri_week8 and tri_best
BIOMARKER_DAYS = {"day0": 0.0, "week8": WEEK_8_DAYS}


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
    return visit_days(record, Clinic(every_days=every_days))[1:]


def progression(record: RunRecord, every_days: float = WEEK_8_DAYS) -> Progression:
    """Return the first visit with PD by ``qcic_tri``; death is no event here.

    Parameters
    ----------
    record : RunRecord
    every_days : float
        Days between visits, 56 as in QCIC (10.1038/s41540-025-00513-1).
    """
    (found,) = assess([record], Clinic(every_days=every_days))
    return Progression(found.until, found.progressed) if found else Progression(0.0, False)


def outcome(record: RunRecord, clinic: Clinic | None = None, law: str = "log volume") -> Row:
    """Return the outcomes of one run as a row; see ``outcome_rows``."""
    return outcome_rows([record], clinic, law)[0]


def outcome_rows(
    records: Sequence[RunRecord], clinic: Clinic | None = None, law: str = "log volume", seed: int = 0
) -> list[Row]:
    """Return the outcomes of runs, a row a run in their order.

    Parameters
    ----------
    records : list of RunRecord
    clinic : Clinic, optional
        ``qcic_tri`` every eight weeks if absent.
    law : str
        Law of death, one of ``death.CHOICES``.
    seed : int
        Of the drawn deaths.

    Returns
    -------
    list of dict
        run, scenario, arm, patient, seed, ``set_<name>`` (what a sweep set), days;
        ``tri_week8``, ``class_week8`` (NaN and NE if day 56 was not
        reached), ``tri_end``, ``tri_best`` (lowest at a visit), all by volume. By ``criterion``:
        ``best_response``, ``response_days``, ``dor_days`` with ``dor_event`` (response to progression),
        ``ttp_days`` (visit that found progression, NaN if none did) with ``ttp_event``, between
        ``ttp_after_days`` (last visit without) and ``ttp_by_days``, ``last_visit_days``, ``depth`` (best
        change of what the criterion reads). ``pfs_days``, ``pfs_event``: progression or death, whichever is
        first, NaN if censored. ``os_days``, ``os_event``, ``death_law``: the drawn death, NaN if censored.
        Both events are None for runs that the law does not apply to: those without a body. After the drawn death
        nothing is seen: no visit, no progression, no response, no biomarker. On the sum of
        diameters: ``sld_start_mm``, ``ets_week8`` (0 or 1), ``growth_per_day`` and
        ``decay_per_day`` (Stein). What the run said of itself follows as ``own_...``, then every biomarker at
        day 0 and week 8 (NaN without a snapshot or without the cell types).

    Raises
    ------
    InputError
        As ``death.deaths`` and ``assess``.
    """
    clinic = clinic or Clinic()
    dead = deaths(records, law, seed)
    records = until_death(records, dead)
    assessed = assess(records, clinic)
    growth, shrunk = _growth(records, clinic)
    swept = swept_values(records)
    rows = []
    for k, record in enumerate(records):
        found = assessed[k]
        rows.append(
            identity(record)
            | {f"{SWEPT}{name}": value for name, value in swept[k].items()}
            | {"days": end_day(record)}
            | _volume(record)
            | {"criterion": clinic.criterion}
            | _response(found)
            | _survival(record, found, dead, k, law)
            | {"sld_start_mm": growth[0][k], "ets_week8": shrunk[k]}
            | {"growth_per_day": growth[1][k], "decay_per_day": growth[2][k]}
            | {f"own_{key}": value for key, value in _own(record).items()}
            | biomarker_columns(record)
        )
    return rows


def _volume(record: RunRecord) -> Row:
    value = week8_tri(record)
    at_visits = [tri_at(record.time_days, record.tumour_volume_cm3, day) for day in visits(record)]
    return {
        "tri_week8": value,
        "class_week8": classify(value),
        "tri_end": tri_at(record.time_days, record.tumour_volume_cm3, followed(record)),
        "tri_best": min(at_visits, default=math.nan),
    }


def _response(found: Assessment | None) -> Row:
    if found is None:
        names = ("response_days", "dor_days", "ttp_days", "ttp_after_days", "ttp_by_days", "depth")
        return {
            "best_response": "NE",
            "ttp_event": 0,
            "dor_event": 0,
            "last_visit_days": 0.0,
        } | dict.fromkeys(names, math.nan)
    return {
        "best_response": found.best,
        "response_days": found.response_day,
        "dor_days": found.until - found.response_day,
        "dor_event": int(found.progressed and not math.isnan(found.response_day)),
        "ttp_days": found.first_with,
        "ttp_event": int(found.progressed),
        "ttp_after_days": found.last_without,
        "ttp_by_days": found.first_with,
        "last_visit_days": found.until,
        "depth": depth_of_response(found.change),
    }


def _survival(record: RunRecord, found: Assessment | None, dead: Times | None, k: int, law: str) -> Row:
    died = float(dead.time[k]) if dead is not None and dead.observed[k] else math.nan
    progressed = found.first_with if found else math.nan
    first = min((day for day in (died, progressed) if not math.isnan(day)), default=math.nan)
    return {
        "pfs_days": first if dead is not None else math.nan,
        "pfs_event": int(not math.isnan(first)) if dead is not None else None,
        "os_days": died,
        "os_event": int(not math.isnan(died)) if dead is not None else None,
        "os_followed_days": float(dead.time[k]) if dead is not None else end_day(record),
        "death_law": law if dead is not None else "",
    }


def _growth(records: Sequence[RunRecord], clinic: Clinic) -> tuple[list[np.ndarray], list[float]]:
    """Return baseline sums of diameters, growth and decay rates, and early shrinkage, from what visits see."""
    days = [visit_days(record, clinic) for record in records]
    longest = max(days, key=len, default=np.zeros(1))
    size = np.full((len(records), len(longest)), np.nan)
    for row, record, when in zip(size, records, days, strict=True):
        volume = np.interp(when, record.time_days, imaged_volume_cm3(record, clinic.immune))
        row[: len(when)] = clinic.lesions * np.asarray(sphere_diameter_mm(volume / clinic.lesions))
    fitted = fit_stein(longest, size)
    start = np.where(size[:, :1] > 0.0, size[:, :1], np.nan)
    shrunk = [early_shrinkage(longest[1:], change) for change in size[:, 1:] / start - 1.0]
    return [size[:, 0], fitted.g, fitted.d], shrunk


def _own(record: RunRecord) -> Mapping[str, object]:
    """Return what the run said of itself, less what is counted here by volume; it knows no drawn death."""
    found = record.attributes.get("outcome", {})
    own = {k: v for k, v in found.items() if k not in BY_VOLUME} if isinstance(found, Mapping) else {}
    day = own.get("ttp_days")
    late = isinstance(day, int | float) and day > followed(record)
    return own | {"ttp_days": math.nan, "ttp_event": 0} if late else own


def biomarkers_at(record: RunRecord) -> dict[str, dict[str, float]]:
    """Return the biomarkers of a run at day 0 and week 8; a visit without a snapshot or after death is left out.

    A run that was read without its snapshots may carry them as ``attributes["biomarkers"]``.
    """
    kept = record.attributes.get("biomarkers")
    if kept is not None and not record.snapshots:
        return {
            label: found for label, found in kept.items() if BIOMARKER_DAYS[label] <= followed(record) + 1e-9
        }
    at = {label: snapshot_on(record, day) for label, day in BIOMARKER_DAYS.items()}
    return {label: measure(snapshot, BIOMARKERS) for label, snapshot in at.items() if snapshot}


def biomarker_columns(record: RunRecord) -> Row:
    """Return every biomarker as ``<name>_day0`` and ``<name>_week8``, NaN where undefined."""
    found = biomarkers_at(record)
    return {
        f"{name}_{label}": found.get(label, {}).get(name, math.nan)
        for label in BIOMARKER_DAYS
        for name in BIOMARKERS
    }


def biomarker_rows(records: Sequence[RunRecord]) -> list[Row]:
    """Return biomarkers as a tidy table, a row a run, visit and biomarker that is defined.

    Returns
    -------
    list of dict
        run, scenario, arm, patient, seed, day, biomarker, unit, value.
    """
    return [
        identity(record)
        | {"day": BIOMARKER_DAYS[label], "biomarker": name, "unit": BIOMARKERS[name].unit, "value": value}
        for record in records
        for label, values in biomarkers_at(record).items()
        for name, value in values.items()
        if not math.isnan(value)
    ]


def class_counts(values: Sequence[float] | np.ndarray) -> dict[str, int]:
    """Return how many tumour response indices fall in each class, with NE for NaN."""
    found = Counter(classify(float(value)) for value in values)
    return {name: found[name] for name in (*CLASSES, "NE")}


def disease_control(counts: Mapping[str, int]) -> int:
    """Return CR + PR + SD."""
    return counts["CR"] + counts["PR"] + counts["SD"]
