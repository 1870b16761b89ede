"""The columns of an AnnData file (.h5ad), read as the documented HDF5 layout says."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np

from ...abm.errors import InputError, shortened, unknown_word
from ..store.guard import check_file, reading
from .frame import Frame
from .probe import claims_more
from .shield import refuse_hanging

SPATIAL = "spatial"  # the key of obsm that holds positions
WHAT = "AnnData file"
MOST_FILE = 100e9  # bytes; expression beside the cells is not read
MOST_CELLS = 20_000_000
MOST_CHUNK = 1 << 30  # bytes


@contextmanager
def h5ad_frame(path: Path) -> Iterator[Frame]:
    """Open the columns of ``obs``, and the positions of ``obsm["spatial"]``, of an AnnData file.

    Nothing outside the file is read: links, external storage and virtual data sets are refused.

    Raises
    ------
    InputError
        No regular file, of another layout, broken, or too large.
    """
    check_file(path, WHAT, MOST_FILE)
    refuse_hanging(path)
    with reading(path, WHAT), _opened(path) as file:
        obs = member(file, "obs", path) if "obs" in file else None
        if not isinstance(obs, h5py.Group):
            raise InputError(f"{path}: no group 'obs'; write it anew with anndata 0.7 or later")
        index = obs.attrs.get("_index", "_index")
        header = [str(name) for name in obs if name not in (index, "__categories")]
        rows = next((len(_column(obs, name, path)) for name in (index, *header) if name in obs), 0)
        yield Frame(
            path,
            header,
            rows,
            lambda name: _column(obs, name, path),
            lambda number: f"{path} cell {number + 1}",
            _spatial(file, path),
            index if index in obs else None,
            _libraries(file, path),
        )


def _opened(path: Path) -> h5py.File:
    """Open a file for reading without a lock, which some file systems lack; HDF5 wants both or none in one process."""
    try:
        return h5py.File(path, "r", locking=False)
    except OSError:
        return h5py.File(path, "r")


def member(group: h5py.Group, name: str, path: Path) -> h5py.Group | h5py.Dataset:
    """Return a member of a group that lies in the file itself and is of bounded size.

    Raises
    ------
    InputError
        A link, data outside the file, or more than ``MOST_CELLS`` values.
    """
    where = shortened(f"{group.name.rstrip('/')}/{name}")
    if not isinstance(group.get(name, getlink=True), h5py.HardLink):
        raise InputError(f"{path}: {where} is a link; write the file with the data in it")
    node = group[name]
    if not isinstance(node, h5py.Dataset):
        return node
    if node.is_virtual or node.external:
        raise InputError(f"{path}: {where} lies in another file; write the file with the data in it")
    if node.size and claims_more(node):
        raise InputError(f"{path}: {where} claims {node.size:,} values and does not hold them; write it anew")
    chunk = math.prod(node.chunks or (0,)) * node.dtype.itemsize
    if (node.size or 0) > 3 * MOST_CELLS or chunk > MOST_CHUNK:
        raise InputError(
            f"{path}: {where} holds {node.size or 0:,} values; {MOST_CELLS:,} cells can be read; give a part of them"
        )
    return node


def _spatial(file: h5py.File, path: Path) -> np.ndarray | None:
    if "obsm" not in file or not isinstance(obsm := member(file, "obsm", path), h5py.Group):
        return None
    node = member(obsm, SPATIAL, path) if SPATIAL in obsm else None
    if isinstance(node, h5py.Dataset) and node.ndim == 2 and node.shape[1] in (2, 3):
        return np.asarray(node[...])
    return None


def _libraries(file: h5py.File, path: Path) -> tuple[str, ...]:
    """Return the images that ``uns["spatial"]`` holds."""
    uns = member(file, "uns", path) if "uns" in file else None
    if not isinstance(uns, h5py.Group) or SPATIAL not in uns:
        return ()
    node = member(uns, SPATIAL, path)
    return tuple(map(str, node)) if isinstance(node, h5py.Group) else ()


def _column(obs: h5py.Group, name: str, path: Path) -> np.ndarray:
    """Return a column of obs: plain, categorical (codes, categories) or nullable (values, mask)."""
    node = member(obs, name, path)
    where = f"{path}: obs {shortened(name)}"
    if isinstance(node, h5py.Dataset):
        return _values(node, where)
    if {"codes", "categories"} <= set(node):
        names = np.append(_values(member(node, "categories", path), where).astype(object), "")
        codes = _values(member(node, "codes", path), where)
        if codes.dtype.kind not in "iu" or (
            codes.size and not -1 <= codes.min() <= codes.max() < names.size - 1
        ):
            held = f"{codes.min()} to {codes.max()}" if codes.size else "none"
            raise InputError(
                f"{where}: codes must be whole numbers from -1 (no category) to {names.size - 2}, got {held}; "
                "write the column anew"
            )
        return names[codes]
    if {"values", "mask"} <= set(node):
        values = _values(member(node, "values", path), where).astype(object)
        values[_values(member(node, "mask", path), where).astype(bool)] = ""
        return values
    raise unknown_word("layout of column", node.name or "", ("plain", "categorical", "nullable"), str(path))


def _values(node: h5py.Group | h5py.Dataset, where: str) -> np.ndarray:
    if not isinstance(node, h5py.Dataset) or node.ndim != 1:
        shape = getattr(node, "shape", "a group")
        raise InputError(f"{where}: holds {shape}, not one value a cell; write the column anew")
    if not h5py.check_string_dtype(node.dtype) and node.dtype.kind not in "biuf":
        raise InputError(f"{where}: holds {node.dtype}, neither text nor numbers; write the column anew")
    return node.asstr()[...] if h5py.check_string_dtype(node.dtype) else node[...]
