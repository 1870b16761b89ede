"""Rules that treat by what they see: one file a kind of controller, one decorated function each."""

from . import adaptive, exposure, extinction, fixed, intermittent, modulation, toxicity, vacation
from .registry import CONTROLLERS, Kind, Memory, Seen, Settings, controller

__all__ = ["CONTROLLERS", "Kind", "Memory", "Seen", "Settings", "controller"]
_KINDS = (fixed, adaptive, modulation, vacation, intermittent, toxicity, exposure, extinction)
