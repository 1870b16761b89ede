"""A body with companions: a systemic model and drugs that keep pharmacokinetics of their own beside it.

Every part is a Body of its own. Between two exchanges the parts see one another frozen, and they advance in
the palindromic order companions, systemic model, companions, with half an interval before and half after
(splitting after Strang, 10.1137/0705041). A companion thus acts on the systemic model with its value at
mid-interval, and the whole is of second order in the interval. No interval reaches over the edge of a dose.
"""

import bisect
import math
from collections.abc import Iterable, Mapping

import numpy as np

from ..abm.errors import InputError, unknown_word
from .dosing import Regimen
from .joint import Drive, Joint
from .system import Body

EXCHANGE_DAYS = 0.25  # assumed: short against the days over which an antibody distributes
LEAST_EXCHANGE_DAYS = 1e-4  # nine seconds


class BodyWithCompanions(Body):
    """A systemic model and its companions with the face of one Body.

    Parameters
    ----------
    systemic : Body
    companions : mapping of str to Body
        By name, at the time of the systemic model. All parts are taken over: their vectors become views of the
        joint ones, so that writing to either is the same.
    drives : iterable of Drive
        Which input of a part follows which state or output of another.
    exchange_days : float
        Longest interval between two exchanges.

    Attributes
    ----------
    model : OdeModel
        The joint model (see `Joint`).
    parts : tuple of Body
        The systemic model, then the companions.

    Raises
    ------
    InputError
        As `Joint`; parts that stand at different times; an interval that is not positive.
    """

    def __init__(
        self,
        systemic: Body,
        companions: Mapping[str, Body],
        drives: Iterable[Drive] = (),
        exchange_days: float = EXCHANGE_DAYS,
    ):
        self.names, self.parts = tuple(companions), (systemic, *companions.values())
        self._joint = Joint({"": systemic.model} | {n: b.model for n, b in companions.items()}, tuple(drives))
        self.model, self.rtol, self.atol = self._joint.model, systemic.rtol, systemic.atol
        self.exchange_days = float(exchange_days)
        if not LEAST_EXCHANGE_DAYS <= self.exchange_days < math.inf:
            raise InputError(
                f"{self.model.name}: exchange_days must be above 0, {LEAST_EXCHANGE_DAYS:g} at least, "
                f"it is {exchange_days}"
            )
        for name, body in companions.items():
            if body.t != systemic.t:
                raise InputError(
                    f"companion {name} stands at day {body.t:g} and the systemic model at day {systemic.t:g}; "
                    "start them together"
                )
        for key, kind in (("y", "states"), ("p", "parameters"), ("u", "inputs")):
            whole = np.concatenate([getattr(part, key) for part in self.parts])
            setattr(self, key, whole)
            for part, place in zip(self.parts, self._joint.slices[kind], strict=True):
                setattr(part, key, whole[place])
        self._out = np.zeros(len(self.model.outputs))
        self._gather()

    def _gather(self) -> None:
        """Take over time, counts and doses of the parts."""
        self.t = self.parts[0].t
        self.halved = sum(part.halved for part in self.parts)
        self.changed = dict(self.parts[0].changed)
        for name, part in zip(self.names, self.parts[1:], strict=True):
            self.changed |= {f"{name}.{key}": value for key, value in part.changed.items()}
        self.regimen = Regimen(dose for part in self.parts for dose in part.regimen.doses)

    def advance_to(self, time_days: float) -> None:
        """Advance all parts to a time (d), in equal intervals from dose edge to dose edge.

        Raises
        ------
        InputError, BodyError
            As ``Body.advance_to``.
        """
        if not self.t <= time_days < math.inf:
            raise InputError(f"{self.model.name}: cannot go from day {self.t:g} to day {time_days:g}")
        edges = self.regimen.edges
        while self.t < time_days:
            following = bisect.bisect_right(edges, self.t)
            stop = min(time_days, edges[following]) if following < len(edges) else time_days
            start, pieces = self.t, math.ceil((stop - self.t) / self.exchange_days)
            for piece in range(1, pieces + 1):
                self._exchange(stop if piece == pieces else start + (stop - start) * (piece / pieces))
        self.halved = sum(part.halved for part in self.parts)

    def _exchange(self, end: float) -> None:
        """Advance by one interval: companions to its middle, the systemic model over it, companions on."""
        middle = 0.5 * (self.t + end)
        companions = range(1, len(self.parts))
        for part in companions:
            self._advance_part(part, middle)
        self._advance_part(0, end)
        for part in reversed(companions):
            self._advance_part(part, end)
        self.t = end

    def _advance_part(self, part: int, time_days: float) -> None:
        self._joint.drive(part, self.t, self.y, self.p, self.u)
        self.parts[part].advance_to(time_days)

    def stop_dosing(self, time_days: float) -> None:
        """Drop the doses of every part that start at or after a time (d)."""
        for part in self.parts:
            part.stop_dosing(time_days)
        self._gather()

    def set_dose(self, drug: str, factor: float, from_days: float) -> None:
        """Give a share of every planned dose of a drug from a time (d) on; see ``Body.set_dose``.

        Raises
        ------
        InputError
        """
        self._part_of(drug).set_dose(drug, factor, from_days)
        self._gather()

    def planned(self, drug: str) -> float:
        """Return the amount of a drug that the plan foresaw up to now."""
        return self._part_of(drug).planned(drug)

    def _part_of(self, drug: str) -> Body:
        """Return the part that takes a drug."""
        for part in self.parts:
            if drug in part.dosed:
                return part
        raise unknown_word("drug", drug, self.dosed, f"planned doses of {self.model.name}")

    @property
    def dosed(self) -> dict[str, float]:
        """Amount of every planned drug given so far."""
        return {drug: amount for part in self.parts for drug, amount in part.dosed.items()}

    def set_input(self, name: str, value: float) -> None:
        """Set an input; InputError if it is driven, governed by the doses or not finite."""
        if any(drive.input == name for drive in self._joint.drives):
            raise InputError(
                f"{self.model.name}: input '{name}' is driven by a companion; leave it to the drive"
            )
        super().set_input(name, value)

    def state(self) -> dict[str, np.ndarray]:
        """Return all that changes, to restart from bit for bit."""
        kept = dict(self.parts[0].state())
        for name, part in zip(self.names, self.parts[1:], strict=True):
            kept |= {f"companion_{name}_{key}": value for key, value in part.state().items()}
        return kept

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Take over what ``state`` returned, in a body made with the same arguments; ignore other keys.

        Raises
        ------
        InputError
            A companion is missing, or a part belongs to another model.
        """
        self.parts[0].restore(state)
        for name, part in zip(self.names, self.parts[1:], strict=True):
            head = f"companion_{name}_"
            own = {key.removeprefix(head): value for key, value in state.items() if key.startswith(head)}
            if not own:
                raise InputError(f"{self.model.name}: the saved state holds no companion '{name}'")
            part.restore(own)
        self._gather()
