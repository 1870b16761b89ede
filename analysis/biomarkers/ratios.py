"""Ratios of effector to regulatory T cells over the whole section."""

import math

from ...abm.snapshot import Snapshot
from .registry import biomarker


def ratio(snapshot: Snapshot, name: str, over: str) -> float:
    """Return the number of one type over that of another; NaN where the other is absent."""
    below = snapshot.count(over)
    return snapshot.count(name) / below if below else math.nan


@biomarker(unit="1", needs=("CTL", "Treg"))
def CTL_per_Treg(snapshot: Snapshot) -> float:
    """CD8+ cytotoxic T cells for each regulatory T cell; undefined without regulatory T cells."""
    return ratio(snapshot, "CTL", "Treg")


@biomarker(unit="1", needs=("Th1", "Treg"))
def Th1_per_Treg(snapshot: Snapshot) -> float:
    """Th1 cells for each regulatory T cell; undefined without regulatory T cells."""
    return ratio(snapshot, "Th1", "Treg")
