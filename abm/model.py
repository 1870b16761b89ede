"""Compile a model file into the read-only tables that the engine runs on."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .compile.attributes import AttributeInfo, compile_attributes, read_attributes
from .compile.fields import compile_densities, compile_diffusion_in, compile_fields
from .compile.model_file import ModelSpec, as_list, read_model
from .compile.parameters import Override, Scope
from .compile.rules import compile_behaviours
from .compile.words import Words
from .errors import InputError, unknown_word
from .ode_model import Parameter, Variable
from .snapshot import CellTypeInfo
from .tables import Tables
from .vocabulary import BOUNDARIES, NEIGHBOURHOODS, UPDATES

MOST_TYPES = 255  # one byte a site, 0 for none
COLOUR = re.compile(r"#[0-9A-Fa-f]{6}$")
SITE_UM = 1e-3, 1e5  # from a molecule to a tumour: what lies beyond is a slip of the pen, and overflows
STEP_H = 1e-6, 1e5


@dataclass(frozen=True)
class FieldInfo:
    """Name and unit of a field, for people."""

    name: str
    display: str
    unit: str


@dataclass(frozen=True)
class BodySignal:
    """A number that the body supplies to the tissue.

    ``free_of`` >= 0: unbound fraction of that signal. ``pulse``: it is above 0 for single steps only, so the limit on
    events a step is not for what it drives.
    """

    name: str
    unit: str
    default: float
    free_of: int
    affinity: float
    pulse: bool = False


@dataclass(frozen=True)
class Model:
    """A compiled model: what is fixed during a run.

    Attributes
    ----------
    spec : ModelSpec
        The file as written.
    site_um, dt_h : float
    layers : tuple of str
    types : tuple of CellTypeInfo
        Ids are positions + 1.
    fields : tuple of FieldInfo
    signals : tuple of BodySignal
    densities : tuple of Variable
    attributes : tuple of AttributeInfo
    events : tuple of str
        Names of the event counters, "<type>: <what happened>".
    event_cells : ndarray of int32, shape (event, 2)
        Type of the cell that an event takes from its site and of the one that stands there after: 0 for none,
        TO_BODY for one that goes back to blood.
    scope : Scope
        Every parameter with unit and source.
    tables : Tables
        What kernels read.
    """

    spec: ModelSpec
    site_um: float
    dt_h: float
    layers: tuple[str, ...]
    types: tuple[CellTypeInfo, ...]
    fields: tuple[FieldInfo, ...]
    signals: tuple[BodySignal, ...]
    densities: tuple[Variable, ...]
    attributes: tuple[AttributeInfo, ...]
    events: tuple[str, ...]
    event_cells: np.ndarray
    scope: Scope
    tables: Tables

    @property
    def name(self) -> str:
        """Return the name of the model."""
        return self.spec.model["name"]

    @property
    def dimensions(self) -> int:
        """Return 2 for a section, 3 for a block."""
        return int(self.spec.model["dimensions"])

    @property
    def periodic(self) -> bool:
        """Return whether the lattice is a ring along every axis."""
        return bool(self.spec.model["boundary"] == "periodic")

    def check_shape(self, shape: tuple[int, ...]) -> None:
        """Check that a lattice fits the model.

        Raises
        ------
        InputError
            It has another number of dimensions, or fewer sites along an axis than a daughter may look.
        """
        if len(shape) != self.dimensions:
            words = {2: "a section (rows x columns)", 3: "a block (planes x rows x columns)"}
            raise InputError(
                f"{self.name} has dimensions = {self.dimensions} and needs {words[self.dimensions]}; "
                f"the placed tissue is {' x '.join(str(n) for n in shape)}"
            )
        rings = max((int(r) for r in self.tables.slots["rings"]), default=1)
        least = 2 * rings + 1
        if min(shape) < least and self.periodic:
            raise InputError(
                f"{self.name} is periodic and reaches {rings} sites, so it needs at least {least} sites each way; "
                f"the placed tissue is {' x '.join(str(n) for n in shape)}"
            )

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Return every parameter with value, unit and source."""
        return self.scope.parameters

    def type_id(self, name: str, where: str = "cell type") -> int:
        """Return the id of a cell type.

        Raises
        ------
        InputError
        """
        for info in self.types:
            if info.name == name:
                return info.id
        raise unknown_word("cell type", name, [info.name for info in self.types], where)

    def members(self, word: str, where: str = "cell type or group") -> tuple[int, ...]:
        """Return the ids of a type or of the types of a group.

        Raises
        ------
        InputError
        """
        ids = tuple(info.id for info in self.types if word in (info.name, info.group))
        if not ids:
            words = {info.name for info in self.types} | {info.group for info in self.types}
            raise unknown_word("cell type or group", word, words, where)
        return ids


