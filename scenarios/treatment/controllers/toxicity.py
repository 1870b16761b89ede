"""Doses held and reduced by a count that falls under treatment, as neutrophils do."""

from .registry import Memory, Seen, Settings, controller, in_order


def _check(settings: Settings, where: str) -> None:
    in_order(settings, where, "reduce_below", "hold_below", "resume_from")


@controller(
    "toxicity",
    {
        "hold_below": (
            "number > 0",
            True,
            "doses are held below this (neutrophils of grade 3: 1.0e9 cells/L)",
        ),
        "reduce_below": ("number > 0", True, "doses resume reduced once below this (grade 4: 0.5e9 cells/L)"),
        "reduce_to": ("number > 0 <= 1", False, "share of the dose before that resumes; 0.75 if absent"),
        "resume_from": ("number > 0", False, "held doses resume from this on; hold_below if absent"),
    },
    _check,
    share=1.0,
    held=0.0,
    reduced=0.0,
)
def toxicity(settings: Settings, seen: Seen, memory: Memory) -> float:
    """Hold doses while a count is too low, and resume with less once it was far too low.

    The grades are those of CTCAE for neutrophils; each episode of the worse grade reduces once.
    """
    if seen.value < settings["reduce_below"] and not memory["reduced"]:
        memory["share"] *= settings.get("reduce_to", 0.75)
        memory["reduced"] = 1.0
    if seen.value < settings["hold_below"]:
        memory["held"] = 1.0
    elif seen.value >= settings.get("resume_from", settings["hold_below"]):
        memory["held"] = memory["reduced"] = 0.0
    return 0.0 if memory["held"] else memory["share"]
