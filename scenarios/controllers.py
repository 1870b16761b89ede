"""Rules that treat by what they see: one decorated function a kind of controller."""

from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

Settings = Mapping[str, Any]
Memory = MutableMapping[str, float]
Decide = Callable[[Settings, float, Memory], float]
Keys = Mapping[str, tuple[str, bool, str]]


@dataclass(frozen=True)
class Kind:
    """A kind of controller.

    Attributes
    ----------
    decide : callable
        (settings, observed number over its baseline, memory) -> dose from 0 (off) to 1 (on).
    keys : mapping
        Its own keys of [controller]: name -> (kind of value, required, meaning).
    memory : mapping
        What it remembers between visits, with the starting values; part of every checkpoint.
    """

    decide: Decide
    keys: Keys
    memory: Mapping[str, float]


CONTROLLERS: dict[str, Kind] = {}


def controller(name: str, keys: Keys | None = None, **memory: float) -> Callable[[Decide], Decide]:
    """Register a function as a kind of controller under the word that scenarios use.

    Parameters
    ----------
    name : str
    keys : mapping, optional
        Its own keys of [controller].
    **memory : float
        Names and starting values of what it remembers.
    """

    def register(decide: Decide) -> Decide:
        CONTROLLERS[name] = Kind(decide, keys or {}, memory)
        return decide

    return register


@controller("none")
def untreated(settings: Settings, relative: float, memory: Memory) -> float:
    """Return no dose at any time."""
    return 0.0


@controller("always on")
@controller("continuous")
def continuous(settings: Settings, relative: float, memory: Memory) -> float:
    """Return the full dose at all times."""
    return 1.0


@controller(
    "adaptive",
    {
        "off_below": ("number", True, "treatment pauses below this share of the baseline"),
        "on_above": ("number", True, "treatment resumes above this share of the baseline"),
    },
    dose=1.0,
)
def adaptive(settings: Settings, relative: float, memory: Memory) -> float:
    """Treat until the tumour has shrunk, pause until it is back (10.1158/0008-5472.CAN-08-3658).

    Between the two thresholds the dose stays what it was; the first visit treats.
    """
    if relative < settings["off_below"]:
        memory["dose"] = 0.0
    elif relative > settings["on_above"]:
        memory["dose"] = 1.0
    return memory["dose"]
