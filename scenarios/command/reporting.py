"""From a folder of run files to a report, with ODE-only patients of the same population beside it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...abm.errors import InputError
from ...abm.measures.response import WEEK_8_DAYS
from ...abm.snapshot import RunRecord
from ..patients.sample import load_population
from ..store import find_runs, open_run
from ..store.replicates import REPLICATES_FILE
from .reporting_ode import ode_only_arms, ode_only_tri

__all__ = [
    "calibration_of",
    "in_section",
    "ode_only_arms",
    "ode_only_tri",
    "once",
    "read_records",
    "report_folder",
    "thinned",
]

FEWEST_PATIENTS = 10  # in an arm, for predictions
MOST_POINTS = 60  # rows of the table by swept values
PD_TRI = 0.2  # progressive disease by QCIC's index, 10.1038/s41540-025-00513-1

if TYPE_CHECKING:
    from ...analysis.outcomes.assessment import Clinic
    from ...analysis.report.study import Beside
    from ...analysis.report.write import Progress

MOST_FULL = 60  # runs that are kept whole in memory; of further ones only what the report needs
MOST_OPENED = 1500  # run files that are opened where outcomes.csv tells the rest
EXAMPLES = 12  # runs an arm that are opened then
QUARANTINE = "quarantine"
# Body parameters that the report reads of every run; the rest is that of the arm's first run.
ALWAYS_KEPT = ("V_C", "K1", "K2", "K3")


def report_folder(
    folder: Path,
    out: Path,
    ode_only: int = 0,
    *,
    clinic: "Clinic | None" = None,
    law: str = "log volume",
    progress: "Progress | None" = None,
    say: Callable[[str], None] = lambda line: None,
) -> Path:
    """Read all runs of a folder and write report.html with its figures and tables.

    Run files and replicates.h5 are read, and failures.csv and sensitivity.csv where they are there. Of more than
    1,500 run files whose outcomes.csv is complete, twelve an arm are opened and the rest are rows of that table.

    Parameters
    ----------
    folder, out : Path
    ode_only : int
        Patients an arm of the ODE-only comparison; 0 for none.
    clinic : Clinic, optional
        How the runs are assessed; ``qcic_tri`` every eight weeks if absent.
    law : str
        Law of death, one of ``analysis.death.CHOICES``.
    progress : callable, optional
        As for ``write_report``.
    say : callable
        Called with a line for whoever waits for the page: runs that lie there twice, books that do not close.

    Raises
    ------
    InputError
        The folder holds no run, or a file in it is truncated or foreign.
    """
    from ...analysis.outcomes.assessment import Clinic
    from ...analysis.outcomes.death import deaths, until_death
    from ...analysis.outcomes.table import outcome_rows
    from ...analysis.report.tables import books_words
    from ...analysis.report.write import write_report

    paths = [path for path in find_runs(folder) if QUARANTINE not in path.relative_to(folder).parts]
    paths = _in_order_of_study(folder, paths)
    together = sorted(path for path in folder.rglob(REPLICATES_FILE) if path.is_file())
    if not paths and not together:
        raise InputError(
            f"{folder}: holds no finished run; make one with: oncolattice run mcrc_tas102 --out {folder}"
        )
    rows = _rows(folder, paths) if not together and len(paths) > MOST_OPENED else None
    opened = paths if rows is None else _examples(paths, rows)
    records = read_records(opened)
    if rows is not None:
        say(
            f"{len(paths):,} run files: {len(opened)} were opened, the rest are rows of outcomes.csv, which know "
            "no deaths"
        )
    if together:
        from .reporting_replicates import replicate_records

        records += [record for path in together for record in replicate_records(path)]
    records = once(records, say)
    clinic = clinic or Clinic()
    beside = ode_only_arms(records, ode_only) if ode_only else None
    tables: list[Beside] = []
    if rows is None:
        records = until_death(records, deaths(records, law))
        rows = outcome_rows(records, clinic, law)
        tables = [
            *_by_point(records),
            *_beside_trials(records, rows, clinic, law),
            *_beside_ode(folder, records),
        ]
    if books := books_words(records):
        say(books)
    number = len(rows)
    arms = dict.fromkeys(r.arm for r in records)
    return write_report(
        records,
        out,
        ode_only=beside,
        title=f"{number} run{'s' if number > 1 else ''}: {', '.join(arms)}",
        progress=progress,
        rows=rows,
        clinic=clinic,
        law=law,
        failures=_table(folder / "failures.csv"),
        sensitivity=_table(folder / "sensitivity.csv"),
        calibration=calibration_of(records),
        tables=tables,
    )


def once(records: Sequence[RunRecord], say: Callable[[str], None]) -> list[RunRecord]:
    """Return every run once, though a folder may hold it twice: as copies of a file, or as file and replicate."""
    kept: dict[object, RunRecord] = {}
    for place, record in enumerate(records):
        kept.setdefault(record.attributes.get("run_key") or place, record)
    if len(kept) < len(records):
        say(
            f"{len(records) - len(kept)} of {len(records)} runs lie there more than once and are counted once"
        )
    return list(kept.values())


def _by_point(records: Sequence[RunRecord]) -> list["Beside"]:
    """Return the response at week 8 by arm and point of the sweeps, where runs with a body were swept."""
    from ...analysis.outcomes.death import coupled
    from ...analysis.report.study import Beside
    from ...analysis.series import swept_values, week8_tri

    points: dict[tuple[str, tuple[tuple[str, float], ...]], list[float]] = {}
    for record, values in zip(records, swept_values(records), strict=True):
        tri = week8_tri(record)
        if values and coupled(record) and not np.isnan(tri):
            points.setdefault((record.arm, tuple(values.items())), []).append(tri)
    if not points or len(points) > MOST_POINTS:
        return []
    rows = [
        {"arm": arm, **dict(point), "runs": len(tri), "mean change": float(np.mean(tri))}
        | {"standard deviation": float(np.std(tri, ddof=1)) if len(tri) > 1 else np.nan}
        | {"PD %": 100.0 * float(np.mean(np.array(tri) >= PD_TRI))}
        for (arm, point), tri in points.items()
    ]
    words = "Change of tumour volume at week 8 (volume over baseline, less 1) by what the sweeps of the study set."
    return [Beside("by_point", "By swept values", words, rows)]


def _beside_trials(
    records: Sequence[RunRecord],
    rows: Sequence[Mapping[str, Any]] | None = None,
    clinic: "Clinic | None" = None,
    law: str = "log volume",
) -> list["Beside"]:
    """Return what runs of at least two arms of the colorectal trials predict, beside these trials.

    Progression and deaths are those of the rows of outcomes, made here if absent, as everywhere on the page; laws of
    one arm each predict nothing.
    """
    from ...analysis.outcomes.assessment import Clinic
    from ...analysis.outcomes.death import LAWS, coupled
    from ...analysis.outcomes.study_table import OVERALL, PROGRESSION, by_arm, times_of
    from ...analysis.outcomes.table import outcome_rows
    from ...analysis.report.study import Beside
    from ..patients.trial_prediction import CHEMO, COMBINATION, PLACEBO, courses_of_records, predict

    # not by the series of the body, which thinned runs lack
    arms = [r for r in records if r.arm in (PLACEBO, CHEMO, COMBINATION) and coupled(r)]
    days = {round(float(r.time_days[-1]), 6) for r in arms}
    sizes = [sum(r.arm == arm for r in arms) for arm in {r.arm for r in arms}]
    if len(sizes) < 2 or min(sizes) < FEWEST_PATIENTS or len(days) != 1 or max(days) < 2 * WEEK_8_DAYS:
        return []
    clinic = clinic or Clinic()
    courses = courses_of_records(arms)
    made = outcome_rows(records, clinic, law) if rows is None else rows
    own = by_arm([dict(row) for row, record in zip(made, records, strict=True) if coupled(record)])
    seen = {arm: times for arm in courses if (times := times_of(own[arm], PROGRESSION)) is not None}
    died = {arm: times for arm in courses if (times := times_of(own[arm], OVERALL)) is not None}
    if law not in LAWS or min(len(seen), len(died)) < len(courses):
        return []
    predicted = predict(courses, LAWS[law], progressed=seen, died=died)
    words = (
        f"What these runs predict, read as the trials were: progression at visits every {clinic.every_days:g} days, "
        "death by one law for all arms. A share is a hit within 5 points, a hazard ratio or median within 15 %. "
        f"Progression is by {clinic.criterion} here, by RECIST 1.1 there; what was calibrated is no prediction."
    )
    return [Beside("beside_trials", "Beside the trials", words, predicted)]


def _beside_ode(folder: Path, records: Sequence[RunRecord]) -> list["Beside"]:
    """Return lattice less equations at week 8, arm by arm, where the folder holds the twin of its study."""
    from ...analysis.report.study import Beside
    from ...analysis.series import week8_tri
    from ..batch.well_mixed import FOUND, HEAD
    from ..patients.trial_prediction import lattice_minus_ode

    twin = [row for row in _table(folder / "well_mixed.csv") if not np.isnan(row.get("tri_week8", np.nan))]
    swept = [name for name in (twin[0] if twin else {}) if name not in (*HEAD, *FOUND)]
    known = {tuple(row[name] for name in ("arm", "patient", *swept)) for row in twin}
    own = [
        {"arm": r.arm, "patient": r.patient, "tri_week8": week8_tri(r)}
        | {name: float(given[name][0]) for name in swept if name in given}
        for r in records
        if (given := r.attributes.get("user_parameters", {})) is not None and not np.isnan(week8_tri(r))
    ]
    own = [row for row in own if tuple(row.get(name) for name in ("arm", "patient", *swept)) in known]
    if not own:
        return []
    pairs = lattice_minus_ode(own, twin, swept=swept)
    rows = []
    for arm in dict.fromkeys(pair["arm"] for pair in pairs):
        lattice, ode, less = (
            np.array([pair[key] for pair in pairs if pair["arm"] == arm])
            for key in ("lattice", "ode", "difference")
        )
        rows.append(
            {
                "arm": arm,
                "patients": len(less),
                "lattice, mean change": float(lattice.mean()),
                "equations, mean change": float(ode.mean()),
                "difference": float(less.mean()),
                "standard deviation": float(less.std(ddof=1)) if len(less) > 1 else np.nan,
                "lattice, PD %": 100.0 * float((lattice >= PD_TRI).mean()),
                "equations, PD %": 100.0 * float((ode >= PD_TRI).mean()),
            }
        )
    words = (
        "The same patients and doses in the body's own equations, without a lattice: change of volume at week 8 "
        "(volume over baseline, less 1), and progressive disease by it. What differs is space, and the luck of cells."
    )
    return [Beside("beside_equations", "Beside the equations", words, rows)]


def calibration_of(records: Sequence[RunRecord]) -> list[str]:
    """Return a sentence for every population of the runs that says which of its parameters were fitted."""
    names = dict.fromkeys(_population(record) for record in records)
    sentences = []
    for name in filter(None, names):
        try:
            population = load_population(name)
        except InputError:
            sentences.append(
                f"The file of the population {name} was not found, so what was fitted is unknown."
            )
            continue
        fitted = [
            law.name
            for law in population.laws
            if law.source.startswith("fitted") or law.factor_source.startswith("fitted")
        ]
        if fitted:
            sentences.append(
                f"Population {population.name} ({population.title}): fitted are the laws of {', '.join(fitted)}."
            )
    return sentences


def _population(record: RunRecord) -> str:
    return str(record.attributes["scenario_text"].get("patient", {}).get("population", ""))


def read_records(paths: Sequence[Path]) -> list[RunRecord]:
    """Return runs; beyond the first sixty without what only figures of single runs read.

    Raises
    ------
    InputError
    """
    records: list[RunRecord] = []
    shared: dict[str, RunRecord] = {}
    for path in paths:
        record = in_section(open_run(path))
        if len(paths) > MOST_FULL:
            first = shared.setdefault(record.arm, record)
            crowded = sum(r.arm == record.arm and bool(r.snapshots) for r in records) >= EXAMPLES
            record = thinned(record, first) if crowded else record
        records.append(record)
    return records


def thinned(record: RunRecord, first: RunRecord) -> RunRecord:
    """Return a run with daily counts and volumes, measured biomarkers and its own parameters, and no more.

    Parameters
    ----------
    record : RunRecord
    first : RunRecord
        Of its arm: texts that are equal are shared with it.
    """
    from ...analysis.outcomes.table import biomarkers_at
    from ...analysis.series import daily, residuals

    keep = daily(record)
    attributes = {key: value for key, value in record.attributes.items() if key != "model_text"}
    for key, value in attributes.items():
        if first.attributes.get(key) == value:
            attributes[key] = first.attributes[key]
    own = [
        p for p in record.parameters if p["source"] in ("virtual patient", "user") or p["name"] in ALWAYS_KEPT
    ]
    return replace(
        record,
        time_days=record.time_days[keep],
        count=record.count[keep],
        tumour_volume_cm3=record.tumour_volume_cm3[keep],
        body={},
        field_mean={},
        events={},
        ledger={},
        snapshots=(),
        attributes=attributes | {"biomarkers": biomarkers_at(record), "residuals": residuals(record)},
        parameters=own,
        more={},
    )


def _in_order_of_study(folder: Path, paths: Sequence[Path]) -> list[Path]:
    """Return run files as outcomes.csv lists them, arms and patients in the order of the study, then the others."""
    rank = {str(row.get("run")): k for k, row in enumerate(_table(folder / "outcomes.csv"))}
    return sorted(paths, key=lambda path: (rank.get(path.stem, len(rank)), path.name))


def _rows(folder: Path, paths: Sequence[Path]) -> list[dict[str, Any]] | None:
    """Return the rows of outcomes.csv if it has one for every run file, else None."""
    from ...analysis.outcomes.study_table import of_a_batch

    rows = _table(folder / "outcomes.csv")
    if {path.stem for path in paths} <= {str(row.get("run")) for row in rows}:
        return of_a_batch(rows)
    return None


def _examples(paths: Sequence[Path], rows: Sequence[Mapping[str, Any]]) -> list[Path]:
    by_name = {path.stem: path for path in paths}
    taken: dict[str, int] = {}
    chosen = []
    for row in rows:
        arm = str(row["arm"])
        if row["run"] in by_name and taken.get(arm, 0) < EXAMPLES:
            taken[arm] = taken.get(arm, 0) + 1
            chosen.append(by_name[row["run"]])
    return chosen


def _table(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a CSV file, none where there is no such file."""
    from ...analysis.outcomes.study_table import read_rows

    return read_rows(path) if path.is_file() else []


def in_section(record: RunRecord) -> RunRecord:
    """Return a run whose snapshots are sections: those of blocks are shown by their middle plane."""
    return replace(record, snapshots=tuple(snapshot.section() for snapshot in record.snapshots))
