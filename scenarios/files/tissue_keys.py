"""Which keys of [tissue] and [lattice] belong together; known without reading any file."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from ...abm.errors import InputError, unknown_word
from ...abm.placement.checks import IGNORE
from ...abm.placement.drawn import DRAWN_KEYS
from ...abm.placement.tiles import check_corner
from .keys import TISSUE_KINDS

_NUMBERS = ("counts", "ceil")
FILE_KINDS = ("image", "table", "tiles", "snapshot")
# What each kind reads besides the keys of drawn tissue, which a scenario may have from the one it extends.
KIND_KEYS: dict[str, tuple[str, ...]] = {
    "drawn": (),
    "scattered": ("shares", *_NUMBERS),
    "nodule": ("radius_um", "nodule_cells", "packing", "nest", *_NUMBERS),
    "nodule in stroma": ("radius_um", "nodule_cells", "packing", "nest", *_NUMBERS),
    "nests": ("nest", *_NUMBERS),
    "strip": ("side", "depth_sites", "packing", *_NUMBERS),
    "image": ("file", "page_um", "label_mapping"),
    "table": ("file",),
    "tiles": ("file", "slide", "tile_um", "tile_corner", "tile_classes"),
    "snapshot": ("file", "day", "fork"),
}
# What a cell table reads; it may take the place of any kind (run --tissue).
TABLE_KEYS = ("table_columns", "table_mapping", "table_fill", "image_column", "image", "pixel_um")
_EVERY_KIND = (*DRAWN_KEYS, "kind", "immune_lesion", *TABLE_KEYS)


def lattice_shape(lattice: Mapping[str, Any], dimensions: int) -> tuple[int, ...]:
    """Return (rows, columns) or (planes, rows, columns).

    Raises
    ------
    InputError
        A 3-D model without planes, or a 2-D one with planes.
    """
    flat = lattice["rows"], lattice["columns"]
    if (dimensions == 3) != ("planes" in lattice):
        cure = (
            "give lattice.planes"
            if dimensions == 3
            else "remove lattice.planes or use a model of 3 dimensions"
        )
        raise InputError(
            f"the tissue model has {dimensions} dimensions and the lattice {2 + ('planes' in lattice)}; {cure}"
        )
    return (lattice["planes"], *flat) if dimensions == 3 else flat


def check_tissue(tissue: Mapping[str, Any]) -> str:
    """Return the kind of tissue, after checking that all keys belong to it.

    Raises
    ------
    InputError
        Unknown kind, a key that only other kinds read, a number that is none, a tile corner that is not two whole
        numbers, a mapping to what is no cell type, an occupancy that leaves nothing to draw or no room, or a file that
        is missing from [tissue].
    """
    kind = tissue.get("kind", TISSUE_KINDS[0])
    if kind not in TISSUE_KINDS:
        raise unknown_word("kind", str(kind), TISSUE_KINDS, "[tissue]")
    for key in tissue:
        if key not in KIND_KEYS[kind] and key not in _EVERY_KIND:
            readers = ", ".join(name for name, keys in KIND_KEYS.items() if key in keys)
            if not readers:
                raise unknown_word("key", key, {*KIND_KEYS[kind], *_EVERY_KIND}, "[tissue]")
            raise InputError(
                f"[tissue]: '{key}' is not for kind '{kind}' but for {readers}; remove it or set the kind"
            )
    for name, number in _numbers(tissue, "tissue"):
        if not math.isfinite(number):
            raise InputError(f"{name} must be a finite number, got {number}")
    if "tile_corner" in tissue:
        check_corner(tissue["tile_corner"])
    for key in ("table_mapping", "label_mapping"):
        for name, target in tissue.get(key, {}).items():
            if not isinstance(target, str | dict):
                raise InputError(
                    f"[tissue] {key}: '{name}' stands for a cell type, 'ignore' or shares such as "
                    f"{{ A = 0.25, B = 0.75 }}, got {target!r}"
                )
    occupancy = tissue.get("occupancy")
    if kind == "drawn" and isinstance(occupancy, int | float) and not 0 < occupancy < 1:
        raise InputError(f"tissue.occupancy must lie between 0 and 1, got {occupancy:g}")
    if kind in FILE_KINDS and "file" not in tissue:
        raise InputError(f"[tissue]: 'file' is missing; kind '{kind}' needs one")
    return kind


def _numbers(value: Any, name: str) -> Iterator[tuple[str, float]]:
    """Yield the numbers of a table, and of the tables and lists in it, with their names."""
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from _numbers(part, f"{name}.{key}")
    elif isinstance(value, list):
        for part in value:
            yield from _numbers(part, name)
    elif isinstance(value, float):
        yield name, value


def placed_types(tissue: Mapping[str, Any]) -> Iterator[str]:
    """Yield the cell types that a [tissue] table names."""
    for key in ("composition", "immune", "shares", "counts"):
        yield from tissue.get(key, {})
    yield from tissue.get("ceil", ())
    for key in ("stroma", "vessels", "nest"):
        if key in tissue:
            yield str(tissue[key].get("type"))
    for key in ("table_mapping", "label_mapping"):
        for word in tissue.get(key, {}).values():
            yield from word if isinstance(word, dict) else [word] if word != IGNORE else []
    for densities in tissue.get("tile_classes", {}).values():
        yield from densities if isinstance(densities, dict) else ()
