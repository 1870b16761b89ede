"""Radiotherapy in a run: for exactly one step a fraction, two body signals drive two causes of death.

In the step of a fraction the linear signal is d/dt and the quadratic one the fraction's share of Q over dt (see
``ode_coupling.tumour.linear_quadratic``); in all others both are 0. Rates alpha and beta times them add up to
alpha d + beta Q over the step, so that a cell that does nothing else survives with exp(-alpha d - beta Q).
"""

from bisect import bisect_right
from collections.abc import Mapping
from typing import Any

from ...abm.advance import Tissue
from ...abm.compile.quantities import in_unit, quantity
from ...abm.errors import InputError, unknown_word
from ...abm.model import Model
from ...abm.vocabulary import RATES, UPDATES
from ...ode_coupling.tumour.linear_quadratic import squares
from ...ode_coupling.tumour.schedule import WEEKDAYS, fractions_of

LINEAR, QUADRATIC = "radiation_linear", "radiation_quadratic"
UNITS = {LINEAR: "Gy/h", QUADRATIC: "Gy^2/h"}
NEVER = 2**62  # a step that no run reaches

RADIOTHERAPY_KEYS: dict[str, tuple[str, bool, str]] = {
    "dose_Gy": ("number > 0 <= 1000", True, "dose of a fraction"),
    "fractions": ("whole >= 1 <= 1000", True, "number of fractions"),
    "week": (
        "numbers >= 1 <= 7",
        False,
        "days of the week with treatment, 1 is the first of the course; 1 to 5 if absent",
    ),
    "first_day": ("number >= 0 <= 36500", False, "time of the first fraction; 0 if absent"),
    "per_day": ("whole >= 1 <= 24", False, "fractions a day; 1 if absent"),
    "interval_hours": ("number > 0 <= 24", False, "time between fractions of one day; 6 if absent"),
    "delivery_minutes": ("number >= 0 <= 1440", False, "time that a fraction takes; at once if absent"),
    "repair_half_time_hours": (
        "number >= 0",
        False,
        "half-time of repair; complete between fractions if absent",
    ),
    "source": ("text", True, "source of the schedule"),
}


class Radiation:
    """The fractions of a run; follows from the scenario alone, so that a checkpoint holds nothing of it.

    Parameters
    ----------
    tables : mapping
        The scenario; [radiotherapy] is read.
    model : Model
        Needs the body signals ``radiation_linear`` and ``radiation_quadratic``.

    Attributes
    ----------
    levels : dict of int to dict of str to float
        Step of a fraction to the signals in it; fractions after the end of the run are left out.

    Raises
    ------
    InputError
        A number out of range, a model that radiation cannot act on exactly, a signal that something else
        sets, or two fractions in one step.
    """

    def __init__(self, tables: Mapping[str, Any], model: Model):
        self.levels: dict[int, dict[str, float]] = {}
        self._signals: tuple[str, ...] = ()
        self._changes: list[int] = []
        if settings := tables.get("radiotherapy"):
            _check(tables, model)
            self._signals = (LINEAR, QUADRATIC)
            self._plan(settings, model, tables["scenario"]["duration_days"])

    def _plan(self, settings: Mapping[str, Any], model: Model, duration_days: float) -> None:
        half_time = settings.get("repair_half_time_hours", 0.0)
        fractions = fractions_of(
            settings["dose_Gy"],
            settings["fractions"],
            settings.get("week", WEEKDAYS),
            settings.get("first_day", 0.0),
            settings.get("per_day", 1),
            settings.get("interval_hours", 6.0),
            settings.get("delivery_minutes", 0.0) / 60.0,
        )
        units = {signal.name: signal.unit for signal in model.signals}
        end = max(round(duration_days * 24 / model.dt_h), 1)
        for fraction, square in zip(fractions, squares(fractions, half_time), strict=True):
            step = round(fraction.time_days * 24 / model.dt_h)
            if step in self.levels:
                raise InputError(
                    f"[radiotherapy]: two fractions fall into the step of {model.dt_h:g} h at day "
                    f"{fraction.time_days:g}; lengthen interval_hours or shorten the time step of the model"
                )
            if step < end:
                rates = {LINEAR: fraction.dose_Gy / model.dt_h, QUADRATIC: float(square) / model.dt_h}
                self.levels[step] = {
                    name: in_unit(quantity(rate, UNITS[name]), units[name], f"body signal {name}")
                    for name, rate in rates.items()
                }
        self._changes = sorted({change for step in self.levels for change in (step, step + 1)})

    def __bool__(self) -> bool:
        """Return whether there is anything to do."""
        return bool(self._signals)

    def next(self, step: int) -> int:
        """Return the next step after ``step`` at which a fraction begins or has ended."""
        later = bisect_right(self._changes, step)
        return self._changes[later] if later < len(self._changes) else NEVER

    def attend(self, tissue: Tissue, step: int) -> None:
        """Set the signals for the step to come; call at step 0 and at every ``next``."""
        tissue.set_body(self.levels.get(step, dict.fromkeys(self._signals, 0.0)))


def _check(tables: Mapping[str, Any], model: Model) -> None:
    """Check that radiation can act on the model, and that nothing else sets its signals."""
    rates = UPDATES[RATES]
    if model.spec.model["update"] != rates:
        raise InputError(
            f"[radiotherapy]: model {model.name} has update = '{model.spec.model['update']}'; survival after a "
            f"fraction is exact with update = '{rates}' only"
        )
    known = [signal.name for signal in model.signals if signal.free_of < 0]
    controllers = tables.get("controller", [])
    controllers = controllers if isinstance(controllers, list) else [controllers]
    taken = [entry.get(key) for entry in controllers for key in ("signal", "second_signal")]
    taken += [entry["signal"] for entry in tables.get("coupling", {}).get("signals", [])]
    for name in UNITS:
        if name not in known:
            raise unknown_word("body signal", name, known, f"[radiotherapy] on model {model.name}")
        if name in taken:
            raise InputError(
                f"[radiotherapy]: body signal '{name}' is set by a controller or the body, too; remove one"
            )
