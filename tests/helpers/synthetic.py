"""Small runs of known numbers for the tests of the analysis."""

import hashlib

import numpy as np

from oncolattice.abm.snapshot import CellTypeInfo, RunRecord, Snapshot

TYPES = (
    CellTypeInfo(1, "DSTC", "Drug-sensitive tumour cell", "tissue", "tumour", "#CC79A7"),
    CellTypeInfo(2, "DRTC", "Drug-resistant tumour cell", "tissue", "tumour", "#882255"),
    CellTypeInfo(3, "DPTC", "Drug-tolerant persister", "tissue", "tumour", "#E69F00"),
    CellTypeInfo(4, "stroma", "Stroma", "tissue", "host", "#DDD5C7"),
    CellTypeInfo(5, "vessel", "Vessel", "tissue", "host", "#B2182B"),
    CellTypeInfo(6, "CTL", "CD8+ CTL", "immune", "immune", "#0072B2"),
    CellTypeInfo(7, "Th1", "Th1", "immune", "immune", "#009E73"),
    CellTypeInfo(8, "Treg", "Treg", "immune", "immune", "#000000"),
)
UNITS = {"oxygen": "mmHg", "VEGF": "nM", "interferon_gamma": "nM", "CXCL10": "nM", "trifluridine": "nM"}
# change of ln(volume) per day
SLOPES = {"placebo": 0.008, "TAS-102": 0.003, "TAS-102 + bevacizumab": -0.001}
START_CM3 = 2.224


def snapshot(day, cells, sites=64, seed=1, drug=0.0):
    """A section with exactly these cells ({type: number}), placed at random."""
    rng = np.random.default_rng([seed, int(day)])
    layers = {name: np.zeros(sites * sites, dtype=np.uint8) for name in ("immune", "tissue")}
    order = {name: rng.permutation(sites * sites) for name in layers}
    used = dict.fromkeys(layers, 0)
    for info in TYPES:
        number = cells.get(info.name, 0)
        start = used[info.layer]
        layers[info.layer][order[info.layer][start : start + number]] = info.id
        used[info.layer] += number
    ramp = np.linspace(0.0, 1.0, sites, dtype=np.float32)
    tops = {"oxygen": 38.0, "VEGF": 0.02, "interferon_gamma": 1e-3, "CXCL10": 0.4, "trifluridine": drug}
    return Snapshot(
        time_days=float(day),
        site_um=15.0,
        thickness_um=15.0,
        layers={name: grid.reshape(sites, sites) for name, grid in layers.items()},
        types=TYPES,
        fields={
            name: np.outer(ramp + 1e-3, ramp[::-1] + 0.1).astype(np.float32) * top
            for name, top in tops.items()
        },
        field_units=UNITS,
        weights={"DSTC": 2.4e4, "CTL": 1356.0},
    )


