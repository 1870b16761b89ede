"""Adaptive therapy by dose modulation (AT-1)."""

from .registry import Memory, Seen, Settings, controller, in_order


def _check(settings: Settings, where: str) -> None:
    in_order({"dose_least": 0.0, "dose_most": 1.0} | dict(settings), where, "dose_least", "dose_most")


@controller(
    "dose modulation",
    {
        "dose_step": (
            "number > 0 <= 1",
            True,
            "dose modulation: share by which the dose is raised or lowered",
        ),
        "least_change": (
            "number >= 0",
            True,
            "change since the last result, as a share of it, up to which it is no change",
        ),
        "dose_least": ("number >= 0", False, "lowest dose, as a share of the full one; 0 if absent"),
        "dose_most": ("number >= 0", False, "highest dose, as a share of the full one; 1 if absent"),
    },
    _check,
    dose=-1.0,
    last=0.0,
)
def modulate(settings: Settings, seen: Seen, memory: Memory) -> float:
    """Raise the dose when the tumour has grown since the last result, lower it when it has shrunk.

    AT-1 of Enriquez-Navas 2016 (10.1126/scitranslmed.aad7842): treatment begins with the highest dose; a change
    within the tolerance leaves the dose as it is.
    """
    least, most = settings.get("dose_least", 0.0), settings.get("dose_most", 1.0)
    if memory["dose"] < 0.0:
        memory["dose"] = most
    elif seen.value > memory["last"] * (1.0 + settings["least_change"]):
        memory["dose"] *= 1.0 + settings["dose_step"]
    elif seen.value < memory["last"] * (1.0 - settings["least_change"]):
        memory["dose"] *= 1.0 - settings["dose_step"]
    memory["dose"], memory["last"] = min(max(memory["dose"], least), most), seen.value
    return memory["dose"]
