"""The run store: one HDF5 file per run, found by the key of its resolved scenario."""

import hashlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from ...abm.errors import InputError
from ...abm.snapshot import Snapshot
from .check import check_run, open_books
from .checkpoint import Entry, state_digest, write_checkpoint
from .file import RUN_FORMAT, SCHEMA_VERSION, cannot_write, file_image, opened, publish
from .read import open_run, read_checkpoint
from .replicates import REPLICATES_FILE, TWIN_FILE
from .segments import Resumed, SegmentWriter, discard_segments, load_segments
from .series import SERIES, write_series
from .snapshots import write_snapshots
from .tables import ATTRIBUTES, TABLES, to_json, write_attributes, write_doses, write_parameters, write_types

__all__ = [
    "SERIES",
    "Resumed",
    "SegmentWriter",
    "check_run",
    "discard_segments",
    "find_run",
    "find_runs",
    "finish_run",
    "load_segments",
    "open_books",
    "open_run",
    "parts_folder",
    "publish",
    "read_checkpoint",
    "run_key",
    "run_path",
    "state_digest",
    "to_json",
]


def run_key(resolved: Mapping[str, Any], results_version: int) -> str:
    """Return the name of a result: 64 hex digits of BLAKE2b over the canonical JSON of the resolved scenario.

    Whatever does not change a result (threads, output folder) is not part of ``resolved``.

    Raises
    ------
    ValueError
        If a number is not finite.
    """
    text = to_json({"resolved": resolved, "results_version": results_version})
    return hashlib.blake2b(text.encode(), digest_size=32).hexdigest()


def run_path(out: str | Path, scenario: str, key: str) -> Path:
    """Return where the finished run of a key belongs."""
    return Path(out) / f"{scenario}-{key[:12]}.h5"


def parts_folder(path: str | Path) -> Path:
    """Return the folder that holds the segments of a run while it runs."""
    return Path(path).with_suffix(".parts")


def finish_run(
    path: str | Path,
    header: Mapping[str, Any],
    rows: Mapping[str, np.ndarray],
    snapshots: Sequence[Snapshot],
    checkpoint: Mapping[str, Entry],
) -> Path:
    """Write the whole run as one file, complete or absent, then remove its segments.

    Parameters
    ----------
    path : path
        Normally ``run_path(...)``; the segments are looked for in ``parts_folder(path)``.
    header : dict
        Root attributes and tables; ``digest`` may be left out and is then computed from the checkpoint.
    rows : dict of str to ndarray, first axis = record
        All records of the run under the names of ``SERIES``.
    snapshots : list of Snapshot
    checkpoint : dict
        Final state.

    Raises
    ------
    InputError
        If the file cannot be written; the segments stay.
    ValueError
        If header, rows and snapshots do not fit together.
    """
    path = Path(path)
    missing = [name for name in (*ATTRIBUTES, *TABLES) if name not in header]
    if missing:
        raise ValueError(f"header lacks {', '.join(missing)}")
    digest = state_digest(checkpoint)
    if header.get("digest", digest) != digest:
        raise ValueError("header['digest'] is not state_digest(checkpoint)")
    names = [info.name for info in header["types"]]
    if list(header["columns"]["count"]) != names:
        raise ValueError(f"columns of 'count' are {header['columns']['count']}, the types are {names}")

    def write(file: h5py.File) -> None:
        own = {"format": RUN_FORMAT, "schema_version": SCHEMA_VERSION, "digest": digest}
        write_attributes(file, {**header, **own})
        write_types(file, header["types"], header["weights"])
        write_parameters(file, header["parameters"])
        write_doses(file, header["doses"], header["units"].get("doses", "1"))
        write_series(file, rows, header)
        write_snapshots(file.create_group("snapshots"), snapshots, header["types"])
        write_checkpoint(file.create_group("checkpoint"), checkpoint)

    publish(path, file_image(write))
    try:
        discard_segments(parts_folder(path))
    except OSError as error:
        raise cannot_write(parts_folder(path), error) from error
    return path


def find_runs(folder: str | Path) -> list[Path]:
    """Return the finished run files in a folder and below, sorted; segments, replicates and twins are passed over.

    Raises
    ------
    InputError
        If there is no such folder.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; name the folder that runs were written to")
    found = []
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.endswith(".parts")]
        found += [
            Path(place, name)
            for name in names
            if name.endswith(".h5")
            and not name.startswith(".")
            and name not in (REPLICATES_FILE, TWIN_FILE)
            and Path(place, name).is_file()  # no pipe or device
        ]
    return sorted(found)


def find_run(folder: str | Path, key: str) -> Path | None:
    """Return the finished run of a key in a folder, or None if there is none yet.

    Raises
    ------
    InputError
        If the file with the name of this key is truncated or foreign.
    """
    for path in sorted(Path(folder).glob(f"*-{key[:12]}.h5")):
        with opened(path, attributes=True) as file:
            if file.attrs["run_key"] == key:
                return path
    return None
