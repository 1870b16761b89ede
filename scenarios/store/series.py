"""The recorded series: which columns a run has, how they are checked and how they lie in the file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import h5py
import numpy as np

from .file import as_scale, write_array, write_text


@dataclass(frozen=True)
class Series:
    """One recorded quantity: its variable in the file, its second dimension and its number type."""

    variable: str
    dimension: str | None
    dtype: type
    unit: str | None  # fixed unit, or None where every column has its own

    @property
    def unit_variable(self) -> str:
        """Return the name of the string variable that holds one unit per column."""
        return f"{self.dimension.removesuffix('_state') if self.dimension else self.variable}_unit"


SERIES = {
    "time": Series("time", None, np.float64, "d"),
    "count": Series("count", "type", np.int64, "1"),
    "tumour_volume": Series("tumour_volume", None, np.float64, "cm3"),
    "body": Series("body", "body_state", np.float64, None),
    "field_mean": Series("field_mean", "field", np.float64, None),
    "event": Series("events", "event", np.int64, "1"),
    "ledger": Series("ledger", "species", np.float64, "1"),
}


def conform_rows(
    rows: Mapping[str, np.ndarray], columns: Mapping[str, Sequence[str]]
) -> dict[str, np.ndarray]:
    """Return the rows of every series with the number type of the file.

    Raises
    ------
    ValueError
        If a series is missing or unknown, has the wrong shape or loses precision.
    """
    if set(rows) != set(SERIES):
        raise ValueError(f"rows hold {sorted(rows)}, expected {sorted(SERIES)}")
    records = len(rows["time"])
    conformed: dict[str, np.ndarray] = {}
    for key, series in SERIES.items():
        values = np.asarray(rows[key])
        shape = (records,) if series.dimension is None else (records, len(columns[key]))
        if values.shape != shape:
            raise ValueError(f"rows of '{key}' have shape {values.shape}, expected {shape}")
        if not np.can_cast(values.dtype, series.dtype, "safe") and values.size:
            raise ValueError(f"rows of '{key}' are {values.dtype}, which {series.dtype.__name__} cannot hold")
        conformed[key] = np.ascontiguousarray(values, dtype=series.dtype)
    return conformed


def write_series(group: h5py.Group, rows: Mapping[str, np.ndarray], header: Mapping[str, Any]) -> None:
    """Write the series of a finished run, dimension scales attached and a unit on every variable.

    Raises
    ------
    ValueError
        If the rows do not fit the columns, or the number of units is not the number of columns.
    """
    columns, units = header["columns"], header["units"]
    rows = conform_rows(rows, columns)
    time = as_scale(write_array(group, "time", rows["time"], units="d"))
    for key, series in SERIES.items():
        if key == "time":
            continue
        dims = [time]
        unit = series.unit
        if series.dimension is not None:
            scale = as_scale(write_text(group, series.dimension, columns[key]))
            dims.append(scale)
            if unit is None:
                each = list(units[key])
                if len(each) != len(columns[key]):
                    raise ValueError(f"{len(each)} units for {len(columns[key])} columns of '{key}'")
                write_text(group, series.unit_variable, each, (scale,))
                unit = each[0] if len(set(each)) == 1 else f"see {series.unit_variable}"
        # One chunk per column: a reader takes single states, and a smooth column packs best alone.
        chunks = (max(len(rows["time"]), 1), 1)[: len(dims)]
        write_array(group, series.variable, rows[key], dims, chunks, units=unit)


def read_rows(group: h5py.Group) -> dict[str, np.ndarray]:
    """Return the series of a finished run by their row names."""
    return {key: group[series.variable][...] for key, series in SERIES.items()}
