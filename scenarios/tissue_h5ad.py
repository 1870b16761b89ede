"""Cells of an AnnData file (.h5ad), read as the documented HDF5 layout says."""

from collections.abc import Mapping
from pathlib import Path

import h5py
import numpy as np

from ..abm.errors import InputError, unknown_word
from .tissue_table import CellTable, find_column, known_column, provenance_of

SPATIAL = "spatial"  # the key of obsm that holds positions


def read_h5ad(path: Path, columns: Mapping[str, str]) -> CellTable:
    """Return the cells of an AnnData file: positions from ``obs`` or ``obsm["spatial"]``, phenotype from ``obs``.

    Parameters
    ----------
    path : Path
    columns : mapping
        ``obs`` columns of ``x``, ``y``, ``z`` and ``phenotype``; common names are found without. Where ``obs``
        holds no positions, ``obsm["spatial"]`` does (x, y and, with three columns, z), taken as um.

    Raises
    ------
    InputError
        File missing or of another layout, column missing, position that is no finite number.
    """
    if not path.is_file():
        raise InputError(f"{path}: there is no such cell table; check the path")
    try:
        with h5py.File(path, "r") as file:
            if not isinstance(file.get("obs"), h5py.Group):
                raise InputError(f"{path}: no group 'obs'; write it anew with anndata 0.7 or later")
            return _read(file, path, columns)
    except OSError:
        raise InputError(f"{path}: not an AnnData file; save the cells as .h5ad or CSV") from None


def _read(file: h5py.File, path: Path, columns: Mapping[str, str]) -> CellTable:
    obs = file["obs"]
    index = obs.attrs.get("_index", "_index")
    header = [str(name) for name in obs if name not in (index, "__categories")]
    used = {"phenotype": find_column("phenotype", header, columns, path)}
    phenotype = tuple(str(name).strip() or "(none)" for name in _column(obs[used["phenotype"]], path))
    in_obs = {key: columns.get(key) or known_column(key, header) for key in ("x", "y", "z")}
    spatial = file.get(f"obsm/{SPATIAL}")
    if in_obs["x"] and in_obs["y"]:
        axes = []
        for key, name in in_obs.items():
            if name is not None:
                used[key] = find_column(key, header, columns, path)
                axes.append(_numbers(_column(obs[name], path), f"{path} obs {name}"))
    elif isinstance(spatial, h5py.Dataset) and spatial.ndim == 2 and spatial.shape[1] in (2, 3):
        used |= {key: f"obsm {SPATIAL} {i}" for i, key in enumerate("xyz"[: spatial.shape[1]])}
        axes = list(_numbers(spatial[...], f"{path} obsm {SPATIAL}").T)
    else:
        raise InputError(
            f"{path}: no positions; give obs columns x_um and y_um (found: {', '.join(header)}) or "
            f"obsm['{SPATIAL}'] with two or three columns"
        )
    if not phenotype or any(len(axis) != len(phenotype) for axis in axes):
        raise InputError(
            f"{path}: {len(phenotype)} phenotypes and {len(axes[0])} positions; they must be as many"
        )
    z = axes[2] if len(axes) == 3 else None
    return CellTable(axes[0], axes[1], phenotype, provenance_of(path, len(phenotype), used), z)


def _column(node: h5py.Group | h5py.Dataset, path: Path) -> np.ndarray:
    """Return a column of obs: plain, categorical (codes, categories) or nullable (values, mask)."""
    if isinstance(node, h5py.Dataset):
        return _texts(node)
    if {"codes", "categories"} <= set(node):
        categories = np.append(_texts(node["categories"]).astype(object), "")  # code -1: no category
        return categories[node["codes"][...]]
    if {"values", "mask"} <= set(node):
        values = _texts(node["values"]).astype(object)
        values[node["mask"][...].astype(bool)] = ""
        return values
    raise unknown_word("layout of column", node.name or "", ("plain", "categorical", "nullable"), str(path))


def _texts(node: h5py.Dataset) -> np.ndarray:
    return node.asstr()[...] if h5py.check_string_dtype(node.dtype) else node[...]


def _numbers(values: np.ndarray, where: str) -> np.ndarray:
    try:
        numbers = np.asarray(values, dtype=np.float64)
    except ValueError:
        numbers = np.array([np.nan])
    if not np.isfinite(numbers).all():
        raise InputError(f"{where}: holds values that are not finite numbers; mend or remove those cells")
    return numbers
