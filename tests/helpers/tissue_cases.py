"""Small tissues of scenarios: types, a model without an engine, and grey images."""

import struct
import zlib
from types import SimpleNamespace

import numpy as np

from oncolattice.abm.snapshot import CellTypeInfo
from oncolattice.scenarios.tissue import place as t

LAYERS = ("tissue", "immune")
TYPES = tuple(
    CellTypeInfo(i, name, name, layer, name, "#000000")
    for i, (name, layer) in enumerate([("A", "tissue"), ("B", "tissue"), ("T", "immune")], start=1)
)
A, B, T = 1, 2, 3
MIX = {"A": 0.9, "B": 0.1}
THREE = {"type": "B", "count": 3}


def model(dimensions=2, **parameters):
    """Return what placement needs of a model, its parameters as plain numbers of their unit."""

    def number(expression, unit, where):
        return float(
            eval(expression, {}, {name: value for name, (value, u) in parameters.items() if u == unit})
        )

    return SimpleNamespace(
        site_um=20.0,
        layers=LAYERS,
        spec=SimpleNamespace(model={"dimensions": dimensions}),
        scope=SimpleNamespace(number=number),
    )


def place(tissue, lattice=(50, 60), seed=1, **parameters):
    names = ("planes", "rows", "columns")[-len(lattice) :]
    tables = {"tissue": tissue, "lattice": dict(zip(names, lattice, strict=True))}
    return t.place_scenario(tables, TYPES, model(len(lattice), **parameters), {}, seed)


def number(placement):
    return np.bincount(placement.occupant.reshape(-1), minlength=4).tolist()


CODES = {0: "ignore", 7: "A", 255: "B", 9: "T"}
MAPPING = {str(code): target for code, target in CODES.items()}
LABELS = np.random.default_rng(3).choice(list(CODES), (50, 60)).astype(np.uint8)


def grey_png(path, values):
    """Write a grey PNG as the format describes it, without an image library."""
    rows, columns = values.shape
    lines = b"".join(b"\0" + row.tobytes() for row in values)

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", columns, rows, 8, 0, 0, 0, 0)
    parts = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + parts)
    return path
