"""Turn fields and density signals from words into rows of numbers."""

from typing import Any

import numpy as np

from .. import vocabulary as v
from ..errors import InputError
from ..tables import DENSITY_ROW, FIELD_ROW, record
from .model_file import ModelSpec, expand_groups
from .words import Words, one_of

WHOLE_LATTICE = 2**30  # a radius in sites that is beyond ten times any lattice, so the mean of the whole


def compile_fields(spec: ModelSpec, words: Words) -> np.ndarray:
    """Compile the fields.

    Raises
    ------
    InputError
    """
    rows: list[tuple] = []
    names = [entry["name"] for entry in spec.sections["field"]]
    lattice_boundary = spec.model["boundary"]
    for entry in spec.sections["field"]:
        where, unit = entry["where"], entry["unit"]
        if names.count(entry["name"]) > 1:
            raise InputError(f"{where}: field '{entry['name']}' is declared twice")
        vessels = -1
        if "vessel_type" in entry:
            vessels = words.set_of(entry["vessel_type"], f"{where} vessel_type")
        for key in ("vessel_exchange", "vessel_level"):
            if (key in entry) != (vessels >= 0):
                raise InputError(f"{where}: vessel_type, vessel_exchange and vessel_level belong together")
        scale_unit = unit if entry.get("normalise") == "tissue mean" else "1"
        signal = [
            words.body_signal(entry, "scale", scale_unit),
            words.body_signal(entry, "background_signal", f"{unit}/h"),
        ]

        def number(key: str, key_unit: str, entry: dict = entry, where: str = where) -> float:
            if key not in entry:
                return 0.0
            zero = key not in ("diffusivity", "tolerance")
            return words.scope.positive(entry[key], key_unit, f"{where} {key}", zero=zero)

        boundary = one_of(v.FIELD_BOUNDARIES, entry.get("boundary", lattice_boundary), "boundary", where)
        _check_boundary(entry, boundary, lattice_boundary, where)
        permeability = np.inf
        if "boundary_permeability" in entry:
            permeability = number("boundary_permeability", "um/h") / words.site_um
        order = entry.get("time_order", 1)
        if order not in (1, 2):
            raise InputError(f"{where}: time_order = {order} is not among the choices (1, 2)")
        rows.append(
            (
                number("diffusivity", "um^2/h") / words.site_um**2,
                number("decay", "1/h"),
                number("tolerance", "1"),
                number("initial", unit),
                number("background", f"{unit}/h"),
                number("vessel_exchange", "1/h"),
                number("vessel_level", unit),
                number("boundary_level", unit),
                permeability,
                words.steps(entry["update_interval"], f"{where} update_interval"),
                one_of(v.FIELD_SOLVERS, entry["solver"], "solver", where),
                order,
                boundary,
                _faces(entry, where),
                vessels,
                one_of(v.NORMALISATIONS, entry.get("normalise", "none"), "normalise", where),
                *signal,
            )
        )
    return record(rows, FIELD_ROW)


def _check_boundary(entry: dict[str, Any], boundary: int, lattice_boundary: str, where: str) -> None:
    if (boundary == v.RING) != (lattice_boundary == "periodic") and boundary != v.FIXED:
        raise InputError(
            f"{where}: a field is periodic where the lattice is, and only there; the lattice is {lattice_boundary}"
        )
    if boundary == v.FIXED and lattice_boundary == "periodic":
        raise InputError(f"{where}: a periodic lattice has no faces to fix a level at")
    if (boundary == v.FIXED) != ("boundary_level" in entry):
        raise InputError(f"{where}: boundary = 'fixed' and boundary_level belong together")
    for key in ("faces", "boundary_permeability"):
        if key in entry and boundary != v.FIXED:
            raise InputError(f"{where}: '{key}' has a meaning for boundary = 'fixed' only; take it out")


def _faces(entry: dict[str, Any], where: str) -> int:
    """Return the faces with a fixed level as bits."""
    bits = 0
    for face in entry.get("faces", v.FACES):
        bits |= 1 << one_of(v.FACES, face, "face", where)
    return bits


def compile_diffusion_in(spec: ModelSpec, words: Words) -> np.ndarray:
    """Return D / site^2 (1/h) of every field where a cell type sits, shape (field, type + 1); -1: as elsewhere.

    Raises
    ------
    InputError
    """
    table = np.full((len(words.fields), len(words.types) + 1), -1.0)
    for row, entry in zip(table, spec.sections["field"], strict=True):
        where = f"{entry['where']} diffusivity_in"
        for word, expression in entry.get("diffusivity_in", {}).items():
            if not isinstance(expression, str):
                raise InputError(f"{where}.{word} must be text (an expression), got {expression!r}")
            value = words.scope.positive(expression, "um^2/h", f"{where}.{word}", zero=False)
            for name in expand_groups(word, spec.sections["cell_type"], where):
                row[1 + words.index("cell type", name, words.types, where)] = value / words.site_um**2
    return table


def compile_densities(spec: ModelSpec, words: Words) -> tuple[np.ndarray, np.ndarray]:
    """Compile the density signals.

    Raises
    ------
    InputError
    """
    rows, weights = [], []
    names = [entry["name"] for entry in spec.sections["density"]]
    for entry in spec.sections["density"]:
        where = entry["where"]
        if names.count(entry["name"]) > 1:
            raise InputError(f"{where}: density '{entry['name']}' is declared twice")
        um = words.scope.positive(entry["radius"], "um", f"{where} radius", zero=False)
        row = [0.0] * (len(words.types) + 1)
        for word, expression in entry["weights"].items():
            if not isinstance(expression, str):
                raise InputError(f"{where}: weights.{word} must be text (an expression), got {expression!r}")
            weight = words.scope.positive(expression, entry["unit"], f"{where} weights.{word}")
            for name in expand_groups(word, spec.sections["cell_type"], where):
                row[1 + words.index("cell type", name, words.types, where)] = weight
        weights.append(row)
        over = entry.get("normalise_over")
        rows.append(
            (
                words.steps(entry["update_interval"], f"{where} update_interval"),
                max(1, round(min(um / words.site_um, WHOLE_LATTICE))),
                -1 if over is None else words.set_of(over, where),
            )
        )
    return record(rows, DENSITY_ROW), np.array(weights, float).reshape(-1, len(words.types) + 1)