def run(
    arm="placebo", patient="p001", seed=1, days=112.0, step=0.25, slope=None, sites=64, snapshot_days=(0, 56)
):
    """A run whose volume is START_CM3 * exp(slope t), slopes by arm and a little by patient."""
    slope = SLOPES[arm] + 0.001 * int(patient[-1]) if slope is None else slope
    time = np.arange(0.0, days + 1e-9, step)
    volume = START_CM3 * np.exp(slope * time)
    tumour = np.round(0.2 * sites**2 * volume / START_CM3).astype(int)
    rng = np.random.default_rng([seed, int(patient[-1])])
    stroma, vessel = sites**2 // 8, max(4, sites**2 // 60)
    ctl, th1, treg = (rng.poisson(mean * sites**2 / 4096, time.size) for mean in (40, 30, 12))
    share = np.clip(0.002 * time, 0, 0.5) if arm != "placebo" else 0 * time
    kinds = [np.floor(tumour * s).astype(int) for s in (0.25 * (1 - share), 0.75 * (1 - share))]
    columns = [*kinds, tumour - kinds[0] - kinds[1], 0 * tumour + stroma, 0 * tumour + vessel, ctl, th1, treg]
    count = np.stack(columns, axis=1).astype(np.int64)
    doses, body, units = _body(arm, time)
    keep = [k for d in (*snapshot_days, days) if d <= days for k in [round(d / step)]]
    return RunRecord(
        scenario="mcrc_" + arm.lower().replace(" ", ""),
        arm=arm,
        patient=patient,
        seed=seed,
        time_days=time,
        types=TYPES,
        count=count,
        tumour_volume_cm3=volume,
        body=body,
        body_units=units,
        field_mean={name: np.ones(time.size) for name in UNITS},
        field_units=UNITS,
        events={"DSTC: divide": np.arange(time.size)},
        ledger={"CTL": 1e-15 * (1 + np.arange(time.size)), "trifluridine": np.zeros(time.size)},
        doses=doses,
        snapshots=tuple(
            snapshot(time[k], dict(zip((t.name for t in TYPES), count[k], strict=True)), sites, seed,
                     float(body["plasma trifluridine"][k]))
            for k in sorted(set(keep))
        ),
        area_mm2=(sites * 0.015) ** 2,
        weights={"DSTC": 2.4e4, "CTL": 1356.0, "Treg": 642.0},
        attributes={
            "run_key": hashlib.blake2b(f"{arm} {patient} {seed}".encode(), digest_size=32).hexdigest(),
            "title": f"Synthetic, {arm}",
            "versions": {"oncolattice": "0.1.0", "numpy": "2.0"},
            "source_hash": "ff00aa",
            "stop_reason": "end of the simulated time",
            "tissue_report": {"placed": {"DSTC": int(count[0, 0])}, "rule": "glands of 60 µm"},
            "wall_seconds": {"build": 0.5, "simulate": 12.0, "store": 0.2},
            "scenario_text": {
                "coupling": {
                    "plasma": [
                        {"drug": "trifluridine", "body": "Chem_C"},
                        {"drug": "bevacizumab", "body": "Targ_C"},
                    ],
                    "drugs": [
                        {"drug": "TAS102", "states": ["Chem_C"]},
                        {"drug": "bevacizumab", "states": ["Targ_C"]},
                    ],
                }
            },
        },
        parameters=[
            {"name": name, "value": value, "unit": unit, "source": source, "owner": owner}
            for name, value, unit, source, owner in (
                ("beta", 0.0665, "1/d", "10.1038/s41540-025-00513-1", "tissue"),
                ("site", 15.0, "um", "assumed", "tissue"),
                ("W", 2.4e4, "1", "derived", "tissue"),
                ("hop", 6.5, "1/h", "code a/b@1", "tissue"),
                ("K1", 5e9 + int(patient[-1]), "cells/L", "virtual patient", "body"),
            )
        ],
    )  # fmt: skip


def trial(patients=4, **settings):
    """All three arms of these patients, seed and patient shared between arms."""
    return [run(arm, f"p{k:03d}", k, **settings) for arm in SLOPES for k in range(1, patients + 1)]


def _body(arm, time):
    doses = []
    if arm != "placebo":
        doses += [
            (float(c * 28 + d), "TAS102", 95.0) for c in range(6) for d in (1, 2, 3, 4, 5, 8, 9, 10, 11, 12)
        ]
    if "bev" in arm:
        doses += [(float(d), "bevacizumab", 280.0) for d in range(1, 137, 15)]
    doses = sorted(d for d in doses if d[0] <= time[-1])
    half = {"TAS102": 0.2, "bevacizumab": 19.9}
    level = {name: np.zeros(time.size) for name in half}
    for day, name, amount in doses:
        since = time - day
        level[name] += np.where(since >= 0, amount * 0.5 ** (np.maximum(since, 0) / half[name]), 0.0)
    body = {
        "Chem_C": level["TAS102"],
        "Targ_C": level["bevacizumab"],
        "plasma trifluridine": 160.0 * level["TAS102"],
        "plasma bevacizumab": 2.5 * level["bevacizumab"],
    }
    units = dict.fromkeys(body, "nM")
    for k, cell in enumerate(("T8", "T1", "Treg", "NK", "D")):
        for j, place in enumerate("ABC"):
            body[f"{cell}_{place}"] = 10.0 ** (5 + k % 3 + j) * (1 + 0.5 * np.exp(-time / 5.0))
            units[f"{cell}_{place}"] = "cells/L"
    return doses, body, units
