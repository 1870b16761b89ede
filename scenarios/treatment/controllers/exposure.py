"""Doses adjusted to a target exposure."""

from .registry import Memory, Seen, Settings, controller, in_order


def _check(settings: Settings, where: str) -> None:
    in_order(settings, where, "dose_least", "dose_most")


@controller(
    "exposure",
    {
        "target": ("number > 0", True, "exposure: what each interval between visits should show"),
        "dose_least": ("number >= 0", False, "lowest dose, as a share of the full one; 0 if absent"),
        "dose_most": ("number >= 0", False, "highest dose, as a share of the full one; 1 if absent"),
    },
    _check,
    dose=-1.0,
)
def exposure(settings: Settings, seen: Seen, memory: Memory) -> float:
    """Multiply the dose behind a result by target / observed, which hits the target where kinetics are linear.

    An interval without exposure, as before the first visit, tells nothing and changes nothing.
    """
    least, most = settings.get("dose_least", 0.0), settings.get("dose_most", 1.0)
    if memory["dose"] < 0.0:
        memory["dose"] = min(max(1.0, least), most)
    if seen.value > 0.0 and seen.dose > 0.0:
        memory["dose"] = min(max(seen.dose * settings["target"] / seen.value, least), most)
    return memory["dose"]