def load_model(
    name_or_path: str, overrides: Mapping[str, Override] | None = None, beside: Path | None = None
) -> Model:
    """Read, check and compile a model.

    Parameters
    ----------
    name_or_path : str
        Name of a library model or path of a TOML file.
    overrides : mapping of str to Override, optional
        Parameter values from outside.

    Raises
    ------
    InputError
        Anything wrong in the file: see docs/format.md.
    """
    return compile_model(read_model(name_or_path, beside), overrides or {}, {})


def read_types(spec: ModelSpec) -> tuple[CellTypeInfo, ...]:
    """Return the cell types of a specification with inherited looks; ids follow the order of declaration.

    Raises
    ------
    InputError
    """
    layers = spec.model["layers"]
    seen: dict[str, dict[str, Any]] = {}
    infos: list[CellTypeInfo] = []
    for entry in spec.sections["cell_type"]:
        where = entry["where"]
        if entry["name"] in seen:
            raise InputError(f"{where}: cell type '{entry['name']}' is declared twice")
        base = entry.get("like")
        if base is not None and base not in seen:
            raise unknown_word("cell type", base, seen, f"{where} like")
        full = (seen[base] if base else {}) | entry
        for key in ("display", "layer", "colour"):
            if key not in full:
                raise InputError(f"{where}: '{key}' is missing, and no 'like' supplies it")
        if full["layer"] not in layers:
            raise unknown_word("layer", full["layer"], layers, where)
        if not COLOUR.match(full["colour"]):
            raise InputError(f"{where}: colour '{full['colour']}' is not of the form #rrggbb")
        seen[entry["name"]] = full
        infos.append(
            CellTypeInfo(
                len(infos) + 1,
                full["name"],
                full["display"],
                full["layer"],
                full.get("group", full["name"]),
                full["colour"],
            )
        )
    if not 1 <= len(infos) <= MOST_TYPES:
        raise InputError(
            f"{spec.model['name']}: a model has 1 to {MOST_TYPES} cell types, one byte a site, and {len(infos)} "
            "[[cell_type]] are declared; tell cells apart by an [[attribute]] instead"
        )
    return tuple(infos)


def compile_model(
    spec: ModelSpec, overrides: Mapping[str, Override], measured: Mapping[str, float], draft: bool = False
) -> Model:
    """Compile a specification; ``measured`` fills parameters that the placed tissue defines.

    A ``draft`` is compiled to place a tissue, before anything is measured: rates that mix what is known with
    defaults of what is not are no rates of any run, so no limit is held against them.

    Raises
    ------
    InputError
    """
    head, where = spec.model, f"[model] {spec.model['name']}"
    for key, choices in (("update", UPDATES), ("neighbourhood", NEIGHBOURHOODS), ("boundary", BOUNDARIES)):
        if head[key] not in choices:
            raise unknown_word(key, head[key], choices, where)
    if head["dimensions"] not in (2, 3):
        raise InputError(f"{where}: dimensions = {head['dimensions']} is not among the choices (2, 3)")
    types = read_types(spec)
    scope = Scope(spec, overrides, measured)
    site_um = scope.within(head["site"], "um", f"{where} site", *SITE_UM)
    dt_h = scope.within(head["time_step"], "h", f"{where} time_step", *STEP_H)

    fields = tuple(
        FieldInfo(f["name"], f.get("display", f["name"]), f["unit"]) for f in spec.sections["field"]
    )
    signals = _read_signals(spec, scope)
    densities = tuple(Variable(d["name"], d["unit"]) for d in spec.sections["density"])
    attributes = read_attributes(spec)
    carries = compile_attributes(spec, scope, types)
    words = Words(scope, types, fields, signals, densities, attributes, carries, site_um, dt_h, draft)
    field_table = compile_fields(spec, words)
    density_table, density_weight = compile_densities(spec, words)
    type_table, slots, victims, rules, changes, events = compile_behaviours(spec, words)
    tables = Tables(
        types=type_table,
        slots=slots,
        rules=rules,
        changes=changes,
        carries=carries,
        sets=np.array(words.sets, dtype=np.uint8).reshape(-1, len(types) + 1),
        victim_event=victims,
        fields=field_table,
        densities=density_table,
        density_weight=density_weight,
        diffusion_in=compile_diffusion_in(spec, words),
        stirred=_read_stirred(spec, scope, types),
        dt_h=dt_h,
        update=UPDATES.index(head["update"]),
        events=len(events.names),
    )
    _read_only(tables)
    layers = tuple(head["layers"])
    return Model(
        spec, site_um, dt_h, layers, types, fields, signals, densities, attributes, tuple(events.names),
        events.table(), scope, tables,
    )  # fmt: skip


