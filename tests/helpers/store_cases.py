"""Runs made of known numbers for the tests of the store."""

import math
from fractions import Fraction

import numpy as np

from oncolattice.abm.snapshot import CellTypeInfo, Snapshot
from oncolattice.scenarios import store

TYPES = (
    CellTypeInfo(1, "sensitive", "Sensitive", "tumour", "cancer", "#aa0000"),
    CellTypeInfo(2, "DSTC", "Drug-sensitive tolerant", "tumour", "cancer", "#00aa00"),
    CellTypeInfo(7, "CTL", "CD8+ CTL – zytotoxisch", "immune", "T cell", "#0000aa"),
)
BODY, FIELDS = ("V_C", "Treg", "drug"), ("oxygen", "VEGF")
EVENTS, SPECIES = ("sensitive: divide", "DSTC: die apoptosis"), ("IFN-gamma",)
KEY = "0123456789ab" + "c" * 52
SHAPE = (6, 5)


def header(**changes):
    made = {
        "scenario": "mcrc_tas102",
        "arm": "TAS-102",
        "patient": "p001",
        "seed": 2**63 - 1,
        "run_key": KEY,
        "title": "Metastatic colorectal cancer",
        "model_text": "# µm and ü\n" + 'rate = "0.1 1/h"\n' * 9000,  # beyond the 64 kB of an HDF5 header
        "scenario_text": {"scenario": {"title": "x"}},
        "versions": {"numpy": "2.0", "oncolattice": "0.1.0"},
        "source_hash": "ff00",
        "created": "2026-01-01T00:00:00Z",
        "tissue_report": {"placed": 12, "unmapped": {"mast cells": 3}, "share": 0.1},
        "wall_seconds": {"decide": 0.1 + 0.2},
        "stop_reason": "end of schedule",
        "area_mm2": 0.012,
        "types": TYPES,
        "parameters": [
            {"name": "kill", "value": 0.1, "unit": "1/h", "source": "10.1000/x", "owner": "CTL"},
            {"name": "cycles", "value": 6, "unit": "1", "source": "user", "owner": "scenario"},
            {"name": "rule", "value": "crowded", "unit": "1", "source": "assumed", "owner": "DSTC"},
        ],
        "weights": {"sensitive": 1e5, "DSTC": 1e5, "CTL": 1 / 3},
        "doses": [(0.0, "TAS-102", 35.0), (0.0, "bevacizumab", 5.0), (0.5, "TAS-102", 35.0)],
        "columns": {
            "count": [info.name for info in TYPES],
            "body": list(BODY),
            "field_mean": list(FIELDS),
            "event": list(EVENTS),
            "ledger": list(SPECIES),
        },
        "units": {"time": "d", "body": ["cm3", "cell/L", "nM"], "field_mean": ["nM", "nM"], "doses": "mg/m2"},
    }
    return made | changes


def make_rows(records, start=0, seed=5):
    rng = np.random.default_rng([seed, start])
    return {
        "time": (start + np.arange(records)) / 4.0,
        "count": rng.integers(0, 2**62, (records, len(TYPES))),
        "tumour_volume": rng.random(records),
        "body": rng.random((records, len(BODY))) * 10.0 ** rng.integers(-300, 300, (records, len(BODY))),
        "field_mean": rng.random((records, len(FIELDS))),
        "event": rng.integers(0, 2**62, (records, len(EVENTS))),
        "ledger": rng.random((records, len(SPECIES))) * 5e-324,
    }


def make_snapshot(day, seed=9):
    rng = np.random.default_rng([seed, int(day)])
    return Snapshot(
        time_days=day,
        site_um=20.0,
        thickness_um=5.0,
        layers={
            "tumour": rng.choice(np.array([0, 1, 2], dtype=np.uint8), SHAPE),
            "immune": rng.choice(np.array([0, 7], dtype=np.uint8), SHAPE),
        },
        types=TYPES,
        fields={name: rng.random(SHAPE, dtype=np.float32) for name in FIELDS},
        field_units=dict.fromkeys(FIELDS, "nM"),
        weights=header()["weights"],
    )


def make_checkpoint(seed=3):
    rng = np.random.default_rng(seed)
    return {
        "uid": np.array([[0, 2**53 + 1], [2**64 - 1, 2**63]], dtype=np.uint64),
        "tiny": np.array([5e-324, -5e-324, -0.0, np.nextafter(1.0, 2.0), 2.2e-308, -1.7e308]),
        "occupancy": rng.integers(0, 255, SHAPE, dtype=np.uint8),
        "field": rng.random((2, *SHAPE)),
        "single": rng.random(4, dtype=np.float32),
        "alive": rng.random(SHAPE) < 0.5,
        "nobody": np.empty((0, 3), dtype=np.int32),
        "zero_dimensional": np.array(0.1),
        "step_h": 0.1 + 0.2,
        "clock": -(2**63),
        "generator": 2**127 + 12345,
        "on": True,
        "phase": "tägliche Gabe",
    }


def same(left, right):
    """Equal in type, shape and every bit."""
    if isinstance(left, np.ndarray):
        return left.dtype == right.dtype and left.shape == right.shape and left.tobytes() == right.tobytes()
    return type(left) is type(right) and repr(left) == repr(right)


def assert_same(left, right):
    assert set(left) == set(right)
    assert [name for name in left if not same(left[name], right[name])] == []


def assert_same_snapshot(found, expected):
    assert_same(found.layers, expected.layers)
    assert_same(found.fields, {name: twelve_bits(values) for name, values in expected.fields.items()})
    for name in ("time_days", "site_um", "thickness_um", "types", "field_units", "weights"):
        assert getattr(found, name) == getattr(expected, name)


def twelve_bits(values):
    """Oracle in exact fractions: 1 + 12 significant bits, ties to even."""
    out = np.empty_like(values)
    for index, value in np.ndenumerate(values):
        mantissa, exponent = math.frexp(float(value))
        out[index] = math.ldexp(round(Fraction(mantissa) * 2**13), exponent - 13)
    return out


def finish(folder, **changes):
    path = store.run_path(folder, "mcrc_tas102", KEY)
    snapshots = [make_snapshot(0.0), make_snapshot(56.0)]
    return store.finish_run(path, header(**changes), make_rows(12), snapshots, make_checkpoint())


def write_segments(folder, count, head=None):
    writer = store.SegmentWriter(folder, head or header())
    for i in range(count):
        taken = [make_snapshot(float(i))] if i % 2 == 0 else []
        writer.append(make_rows(3, 3 * i), taken, make_checkpoint(i))
    return writer
