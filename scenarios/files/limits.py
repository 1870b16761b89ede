"""How large a run and a study may be, known before memory or time is taken."""

import os
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from ...abm.compile.keys import is_kind
from ...abm.compile.model_file import ModelSpec
from ...abm.errors import InputError

MOST_DAYS = 36_500  # a hundred years is a slip of the pen, as in an order
MOST_RUNS = 1_000_000  # of a study, and points of its sweeps
MOST_SEED = 2**62  # patients and replicates add to it, and run files hold 64 bits
MOST_ASSESSMENTS = 100_000
MOST_DOSES = 100_000  # of one regimen
# bytes a site, as benchmarks/bench_memory.py measures them
_LAYER, _FIRST_FIELD, _FIELD = 13, 44, 16


def check_size(tables: Mapping[str, Any], spec: ModelSpec) -> None:
    """Refuse a lattice that this machine cannot hold, and assessments without number.

    Raises
    ------
    InputError
    """
    lattice, head = tables["lattice"], tables["scenario"]
    sites = lattice["rows"] * lattice["columns"] * lattice.get("planes", 1)
    fields = len(spec.sections["field"])
    each = _LAYER * len(spec.model["layers"]) + (_FIRST_FIELD + _FIELD * (fields - 1) if fields else 0)
    if (there := memory_bytes()) and sites * each > there:
        raise InputError(
            f"[lattice]: {sites:,} sites with {fields} fields need about {sites * each / 1e9:,.0f} GB of memory, and "
            f"{there / 1e9:,.0f} GB are there; take fewer rows, columns or planes, or a larger machine"
        )
    days = head.get("assessment_days", 56)
    if head["duration_days"] / days > MOST_ASSESSMENTS:
        raise InputError(
            f"scenario.assessment_days = {days:g} makes more than {MOST_ASSESSMENTS:,} assessments in "
            f"{head['duration_days']:g} days; assess less often"
        )


def check_days(tables: Mapping[str, Any]) -> None:
    """Refuse a snapshot after the end.

    Raises
    ------
    InputError
    """
    end = tables["scenario"]["duration_days"]
    if late := [day for day in tables["output"]["snapshot_days"] if day > end]:
        raise InputError(
            f"output.snapshot_days: day {late[0]:g} comes after the end on day {end:g}; leave it out (the end is "
            "always one), or run longer"
        )


def leave_late_days(tables: dict[str, Any], notes: list[str]) -> None:
    """Leave out the snapshots of a longer run that a shorter one inherits, and note which."""
    end, output = tables["scenario"].get("duration_days"), tables.get("output")
    days: Any = output.get("snapshot_days") if isinstance(output, dict) else None
    if not (is_kind(end, "number") and is_kind(days, "numbers")):
        return  # what is wrong is said by the check of the keys
    if late := [day for day in days if day > end]:
        tables["output"] = {**tables["output"], "snapshot_days": [day for day in days if day <= end]}
        notes.append(
            f"the run ends on day {end:g}, before the snapshots of days {', '.join(f'{day:g}' for day in late)}"
        )


def check_runs(patients: int, replicates: int, points: int, arms: int) -> None:
    """Refuse a study of more runs than can be listed.

    Raises
    ------
    InputError
    """
    runs = patients * max(replicates, 1) * points * arms
    if runs > MOST_RUNS:
        raise InputError(
            f"the study comes to {runs:,} runs ({patients:,} patients x {max(replicates, 1):,} replicates x "
            f"{points:,} points x {arms:,} arms), at most {MOST_RUNS:,}; take fewer, or several studies"
        )


def memory_bytes() -> int:
    """Return the memory that this process may have at most, 0 where the system does not say."""
    found = []
    with suppress(ValueError, OSError, AttributeError):  # no such name on this system
        found.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    with suppress(ImportError):  # POSIX alone
        import resource

        limit = resource.getrlimit(resource.RLIMIT_AS)[0]
        found += [] if limit == resource.RLIM_INFINITY else [limit]
    return min(found, default=0)


def duration_notes(days: float, step_h: float) -> list[str]:
    """Return what is run where a duration is no whole number of steps, as one sentence; else nothing."""
    steps = max(round(days * 24 / step_h), 1)
    run = steps * step_h / 24
    if abs(run - days) <= 1e-9 * days:
        return []
    return [
        f"{days:g} days are no whole number of steps of {step_h:g} h; {steps:,} steps, {run:g} days, are run"
    ]
