"""The tissue of an earlier run as the start of another one: a snapshot, or the exact final state."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ...abm.errors import InputError, some, unknown_word
from ...abm.model import Model
from ...abm.placement import Placement, place_earlier
from ...abm.snapshot import CellTypeInfo, RunRecord, Snapshot
from ..files.keys import FORKS

# the model of a run is stored as its files, one after the other: no longer one TOML document
_ATTRIBUTE = re.compile(
    r"""^\[\[attribute\]\].*\n(?:(?!\[).*\n)*?\s*name\s*=\s*["'](.+?)["']""", re.MULTILINE
)
_DAY = 1e-6  # two days are the same if they differ by less than a tenth of a second


def place_run(
    path: str | Path,
    day: float | None,
    fork: str,
    shape: tuple[int, ...],
    types: tuple[CellTypeInfo, ...],
    model: Model,
    seed: int,
) -> Placement:
    """Place the tissue that a finished run had on a day.

    Parameters
    ----------
    path : str or Path
        Run file.
    day : float or None
        One of its snapshots; the last if None.
    fork : str
        "snapshot": types of the cells and fields as stored (rounded), identities anew. "exact": the final
        state, every bit: types, identities, attributes and fields; the day can only be the last one.
    shape, types, model, seed
        Lattice, cell types and model of the new run; types and fields are matched by name.

    Raises
    ------
    InputError
        No run file, no snapshot of that day, another lattice or pitch, cells of unknown types.
    """
    from ..store import open_run, read_checkpoint

    if fork not in FORKS:
        raise unknown_word("fork", fork, FORKS, "[tissue]")
    record = open_run(path)
    snapshot = _snapshot(record, day, fork, path)
    arrays = read_checkpoint(path)
    report = record.attributes["tissue_report"]
    provenance = run_provenance(record, Path(path), snapshot.time_days, fork)
    known = {info.name: info.unit for info in model.fields}
    if fork == "exact":
        layers = list(snapshot.layers)
        occupant = _by_layer(arrays["tissue_occupant"], layers)
        uid = _by_layer(arrays["tissue_uid"], layers)
        attributes = _attributes(record, arrays, layers, path)
        fields = dict(zip(record.field_mean, np.asarray(arrays["tissue_fields"]), strict=True))
    else:
        occupant, uid, attributes = snapshot.layers, None, {}
        # a field that follows a body signal is stored at the body's level and solved per unit of it
        free = {f.name for f, row in zip(model.fields, model.tables.fields, strict=True) if row["scale"] < 0}
        fields = {name: values for name, values in snapshot.fields.items() if name in free}
    offered = set(fields)
    fields = {n: v for n, v in fields.items() if known.get(n) == record.field_units.get(n)}
    attributes = {info.name: attributes[info.name] for info in model.attributes if info.name in attributes}
    placement = place_earlier(
        shape,
        model.site_um,
        types,
        model.layers,
        occupant,
        record.types,
        snapshot.site_um,
        np.asarray(arrays["tissue_region"]),
        # the report comes back with sorted keys; the regions of every kind of tissue are named in that order
        tuple(report["regions"]),
        uid,
        attributes,
        fields,
        provenance | {"fields": sorted(fields), "attributes": sorted(attributes)},
        seed,
    )
    placement.report["notes"] = _notes(
        Path(path).name,
        {name: record.field_units.get(name, "") for name in offered - set(fields)},
        [info.name for info in model.attributes if info.name not in attributes],
        known,
    )
    return replace(placement, attributes=_restarted(placement, model, 24.0 * snapshot.time_days))


def _notes(file: str, left: Mapping[str, str], anew: list[str], known: Mapping[str, str]) -> list[str]:
    """Return what of the earlier run is not taken over: fields with their units, and attributes."""
    notes = []
    if left:
        words = (
            f"{name} ({unit} there, {known[name]} here)" if name in known else f"{name} (the model has none)"
            for name, unit in sorted(left.items())
        )
        notes.append(f"{file}: fields of the earlier run that are not taken over: {some(words)}")
    if anew:
        notes.append(f"{file}: attributes of cells that start anew: {some(anew)}")
    return notes


def _restarted(placement: Placement, model: Model, now_h: float) -> dict[str, np.ndarray]:
    """Return the attributes with clocks and timers, which are kept as times of the earlier run, from time 0 on."""
    shifted = {}
    for number, info in enumerate(model.attributes):
        if info.name in placement.attributes:
            carried = model.tables.carries["carried"][placement.occupant, number] != 0
            shift = np.where(carried & (info.kind != "count"), now_h, 0.0)
            shifted[info.name] = (placement.attributes[info.name] - shift).astype(np.float32)
    return shifted


def run_provenance(record: RunRecord, path: Path, day: float, fork: str) -> dict[str, Any]:
    """Return what identifies the tissue of an earlier run."""
    return {"file": path.name, "run_key": record.attributes["run_key"], "day": day, "fork": fork}


def _snapshot(record: RunRecord, day: float | None, fork: str, path: str | Path) -> Snapshot:
    days = [snapshot.time_days for snapshot in record.snapshots]
    if not days:
        raise InputError(f"{path}: the run holds no snapshot; run it again with output.snapshot_days")
    wanted = days[-1] if day is None else day
    if fork == "exact" and abs(wanted - days[-1]) > _DAY:
        raise InputError(
            f"{path}: only the last day, {days[-1]:g}, is kept to the last bit, not day {wanted:g}; run the scenario "
            "until that day, or take its snapshot (fork = 'snapshot')"
        )
    nearest = int(np.argmin([abs(d - wanted) for d in days]))
    if abs(days[nearest] - wanted) > _DAY:
        held = ", ".join(f"{d:g}" for d in days)
        raise InputError(
            f"{path}: no snapshot of day {wanted:g}; it holds days {held}; choose one of them, or run it again "
            "with output.snapshot_days"
        )
    return record.snapshots[nearest]


def _by_layer(array: Any, layers: list[str]) -> dict[str, np.ndarray]:
    return dict(zip(layers, np.asarray(array), strict=True))


def _attributes(
    record: RunRecord, arrays: Mapping[str, Any], layers: list[str], path: str | Path
) -> dict[str, dict[str, np.ndarray]]:
    """Return attribute -> layer -> values, named as the model of the earlier run declares them."""
    stored = np.asarray(arrays.get("tissue_attributes", ()))
    names = _ATTRIBUTE.findall(record.attributes["model_text"])
    if len(stored) != len(names):
        raise InputError(
            f"{path}: its model declares {len(names)} attributes and its state holds {len(stored)}; take its "
            "snapshot (fork = 'snapshot')"
        )
    return {name: _by_layer(values, layers) for name, values in zip(names, stored, strict=True)}
