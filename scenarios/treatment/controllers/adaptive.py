"""Adaptive therapy, on and off."""

from .registry import Memory, Seen, Settings, controller, in_order


def _check(settings: Settings, where: str) -> None:
    in_order(settings, where, "off_below", "on_above")


@controller(
    "adaptive",
    {
        "off_below": ("number >= 0", True, "treatment pauses below this share of the baseline"),
        "on_above": ("number >= 0", True, "treatment resumes above this share of the baseline"),
    },
    _check,
    dose=1.0,
)
def adaptive(settings: Settings, seen: Seen, memory: Memory) -> float:
    """Treat until the tumour has shrunk, pause until it is back (10.1158/0008-5472.CAN-08-3658).

    Between the two thresholds the dose stays what it was; the first visit treats.
    """
    if seen.relative < settings["off_below"]:
        memory["dose"] = 0.0
    elif seen.relative > settings["on_above"]:
        memory["dose"] = 1.0
    return memory["dose"]
