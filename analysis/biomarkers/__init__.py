"""Biomarkers of a section of tissue, simulated or real. The modules here are the catalogue."""

from . import densities, ratios
from .registry import BIOMARKERS, Biomarker, biomarker, measure, skipped

__all__ = ["BIOMARKERS", "Biomarker", "biomarker", "densities", "measure", "ratios", "skipped"]
