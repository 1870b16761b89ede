"""One row of outcomes a run, from replicates or the index of run files, and the tables of a study."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from . import publish
from .index import Entry
from .names import NO_PATIENT

HEAD = ("run", "scenario", "arm", "patient", "seed")
FIRST = ("ttp_days", "ttp_event", "days", "stop")
OUTCOMES_FILE = "outcomes.csv"
FAILURES_FILE = "failures.csv"


def write_outcomes(folder: Path, rows: Sequence[Mapping[str, Any]], swept: Sequence[str] = ()) -> Path:
    """Write outcomes.csv: one line a run, in the order given; what a run does not have is empty.

    Parameters
    ----------
    folder : Path
    rows : sequence of mapping
    swept : sequence of str
        Columns of the sweeps, which follow the names of the run.

    Raises
    ------
    InputError
        The folder cannot be written.
    """
    found = {key for row in rows for key in row} - {*HEAD, *swept}
    columns = [*HEAD, *swept, *(key for key in FIRST if key in found), *sorted(found - {*FIRST})]
    path = folder / OUTCOMES_FILE
    publish(path, table_bytes(columns, rows))
    return path


def write_failures(path: Path, rows: Sequence[tuple[str, str, str]]) -> None:
    """Write the runs that failed, the reason of each and the command that repeats it; no file without any.

    Raises
    ------
    InputError
        The folder cannot be written.
    """
    if rows:
        columns = ("run", "reason", "command")
        lines = [(run, " ".join(reason.split()), command) for run, reason, command in rows]
        publish(path, table_bytes(columns, [dict(zip(columns, line, strict=True)) for line in lines]))
    else:
        path.unlink(missing_ok=True)


def table_bytes(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Return a CSV file of some columns; what a row does not have is empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(row.get(column)) for column in columns] for row in rows)
    return text.getvalue().encode()


def _cell(value: object) -> str:
    return "" if value is None else f"{value:.12g}" if isinstance(value, float) else str(value)


def outcome_row(
    scenario: str, arm: str, seed: int, key: str, found: Mapping[str, Any], patient: str = NO_PATIENT
) -> dict[str, Any]:
    """Return one line of outcomes.csv."""
    first = dict(zip(HEAD, (f"{scenario}-{key[:12]}", scenario, arm, patient, seed), strict=True))
    return first | dict(found)


def row_of_entry(entry: Entry) -> dict[str, Any]:
    """Return the line of outcomes.csv of a run file."""
    return outcome_row(entry.scenario, entry.arm, entry.seed, entry.run_key, entry.outcome, entry.patient)
