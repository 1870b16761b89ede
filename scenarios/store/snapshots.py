"""Snapshots of the tissue in a file: one occupancy block and one block of fields."""

from collections.abc import Mapping, Sequence

import h5py
import numpy as np

from ...abm.snapshot import CellTypeInfo, Snapshot
from .file import as_scale, read_array, read_text, write_array, write_text

MANTISSA_BITS = 12
AXES = ("z_um", "y_um", "x_um")  # a 2-D lattice has the last two


def round_mantissa(values: np.ndarray, bits: int = MANTISSA_BITS) -> np.ndarray:
    """Return float32 numbers rounded, ties to even, to so many mantissa bits.

    The relative error is at most 2**-(bits + 1), 1.2e-4 at 12 bits; rounding twice changes nothing.
    """
    exact = np.ascontiguousarray(values, dtype=np.float32)
    pattern = exact.view(np.uint32)
    spare = 23 - bits
    half = np.uint32((1 << (spare - 1)) - 1) + ((pattern >> np.uint32(spare)) & np.uint32(1))
    rounded = (pattern + half) & np.uint32(0xFFFFFFFF << spare & 0xFFFFFFFF)
    return np.where(np.isfinite(exact), rounded.view(np.float32), exact)


def write_snapshots(group: h5py.Group, snapshots: Sequence[Snapshot], types: Sequence[CellTypeInfo]) -> None:
    """Write snapshots that share one lattice, one set of layers and one set of fields.

    Raises
    ------
    ValueError
        If the snapshots differ in lattice, layers, fields or units.
    """
    if not snapshots:
        return
    first = snapshots[0]
    if any(_frame(other) != _frame(first) for other in snapshots):
        raise ValueError("snapshots of one run must share lattice, layers, fields and units")
    shape = next(iter(first.layers.values())).shape
    group.attrs.update(site_um=first.site_um, thickness_um=first.thickness_um)
    days = np.array([snapshot.time_days for snapshot in snapshots])
    time = as_scale(write_array(group, "time", days, units="d"))
    layer = as_scale(write_text(group, "layer", list(first.layers)))
    axes = [
        as_scale(write_array(group, name, (np.arange(size) + 0.5) * first.site_um, units="um"))
        for name, size in zip(AXES[-len(shape) :], shape, strict=True)
    ]
    occupancy = np.array(
        [[snapshot.layers[name] for name in first.layers] for snapshot in snapshots], dtype=np.uint8
    )
    write_array(
        group,
        "occupancy",
        occupancy,
        (time, layer, *axes),
        (1, 1, *shape),
        units="1",
        long_name="cell type of every site, 0 where empty",
        flag_values=np.array([0, *(info.id for info in types)], dtype=np.uint8),
        flag_meanings=" ".join(["empty", *(info.name.replace(" ", "_") for info in types)]),
    )
    if not first.fields:
        return
    field = as_scale(write_text(group, "field", list(first.fields)))
    units = [first.field_units.get(name, "") for name in first.fields]
    write_text(group, "field_unit", units, (field,))
    values = np.array(
        [[snapshot.fields[name] for name in first.fields] for snapshot in snapshots], dtype=np.float32
    )
    common = units[0] if len(set(units)) == 1 else "see field_unit"
    write_array(
        group,
        "fields",
        round_mantissa(values),
        (time, field, *axes),
        (1, 1, *shape),
        units=common,
        mantissa_bits=MANTISSA_BITS,
    )


def _frame(snapshot: Snapshot) -> tuple[object, ...]:
    shapes = {array.shape for array in (*snapshot.layers.values(), *snapshot.fields.values())}
    units = {name: snapshot.field_units.get(name, "") for name in snapshot.fields}
    lattice = (snapshot.site_um, snapshot.thickness_um, shapes)
    return (*lattice, set(snapshot.layers), units)


def read_snapshots(
    group: h5py.Group, types: tuple[CellTypeInfo, ...], weights: Mapping[str, float]
) -> list[Snapshot]:
    """Return the snapshots of a group, the fields with their rounded values."""
    if "time" not in group:
        return []
    layers = read_text(group, "layer")
    fields = read_text(group, "field") if "field" in group else []
    units = dict(zip(fields, read_text(group, "field_unit"), strict=True)) if fields else {}
    days = read_array(group, "time")
    occupancy = read_array(group, "occupancy")
    values = read_array(group, "fields") if fields else np.empty((len(occupancy), 0))
    _refuse_shapes(days, occupancy, values, layers, fields)
    if not {info.layer for info in types} <= {*layers}:
        raise ValueError("/types/layer names layers that /snapshots has not")
    known = np.zeros(256, bool)
    known[[0, *(info.id for info in types)]] = True
    if not known[occupancy].all():
        raise ValueError("/snapshots/occupancy holds unknown cell types")
    return [
        Snapshot(
            time_days=float(day),
            site_um=float(group.attrs["site_um"]),
            thickness_um=float(group.attrs["thickness_um"]),
            layers=dict(zip(layers, occupancy[i], strict=True)),
            types=types,
            fields=dict(zip(fields, values[i], strict=True)),
            field_units=dict(units),
            weights=dict(weights),
        )
        for i, day in enumerate(days)
    ]


def _refuse_shapes(
    days: np.ndarray, occupancy: np.ndarray, values: np.ndarray, layers: list[str], fields: list[str]
) -> None:
    """Raise ValueError for arrays that do not fit one another."""
    sites = occupancy.shape[2:]
    if occupancy.dtype != np.uint8 or days.dtype.kind != "f" or len(sites) not in (2, 3) or 0 in sites:
        raise ValueError("/snapshots/occupancy is no map of cell types")
    if days.ndim != 1 or occupancy.shape[:2] != (len(days), len(layers)):
        raise ValueError("/snapshots/occupancy does not fit its times and layers")
    if fields and (values.dtype.kind != "f" or values.shape != (len(days), len(fields), *sites)):
        raise ValueError("/snapshots/fields does not fit its times, fields and sites")
