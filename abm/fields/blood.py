"""A field and the blood that it uses up, stepped together.

A step of a field is linear in the level of blood: what vessels deliver is `returned + taken x level`, with
`returned` (at most 0) found for an empty blood and `taken` for an empty field and one unit in blood. Two solves
give both; the blood says which level this makes, and the field is the sum. No step is too long for it.
"""

from typing import Protocol

import numpy as np

from .account import Account
from .grids import Array
from .multigrid import INVALID
from .step import EULER, Law, Step, StepWork, Terms, step_field


class Blood(Protocol):
    """What a field exchanges with at vessels, and what changes by the exchange."""

    def settle(self, returned: float, taken: float) -> float:
        """Book an update in which vessels deliver ``returned + taken * level``; return that mean level.

        Parameters
        ----------
        returned, taken : float
            Field unit times sites, and sites.
        """


def step_with_blood(
    c: Array,
    terms: Terms,
    law: Law,
    dt_h: float,
    work: StepWork,
    order: int,
    tolerance: float,
    most_cycles: int,
    blood: Blood,
) -> Step:
    """Take a step as `step_field` does, at the level in blood that the step itself makes.

    Parameters
    ----------
    c : float64[(nz,) ny, nx]
        Field, changed in place.
    law : Law
        Its level is not used.
    blood : Blood
        Asked, and told, once.

    Returns
    -------
    Step
        The account is that of the whole field; it closes to round-off.
    """
    asked = order
    empty, unit = np.zeros_like(c), np.zeros_like(c)
    alone = terms._replace(source=empty)
    closed = law._replace(level=1.0, faces=law.faces._replace(level=np.zeros_like(law.faces.level)))
    answer = step_field(unit, alone, closed, dt_h, work, order, tolerance, most_cycles)
    if answer.status == INVALID:
        return answer
    if answer.fell_back:  # both parts by the same method, or blood and tissue in balance would not stay so
        order = EULER
    rest = step_field(c, terms, law._replace(level=0.0), dt_h, work, order, tolerance, most_cycles)
    if rest.status == INVALID:
        return rest
    cycles = answer.cycles + rest.cycles
    if rest.fell_back:
        unit[...] = 0.0
        answer = step_field(unit, alone, closed, dt_h, work, EULER, tolerance, most_cycles)
        cycles += answer.cycles
    level = blood.settle(dt_h * min(_gained(rest.account), 0.0), dt_h * max(_gained(answer.account), 0.0))
    c += level * unit
    book = Account(*(a + level * b for a, b in zip(rest.account, answer.account, strict=True)))
    fell_back = asked != EULER and (rest.fell_back or order == EULER)
    return Step(max(rest.status, answer.status), cycles, fell_back, book)


def _gained(book: Account) -> float:
    """Return what the field gained that came from nowhere else, and so from blood, per hour.

    With fast exchange the levels inside and outside a vessel agree to many digits, of which their difference,
    `delivered`, keeps few; the change of the field keeps them all.
    """
    return book.change + book.taken_up + book.decayed - book.secreted - book.boundary
