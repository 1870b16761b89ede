"""Read a finished run back."""

from pathlib import Path
from typing import Any

import h5py

from ...abm.errors import InputError
from ...abm.snapshot import Columns, RunRecord
from .checkpoint import Entry, read_entries
from .file import SCHEMA_VERSION, opened, read_text
from .series import SERIES, TIMES, conform_rows, read_columns, read_rows
from .snapshots import read_snapshots
from .tables import read_attributes, read_doses, read_parameters, read_types


def open_run(path: str | Path, *, snapshots: bool = True) -> RunRecord:
    """Return one finished run, read whole; the file is closed again.

    Parameters
    ----------
    path : path
    snapshots : bool
        False leaves the snapshots out, for tables over many runs.

    Raises
    ------
    InputError
        If the file is missing, truncated, damaged, foreign or of another schema version.
    """
    with opened(path) as file:
        refuse_version(file, path)
        attributes = read_attributes(file)
        types, weights = read_types(file)
        series, names = file["series"], read_columns(file)
        rows = conform_rows(read_rows(file), names)
        if names["count"] != [info.name for info in types]:
            raise ValueError("the columns of /series/count are not the cell types")
        table: dict[str, dict[str, Any]] = {
            key: dict(zip(names[key], rows[key].T.copy(), strict=True)) for key in names
        }
        units = {
            key: dict(zip(names[key], read_text(series, SERIES[key].unit_variable), strict=True))
            for key in ("body", "field_mean")
        }
        return RunRecord(
            scenario=attributes["scenario"],
            arm=attributes["arm"],
            patient=attributes["patient"],
            seed=attributes["seed"],
            time_days=rows["time"],
            types=types,
            count=rows["count"],
            tumour_volume_cm3=rows["tumour_volume"],
            body=table["body"],
            body_units=units["body"],
            field_mean=table["field_mean"],
            field_units=units["field_mean"],
            events=table["event"],
            ledger=table["ledger"],
            doses=read_doses(file),
            snapshots=tuple(read_snapshots(file["snapshots"], types, weights)) if snapshots else (),
            area_mm2=attributes["area_mm2"],
            weights=weights,
            attributes=attributes,
            parameters=read_parameters(file),
            more=_read_more(file, rows, names),
        )


def _read_more(file: h5py.File, rows: dict[str, Any], names: dict[str, list[str]]) -> dict[str, Columns]:
    """Return the optional series of a run, each with its time axis and units."""
    more = {}
    for key, series in SERIES.items():
        time = TIMES[series.group]
        if not series.optional or key not in rows or key == time:
            continue
        if series.dimension is None:
            values, units = {key: rows[key]}, [series.unit or "1"]
        else:
            values = dict(zip(names[key], rows[key].T.copy(), strict=True))
            own = series.unit is None
            units = (
                read_text(file[series.group], series.unit_variable)
                if own
                else [str(series.unit)] * len(values)
            )
        more[key] = Columns(rows[time], values, dict(zip(values, units, strict=True)))
    return more


def read_checkpoint(path: str | Path) -> dict[str, Entry]:
    """Return the final state of a run, bit for bit.

    Raises
    ------
    InputError
        If the file is missing, truncated, damaged, foreign or of another schema version.
    """
    with opened(path) as file:
        refuse_version(file, path)
        return read_entries(file["checkpoint"])


def refuse_version(file: h5py.File, path: str | Path) -> None:
    """Raise InputError for a file of another schema version."""
    version = file.attrs.get("schema_version")
    if version != SCHEMA_VERSION:
        raise InputError(
            f"{path}: schema version {version}, this oncolattice reads {SCHEMA_VERSION}; "
            "read it with the version that wrote it"
        )
