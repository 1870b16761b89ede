"""Segments of a running simulation: each complete or absent, and enough to go on from bit for bit."""

import hashlib
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from ...abm.errors import InputError
from ...abm.snapshot import Snapshot
from .checkpoint import Entry, read_entries, write_checkpoint
from .file import (
    KINDS,
    SCHEMA_VERSION,
    SEGMENT_FORMAT,
    SIGNATURE,
    cannot_write,
    file_image,
    publish,
    read_array,
    unlocked,
)
from .guard import reading
from .series import SERIES, conform_rows
from .snapshots import read_snapshots, write_snapshots
from .sound import refuse_tricks
from .tables import read_types, write_types

_NAME = re.compile(r"\d{6}\.h5")
# The checksum of a segment stands in the block before the HDF5 data that the format leaves to its user.
_PREFIX = 512
_MAGIC = b"oncolattice-segment "


@dataclass(frozen=True)
class Resumed:
    """Everything that good segments hold.

    Attributes
    ----------
    rows : dict of str to ndarray, first axis = record
    snapshots : list of Snapshot
    checkpoint : dict
        State at the last record.
    warnings : list of str
        What was ignored and why, one sentence each.
    next_segment : int
        Number of the segment to write next.
    """

    rows: dict[str, np.ndarray]
    snapshots: list[Snapshot]
    checkpoint: dict[str, Entry]
    warnings: list[str]
    next_segment: int


class SegmentWriter:
    """Writes the segments 000000.h5, 000001.h5, ... of one run.

    Parameters
    ----------
    folder : path
        Parts folder of the run, created if missing.
    header : dict
        At least ``run_key``, ``types``, ``weights`` and ``columns``.
    start : int
        First segment to write: 0 for a new run, ``Resumed.next_segment`` for a resumed one; what lies at
        or after it was unreadable and is removed.

    Raises
    ------
    InputError
        If the folder cannot be written, or a new run would overwrite an interrupted one.
    """

    def __init__(self, folder: str | Path, header: Mapping[str, Any], start: int = 0) -> None:
        self.folder = Path(folder)
        self.header = header
        self.index = start
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.folder):
                pass  # an unwritable folder shows now, not after hours of simulation
            stale = _segment_paths(self.folder)[start:]
            if stale and start == 0:
                raise InputError(
                    f"{self.folder}: holds {len(stale)} segment(s) of an interrupted run; "
                    "continue it with --resume, or move the folder away to begin anew"
                )
            for path in (*stale, *self.folder.glob(".*.tmp")):
                path.unlink()
        except OSError as error:
            raise cannot_write(self.folder, error) from error

    def append(
        self,
        rows: Mapping[str, np.ndarray],
        snapshots: Sequence[Snapshot],
        checkpoint: Mapping[str, Entry],
    ) -> Path:
        """Write the next segment and return its path.

        Parameters
        ----------
        rows : dict of str to ndarray, first axis = record
            Records since the previous segment.
        snapshots : list of Snapshot
            Snapshots since the previous segment.
        checkpoint : dict
            The whole state now.

        Raises
        ------
        InputError
            If the file cannot be written; earlier segments stay.
        ValueError
            If rows, snapshots or checkpoint do not fit the header.
        """
        conformed = conform_rows(rows, self.header["columns"])

        def write(file: h5py.File) -> None:
            file.attrs.update(format=SEGMENT_FORMAT, schema_version=SCHEMA_VERSION)
            file.attrs.update(run_key=self.header["run_key"], segment=self.index)
            write_types(file, self.header["types"], self.header["weights"])
            group = file.create_group("rows")
            for key, values in conformed.items():
                group.create_dataset(key, data=values)
            write_snapshots(file.create_group("snapshots"), snapshots, self.header["types"])
            write_checkpoint(file.create_group("checkpoint"), checkpoint)

        image = file_image(write, userblock_size=_PREFIX)
        body = image[image.index(SIGNATURE) :]  # HDF5 versions differ in whether the block is in the image
        path = self.folder / f"{self.index:06d}.h5"
        publish(path, _prefix(body) + body)
        self.index += 1
        return path


def _prefix(body: bytes) -> bytes:
    return (_MAGIC + hashlib.blake2b(body, digest_size=32).hexdigest().encode() + b"\n").ljust(_PREFIX, b"\0")


def _segment_paths(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if _NAME.fullmatch(path.name) and path.is_file())


def load_segments(folder: str | Path, expected_key: str) -> Resumed:
    """Return what an interrupted run left, up to its last good segment.

    Raises
    ------
    InputError
        If there is no folder, no good segment, or a segment of another run or another program.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"{folder}: no interrupted run to resume here; run without --resume")
    paths = _segment_paths(folder)
    if not paths:
        raise InputError(f"{folder}: holds no segment to resume from; run without --resume")
    good: list[tuple[dict[str, np.ndarray], list[Snapshot]]] = []
    checkpoint: dict[str, Entry] = {}
    warnings: list[str] = []
    for number, path in enumerate(paths):
        problem = "a segment before it is missing" if path.stem != f"{number:06d}" else _damage(path)
        if problem:
            after = f" and the {len(paths) - number - 1} after it" if number + 1 < len(paths) else ""
            warnings.append(f"{path}: {problem}; it{after} is ignored and simulated again")
            break
        with reading(path, KINDS[SEGMENT_FORMAT]), unlocked(path) as file:
            refuse_tricks(file)
            _refuse_foreign(file, path, expected_key)
            rows = {key: read_array(file["rows"], key) for key in SERIES if key in file["rows"]}
            good.append((rows, read_snapshots(file["snapshots"], *read_types(file))))
            checkpoint = read_entries(file["checkpoint"])
    if not good:
        raise InputError(
            f"{folder}: holds no readable segment ({problem}); move the folder away and run without --resume"
        )
    merged = {key: np.concatenate([rows[key] for rows, _ in good]) for key in good[0][0]}
    snapshots = [snapshot for _, taken in good for snapshot in taken]
    return Resumed(merged, snapshots, checkpoint, warnings, next_segment=len(good))


def _damage(path: Path) -> str:
    """Return why a segment cannot be trusted, or nothing; a foreign file is an error."""
    try:
        data = path.read_bytes()
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    if not data.startswith(_MAGIC):
        torn = _MAGIC.startswith(data) or not data.strip(b"\0")
        if not torn:
            raise InputError(_foreign(path, "it is no segment at all"))
        return "truncated"
    return "" if data[:_PREFIX] == _prefix(data[_PREFIX:]) else "truncated or damaged"


def _refuse_foreign(file: h5py.File, path: Path, expected_key: str) -> None:
    version = int(file.attrs["schema_version"])
    if version != SCHEMA_VERSION:
        raise InputError(_foreign(path, f"schema version {version}, not {SCHEMA_VERSION}"))
    key = str(file.attrs["run_key"])
    if key != expected_key:
        raise InputError(_foreign(path, f"run key {key[:12]}, not {expected_key[:12]}"))


def _foreign(path: Path, reason: str) -> str:
    return f"{path}: not a segment of this run ({reason}); move it away or choose another --out folder"


def discard_segments(folder: str | Path) -> None:
    """Remove the segments of a finished run, and their folder unless it holds anything else."""
    folder = Path(folder)
    if not folder.is_dir():
        return
    for path in (*_segment_paths(folder), *folder.glob(".*.tmp")):
        path.unlink()
    if not any(folder.iterdir()):
        folder.rmdir()
