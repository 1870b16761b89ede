"""Tissue of a scenario: the placement of the kind that it asks for."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ...abm.errors import InputError
from ...abm.model import Model
from ...abm.placement import (
    Placement,
    place_drawn,
    place_labels,
    place_nests,
    place_nodule,
    place_scattered,
    place_strip,
    place_table,
    place_tiles,
)
from ...abm.placement.checks import check_number
from ...abm.placement.drawn import DRAWN_KEYS
from ...abm.placement.labels import MOST_COARSE_UM, MOST_FINE_UM
from ...abm.snapshot import CellTypeInfo
from ..files.keys import FORKS
from ..files.tissue_keys import FILE_KINDS, check_tissue, lattice_shape
from .density import DENSITY_SOURCE as DENSITY_SOURCE
from .density import density_table as density_table
from .density import draw_densities as draw_densities
from .earlier import place_run, run_provenance
from .frame import PIXELS
from .image import file_digest, read_image, read_tiles
from .numbers import resolve_numbers
from .table import CellTable as CellTable
from .table import apply_mapping as apply_mapping
from .table import check_mapped as check_mapped
from .table import read_cell_table as read_cell_table

TILE_UM = 112.0  # of the class maps of Lin 2023, 10.1038/s43018-023-00576-1


def tissue_provenance(tissue: Mapping[str, Any]) -> dict[str, Any]:
    """Return what identifies the file that a [tissue] table reads; empty if it reads none.

    Raises
    ------
    InputError
        The file is missing or unreadable.
    """
    kind = check_tissue(tissue)
    if kind not in FILE_KINDS:
        return {}
    path = Path(tissue["file"])
    if kind == "snapshot":
        from ..store import open_run

        record = open_run(path, snapshots=False)
        # the day is a setting of the scenario already; the run key says which tissue it is the day of
        return run_provenance(record, path, float(record.time_days[-1]), tissue.get("fork", FORKS[0]))
    return {"file": path.name, "sha256": file_digest(path, "file")}


def table_of(path: str | Path, tissue: Mapping[str, Any]) -> CellTable:
    """Return the cells of a table as a [tissue] table says that it is to be read.

    Raises
    ------
    InputError
    """
    return read_cell_table(
        path,
        tissue.get("table_columns"),
        tissue.get("image"),
        tissue.get("image_column"),
        # the pixels of a scenario's own image are not those of a table in its place
        "pixel_um" in tissue and tissue.get("kind") != "image",
    )


def place_scenario(
    tables: Mapping[str, Any],
    types: tuple[CellTypeInfo, ...],
    model: Model,
    densities: Mapping[str, Mapping[str, float]],
    seed: int,
    table: CellTable | None = None,
) -> Placement:
    """Place the tissue of a scenario: a cell table if one is given, else the kind that [tissue] names.

    Parameters
    ----------
    tables : mapping
        Sections [lattice] and [tissue] of the scenario.
    types : tuple of CellTypeInfo
    model : Model
        Gives pitch, layers and the parameters of expressions.
    densities : mapping
        As ``draw_densities`` returns them.
    seed : int
    table : CellTable, optional
        Takes the place of whatever kind [tissue] names.

    Raises
    ------
    InputError
    """
    kind = check_tissue(tables["tissue"])
    tissue = resolve_numbers(tables["tissue"], model)
    shape = lattice_shape(tables["lattice"], model.spec.model["dimensions"])
    place = shape, model.site_um, types, model.layers
    if table is None and kind == "table":
        table = table_of(tissue["file"], tissue)
    if table is not None:
        return _place_table(tissue, shape, types, model, densities, seed, table)
    for key in ("image", "image_column"):
        if key in tissue:
            raise InputError(
                f"[tissue]: '{key}' chooses an image of a cell table; give one, or remove the key"
            )
    if kind == "drawn":
        return _draw(tissue, shape, types, model, densities, seed)
    if kind == "nodule in stroma":
        placement = place_nodule(*place, tissue | {"immune": densities}, seed, surrounded=True)
        return _with_densities(placement, tissue)
    if kind in _RULED:
        return _RULED[kind](*place, tissue, seed)
    if kind == "image":
        return _place_image(tissue, place, seed)
    if kind == "tiles":
        tiles = read_tiles(tissue["file"], tissue.get("slide"))
        placement = place_tiles(
            *place,
            tiles.rows,
            tiles.columns,
            tiles.classes,
            tissue.get("tile_um", TILE_UM),
            tissue.get("tile_classes", {}),
            seed,
            tissue.get("tile_corner"),
            tiles.provenance,
        )
        if "tile_um" not in tissue:
            placement.report["notes"].append(
                f"tissue.tile_um is not given; tiles of {TILE_UM:g} um are assumed"
            )
        return placement
    fork = tissue.get("fork", FORKS[0])
    return place_run(tissue["file"], tissue.get("day"), fork, shape, types, model, seed)


_RULED: dict[str, Callable[..., Placement]] = {
    "scattered": place_scattered,
    "nodule": place_nodule,
    "nests": place_nests,
    "strip": place_strip,
}


def _place_image(tissue: Mapping[str, Any], place: tuple[Any, ...], seed: int) -> Placement:
    if "pixel_um" not in tissue:
        raise InputError("[tissue]: 'pixel_um' is missing; an image needs the size of its pixels")
    image = read_image(tissue["file"])
    pixel = tissue["pixel_um"]
    sizes = [tissue.get("page_um", pixel), pixel, pixel][-image.labels.ndim :]
    mapping = tissue.get("label_mapping", {})
    shape, site_um, types, layers = place
    return place_labels(
        shape, site_um, types, layers, image.labels, image.names, sizes, mapping, seed, image.provenance
    )


def _place_table(
    tissue: Mapping[str, Any],
    shape: tuple[int, ...],
    types: tuple[CellTypeInfo, ...],
    model: Model,
    densities: Mapping[str, Mapping[str, float]],
    seed: int,
    table: CellTable,
) -> Placement:
    if len(shape) == 3 and table.z_um is None:
        raise InputError(
            "the cell table is 2-D and the lattice 3-D; give it a column z_um or use a 2-D model"
        )
    fill = tissue.get("table_fill", "drawn")
    own = fill == "drawn"
    scale = 1.0
    if table.provenance["unit"] == PIXELS:
        scale = tissue["pixel_um"]
        check_number(scale, "[tissue]", "pixel_um", MOST_FINE_UM, MOST_COARSE_UM)
    z_um = None if table.z_um is None else scale * table.z_um
    core = place_table(
        None if own else shape,
        model.site_um,
        types,
        model.layers,
        scale * table.x_um,
        scale * table.y_um,
        table.phenotype,
        tissue.get("table_mapping", {}),
        seed,
        fill="none" if own else fill,
        provenance=table.provenance,
        least={} if own else dict.fromkeys(tissue.get("immune", {}), tissue.get("least_immune", 0)),
        z_um=z_um if len(shape) == 3 else None,
        room=shape,
    )
    deep = 0.0 if z_um is None or len(shape) == 3 else float(np.ptp(z_um))
    flat = (
        [f"the positions lie {deep:g} um deep (z); on a section all cells are laid on one plane"]
        if deep
        else []
    )
    core.report["notes"] = [*table.notes, *flat, *core.report["notes"]]
    if not own:
        return core
    return inset(core, _draw({**tissue, "margin_um": 0}, shape, types, model, densities, seed))


def inset(core: Placement, surround: Placement) -> Placement:
    """Return a placement with the core in the middle of a surround; what the surround held there is gone.

    Raises
    ------
    InputError
        The core is larger than the surround.
    """
    size, whole = core.region.shape, surround.region.shape
    if any(s > w for s, w in zip(size, whole, strict=True)):
        words = ("planes", "rows", "columns")[-len(size) :]
        covers = " x ".join(f"{s} {word}" for s, word in zip(size, words, strict=True))
        raise InputError(
            f"the cell table covers {covers}, the lattice has {' x '.join(map(str, whole))}; "
            f"raise {' and '.join(f'lattice.{word}' for word in words)}"
        )
    corner = tuple((w - s) // 2 for s, w in zip(size, whole, strict=True))
    window = tuple(slice(c, c + n) for c, n in zip(corner, size, strict=True))
    occupant, region = surround.occupant.copy(), np.ones(whole, np.uint8)
    occupant[(slice(None), *window)] = core.occupant
    region[window] = 0
    place = {"corner": list(corner), "sites": list(size), "fill": "drawn"}
    report = core.report | {"core": place, "surround": surround.report}
    return Placement(occupant, region, ("core", "surround"), report)


def _draw(
    tissue: Mapping[str, Any],
    shape: tuple[int, ...],
    types: tuple[CellTypeInfo, ...],
    model: Model,
    densities: Mapping[str, Mapping[str, float]],
    seed: int,
) -> Placement:
    rules = {key: value for key, value in tissue.items() if key in DRAWN_KEYS} | {"immune": densities}
    return _with_densities(place_drawn(shape, model.site_um, types, model.layers, rules, seed), tissue)


def _with_densities(placement: Placement, tissue: Mapping[str, Any]) -> Placement:
    """Add where the immune densities come from to the report."""
    placement.report["immune_densities"] = {
        "source": DENSITY_SOURCE,
        "lesion": tissue.get("immune_lesion", "metastasis"),
        "markers": dict(tissue.get("immune", {})),
        "rule": "truncated log-normal; core and margin share one quantile, markers are independent",
    }
    return placement
