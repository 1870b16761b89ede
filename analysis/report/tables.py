"""The tables of a report, as HTML."""

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...abm.snapshot import RunRecord
from ..biomarkers import BIOMARKERS, skipped
from ..outcomes.published import week8_published
from ..outcomes.study_table import by_arm, numbers_of
from ..outcomes.table import CLASSES, class_counts, disease_control
from ..series import BOOKS_TOLERANCE, Row, arms, end_day, open_books, residuals, run_name
from .page import folded, paragraph, table

MOST_NAMED = 20  # runs whose books do not close
MOST_ROWS = 40  # runs listed one by one; beyond, the tables are per arm


def runs_table(records: Sequence[RunRecord]) -> str:
    """Return what was run, a row an arm and scenario."""
    groups: dict[tuple[str, str], list[RunRecord]] = {}
    for record in records:
        groups.setdefault((record.arm, record.scenario), []).append(record)
    rows = [
        [
            arm,
            scenario,
            len(runs),
            len({r.patient for r in runs}),
            _span([r.seed for r in runs]),
            _span([end_day(r) for r in runs]),
            _doses(runs),
            "; ".join(sorted({str(r.attributes.get("stop_reason", "unknown")) for r in runs})),
        ]
        for (arm, scenario), runs in groups.items()
    ]
    return table(["arm", "scenario", "runs", "patients", "seeds", "days", "doses a run", "ended by"], rows)


def versions_table(records: Sequence[RunRecord]) -> str:
    """Return versions of the software; several values mean that runs of several versions are mixed."""
    found: dict[str, set[str]] = {}
    for record in records:
        for name, value in record.attributes.get("versions", {}).items():
            found.setdefault(name, set()).add(str(value))
        found.setdefault("source code", set()).add(str(record.attributes.get("source_hash", "unknown"))[:12])
    mixed = [name for name, values in found.items() if len(values) > 1]
    warning = paragraph(f"These runs mix versions of {', '.join(mixed)}.", "note") if mixed else ""
    return warning + table(["software", "version"], [[n, ", ".join(sorted(v))] for n, v in found.items()])


def week8_table(rows: Sequence[Row], ode_only: Mapping[str, Mapping[str, Any]] | None) -> str:
    """Return the classes at week 8: the runs, ODE-only population, published model, pooled trials."""
    lines: list[list[Any]] = []
    kinds: list[str] = []
    for arm, runs in by_arm(rows).items():
        counts = class_counts(numbers_of(runs, "tri_week8"))
        lines.append([arm, f"spatial (n={len(runs)})", *_counted(counts)])
        kinds.append("first own")
        if ode_only and arm in ode_only:
            values = np.asarray(ode_only[arm]["tri_week8"], dtype=float)
            label = f"ODE only, this population (n={values.size})"
            lines.append(["", label, *_counted(class_counts(values))])
            kinds.append("")
        for published in week8_published(arm):
            shares = [f"{published[f'{c}_pct']:g} %" for c in (*CLASSES, "DCR")]
            lines.append(["", f"{published['kind']} (n={published['patients']:g})", *shares, "–"])
            kinds.append("")
    columns = ["arm", "what", *CLASSES, "CR+PR+SD", "not reached"]
    return table(columns, lines, kinds)


def biomarkers_text(records: Sequence[RunRecord]) -> str:
    """Return the definitions of the biomarkers and which runs had to skip one."""
    rows = [[n.replace("_", " "), b.unit, ", ".join(b.needs), b.definition] for n, b in BIOMARKERS.items()]
    lacking = Counter(
        (name, ", ".join(missing)) for r in records for name, missing in skipped(r.types).items()
    )
    notes = "".join(
        paragraph(
            f"{name} was skipped in {number} of {len(records)} runs, whose models lack {missing}.", "note"
        )
        for (name, missing), number in lacking.items()
    )
    return notes + folded("Definitions", table(["biomarker", "unit", "needs", "definition"], rows))


def ledger_text(records: Sequence[RunRecord]) -> str:
    """Return the largest residual of every exchanged species over all runs."""
    worst: dict[str, float] = {}
    for record in records:
        for name, value in residuals(record).items():
            worst[name] = float(np.max([worst.get(name, 0.0), value]))  # NaN stays
    return table(["species", "largest relative residual"], [[n, f"{v:.1e}"] for n, v in worst.items()])


def books_words(records: Sequence[RunRecord]) -> str:
    """Return which runs have books that do not close, by how much and in what; empty where all do."""
    found = [(run_name(r), worst) for r in records if (worst := open_books(r))]
    if not found:
        return ""
    named = [
        f"{name} ({', '.join(f'{species}: {value:.1e}' for species, value in worst.items())})"
        for name, worst in found[:MOST_NAMED]
    ]
    more = f" and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
    return (
        f"The books of {len(found)} of {len(records)} runs do not close: the relative residual of the ledger is above "
        f"{BOOKS_TOLERANCE:g} in {'; '.join(named)}{more}. What tissue and body exchanged in these runs is "
        "not conserved, and their results are not to be used."
    )


