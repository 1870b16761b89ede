"""The recorded series: which columns a run has, how they are checked and how they lie in the file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import h5py
import numpy as np

from .file import as_scale, read_array, read_text, write_array, write_text


@dataclass(frozen=True)
class Series:
    """One recorded quantity: its variable in the file, its second dimension and its number type."""

    variable: str
    dimension: str | None
    dtype: type
    unit: str | None  # fixed unit, or None where every column has its own
    group: str = "series"
    optional: bool = False  # absent in runs that have nothing to record

    @property
    def unit_variable(self) -> str:
        """Return the name of the string variable that holds one unit per column."""
        return f"{self.dimension.removesuffix('_state') if self.dimension else self.variable}_unit"


# Groups with a time axis of their own: pair correlations are taken less often than the rest, and what
# controllers see comes when they visit.
SERIES = {
    "time": Series("time", None, np.float64, "d"),
    "count": Series("count", "type", np.int64, "1"),
    "tumour_volume": Series("tumour_volume", None, np.float64, "cm3"),
    "body": Series("body", "body_state", np.float64, None),
    "field_mean": Series("field_mean", "field", np.float64, None),
    "event": Series("events", "event", np.int64, "1"),
    "ledger": Series("ledger", "species", np.float64, "1"),
    "tumour_fraction": Series("tumour_fraction", None, np.float64, "1", optional=True),
    "control": Series("control", "signal", np.float64, None, optional=True),
    "account": Series("field_account", "field_flow", np.float64, None, optional=True),
    "pair_time": Series("time", None, np.float64, "d", "pairs", True),
    "pair_correlation": Series("correlation", "pair", np.float64, "1", "pairs", True),
    "pair_total": Series("total", "layer", np.float64, "1", "pairs", True),
    "mean_field_valid": Series("mean_field_valid", None, np.uint8, "1", "pairs", True),
    "visit_time": Series("time", None, np.float64, "d", "visits", True),
    "visit": Series("visit", "quantity", np.float64, None, "visits", True),
}
TIMES = {"series": "time", "pairs": "pair_time", "visits": "visit_time"}


def conform_rows(
    rows: Mapping[str, np.ndarray], columns: Mapping[str, Sequence[str]]
) -> dict[str, np.ndarray]:
    """Return the rows of every series with the number type of the file.

    Raises
    ------
    ValueError
        If a series is missing or unknown, has the wrong shape or loses precision.
    """
    needed = {key for key, series in SERIES.items() if not series.optional}
    if not needed <= set(rows) <= set(SERIES):
        raise ValueError(
            f"rows hold {sorted(rows)}, expected {sorted(needed)} and perhaps more of {[*SERIES]}"
        )
    conformed: dict[str, np.ndarray] = {}
    for key, series in SERIES.items():
        if key not in rows:
            continue
        records = len(rows[TIMES[series.group]])
        values = np.asarray(rows[key])
        shape = (records,) if series.dimension is None else (records, len(columns[key]))
        if values.shape != shape:
            raise ValueError(f"rows of '{key}' have shape {values.shape}, expected {shape}")
        if not np.can_cast(values.dtype, series.dtype, "safe") and values.size:
            raise ValueError(f"rows of '{key}' are {values.dtype}, which {series.dtype.__name__} cannot hold")
        conformed[key] = np.ascontiguousarray(values, dtype=series.dtype)
    return conformed


def write_series(file: h5py.Group, rows: Mapping[str, np.ndarray], header: Mapping[str, Any]) -> None:
    """Write the series of a finished run, dimension scales attached and a unit on every variable.

    Raises
    ------
    ValueError
        If the rows do not fit the columns, or the number of units is not the number of columns.
    """
    rows = conform_rows(rows, header["columns"])
    for name, time_key in TIMES.items():
        if time_key in rows:
            group = file.create_group(name)
            time = as_scale(write_array(group, "time", rows[time_key], units="d"))
            for key in rows:
                if SERIES[key].group == name and key != time_key:
                    _write_one(group, key, rows[key], time, header)


def _write_one(
    group: h5py.Group, key: str, values: np.ndarray, time: h5py.Dataset, header: Mapping[str, Any]
) -> None:
    series, dims = SERIES[key], [time]
    unit = series.unit
    if series.dimension is not None:
        names = header["columns"][key]
        scale = as_scale(write_text(group, series.dimension, names))
        dims.append(scale)
        if unit is None:
            each = list(header["units"][key])
            if len(each) != len(names):
                raise ValueError(f"{len(each)} units for {len(names)} columns of '{key}'")
            write_text(group, series.unit_variable, each, (scale,))
            unit = each[0] if len(set(each)) == 1 else f"see {series.unit_variable}"
    # One chunk per column: a reader takes single states, and a smooth column packs best alone.
    chunks = (max(len(values), 1), 1)[: len(dims)]
    write_array(group, series.variable, values, dims, chunks, units=unit)


def read_rows(file: h5py.Group) -> dict[str, np.ndarray]:
    """Return the series of a finished run by their row names; those it did not record are absent."""
    return {
        key: read_array(file[series.group], series.variable)
        for key, series in SERIES.items()
        if not series.optional or series.variable in file.get(series.group, ())
    }


def read_columns(file: h5py.Group) -> dict[str, list[str]]:
    """Return the names of the columns of every series that has columns."""
    return {
        key: read_text(file[series.group], series.dimension)
        for key, series in SERIES.items()
        if series.dimension and series.dimension in file.get(series.group, ())
    }
