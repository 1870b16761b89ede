"""Tissue taken over from an earlier run."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import InputError
from ..snapshot import CellTypeInfo
from .lattice import Placement, empty_lattice


def place_earlier(
    shape: tuple[int, ...],
    site_um: float,
    types: Sequence[CellTypeInfo],
    layers: Sequence[str],
    occupant: Mapping[str, np.ndarray],
    earlier_types: Sequence[CellTypeInfo],
    earlier_um: float,
    region: np.ndarray,
    region_names: tuple[str, ...],
    uid: Mapping[str, np.ndarray] | None = None,
    attributes: Mapping[str, Mapping[str, np.ndarray]] | None = None,
    fields: Mapping[str, np.ndarray] | None = None,
    provenance: Mapping[str, Any] | None = None,
    seed: int = 0,
) -> Placement:
    """Take over the tissue of another run, cell by cell; types and layers are matched by name.

    Parameters
    ----------
    shape, site_um, types, layers, seed
        As for ``place_drawn``; lattice and pitch must be those of the earlier run.
    occupant : mapping of str to ndarray of uint8
        Layer = type ids of the earlier run.
    earlier_types : sequence of CellTypeInfo
        What those ids mean.
    earlier_um : float
        Pitch of the earlier run, um.
    region, region_names
        Regions of the earlier run.
    uid : mapping of str to ndarray of uint64, optional
        Layer = identities.
    attributes : mapping, optional
        Attribute = {layer: values}.
    fields : mapping, optional
        Field = values as a state holds them.
    provenance : mapping, optional
        Kept in the report.

    Raises
    ------
    InputError
        Another lattice or pitch, or cells of a type or layer that the model does not know.
    """
    before = region.shape
    if before != tuple(shape) or abs(earlier_um - site_um) > 1e-9 * site_um:
        raise InputError(
            f"the earlier run has {' x '.join(map(str, before))} sites of {earlier_um:g} um, the lattice "
            f"{' x '.join(map(str, shape))} of {site_um:g} um; set lattice and pitch to those of the earlier run"
        )
    lattice = empty_lattice(shape, site_um, types, layers, seed)
    known = {(info.name, info.layer): info.id for info in types}
    rename = np.zeros(256, np.uint8)
    lost = {}
    for info in earlier_types:
        number = int(np.count_nonzero(occupant[info.layer] == info.id))
        if (info.name, info.layer) in known:
            rename[info.id] = known[info.name, info.layer]
        elif number:
            lost[info.name] = number
    if lost:
        held = ", ".join(f"{number} {name}" for name, number in lost.items())
        raise InputError(
            f"the earlier run holds cells that the model does not know: {held}; use a model with these cell types "
            f"on the same layers (it has {', '.join(info.name for info in types)})"
        )
    for number, layer in enumerate(layers):
        if layer in occupant:
            lattice.occupant[number] = rename[occupant[layer]]
    placed = lattice.finished(
        region.copy(), region_names, {"kind": "snapshot", "earlier": dict(provenance or {})}
    )
    return Placement(
        placed.occupant,
        placed.region,
        placed.region_names,
        placed.report,
        None if uid is None else _stack(uid, layers, shape, np.dtype(np.uint64)),
        {
            name: _stack(part, layers, shape, np.dtype(np.float32))
            for name, part in (attributes or {}).items()
        },
        {name: np.array(values, np.float64) for name, values in (fields or {}).items()},
    )


def _stack(
    parts: Mapping[str, np.ndarray], layers: Sequence[str], shape: tuple[int, ...], dtype: np.dtype
) -> np.ndarray:
    """Return arrays by layer as one array in the order of the layers, 0 where there is none."""
    # array by array: through a common type, identities of 64 bits would lose their last digits
    return np.stack([np.asarray(parts.get(layer, np.zeros(shape)), dtype) for layer in layers])
