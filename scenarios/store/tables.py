"""The tables of a run file: cell types, weights, parameters and doses as parallel columns."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import h5py
import numpy as np

from ...abm.model import COLOUR
from ...abm.snapshot import CellTypeInfo
from .file import as_scale, read_array, read_text, write_array, write_text

ATTRIBUTES = (
    *("scenario", "arm", "patient", "seed", "run_key", "title", "model_text", "scenario_text", "versions"),
    *("source_hash", "created", "tissue_report", "wall_seconds", "stop_reason", "area_mm2"),
)
TABLES = ("types", "weights", "parameters", "doses", "columns", "units")
# What the root attributes are, where they are there.
_KINDS: dict[type, tuple[str, ...]] = {
    str: (*("scenario", "arm", "patient", "run_key", "title", "model_text"), *("created", "stop_reason")),
    int: ("seed", "schema_version"),
    float: ("area_mm2", "progressed_on_day"),
    dict: (
        *("scenario_text", "user_parameters", "versions", "tissue_report", "wall_seconds", "outcome"),
        *("multigrid_cycles", "field_solves_above_tolerance"),
    ),
}
_PLAIN = (str, int, float, np.integer, np.floating)


def write_types(file: h5py.File, types: Sequence[CellTypeInfo], weights: Mapping[str, float]) -> None:
    """Write /types and /weights, one row per cell type."""
    group = file.create_group("types")
    name = as_scale(write_text(group, "name", [info.name for info in types]))
    write_array(group, "id", np.array([info.id for info in types], dtype=np.int64), (name,), units="1")
    for column in ("display", "layer", "group", "colour"):
        write_text(group, column, [getattr(info, column) for info in types], (name,))
    group = file.create_group("weights")
    name = as_scale(write_text(group, "type", list(weights)))
    write_array(group, "weight", np.array(list(weights.values()), dtype=np.float64), (name,), units="1")


def read_types(file: h5py.File) -> tuple[tuple[CellTypeInfo, ...], dict[str, float]]:
    """Return the cell types and the weights."""
    group = file["types"]
    texts = [read_text(group, column) for column in ("name", "display", "layer", "group", "colour")]
    types = tuple(
        CellTypeInfo(int(key), *words)
        for key, words in zip(read_array(group, "id"), zip(*texts, strict=True), strict=True)
    )
    numbers = [info.id for info in types]
    if not types or not all(0 < number < 256 for number in numbers) or len({*numbers}) < len(numbers):
        raise ValueError(f"/types/id must be different whole numbers from 1 to 255, not {numbers}")
    for info in types:
        if not COLOUR.match(info.colour):
            raise ValueError(f"/types/colour of '{info.name}' is '{info.colour}', not of the form #rrggbb")
    group = file["weights"]
    pairs = zip(read_text(group, "type"), read_array(group, "weight"), strict=True)
    return types, {name: float(weight) for name, weight in pairs}


def write_parameters(file: h5py.File, parameters: Sequence[Mapping[str, Any]]) -> None:
    """Write /parameters: numbers in ``value`` (NaN where a value is none), every value exactly as JSON."""
    group = file.create_group("parameters")
    name = as_scale(write_text(group, "name", [row["name"] for row in parameters]))
    numbers = [
        float(row["value"]) if isinstance(row["value"], int | float | np.number) else np.nan
        for row in parameters
    ]
    write_array(
        group, "value", np.array(numbers, dtype=np.float64), (name,), units="see unit", long_name="value"
    )
    write_text(group, "value_json", [to_json(row["value"]) for row in parameters], (name,))
    for column in ("unit", "source", "owner"):
        write_text(group, column, [row[column] for row in parameters], (name,))


def read_parameters(file: h5py.File) -> list[dict[str, Any]]:
    """Return the parameters as a list of rows."""
    group = file["parameters"]
    columns = {column: read_text(group, column) for column in ("name", "unit", "source", "owner")}
    values = [json.loads(text) for text in read_text(group, "value_json")]
    return [
        {"name": name, "value": value, "unit": unit, "source": source, "owner": owner}
        for name, value, unit, source, owner in zip(
            columns["name"], values, columns["unit"], columns["source"], columns["owner"], strict=True
        )
    ]


def write_doses(file: h5py.File, doses: Sequence[tuple[float, str, float]], unit: str) -> None:
    """Write /doses in the order given."""
    group = file.create_group("doses")
    days = np.array([dose[0] for dose in doses], dtype=np.float64)
    time = as_scale(write_array(group, "time", days, units="d"))
    write_text(group, "drug", [dose[1] for dose in doses], (time,))
    amounts = np.array([dose[2] for dose in doses], dtype=np.float64)
    write_array(group, "amount", amounts, (time,), units=unit)


def read_doses(file: h5py.File) -> list[tuple[float, str, float]]:
    """Return the doses as (time_days, drug, amount)."""
    group = file["doses"]
    rows = zip(read_array(group, "time"), read_text(group, "drug"), read_array(group, "amount"), strict=True)
    return [(float(day), drug, float(amount)) for day, drug, amount in rows]


def write_attributes(file: h5py.File, header: Mapping[str, Any]) -> None:
    """Write everything of the header that is no table: text and numbers as they are, the rest as JSON."""
    packed = []
    for name, value in header.items():
        if name in TABLES:
            continue
        if not isinstance(value, _PLAIN) or isinstance(value, bool):
            packed.append(name)
            value = to_json(value)
        file.attrs[name] = value
    file.attrs["json_attributes"] = json.dumps(packed)


def read_attributes(file: h5py.File) -> dict[str, Any]:
    """Return the root attributes, JSON unpacked."""
    values = {
        name: value.item() if isinstance(value, np.generic) else value for name, value in file.attrs.items()
    }
    for name in json.loads(values.pop("json_attributes")):
        values[name] = json.loads(values[name])
    for kind, names in _KINDS.items():
        for name in names:
            if not isinstance(values.get(name, kind()), kind):
                raise ValueError(f"root attribute '{name}' is of type {type(values[name]).__name__}")
    for part, seconds in values.get("wall_seconds", {}).items():
        if not isinstance(seconds, int | float):
            raise ValueError(f"root attribute 'wall_seconds': '{part}' is of type {type(seconds).__name__}")
    return values


def to_json(value: Any) -> str:
    """Return canonical JSON: sorted keys, shortest exact floats, NumPy numbers as Python's.

    Raises
    ------
    ValueError
        If a number is not finite.
    """
    return json.dumps(value, sort_keys=True, allow_nan=False, separators=(",", ":"), default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} {value!r} has no place in a run file")
