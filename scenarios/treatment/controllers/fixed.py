"""Controllers that do not look."""

from .registry import Memory, Seen, Settings, controller


@controller("none")
def untreated(settings: Settings, seen: Seen, memory: Memory) -> float:
    """Return no dose at any time."""
    return 0.0


@controller("always on")
@controller("continuous")
def continuous(settings: Settings, seen: Seen, memory: Memory) -> float:
    """Return the full dose at all times."""
    return 1.0
