"""When the fractions of a course of radiotherapy are given."""

import math
from collections.abc import Sequence

from ...abm.errors import InputError
from .linear_quadratic import HOURS, Fraction

WEEKDAYS = (1, 2, 3, 4, 5)
WEEK_DAYS = 7


def fractions_of(
    dose_Gy: float,
    fractions: int,
    week: Sequence[int] = WEEKDAYS,
    first_day: float = 0.0,
    per_day: int = 1,
    interval_h: float = 6.0,
    duration_h: float = 0.0,
) -> list[Fraction]:
    """Return the fractions of a course in order of time.

    Parameters
    ----------
    dose_Gy : float
        A fraction.
    fractions : int
    week : sequence of int
        Days of the week on which there is treatment; day 1 is the one on which the course begins.
    first_day : float
        Time (d) of the first fraction if day 1 is a day of treatment.
    per_day : int
        Fractions a day, ``interval_h`` apart.
    duration_h : float
        Time of delivery of a fraction.

    Raises
    ------
    InputError
        A number out of range, or fractions of a day that overlap or run into the next day.
    """
    if not dose_Gy > 0.0 or not math.isfinite(dose_Gy):
        raise InputError(f"radiotherapy: dose_Gy must be above 0, got {dose_Gy}")
    for name, count in (("fractions", fractions), ("per_day", per_day)):
        if count < 1 or count != int(count):
            raise InputError(f"radiotherapy: {name} must be a whole number from 1 on, got {count}")
    days = sorted(set(week))
    if not days or any(day != int(day) or not 1 <= day <= WEEK_DAYS for day in days):
        raise InputError(
            f"radiotherapy: week lists days of treatment from 1 to {WEEK_DAYS}, got {list(week)}"
        )
    if first_day < 0.0 or duration_h < 0.0:
        raise InputError("radiotherapy: first_day and the time of delivery must not be negative")
    if per_day > 1 and not duration_h <= interval_h:
        raise InputError(
            f"radiotherapy: fractions of {duration_h:g} h overlap at an interval of {interval_h:g} h"
        )
    if (per_day - 1) * interval_h + duration_h >= HOURS:
        raise InputError(f"radiotherapy: {per_day} fractions {interval_h:g} h apart do not fit into a day")
    given: list[Fraction] = []
    for number in range(int(fractions)):
        day, of_day = divmod(number, int(per_day))
        weeks, place = divmod(day, len(days))
        start = first_day + weeks * WEEK_DAYS + days[place] - 1 + of_day * interval_h / HOURS
        given.append(Fraction(start, dose_Gy, duration_h / HOURS))
    return given
