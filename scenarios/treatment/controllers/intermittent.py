"""Treatment on and off by the calendar."""

from ....abm.errors import InputError
from .registry import Memory, Seen, Settings, controller


def _check(settings: Settings, where: str) -> None:
    every = settings.get("every_days", 1)
    for name in ("on_days", "off_days"):
        visits = settings[name] / every
        if abs(visits - round(visits)) > 1e-6 * visits:
            raise InputError(
                f"{where}.{name} must be a multiple of {where}.every_days ({every:g} d), "
                f"since treatment changes at visits, got {settings[name]:g} d"
            )


@controller(
    "intermittent",
    {
        "on_days": ("number > 0 <= 36500", True, "intermittent: days of treatment, from the first visit on"),
        "off_days": ("number > 0 <= 36500", True, "intermittent: days without treatment between them"),
    },
    _check,
    start=-1.0,
)
def intermittent(settings: Settings, seen: Seen, memory: Memory) -> float:
    """Treat for so many days and pause for so many, whatever is seen."""
    if memory["start"] < 0.0:
        memory["start"] = seen.day
    cycle = settings["on_days"] + settings["off_days"]
    # days are whole steps in floating point: a millionth of a day decides no cycle
    return 1.0 if (seen.day - memory["start"] + 1e-6) % cycle < settings["on_days"] else 0.0
