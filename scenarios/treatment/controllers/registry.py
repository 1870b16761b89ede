"""What a kind of controller is, and the register in which scenarios find it by its word."""

from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from ....abm.errors import InputError

Settings = Mapping[str, Any]
Memory = MutableMapping[str, float]
Keys = Mapping[str, tuple[str, bool, str]]


@dataclass(frozen=True)
class Seen:
    """A result on the day on which it becomes known: all that a controller may look at.

    Attributes
    ----------
    value : float
        As reported, in the unit of what is measured.
    baseline : float
        As reported for the first visit.
    at_limit : bool
        Whether the value is the detection limit, the true one being somewhere below.
    visit_day, day : float
        When it was measured, and today.
    dose : float
        In force when it was measured.
    """

    value: float
    baseline: float
    at_limit: bool
    visit_day: float
    day: float
    dose: float

    @property
    def relative(self) -> float:
        """Return the value over its baseline; 0 where the baseline is 0."""
        return self.value / self.baseline if self.baseline else 0.0


Decide = Callable[[Settings, Seen, Memory], "float | tuple[float, ...]"]
Check = Callable[[Settings, str], None]


def _anything(settings: Settings, where: str) -> None:
    """Accept any settings."""


@dataclass(frozen=True)
class Kind:
    """A kind of controller.

    Attributes
    ----------
    decide : callable
        (settings, what was seen, memory) -> dose from 0 (off) to 1 (on), or one for each target.
    keys : mapping
        Its own keys of [controller]: name -> (kind of value, required, meaning).
    memory : mapping
        What it remembers between visits, with the starting values; part of every checkpoint.
    check : callable
        (settings, section) raises InputError for numbers that make no sense.
    targets : int
        How many signals or drugs it doses: 1, or 2 with ``second_signal`` or ``second_drug``.
    """

    decide: Decide
    keys: Keys
    memory: Mapping[str, float]
    check: Check
    targets: int


CONTROLLERS: dict[str, Kind] = {}


def controller(
    name: str, keys: Keys | None = None, check: Check = _anything, targets: int = 1, **memory: float
) -> Callable[[Decide], Decide]:
    """Register a function as a kind of controller under the word that scenarios use.

    Parameters
    ----------
    name : str
    keys : mapping, optional
        Its own keys of [controller].
    check : callable, optional
    targets : int
    **memory : float
        Names and starting values of what it remembers.
    """

    def register(decide: Decide) -> Decide:
        CONTROLLERS[name] = Kind(decide, keys or {}, memory, check, targets)
        return decide

    return register


def in_order(settings: Settings, where: str, *names: str) -> None:
    """Check that the settings of these names, as far as they are given, do not fall.

    Raises
    ------
    InputError
    """
    given = [name for name in names if name in settings]
    for low, high in pairwise(given):
        if settings[low] > settings[high]:
            raise InputError(
                f"{where}.{low} ({settings[low]:g}) must not lie above {where}.{high} ({settings[high]:g})"
            )
