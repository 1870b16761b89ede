"""Read what is read of an AnnData file in a process of its own: a broken file can hang HDF5, or take it down.

Run as a script: for every path on standard input, as JSON, it answers with a line once it has read the file, whatever
is wrong with it, unless HDF5 does not come back.
"""

import json
import math
import sys
from contextlib import suppress

import h5py

BROKEN = (
    OSError,
    RuntimeError,
    LookupError,
    ValueError,
    TypeError,
    MemoryError,
)  # is refused by the reader itself
MOST_BYTES = 1 << 30  # larger claims are refused before they are read


def claims_more(node: h5py.Dataset) -> bool:
    """Tell whether a data set has a larger shape than the data that the file holds for it."""
    if node.chunks:
        whole = math.prod(-(-side // chunk) for side, chunk in zip(node.shape, node.chunks, strict=True))
        return bool(node.id.get_num_chunks() < whole)
    return bool(node.id.get_storage_size() < node.nbytes)


def visit(parent: h5py.Group, name: str, depth: int) -> None:
    """Read attributes and data of a member of a group, as far as it lies in the file itself, and of its members."""
    with suppress(*BROKEN):
        if not isinstance(parent.get(name, getlink=True), h5py.HardLink):
            return
        node = parent[name]
        if isinstance(node, h5py.Dataset):
            if node.nbytes < MOST_BYTES and not (node.external or node.is_virtual or claims_more(node)):
                node[...]
            return
        with suppress(*BROKEN):
            dict(node.attrs)
        for part in node if depth else ():
            visit(node, part, depth - 1)


def probe(path: str) -> None:
    """Read all that the reader of AnnData files reads."""
    with suppress(*BROKEN), h5py.File(path, "r", locking=False) as file:
        visit(file, "obs", 2)
        for part in ("obsm", "uns"):
            with suppress(*BROKEN):
                if isinstance(file.get(part, getlink=True), h5py.HardLink):
                    visit(file[part], "spatial", 1)


if __name__ == "__main__":
    for line in sys.stdin:
        probe(json.loads(line))
        print("read", flush=True)
