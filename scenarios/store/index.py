"""The index of a folder of runs: what each file holds, read once and kept beside the files."""

import csv
import io
import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from ...abm.errors import InputError
from ...analysis.series import BOOKS_TOLERANCE
from . import check_run, discard_segments, publish
from .file import SCHEMA_VERSION, opened

INDEX_FILE = "index.csv"
QUARANTINE = "quarantine"


@dataclass(frozen=True)
class Entry:
    """A run file in brief.

    Attributes
    ----------
    file : str
        Its name.
    bytes, mtime_ns : int
        Size and time of the last change: a file that keeps both is not read again.
    schema_version : int
    run_key : str
    scenario, arm, patient : str
    seed : int
    wall_seconds : float
        Building, simulating and storing together.
    outcome : dict
        Columns of outcomes.csv.
    """

    file: str
    bytes: int
    mtime_ns: int
    schema_version: int
    run_key: str
    scenario: str
    arm: str
    patient: str
    seed: int
    wall_seconds: float
    outcome: Mapping[str, Any]

    @property
    def closes(self) -> bool:
        """Return whether the books of the run close, as far as it kept any; NaN does not close."""
        return float(self.outcome.get("ledger_residual", 0.0)) <= BOOKS_TOLERANCE


def read_entry(path: Path) -> Entry:
    """Return what the index keeps of a run file.

    Raises
    ------
    InputError
        The file is missing, truncated, damaged or foreign.
    """
    with opened(path, attributes=True) as file:
        texts = {name: str(file.attrs[name]) for name in _TEXTS}
        return Entry(
            path.name,
            *_stamp(path),
            int(file.attrs["schema_version"]),
            texts["run_key"],
            texts["scenario"],
            texts["arm"],
            texts["patient"],
            int(file.attrs["seed"]),
            round(sum(json.loads(texts["wall_seconds"]).values()), 3),
            json.loads(texts["outcome"]),
        )


def _stamp(path: Path) -> tuple[int, int]:
    stat = path.stat()
    return stat.st_size, stat.st_mtime_ns


_NAMES = [part.name for part in fields(Entry)]
_TEXTS = ("run_key", "scenario", "arm", "patient", "wall_seconds", "outcome")
_KINDS = {"bytes": int, "mtime_ns": int, "schema_version": int, "seed": int, "wall_seconds": float}


def read_index(folder: Path) -> dict[str, Entry]:
    """Return the entries that index.csv holds, by file name; none if there is no index or it is no such table.

    It only saves time: whatever it says is used for a file of the same size and time alone.
    """
    if not (folder / INDEX_FILE).is_file():
        return {}
    try:
        with (folder / INDEX_FILE).open(newline="", encoding="utf-8") as file:
            rows = csv.DictReader(file)
            if rows.fieldnames != _NAMES:
                return {}
            return {row["file"]: _entry(row) for row in rows}
    except (OSError, ValueError, TypeError, csv.Error):
        return {}


def _entry(row: Mapping[str, str]) -> Entry:
    kept: dict[str, Any] = {name: kind(row[name]) for name, kind in _KINDS.items()}
    return Entry(**{**row, **kept, "outcome": json.loads(row["outcome"])})


def write_index(folder: Path, entries: Iterable[Entry]) -> None:
    """Write index.csv, complete or absent, sorted by file name.

    Raises
    ------
    InputError
        The folder cannot be written.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, _NAMES, lineterminator="\n")
    writer.writeheader()
    for entry in sorted(entries, key=lambda entry: entry.file):
        writer.writerow({**asdict(entry), "outcome": json.dumps(entry.outcome, sort_keys=True)})
    publish(folder / INDEX_FILE, text.getvalue().encode())


def index_folder(folder: Path) -> tuple[dict[str, Entry], dict[str, InputError]]:
    """Return the run files of a folder by name, and why others cannot be read: `Unavailable` ones may be sound.

    Files that index.csv knows, of the same size and time, are not opened. Pipes and devices are passed over.

    Parameters
    ----------
    folder : Path
        Folders below it are not looked at.

    Raises
    ------
    InputError
        A file has another schema version than this program writes, or the folder cannot be read.
    """
    known = read_index(folder)
    entries: dict[str, Entry] = {}
    refused: dict[str, InputError] = {}
    for path in sorted(folder.glob("*.h5")) if folder.is_dir() else ():
        if path.name.startswith(".") or not (path.is_file() or path.is_dir()):
            continue
        kept = known.get(path.name)
        if kept and (kept.bytes, kept.mtime_ns) == _stamp(path):
            entries[path.name] = kept
            continue
        try:
            entries[path.name] = read_entry(path)
        except InputError as error:
            refused[path.name] = error
    other = [entry for entry in entries.values() if entry.schema_version != SCHEMA_VERSION]
    if other:
        names = ", ".join(f"{entry.file} (version {entry.schema_version})" for entry in other[:3])
        raise InputError(
            f"{folder}: {len(other)} run file(s) of another schema version than {SCHEMA_VERSION}: {names}; a folder "
            "holds one version: move them away, or choose another --out folder"
        )
    return entries, refused


def tidy(folder: Path, files: Iterable[str], finished: Iterable[str]) -> None:
    """Remove what a killed process left: drafts of files, and segments of runs whose file is complete.

    What the system does not let go of stays.

    Parameters
    ----------
    folder : Path
    files : iterable of str
        Names of the files that no other process writes now.
    finished : iterable of str
        Run files that are complete.
    """
    ours, complete = {*files}, {Path(file).stem for file in finished}
    for draft in folder.glob(".*.tmp"):
        if draft.name[1:].rsplit(".", 2)[0] in ours:
            with suppress(OSError):
                draft.unlink(missing_ok=True)
    for parts in folder.glob("*.parts"):
        if parts.stem in complete:
            with suppress(OSError):
                discard_segments(parts)


def deep_damage(path: Path) -> InputError | None:
    """Return what is wrong with a run file, everything in it read and its digest compared, or None."""
    try:
        problems = check_run(path)
    except InputError as error:
        return error
    return InputError("; ".join(problems)) if problems else None


def quarantine(path: Path) -> Path:
    """Move a damaged file to the folder quarantine beside it, out of the sight of readers; return where it is.

    Raises
    ------
    InputError
        It cannot be moved.
    """
    place = path.parent / QUARANTINE
    try:
        place.mkdir(exist_ok=True)
        target = place / f"{path.name}.damaged"
        number = 1
        while target.exists():
            number += 1
            target = place / f"{path.name}.damaged-{number}"
        path.rename(target)
    except OSError as error:
        raise InputError(f"{path}: cannot be moved to {place} ({error.strerror}); move it by hand") from None
    return target
