"""Published patients for the tests of the statistics.

AML maintenance: Miller 1997, 23 patients (R: survival::leukemia). NCCTG lung cancer: Loprinzi 1994,
10.1200/JCO.1994.12.3.601, 228 patients (R: survival::lung), in tests/data/lung.csv. RECOURSE: digitised times
of 10.1056/NEJMoa1414325 by 10.1093/database/baab037 lie beside the repository, where they are kept at all.
"""

import csv
import pathlib
from functools import cache

import numpy as np
from shared import beside

from oncolattice.analysis.survival import Times

DATA = pathlib.Path(__file__).resolve().parents[1] / "data"
# negative means censored
MAINTAINED = (9, 13, -13, 18, 23, -28, 31, 34, -45, 48, -161)
NOT_MAINTAINED = (5, 5, 8, 8, 12, -16, 23, 27, 30, 33, 43, 45)


def times(values):
    """Times from numbers, negative where censored."""
    values = np.array(values, dtype=float)
    return Times(np.abs(values), values > 0)


def aml():
    """All 23 times, and 0/1 for not maintained."""
    return times(MAINTAINED + NOT_MAINTAINED), np.repeat([0, 1], [11, 12])


@cache
def _read(path):
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {key: np.array([row[key] for row in rows]) for key in rows[0]}


def lung(with_ecog=False):
    """Times and columns of the lung cancer patients; those with a known performance status only, if asked."""
    columns = _read(DATA / "lung.csv")
    keep = columns["ph_ecog"] != "" if with_ecog else np.ones(228, dtype=bool)
    found = {key: values[keep] for key, values in columns.items()}
    seen = Times(found.pop("time").astype(float), found.pop("status").astype(float))
    if not with_ecog:
        found.pop("ph_ecog")
    return seen, {key: values.astype(float) for key, values in found.items()}


def subarachnoid():
    """Poor outcome, WFNS grade and rank of S100B of 113 patients (10.1007/s00134-009-1641-y; R: pROC::aSAH)."""
    columns = _read(DATA / "asah_ranks.csv")
    return tuple(columns[key].astype(float) for key in ("poor", "wfns", "s100b_rank"))


def recourse(curve):
    """Times and arms (1 for TAS-102) of the digitised trial."""
    columns = _read(beside("data/recourse_ipd_kmdata.csv"))
    rows = columns["curve"] == curve
    arm = np.array([name.startswith("tas") for name in columns["arm"][rows]], dtype=float)
    return Times(columns["time"][rows].astype(float), columns["event"][rows].astype(float)), arm
