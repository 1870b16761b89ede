"""Adaptive therapy by vacations (AT-2)."""

from .registry import Memory, Seen, Settings, controller


@controller(
    "vacation",
    {
        "least_change": (
            "number >= 0",
            True,
            "change since the last result, as a share of it, up to which it is no change",
        )
    },
    last=0.0,
)
def vacation(settings: Settings, seen: Seen, memory: Memory) -> float:
    """Give the full dose where the tumour has grown since the last result, and skip it otherwise.

    After AT-2 of Enriquez-Navas 2016 (10.1126/scitranslmed.aad7842): the dose never changes, it is left out while
    the tumour is stable or shrinks. The first result treats.
    """
    grown = seen.value > memory["last"] * (1.0 + settings["least_change"])
    memory["last"] = seen.value
    return 1.0 if grown else 0.0
