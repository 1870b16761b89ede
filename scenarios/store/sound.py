"""What an HDF5 file must not make its reader do: leave the file, or take memory that its bytes cannot fill."""

import h5py
import numpy as np
from h5py import h5d, h5l, h5o, h5s

# No byte of deflate holds more, 10.17487/RFC1951: a match of 258 bytes takes two bits at least.
MOST_DEFLATED = 1032


def refuse_tricks(file: h5py.File) -> None:
    """Refuse links, external and virtual data, and arrays that claim what the file does not hold.

    Nothing is read, and nothing outside the file is touched.

    Raises
    ------
    ValueError
        With what the first such object is.
    """
    links: list[tuple[bytes, int]] = []

    def visit(name: bytes, info: h5l.LinkInfo) -> None:
        links.append((name, info.type))

    file.id.links.visit(visit, info=True)
    for name, kind in links:
        if kind != h5l.TYPE_HARD:
            raise ValueError(f"/{_text(name)} is a link, which could lead out of the file")
        item = h5o.open(file.id, name)
        if isinstance(item, h5d.DatasetID):
            _refuse_claims(item, f"/{_text(name)}")
        elif not isinstance(item, h5py.h5g.GroupID):
            raise ValueError(f"/{_text(name)} is neither group nor array")


def _refuse_claims(data: h5d.DatasetID, name: str) -> None:
    space, made = data.get_space(), data.get_create_plist()
    if space.get_simple_extent_type() == h5s.NULL:
        raise ValueError(f"{name} is empty")
    if made.get_external_count() or made.get_layout() == h5d.VIRTUAL:
        raise ValueError(f"{name} keeps its numbers outside the file")
    claimed = space.get_simple_extent_npoints() * data.get_type().get_size()
    held = data.get_storage_size()
    if made.get_layout() == h5d.CHUNKED:
        chunks = np.prod(
            [-(-n // c) for n, c in zip(space.shape, made.get_chunk(), strict=True)], dtype=float
        )
        short = data.get_num_chunks() < chunks or claimed > MOST_DEFLATED * held
    else:
        short = held < claimed
    if short:
        raise ValueError(f"{name} claims {claimed} bytes, which the {held} bytes that it holds cannot fill")


def _text(name: bytes) -> str:
    return name.decode("utf-8", "backslashreplace")
