"""HDF5 files that are complete or absent, and readers that never show a traceback."""

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np

from ...abm.errors import InputError
from ...abm.publish import cannot_write as cannot_write
from ...abm.publish import publish as publish
from .guard import reading, require_file, require_memory
from .sound import refuse_tricks

RUN_FORMAT = "oncolattice-run"
SEGMENT_FORMAT = "oncolattice-segment"
REPLICATES_FORMAT = "oncolattice-replicates"
KINDS = {RUN_FORMAT: "run file", SEGMENT_FORMAT: "segment of a run", REPLICATES_FORMAT: "file of replicates"}
SCHEMA_VERSION = 1
SIGNATURE = b"\x89HDF\r\n\x1a\n"
_TEXT = h5py.string_dtype("utf-8")


def file_image(write: Callable[[h5py.File], None], userblock_size: int = 0) -> bytes:
    """Return the bytes of an HDF5 file that ``write`` fills, built in memory.

    HDF5 never meets the disk, so that a full disk is a plain OSError and not a half-closed library. It tells
    open files apart by their names, so that each image, of any thread, has one of its own.
    """
    with h5py.File(
        f"image {secrets.token_hex(16)}",
        "w",
        driver="core",
        backing_store=False,
        block_size=1 << 22,
        userblock_size=userblock_size,
    ) as file:
        write(file)
        file.flush()
        return file.id.get_file_image()


@contextmanager
def opened(path: str | Path, form: str = RUN_FORMAT, *, attributes: bool = False) -> Iterator[h5py.File]:
    """Open a file of one of the formats for reading, without a lock: it is never changed once it has its name.

    Parameters
    ----------
    path : path
    form : str
        What the file says that it is.
    attributes : bool
        Only attributes will be read, so that the arrays are not looked over.

    Raises
    ------
    Unavailable
        If the path is missing, a folder, a pipe, unreadable or in use.
    InputError
        If the file is truncated, damaged or not an oncolattice run file.
    """
    path = Path(path)
    what = KINDS[form]
    require_file(path, what)
    with reading(path, what):
        with path.open("rb") as stream:
            start = stream.read(len(SIGNATURE))
        if not start or not SIGNATURE.startswith(start):
            kind = "it is empty" if not start else "it is not HDF5"
            raise InputError(f"{path}: not an oncolattice {what} ({kind}); name a file that a run wrote")
        with unlocked(path) as file:
            found = text_attribute(file, "format")
            if found != form:
                reason = f"format is '{found}'" if found else "HDF5 without format"
                raise InputError(
                    f"{path}: not an oncolattice {what} ({reason}, wanted '{form}'); "
                    "name a file that a run wrote"
                )
            if not attributes:
                refuse_tricks(file)
            yield file


@contextmanager
def unlocked(path: Path) -> Iterator[h5py.File]:
    """Open an HDF5 file for reading without locks, which some file systems lack and other programs may hold.

    Of files that it opens itself HDF5 shares one state in a process, locks included; this one it is handed.
    """
    with path.open("rb", buffering=0) as stream, h5py.File(stream, "r") as file:
        yield file


def text_attribute(item: h5py.Group | h5py.Dataset, name: str) -> str | None:
    """Return an attribute if it is text, else None."""
    value = item.attrs.get(name)
    return value if isinstance(value, str) else None


def write_array(
    group: h5py.Group,
    name: str,
    values: np.ndarray,
    dims: Sequence[h5py.Dataset] = (),
    chunks: tuple[int, ...] | None = None,
    **attributes: object,
) -> h5py.Dataset:
    """Write numbers, compressed and checksummed when ``chunks`` are given, with their scales attached."""
    if chunks is not None and values.size:
        options = {"chunks": chunks, "compression": "gzip", "compression_opts": 4}
        dataset = group.create_dataset(name, data=values, shuffle=True, fletcher32=True, **options)
    else:
        dataset = group.create_dataset(name, data=values)
    for axis, scale in enumerate(dims):
        dataset.dims[axis].attach_scale(scale)
    dataset.attrs.update(attributes)
    return dataset


def write_text(
    group: h5py.Group, name: str, values: Sequence[str], dims: Sequence[h5py.Dataset] = ()
) -> h5py.Dataset:
    """Write a column of UTF-8 strings of any length."""
    dataset = group.create_dataset(name, data=np.array(values, dtype=object), dtype=_TEXT)
    for axis, scale in enumerate(dims):
        dataset.dims[axis].attach_scale(scale)
    return dataset


def as_scale(dataset: h5py.Dataset) -> h5py.Dataset:
    """Make a 1-D dataset the dimension scale of its own name."""
    dataset.make_scale(dataset.name.rsplit("/", 1)[-1])
    return dataset


def read_text(group: h5py.Group, name: str) -> list[str]:
    """Return a column of strings."""
    return [str(word) for word in group[name].asstr()[:]]


def read_array(group: h5py.Group, name: str) -> np.ndarray:
    """Return numbers, if they fit into memory.

    Raises
    ------
    MemoryError
        They do not.
    ValueError
        They are no array of numbers.
    """
    data = group[name]
    if not isinstance(data, h5py.Dataset) or data.dtype.kind not in "biuf":
        raise ValueError(f"{data.name} holds no numbers")
    require_memory(data.nbytes, data.name)
    return np.asarray(data[...])
