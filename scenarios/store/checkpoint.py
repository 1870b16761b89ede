"""The exact state of a run: named arrays and scalars, every bit kept."""

import hashlib
from collections.abc import Mapping
from typing import TypeAlias

import h5py
import numpy as np

from .file import write_array, write_text
from .guard import require_memory

Entry: TypeAlias = np.ndarray | float | int | str
_KINDS = "biuf"


def write_checkpoint(group: h5py.Group, checkpoint: Mapping[str, Entry]) -> None:
    """Write arrays and scalars under their names; the attribute ``kind`` says what each comes back as.

    Raises
    ------
    ValueError
        If a name holds a slash or a value is neither number, text nor numeric array.
    """
    for name, value in checkpoint.items():
        if not name or "/" in name or name == ".":
            raise ValueError(f"checkpoint name {name!r}: plain names without '/' only")
        kind, stored = _encode(name, value)
        if isinstance(stored, str):
            dataset = write_text(group, name, stored)
        else:
            # One chunk per array: it is read whole or not at all.
            chunks = stored.shape if stored.ndim and stored.size else None
            dataset = write_array(group, name, stored, chunks=chunks)
        dataset.attrs["kind"] = kind


def _encode(name: str, value: Entry) -> tuple[str, np.ndarray | str]:
    if isinstance(value, str):
        return "str", value
    if isinstance(value, bool | np.bool_):
        return "bool", np.array(value, dtype=np.uint8)
    if isinstance(value, int | np.integer):
        number = int(value)
        # The state of a random generator has 128 bits, which no HDF5 integer holds.
        fits = -(2**63) <= number < 2**64
        return ("int", np.asarray(number)) if fits else ("long int", str(number))
    if isinstance(value, float | np.floating):
        return "float", np.asarray(float(value))
    if isinstance(value, np.ndarray) and value.dtype.kind in _KINDS:
        if value.dtype.kind == "b":  # netCDF readers stumble over HDF5's enumerated booleans
            return "bool array", value.astype(np.uint8)
        return "array", np.asarray(value, order="C")
    raise ValueError(f"checkpoint entry {name!r}: {type(value).__name__} is neither number, text nor array")


def read_entries(group: h5py.Group) -> dict[str, Entry]:
    """Return what ``write_checkpoint`` was given, bit for bit."""
    return {name: _decode(dataset) for name, dataset in group.items()}


def _decode(dataset: h5py.Dataset) -> Entry:
    kind = dataset.attrs["kind"]
    if kind in ("array", "bool array"):
        require_memory(dataset.nbytes, dataset.name)
    if kind == "array":
        return np.asarray(dataset[...])
    if kind == "bool array":
        return np.asarray(dataset[...], dtype=bool)
    if kind in ("str", "long int"):
        text = dataset.asstr()[()]
        return text if kind == "str" else int(text)
    scalar = dataset[()]
    return {"bool": bool, "int": int, "float": float}[kind](scalar)


def state_digest(checkpoint: Mapping[str, Entry]) -> str:
    """Return the SHA-256 of a state: names, types, shapes and little-endian bytes in the order of the names.

    Entries whose name begins with an underscore (wall times and other bookkeeping) are left out, so that
    equal states give equal digests on any machine and at any speed.
    """
    total = hashlib.sha256()
    for name in sorted(checkpoint):
        if name.startswith("_"):
            continue
        kind, stored = _encode(name, checkpoint[name])
        if isinstance(stored, str):
            label, data = "text", stored.encode()
        else:
            little = np.ascontiguousarray(stored).astype(stored.dtype.newbyteorder("<"), copy=False)
            label, data = f"{stored.dtype.kind}{stored.dtype.itemsize}{stored.shape}", little.tobytes()
        total.update(f"{name}|{kind}|{label}|{len(data)}\n".encode())
        total.update(data)
    return total.hexdigest()
