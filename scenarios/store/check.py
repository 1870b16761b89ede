"""Check that a run file keeps what the format promises."""

from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np

from ...analysis.series import BOOKS_TOLERANCE
from .checkpoint import read_entries, state_digest
from .file import SCHEMA_VERSION, opened, read_array, text_attribute
from .series import SERIES, TIMES
from .tables import ATTRIBUTES, read_attributes, read_types

GROUPS = {
    "types": ("name", "id", "display", "layer", "group", "colour"),
    "weights": ("type", "weight"),
    "parameters": ("name", "value", "value_json", "unit", "source", "owner"),
    "doses": ("time", "drug", "amount"),
    "series": tuple(s.variable for s in SERIES.values() if not s.optional),
    "snapshots": (),
    "checkpoint": (),
}


def check_run(path: str | Path) -> list[str]:
    """Return what is wrong with a run file, one sentence each; nothing if it is valid.

    Raises
    ------
    InputError
        If the file is missing, truncated, damaged or not an oncolattice run file.
    """
    with opened(path) as file:
        version = file.attrs.get("schema_version")
        if version != SCHEMA_VERSION:
            return [f"schema_version is {version}, expected {SCHEMA_VERSION}"]
        missing = list(_missing(file))
        return missing or [*_variables(file), *_series(file), *_snapshots(file), *_state(file)]


def open_books(path: str | Path) -> list[str]:
    """Return which species of a run's ledger do not balance, one sentence each, from when on and by how much.

    Raises
    ------
    InputError
        As for `check_run`.
    """
    with opened(path) as file:
        series = file["series"]
        names, ledger, time = series["species"].asstr()[...], series["ledger"][...], series["time"][...]
    sentences = []
    for name, residual in zip(names, ledger.T, strict=True):
        open_at = np.flatnonzero(~(np.abs(residual) <= BOOKS_TOLERANCE))  # NaN does not close either
        if open_at.size:
            sentences.append(
                f"the books of {name} do not close: from day {time[open_at[0]]:g} on, the residual is up to "
                f"{np.max(np.abs(residual)):.3g} of what passed, where {BOOKS_TOLERANCE:g} is round-off; "
                "what tissue and body exchanged in this run is not to be trusted"
            )
    return sentences


def _missing(file: h5py.File) -> Iterator[str]:
    for name in (*ATTRIBUTES, "digest"):
        if name not in file.attrs:
            yield f"root attribute '{name}' is missing"
    for group, names in GROUPS.items():
        if not isinstance(file.get(group), h5py.Group):
            yield f"group /{group} is missing"
            continue
        for name in names:
            if not isinstance(file[group].get(name), h5py.Dataset):
                yield f"variable /{group}/{name} is missing"


def _variables(file: h5py.File) -> Iterator[str]:
    """Scales on every axis, a unit on every number, numbers finite, nothing unreadable."""
    for group in (*GROUPS, *(name for name in TIMES if name not in GROUPS)):
        if group == "checkpoint" or group not in file:
            continue
        for name, dataset in file[group].items():
            if not isinstance(dataset, h5py.Dataset):
                yield f"{dataset.name}: a group where only variables belong"
                continue
            if not dataset.is_scale:
                for axis in range(dataset.ndim):
                    if len(dataset.dims[axis]) != 1:
                        yield f"{dataset.name}: axis {axis} has no dimension scale attached"
                    elif len(dataset.dims[axis][0]) != dataset.shape[axis]:
                        yield f"{dataset.name}: axis {axis} differs in length from its scale"
            if dataset.dtype.kind == "O":
                continue
            if not text_attribute(dataset, "units"):
                yield f"{dataset.name}: no units"
            not_finite = int(np.count_nonzero(~np.isfinite(read_array(file[group], name))))
            if not_finite and dataset.name != "/parameters/value":
                yield f"{dataset.name}: {not_finite} numbers are not finite"


def _series(file: h5py.File) -> Iterator[str]:
    for series in SERIES.values():
        group = file.get(series.group, {})
        if series.optional and series.variable not in group:
            continue
        where, records = f"/{series.group}", group["time"].shape[0]
        shape: tuple[int, ...] = (records,)
        if series.dimension is not None:
            if series.dimension not in group:
                yield f"variable {where}/{series.dimension} is missing"
                continue
            shape = (records, group[series.dimension].shape[0])
            if series.unit is None and series.unit_variable not in group:
                yield f"variable {where}/{series.unit_variable} is missing"
        found = group[series.variable].shape
        if found != shape:
            yield f"{where}/{series.variable}: shape {found}, expected {shape}"
        if series.variable == "time" and np.any(np.diff(read_array(group, "time")) <= 0):
            yield f"{where}/time: not increasing"


def _snapshots(file: h5py.File) -> Iterator[str]:
    group = file["snapshots"]
    if "occupancy" not in group:
        if len(group):
            yield "variable /snapshots/occupancy is missing"
        return
    types, _ = read_types(file)
    strange = set(np.unique(read_array(group, "occupancy")).tolist()) - {0, *(info.id for info in types)}
    if strange:
        yield f"/snapshots/occupancy: unknown cell types {sorted(strange)}"


def _state(file: h5py.File) -> Iterator[str]:
    read_attributes(file)
    if state_digest(read_entries(file["checkpoint"])) != file.attrs["digest"]:
        yield "digest is not that of /checkpoint: the final state was altered"
