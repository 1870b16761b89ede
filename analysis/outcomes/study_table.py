"""Rows of outcomes as the figures of a study read them: arms, numbers, times and subgroups."""

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...abm.errors import InputError
from ...abm.measures.response import classify
from ..series import Row
from ..survival import Times

HEAD = ("run", "scenario", "arm", "patient", "seed")
SWEPT = "set_"  # begins the columns of what a sweep set
MOST_VALUES = 6  # of a swept parameter that make subgroups
_TEXT = (*HEAD[:4], "class_week8", "best_response", "criterion", "death_law", "own_stop", "stop")
# endpoint -> (column of the time, column of the event, column of the follow-up of the censored)
PROGRESSION, OVERALL = "time to progression", "overall survival"
OWN_RULE = "time to progression by the run's own rule"
ENDPOINTS = {
    PROGRESSION: ("ttp_days", "ttp_event", "last_visit_days"),
    "progression-free survival": ("pfs_days", "pfs_event", "last_visit_days"),
    OVERALL: ("os_days", "os_event", "os_followed_days"),
    OWN_RULE: ("own_ttp_days", "own_ttp_event", "days"),
}


def read_rows(path: Path) -> list[Row]:
    """Return the rows of a CSV file, numbers as floats, empty fields as NaN.

    Raises
    ------
    InputError
        If it cannot be read, or its lines do not fit its head.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            lines = list(csv.reader(file))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read ({error}); name a CSV file in UTF-8") from error
    if not lines:
        raise InputError(f"{path}: is empty; its first line must name the columns")
    head, *body = lines
    for number, line in enumerate(body, start=2):
        if len(line) != len(head):
            raise InputError(f"{path}: line {number} has {len(line)} fields, the head names {len(head)}")
    columns = [[_value(name, line[k]) for line in body] for k, name in enumerate(head)]
    return [dict(zip(head, values, strict=True)) for values in zip(*columns, strict=True)]


def of_a_batch(rows: Sequence[Row]) -> list[Row]:
    """Return the rows that a batch wrote with its own findings named as such: ``ttp_days`` is ``own_ttp_days``.

    What is by volume, whatever the rule, keeps its name. Rows that a report wrote, which say their criterion, stay
    as they are.
    """
    if not rows or "criterion" in rows[0]:
        return list(rows)
    kept = {name: name for name in (*HEAD, "days", "tri_week8")} | {"best_tri": "tri_best"}
    named = [{kept.get(name, f"own_{name}"): value for name, value in row.items()} for row in rows]
    for row in named:
        if "tri_week8" in row:
            row["class_week8"] = classify(float(row["tri_week8"]))
    return named


def _value(name: str, field: str) -> Any:
    if name in _TEXT:
        return field
    if not field:
        return math.nan
    try:
        return float(field)
    except ValueError:
        return field


def by_arm(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Return the rows of each arm, arms in the order in which they first appear."""
    grouped: dict[str, list[Row]] = {}
    for row in rows:
        grouped.setdefault(str(row["arm"]), []).append(row)
    return grouped


def numbers_of(rows: Sequence[Row], name: str) -> np.ndarray:
    """Return a column as floats, NaN where a row has no number in it."""
    values = [row.get(name, math.nan) for row in rows]
    return np.array([float(v) if isinstance(v, int | float) else math.nan for v in values])


def progression_endpoint(rows: Sequence[Row]) -> str:
    """Return the endpoint by which a page counts progression.

    The criterion's at visits; the runs' own rule where that saw progression and no visit did.
    """
    seen, own = (times_of(rows, endpoint) for endpoint in (PROGRESSION, OWN_RULE))
    if (seen is None or not seen.observed.any()) and own is not None and own.observed.any():
        return OWN_RULE
    return PROGRESSION


def point_of(row: Row) -> tuple[Any, ...]:
    """Return what the sweeps of a study set for a run."""
    return tuple(value for name, value in row.items() if name.startswith(SWEPT))


