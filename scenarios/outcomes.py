"""One row of outcomes a run, from replicates or run files, and the table of a study."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .body_side import NO_PATIENT
from .store import open_run, publish

HEAD = ("run", "scenario", "arm", "patient", "seed")
FIRST = ("ttp_days", "ttp_event", "days", "stop")


def write_outcomes(folder: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    """Write outcomes.csv: one line a run, in the order given; what a run does not have is empty.

    Raises
    ------
    InputError
        The folder cannot be written.
    """
    found = {key for row in rows for key in row} - {*HEAD}
    columns = [*HEAD, *(key for key in FIRST if key in found), *sorted(found - {*FIRST})]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(row.get(column)) for column in columns] for row in rows)
    path = folder / "outcomes.csv"
    publish(path, text.getvalue().encode())
    return path


def _cell(value: object) -> str:
    return "" if value is None else f"{value:.12g}" if isinstance(value, float) else str(value)


def outcome_row(
    scenario: str, arm: str, seed: int, key: str, found: Mapping[str, Any], patient: str = NO_PATIENT
) -> dict[str, Any]:
    """Return one line of outcomes.csv."""
    first = dict(zip(HEAD, (f"{scenario}-{key[:12]}", scenario, arm, patient, seed), strict=True))
    return first | dict(found)


def row_of_file(path: Path) -> dict[str, Any]:
    """Return the line of outcomes.csv of a run file.

    Raises
    ------
    InputError
    """
    record = open_run(path, snapshots=False)
    found, key = record.attributes["outcome"], record.attributes["run_key"]
    return outcome_row(record.scenario, record.arm, record.seed, key, found, record.patient)
