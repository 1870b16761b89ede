"""Extinction therapy: a first strike, and a second one while the tumour is small."""

from ....abm.errors import InputError
from .registry import Memory, Seen, Settings, controller


def _check(settings: Settings, where: str) -> None:
    if ("second_signal" in settings) == ("second_drug" in settings):
        raise InputError(
            f"{where}: kind = 'extinction' needs one of second_signal and second_drug, the second strike"
        )


@controller(
    "extinction",
    {
        "switch_below": (
            "number > 0",
            True,
            "extinction: share of the baseline below which the second strike begins",
        ),
        "second_signal": ("text", False, "extinction: body signal of the second strike"),
        "second_drug": ("words", False, "extinction: drugs of the body of the second strike"),
    },
    _check,
    targets=2,
    strike=1.0,
)
def extinction(settings: Settings, seen: Seen, memory: Memory) -> tuple[float, float]:
    """Strike with one drug until the tumour is small, then for good with another.

    First and second strike of Gatenby, Zhang and Brown 2019 (10.1158/0008-5472.CAN-19-0807): the survivors of the
    first are few enough for chance, and not selected for the second.
    """
    if seen.relative < settings["switch_below"]:
        memory["strike"] = 2.0
    return (1.0, 0.0) if memory["strike"] == 1.0 else (0.0, 1.0)