def _read_stirred(spec: ModelSpec, scope: Scope, types: Sequence[CellTypeInfo]) -> np.ndarray:
    """Return, by layer, whether its cells are stirred.

    Raises
    ------
    InputError
        Unknown layer, a number that is neither 0 nor 1, or a layer with entry points.
    """
    layers, where = spec.model["layers"], f"[model] {spec.model['name']} stirred"
    stirred = np.zeros(len(layers), np.uint8)
    for layer, entry in spec.model.get("stirred", {}).items():
        if layer not in layers:
            raise unknown_word("layer", layer, layers, where)
        value = scope.number(str(entry), "1", f"{where} {layer}")
        if value not in (0.0, 1.0):
            raise InputError(
                f"{where}: {layer} must be 0 (left alone) or 1 (stirred each step), got {value:g}"
            )
        stirred[layers.index(layer)] = int(value)
        admits = [b for b in spec.sections["behaviour"] if b["do"].startswith("admit ")]
        admitting = {word for behaviour in admits for word in as_list(behaviour["cell"])}
        for info in types:
            if value and info.layer == layer and admitting & {info.name, info.group}:
                raise InputError(
                    f"{where}: {info.name} lets cells in where it stands, so its layer '{layer}' cannot be stirred; "
                    "put it on a layer of its own"
                )
    return stirred


def _read_signals(spec: ModelSpec, scope: Scope) -> tuple[BodySignal, ...]:
    entries = spec.sections["body_signal"]
    names = [entry["name"] for entry in entries]
    signals = []
    for entry in entries:
        where, free_of, affinity = entry["where"], -1, 1.0
        if names.count(entry["name"]) > 1:
            raise InputError(f"{where}: body signal '{entry['name']}' is declared twice")
        if "free_of" in entry:
            if entry["free_of"] not in names:
                raise unknown_word("body signal", entry["free_of"], names, f"{where} free_of")
            if "affinity" not in entry or entry["free_of"] == entry["name"]:
                raise InputError(f"{where}: free_of needs an affinity and a body signal other than itself")
            free_of = names.index(entry["free_of"])
            affinity = scope.positive(
                entry["affinity"], entries[free_of]["unit"], f"{where} affinity", zero=False
            )
        default = scope.number(entry["default"], entry["unit"], f"{where} default")
        pulse = entry.get("pulse", 0)
        if pulse not in (0, 1):
            raise InputError(
                f"{where}: pulse must be 0 (a level that lasts) or 1 (single steps), got {pulse}"
            )
        signals.append(BodySignal(entry["name"], entry["unit"], default, free_of, affinity, bool(pulse)))
    return tuple(signals)


def _read_only(table: object) -> None:
    for part in table if isinstance(table, tuple) else ():
        if isinstance(part, np.ndarray):
            part.setflags(write=False)
        else:
            _read_only(part)
