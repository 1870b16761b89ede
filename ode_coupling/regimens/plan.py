"""A plan: orders of several drugs, together and one after the other."""

import math
from dataclasses import dataclass, replace

from ..dosing import Dose
from .body_size import BodySize
from .order import Order
from .pointing import Misfit


@dataclass(frozen=True)
class Line:
    """What is given of one drug in one phase of a plan."""

    drug: str
    order: Order

    def __str__(self) -> str:
        return f"{self.drug}: {self.order}"


@dataclass(frozen=True)
class Plan:
    """Phases of treatment; a phase begins when all orders of the one before are over.

    Attributes
    ----------
    phases : tuple of tuple of Line

    Raises
    ------
    Misfit
        A phase never begins, a drug has two lines in one phase, or lines differ on the weekday of day 1.
    """

    phases: tuple[tuple[Line, ...], ...]

    def __post_init__(self) -> None:
        if not self.phases or not all(self.phases):
            raise Misfit("a plan needs a line 'drug: order'", "drug")
        firsts: dict[int, Line] = {}
        for phase in self.phases:
            seen: set[str] = set()
            for line in phase:
                if line.drug in seen:
                    raise Misfit(
                        f"{line.drug} has two orders at a time; join them with '+'", "drug", None, line
                    )
                seen.add(line.drug)
                if line.order.calendar:
                    firsts.setdefault(line.order.calendar.first, line)
        if len(firsts) > 1:
            raise Misfit("lines differ on the weekday of day 1", "calendar", None, list(firsts.values())[1])
        self.turns_hours()

    def __str__(self) -> str:
        return ", then ".join("; ".join(map(str, phase)) for phase in self.phases)

    @property
    def drugs(self) -> tuple[str, ...]:
        """Names of the drugs, in the order in which they first appear."""
        return tuple(dict.fromkeys(line.drug for phase in self.phases for line in phase))

    @property
    def open_ended(self) -> bool:
        """Whether the last phase goes on without end."""
        return any(line.order.open_ended for line in self.phases[-1])

    def turns_hours(self) -> list[float]:
        """Return when each phase begins (h since day 1), and last when the plan is over (inf: never).

        Raises
        ------
        Misfit
            Something comes after an order that never ends.
        """
        turns = [0.0]
        for number, phase in enumerate(self.phases, start=1):
            ends = [line.order.ends_hours(turns[-1]) for line in phase]
            if number < len(self.phases) and math.inf in ends:
                line = phase[ends.index(math.inf)]
                raise Misfit(
                    f"the order of {line.drug} never ends, so that what follows 'then' never begins; "
                    "give it x N, for N weeks or until day N",
                    "drug",
                    None,
                    line,
                )
            turns.append(max(ends))
        return turns

    def until_progression(self) -> "Plan":
        """Return the plan with the number of cycles in its last phase passed over."""
        last = tuple(Line(line.drug, line.order.until_progression()) for line in self.phases[-1])
        return replace(self, phases=(*self.phases[:-1], last))

    def doses(
        self, size: BodySize | None = None, until_days: float | None = None, first_day: float = 0.0
    ) -> list[Dose]:
        """Return the doses of all drugs in order of time, then of drug.

        Parameters
        ----------
        size : BodySize, optional
        until_days : float, optional
            No dose starts at or after this time (d).
        first_day : float
            Time (d) at which day 1 begins.

        Raises
        ------
        InputError
            As ``Order.doses``.
        """
        doses: list[Dose] = []
        for phase, turn in zip(self.phases, self.turns_hours(), strict=False):
            for line in phase:
                doses += line.order.doses(line.drug, size, until_days, first_day, turn)
        return sorted(doses, key=lambda dose: (dose.time_days, dose.drug))