def tissue_table(records: Sequence[RunRecord]) -> str:
    """Return the reports of the placement, merged: a range where runs differ."""
    merged: dict[str, list[Any]] = {}
    for record in records:
        for key, value in _flat(record.attributes.get("tissue_report", {})):
            merged.setdefault(key, []).append(value)
    return table(["placement", "value"], [[key, _merged(values)] for key, values in merged.items()])


def parameters_text(records: Sequence[RunRecord]) -> str:
    """Return how many parameters come from where, the assumed ones, and all of them."""
    merged: dict[tuple[str, str], list[Row]] = {}
    for record in records:
        for p in record.parameters:
            merged.setdefault((str(p["owner"]), str(p["name"])), []).append(p)
    rows = [
        [owner, name, _merged([p["value"] for p in found]), found[0]["unit"], _sources(found)]
        for (owner, name), found in merged.items()
    ]
    kinds = Counter(_kind(str(row[4])) for row in rows)
    assumed = [row for row in rows if "assumed" in str(row[4])]
    columns = ["owner", "parameter", "value", "unit", "source"]
    return (
        paragraph(f"{len(rows)} parameters, of which {len(assumed)} are assumed.")
        + table(["source", "parameters"], [[kind, n] for kind, n in kinds.most_common()])
        + folded(f"The {len(assumed)} assumed parameters", table(columns[:4], [row[:4] for row in assumed]))
        + folded(f"All {len(rows)} parameters", table(columns, rows))
    )


def wall_table(records: Sequence[RunRecord]) -> str:
    """Return wall times, a row a run, or medians by arm when there are many."""
    phases = list(dict.fromkeys(k for r in records for k in r.attributes.get("wall_seconds", {})))

    def row(record: RunRecord) -> list[float]:
        wall = record.attributes.get("wall_seconds", {})
        seconds = [float(wall.get(phase, math.nan)) for phase in phases]
        simulate = float(wall.get("simulate", math.nan))
        return [*seconds, float(np.nansum(seconds)), end_day(record) / simulate if simulate > 0 else math.nan]

    columns = [*(f"{phase} (s)" for phase in phases), "total (s)", "simulated days per s"]
    if len(records) <= MOST_ROWS:
        rows = [[r.arm, r.patient, r.seed, run_name(r), *(round(v, 2) for v in row(r))] for r in records]
        return table(["arm", "patient", "seed", "run", *columns], rows)
    rows = [
        [arm, len(runs), *(round(float(v), 2) for v in np.median([row(r) for r in runs], axis=0))]
        for arm, runs in arms(records).items()
    ]
    return paragraph("Medians by arm.") + table(["arm", "runs", *columns], rows)


def _counted(counts: Mapping[str, int]) -> list[str]:
    reached = sum(counts[c] for c in CLASSES)
    if not reached:
        return ["not reached"] * 5 + [str(counts["NE"])]
    numbers = [*(counts[c] for c in CLASSES), disease_control(counts)]
    return [f"{n} of {reached}" for n in numbers] + [str(counts["NE"])]


def _span(values: Sequence[float]) -> str:
    low, high = min(values), max(values)
    return f"{low:g}" if low == high else f"{low:g}–{high:g}"


def _doses(runs: Sequence[RunRecord]) -> str:
    names = sorted({drug for r in runs for _, drug, _ in r.doses})
    each = [(n, [sum(drug == n for _, drug, _ in r.doses) for r in runs]) for n in names]
    return ", ".join(f"{_span(numbers)} {name}" for name, numbers in each) or "none"


def _flat(value: Any, path: str = "") -> list[tuple[str, Any]]:
    if isinstance(value, Mapping):
        return [
            row for key, inner in value.items() for row in _flat(inner, f"{path} · {key}" if path else key)
        ]
    if isinstance(value, list | tuple) and all(isinstance(v, str | int | float) for v in value):
        return [(path, "; ".join(str(v) for v in value))]
    return [(path, value if isinstance(value, str | int | float) else json.dumps(value, ensure_ascii=False))]


def _merged(values: Sequence[Any]) -> Any:
    different = list(dict.fromkeys(values))
    if len(different) == 1:
        return different[0]
    if all(isinstance(v, int | float) and not isinstance(v, bool) for v in different):
        return f"{min(different):.6g} to {max(different):.6g}"
    return f"{len(different)} different values"


def _sources(found: Sequence[Row]) -> str:
    return ", ".join(dict.fromkeys(str(p["source"]) for p in found))


def _kind(source: str) -> str:
    if source.startswith(("10.", "PMID")):
        return "published (DOI or PMID)"
    return "published code" if source.startswith("code ") else source
