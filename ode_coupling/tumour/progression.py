"""Treat a well-mixed tumour by a rule at regular visits, and find when it progresses."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from ...abm.errors import InputError
from ...abm.ode_model import OdeModel
from ..system import Body

Rule = Callable[[float, float], float]
RTOL, SMALL = 1e-10, 1e-12


def always(share: float, dose: float) -> float:
    """Return the full dose: continuous treatment at the maximum tolerated dose."""
    return 1.0


def never(share: float, dose: float) -> float:
    """Return no dose."""
    return 0.0


def adaptive(off_below: float = 0.5, on_above: float = 1.0) -> Rule:
    """Return the rule that pauses below a share of the first burden and resumes above another.

    Parameters
    ----------
    off_below, on_above : float
        Shares of the burden at time 0; 0.5 and 1 are AT50 (10.1158/0008-5472.CAN-20-0806).

    Raises
    ------
    InputError
        The thresholds are reversed or negative.
    """
    if not 0.0 <= off_below <= on_above:
        raise InputError(f"adaptive rule: needs 0 <= off_below <= on_above, got {off_below} and {on_above}")

    def decide(share: float, dose: float) -> float:
        return 0.0 if share < off_below else 1.0 if share >= on_above else dose

    return decide


@dataclass(frozen=True)
class Progression:
    """What became of a treated tumour.

    Attributes
    ----------
    time_days : float
        When the burden crossed the threshold; infinite if it did not within the time allowed.
    visit_days : float
        The first visit that found it.
    cycles : int
        How often treatment was resumed after a pause.
    treated_days : float
        Full doses times days up to ``visit_days`` or the end.
    """

    time_days: float
    visit_days: float
    cycles: int
    treated_days: float


def time_to_progression(
    model: OdeModel,
    rule: Rule = always,
    above: float = 1.2,
    every_days: float = 1.0,
    until_days: float = 7300.0,
    observe: str = "burden",
    source: str = "burden",
) -> Progression:
    """Return when a tumour outgrows its first burden under a rule that decides at every visit.

    Parameters
    ----------
    model : OdeModel
        With an input ``drug``, which the rule sets.
    rule : callable
        (observed value over its value at time 0, dose in force) -> dose.
    above : float
        Progression is a burden of this multiple of the first.
    every_days : float
        Time between visits; the first decision is at time 0.
    until_days : float
        When to give up.
    observe, source : str
        Output that is held against ``above``, and output that the rule sees.

    Raises
    ------
    InputError
        An interval is not positive, or the tumour is empty at time 0.
    """
    for name, value in (("every_days", every_days), ("until_days", until_days), ("above", above)):
        if not value > 0.0:
            raise InputError(f"time to progression of {model.name}: {name} must be above 0, got {value}")
    body = Body(model, rtol=RTOL, atol=SMALL * max(*map(abs, model.initial.tolist()), 1e-300))
    first, seen = body.output(observe), body.output(source)
    if not (first > 0.0 and seen > 0.0):
        raise InputError(f"time to progression of {model.name}: there is no tumour at time 0")
    dose, cycles, treated = rule(1.0, 0.0), 0, 0.0
    visit = 0
    while body.t < until_days:
        body.set_input("drug", dose)
        start = body.state()
        visit += 1
        at = min(visit * every_days, until_days)
        body.advance_to(at)
        treated += dose * (at - float(start["body_clock"][0]))
        if body.output(observe) > above * first:
            return Progression(_crossing(body, start, observe, above * first), at, cycles, treated)
        decided = rule(body.output(source) / seen, dose)
        cycles += decided > 0.0 == dose
        dose = decided
    return Progression(math.inf, math.inf, cycles, treated)


def _crossing(body: Body, start: dict, observe: str, level: float) -> float:
    """Return when the output reached a level, from the state at the visit before, to 1e-9 d."""
    low, high = float(start["body_clock"][0]), body.t
    while high - low > 1e-9:
        middle = 0.5 * (low + high)
        body.restore(start)
        body.advance_to(middle)
        if body.output(observe) > level:
            high = middle
        else:
            low = middle
    return high
