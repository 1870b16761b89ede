"""Densities of immune cells over the whole section."""

import math

from ...abm.snapshot import Snapshot
from .registry import biomarker


def density_per_mm2(snapshot: Snapshot, name: str) -> float:
    """Return cells of a type or group per mm2 of section; NaN for a section without area."""
    return snapshot.count(name) / snapshot.area_mm2 if snapshot.area_mm2 > 0.0 else math.nan


@biomarker(unit="1/mm2", needs=("CTL",))
def CTL_density(snapshot: Snapshot) -> float:
    """CD8+ cytotoxic T cells per mm2 of section."""
    return density_per_mm2(snapshot, "CTL")


@biomarker(unit="1/mm2", needs=("Th1",))
def Th1_density(snapshot: Snapshot) -> float:
    """Th1 cells per mm2 of section."""
    return density_per_mm2(snapshot, "Th1")


@biomarker(unit="1/mm2", needs=("Treg",))
def Treg_density(snapshot: Snapshot) -> float:
    """Regulatory T cells per mm2 of section."""
    return density_per_mm2(snapshot, "Treg")
