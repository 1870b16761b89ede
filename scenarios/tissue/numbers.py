"""Numbers of [tissue] that are written as expressions over the parameters of the model."""

from collections.abc import Mapping
from typing import Any

from ...abm.model import Model

# key -> unit of its expression; a table holds the units of its own keys, "*" stands for all of them
_SHARES = {"*": "1"}
WHOLE = "whole number"  # of no unit, rounded
UNITS: dict[str, Any] = {
    **dict.fromkeys(("occupancy", "packing", "nodule_cells", "depth_sites", "least_immune"), "1"),
    **dict.fromkeys(
        ("scale_um", "clone_um", "margin_um", "radius_um", "pixel_um", "page_um", "tile_um"), "um"
    ),
    **dict.fromkeys(("composition", "shares"), _SHARES),
    "counts": {"*": WHOLE},
    "day": "d",
    "stroma": {"fraction": "1"},
    "vessels": {"per_mm2": "1/mm^2"},
    "immune": {"*": {"*": "1/mm^2"}},
    "nest": {"count": "1", "cells": "1", "radius_um": "um", "distance_um": "um"},
    "tile_classes": {"*": {"*": "1/mm^2"}},
    "table_mapping": {"*": _SHARES},
    "label_mapping": {"*": _SHARES},
}


def resolve_numbers(tissue: Mapping[str, Any], model: Model) -> dict[str, Any]:
    """Return [tissue] with every expression replaced by its number; numbers stay as they are.

    Parameters
    ----------
    tissue : mapping
        Where a number is meant, text is an expression such as ``1 - resistant_fraction``, in the unit that
        the key says (share: 1, ``_um``: um, ``per_mm2`` and tile classes: 1/mm^2; counts are rounded to whole cells).
    model : Model
        Supplies the parameters.

    Raises
    ------
    InputError
        Unknown parameter or wrong dimension.
    """
    return {key: _resolved(value, UNITS.get(key), f"[tissue] {key}", model) for key, value in tissue.items()}


def _resolved(value: Any, unit: Any, where: str, model: Model) -> Any:
    if isinstance(unit, str) and isinstance(value, str):
        number = model.scope.number(value, "1" if unit == WHOLE else unit, where)
        if unit == WHOLE:
            return float(round(number))
        # 0.1 * 30 is 3.0000000000000004: a count is meant
        return float(round(number)) if abs(number - round(number)) < 1e-9 * max(1.0, abs(number)) else number
    if isinstance(unit, dict) and isinstance(value, Mapping):
        return {
            key: _resolved(part, unit.get(key, unit.get("*")), f"{where} {key}", model)
            for key, part in value.items()
        }
    return value
