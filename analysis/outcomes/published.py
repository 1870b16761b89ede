"""Published results that the report shows beside its own."""

import csv
import math
from functools import cache
from importlib.resources import files

from ..series import Row


@cache
def _read(name: str) -> tuple[Row, ...]:
    text = files(__package__).joinpath("data", name).read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))


def _number(text: str) -> float:
    return float(text) if text else math.nan


def arm_key(arm: str) -> str:
    """Return an arm's name stripped of spelling: letters and digits, bevacizumab shortened."""
    plain = "".join(c for c in arm.lower() if c.isalnum())
    return plain.replace("bevacizumab", "bev")


def week8_published(arm: str) -> list[Row]:
    """Return published week-8 results of an arm, percentages as floats; empty for an arm without any.

    Returns
    -------
    list of dict
        kind ("QCIC as published", "pooled trials"), patients, CR_pct, PR_pct, SD_pct, PD_pct, DCR_pct,
        criterion, source (10.1038/s41540-025-00513-1).
    """
    rows = [row for row in _read("qcic_week8.csv") if arm_key(row["arm"]) == arm_key(arm)]
    numbers = ("patients", "CR_pct", "PR_pct", "SD_pct", "PD_pct", "DCR_pct")
    return [{k: _number(v) if k in numbers else v for k, v in row.items()} for row in rows]


def recourse(endpoint: str, arm: str, quantity: str) -> list[Row]:
    """Return published RECOURSE values (10.1056/NEJMoa1414325, digitised by kmdata).

    Parameters
    ----------
    endpoint : str
        OS or PFS.
    arm : str
        Any spelling; empty for an arm that the trial did not have.
    quantity : str
        survival (with ``months``), median (months) or hazard ratio (against placebo).

    Returns
    -------
    list of dict
        endpoint, arm, patients, quantity, months, value, ci_low, ci_high, source, note; NaN where not given.
    """
    rows = [
        row
        for row in _read("recourse_survival.csv")
        if row["endpoint"] == endpoint and row["quantity"] == quantity and arm_key(row["arm"]) == arm_key(arm)
    ]
    numbers = ("patients", "months", "value", "ci_low", "ci_high")
    return [{k: _number(v) if k in numbers else v for k, v in row.items()} for row in rows]
