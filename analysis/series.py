"""Views of runs that several read-outs share: arms, days followed, snapshots by day, exemplary patients."""

import math
import re
import tomllib
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from ..abm.measures.response import WEEK_8_DAYS, tri_at, tumour_response_index
from ..abm.snapshot import RunRecord, Snapshot

# Half a day: a snapshot is "of day 56" if it was taken within it.
DAY_TOLERANCE = 0.5
BOOKS_TOLERANCE = 1e-10  # largest relative ledger residual of a run whose books close
DEATH_DAY = "death_day"  # attribute of a run whose patient died: nothing is seen of him afterwards
Row = dict[str, Any]
_FILE = re.compile(r"^# --- .*\.toml$", re.MULTILINE)  # begins each file in the text of a model


def arms(records: Sequence[RunRecord]) -> dict[str, list[RunRecord]]:
    """Return the runs of each arm, arms in the order in which they first appear."""
    grouped: dict[str, list[RunRecord]] = {}
    for record in records:
        grouped.setdefault(record.arm, []).append(record)
    return grouped


def run_name(record: RunRecord) -> str:
    """Return the name of a run, that of its file if it has a key, else scenario, patient and seed."""
    key = record.attributes.get("run_key")
    return (
        f"{record.scenario}-{str(key)[:12]}" if key else f"{record.scenario}/{record.patient}/{record.seed}"
    )


def identity(record: RunRecord) -> Row:
    """Return the columns with which every table of runs begins."""
    return {
        "run": run_name(record),
        "scenario": record.scenario,
        "arm": record.arm,
        "patient": record.patient,
        "seed": record.seed,
    }


def field_names(record: RunRecord) -> dict[str, str]:
    """Return what figures call the fields of a run: the ``display`` of its model, the name where it has none."""
    shown = _displays(str(record.attributes.get("model_text", "")))
    return {name: shown.get(name, name.replace("_", " ")) for name in record.field_units}


@cache
def _displays(model_text: str) -> dict[str, str]:
    """Return the names for figures that a model gives its fields; its text is that of its files one after the other."""
    try:
        tables = [tomllib.loads(part) for part in _FILE.split(model_text)]
    except tomllib.TOMLDecodeError:  # a run that others wrote: the names serve
        return {}
    fields = [field for table in tables for field in table.get("field", [])]
    return {str(field["name"]): str(field["display"]) for field in fields if "display" in field}


def tri(record: RunRecord) -> np.ndarray:
    """Return the tumour response index at every record, shape (time,)."""
    volume = np.asarray(record.tumour_volume_cm3, dtype=float)
    return np.atleast_1d(tumour_response_index(volume, volume[0]))


def week8_tri(record: RunRecord) -> float:
    """Return the tumour response index on day 56, NaN if the patient was not followed so long."""
    if followed(record) + 1e-9 < WEEK_8_DAYS:
        return math.nan
    return tri_at(record.time_days, record.tumour_volume_cm3, WEEK_8_DAYS)


def end_day(record: RunRecord) -> float:
    """Return the last recorded day."""
    return float(record.time_days[-1])


def followed(record: RunRecord) -> float:
    """Return the day up to which a patient is seen: that of the drawn death (``death.until_death``), or the last."""
    return min(end_day(record), float(record.attributes.get(DEATH_DAY, math.inf)))


def daily(record: RunRecord) -> np.ndarray:
    """Return the indices of the first record of each day and of the last record."""
    day = np.floor(np.asarray(record.time_days) + 1e-9)
    _, first = np.unique(day, return_index=True)
    return np.union1d(first, [len(day) - 1])


def daily_alive(record: RunRecord) -> np.ndarray:
    """Return the indices of the daily records up to the drawn death."""
    keep = daily(record)
    return keep[np.asarray(record.time_days)[keep] <= followed(record) + 1e-9]


def residuals(record: RunRecord) -> dict[str, float]:
    """Return the largest relative residual of every species of a run's ledger.

    A run that was read without its ledger may carry them as ``attributes["residuals"]``.
    """
    if not record.ledger:
        return dict(record.attributes.get("residuals", {}))
    return {
        name: float(np.max(np.abs(residual))) for name, residual in record.ledger.items() if len(residual)
    }


def open_books(record: RunRecord) -> dict[str, float]:
    """Return the species of a run whose books do not close, with their largest relative residual."""
    return {n: v for n, v in residuals(record).items() if not v <= BOOKS_TOLERANCE}  # NaN does not close


def snapshot_on(record: RunRecord, day: float) -> Snapshot | None:
    """Return the snapshot nearest to a day, None if there is none within half a day, or the patient died before."""
    if day > followed(record) + 1e-9:
        return None
    near = min(record.snapshots, key=lambda s: abs(s.time_days - day), default=None)
    return near if near is not None and abs(near.time_days - day) <= DAY_TOLERANCE else None


def swept_values(records: Sequence[RunRecord]) -> list[dict[str, float]]:
    """Return, for every run, the parameters that were set and are not the same in all runs: those of a sweep."""
    given = [dict(record.attributes.get("user_parameters", {})) for record in records]
    names = [name for name in dict.fromkeys(name for own in given for name in own)
             if len({repr(own.get(name)) for own in given}) > 1]  # fmt: skip
    return [{name: float(own[name][0]) if name in own else math.nan for name in names} for own in given]


def exemplars(records: Sequence[RunRecord]) -> dict[str, RunRecord]:
    """Return one run with snapshots for each arm, of one patient (with one set of swept parameters) throughout where a
    patient had all arms.

    The patient is the one whose response is most like the median of each arm (week 8, or the end of a run
    that is shorter), so that nobody picks the prettiest.
    """
    grouped = arms([r for r in records if r.snapshots])

    def response(record: RunRecord) -> float:
        value = week8_tri(record)
        return float(tri(record)[-1]) if math.isnan(value) else value

    medians = {arm: float(np.median([response(r) for r in runs])) for arm, runs in grouped.items()}

    def distance(record: RunRecord) -> float:
        gap = abs(response(record) - medians[record.arm])
        return math.inf if math.isnan(gap) else gap

    def who(record: RunRecord) -> tuple[str, int, str]:
        return record.patient, record.seed, repr(sorted(record.attributes.get("user_parameters", {}).items()))

    shared: set[tuple[str, int, str]] | None = None
    for runs in grouped.values():
        here = {who(r) for r in runs}
        shared = here if shared is None else shared & here
    if not shared:
        return {arm: min(runs, key=distance) for arm, runs in grouped.items()}
    total = dict.fromkeys(sorted(shared), 0.0)
    chosen = {(r.arm, who(r)): r for runs in grouped.values() for r in runs}
    for (_, key), record in chosen.items():
        if key in total:
            total[key] += distance(record)
    best = min(total, key=lambda key: total[key])
    return {arm: chosen[arm, best] for arm in grouped}