def times_of(rows: Sequence[Row], endpoint: str) -> Times | None:
    """Return times to an endpoint in days, right-censored, at death at the latest; None where the rows lack it.

    Parameters
    ----------
    rows : list of dict
    endpoint : str
        One of ``ENDPOINTS``.

    Raises
    ------
    InputError
        If a column of events holds anything but 0 and 1, or a time is negative or missing.
    """
    time, event, followed = ENDPOINTS[endpoint]
    seen = numbers_of(rows, event)
    if not rows or np.isnan(seen).any():
        return None
    if not np.isin(seen, (0.0, 1.0)).all():
        wrong = seen[~np.isin(seen, (0.0, 1.0))][0]
        raise InputError(f"outcomes: column '{event}' must hold 0 (censored) or 1 (event), got {wrong:g}")
    days = np.where(seen == 1.0, numbers_of(rows, time), numbers_of(rows, followed))
    died = numbers_of(rows, "os_days")
    seen = np.where(died < days, 0.0, seen)
    days = np.where(died < days, died, days)
    if np.isnan(days).any() or (days < 0.0).any():
        raise InputError(
            f"outcomes: {endpoint} needs a time of 0 or more in '{time}' where '{event}' is 1, and in "
            f"'{followed}' where it is 0"
        )
    return Times(days, seen == 1.0)


def biomarker_names(rows: Sequence[Row], label: str) -> list[str]:
    """Return the biomarkers that the rows hold for a visit (day0, week8): columns with numbers that differ."""
    tail = f"_{label}"
    names = [key for key in (rows[0] if rows else {}) if key.endswith(tail)]
    kept = [name for name in names if np.unique(_known(numbers_of(rows, name))).size > 1]
    return [name.removesuffix(tail) for name in kept if not name.startswith(("tri_", "class_", "ets_"))]


def _known(values: np.ndarray) -> np.ndarray:
    return values[~np.isnan(values)]


def subgroups(rows: Sequence[Row]) -> dict[str, np.ndarray]:
    """Return subgroups by name as masks: all, values of sweeps, and the halves of quantities known at the baseline.

    A half is split at the median of one value a patient, seed and point of the sweeps, so that the arms share it;
    nothing that is known only later is used, because patients would have to live to be counted.
    """
    found = {"all": np.ones(len(rows), dtype=bool)}
    swept = [name for name in (rows[0] if rows else {}) if name.startswith(SWEPT)]
    for name in swept:
        values = numbers_of(rows, name)
        known = np.unique(_known(values))
        if 1 < known.size <= MOST_VALUES:
            label = name.removeprefix(SWEPT).replace("_", " ")
            found |= {f"{label} = {value:.4g}": values == value for value in known}
    who = [(str(row["patient"]), row["seed"], *(row[name] for name in swept)) for row in rows]
    for name in (*(f"{b}_day0" for b in biomarker_names(rows, "day0")), "sld_start_mm"):
        values = numbers_of(rows, name)
        each: Mapping[Any, float] = {
            person: value for person, value in zip(who, values, strict=True) if not math.isnan(value)
        }
        if len(set(each.values())) < 2:
            continue
        middle = float(np.median(list(each.values())))
        own = np.array([each.get(person, math.nan) for person in who])
        label = name.removesuffix("_day0").replace("_per_", " / ").replace("_", " ")
        low, high = own <= middle, own > middle
        if low.any() and high.any():
            found[f"{label} ≤ {middle:.3g}"], found[f"{label} > {middle:.3g}"] = low, high
    return found


def one_a_place(rows: Sequence[Any], most: int) -> list[Any]:
    """Return at most so many, evenly spaced in their order."""
    if len(rows) <= most:
        return list(rows)
    return [rows[k] for k in np.unique(np.linspace(0, len(rows) - 1, most).round().astype(int))]
