"""Tissue taken from a labelled image."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import InputError, some
from ..snapshot import CellTypeInfo
from .checks import check_mapping, check_number, target_words
from .lattice import Placement, empty_lattice
from .luck import generator, shuffled_ids
from .said import counted, said_of_absent
from .table import centred

MOST_FINE_UM, MOST_COARSE_UM = 1e-6, 1e6  # size of a pixel


def place_labels(
    shape: tuple[int, ...],
    site_um: float,
    types: Sequence[CellTypeInfo],
    layers: Sequence[str],
    labels: np.ndarray,
    names: Sequence[str],
    pixel_um: Sequence[float],
    mapping: Mapping[str, Any],
    seed: int,
    provenance: Mapping[str, Any] | None = None,
) -> Placement:
    """Put a cell wherever an image says so; the image lies in the middle of the lattice.

    A site takes the label of the pixel that its centre falls into (nearest neighbour). Sites that the image
    does not cover stay empty.

    Parameters
    ----------
    shape, site_um, types, layers, seed
        As for ``place_drawn``.
    labels : ndarray of int, shape (rows, columns) or (pages, rows, columns)
        Index into ``names``.
    names : sequence of str
        Labels, such as "255" or "#D55E00".
    pixel_um : sequence of float
        Size of a pixel along every axis of the image, um.
    mapping : mapping
        Label = cell type, composition {type: share} (exact, mixed at random) or "ignore".
    provenance : mapping, optional
        Kept in the report.

    Raises
    ------
    InputError
        Labels without a mapping, unknown type, image larger than the lattice, 2-D image on a 3-D lattice or
        the reverse.
    """
    if labels.ndim != len(shape):
        raise InputError(
            f"the image is {labels.ndim}-D and the lattice {len(shape)}-D; use a "
            f"{'TIFF of one page a plane' if len(shape) == 3 else 'image of one page'} or a model of "
            f"{labels.ndim} dimensions"
        )
    for size in pixel_um:
        check_number(size, "[tissue]", "pixel_um", MOST_FINE_UM, MOST_COARSE_UM)
    shares = check_mapping(mapping, tuple(types), "label")
    pixels = dict(zip(names, np.bincount(labels.reshape(-1), minlength=len(names)).tolist(), strict=True))
    _refuse_unknown(pixels, mapping)
    core = tuple(
        max(1, int(n * size / site_um + 1e-9)) for n, size in zip(labels.shape, pixel_um, strict=True)
    )
    corner, window = centred(core, shape, site_um, "the image")
    picked = [
        np.minimum(((np.arange(c) + 0.5) * site_um / size).astype(np.int64), n - 1)
        for c, n, size in zip(core, labels.shape, pixel_um, strict=True)
    ]
    seen = labels[np.ix_(*picked)]
    lattice = empty_lattice(shape, site_um, types, layers, seed)
    sites: dict[str, int] = {}
    for number, name in enumerate(names):
        found = seen == number
        sites[name] = int(np.count_nonzero(found))
        if name in shares:
            part = lattice.occupant[lattice.layer_of[next(iter(shares[name]))]][window]
            rng = generator(seed, f"composition {name}")
            part[found] = shuffled_ids(sites[name], shares[name], lattice.ids, rng)
    region = np.ones(shape, np.uint8)
    region[window] = 0
    report = {
        "kind": "image",
        "image": dict(provenance or {}),
        "rules": [
            "a site takes the label of the pixel under its centre",
            *(f"{name}: {target_words(target)}" for name, target in mapping.items()),
        ],
        "core": {"corner": list(corner), "sites": list(core), "fill": "none"},
        "labels": {name: {"pixels": pixels[name], "sites": sites[name]} for name in names},
        "absent": sorted(name for name in mapping if name not in pixels),
    }
    report["notes"] = _notes(report, shape, shares)
    region_names = ("core", "surround") if (region == 1).any() else ("core",)
    return lattice.finished(region, region_names, report)


def _refuse_unknown(pixels: Mapping[str, int], mapping: Mapping[str, Any]) -> None:
    unknown = sorted((name for name in pixels if name not in mapping), key=lambda name: -pixels[name])
    if not unknown:
        return
    listed = some(f"'{name}' ({pixels[name]} pixels)" for name in unknown)
    known = some(f"'{name}'" for name in mapping) or "none"
    raise InputError(
        f"the image holds labels without a cell type: {listed}; mapped are {known}; give each a cell type, "
        "a composition or 'ignore' in [tissue.label_mapping]"
    )


def _notes(report: Mapping[str, Any], shape: tuple[int, ...], shares: Mapping[str, Any]) -> list[str]:
    """Return what the image leaves empty and what the lattice does not show of it."""
    file, core = report["image"].get("file", "the image"), report["core"]["sites"]
    notes = []
    if list(core) != list(shape):
        covers, of = (" x ".join(map(str, sides)) for sides in (core, shape))
        notes.append(f"{file}: the image covers {covers} of {of} sites; the others are empty")
    unseen = {n: part["pixels"] for n, part in report["labels"].items() if n in shares and not part["sites"]}
    if unseen:
        notes.append(
            f"{file}: labels whose pixels lie under the centre of no site are lost (pixels): {counted(unseen)}"
        )
    return notes + said_of_absent(report["absent"], (), f"{file}: the mapping names labels")
