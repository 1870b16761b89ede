"""The keys of [controller], [stop] progression and [toxicity], and what their values must be."""

from collections.abc import Mapping, Sequence
from typing import Any

from ...abm.compile.model_file import as_list
from ...abm.errors import InputError, unknown_word
from .controllers import CONTROLLERS
from .observe import OBSERVED, OF_THE_BODY, blocks

Keys = dict[str, tuple[str, bool, str]]

VISIT_KEYS: Keys = {
    "types": ("words", False, "cell types or groups that are counted; all if absent"),
    "every_days": ("number > 0 <= 36500", False, "days between visits; 1 if absent"),
    "first_day": (
        "number >= 0 <= 36500",
        False,
        "day of the first visit, which is the baseline; 0 if absent",
    ),
    "observe": ("text", False, f"what is measured: {', '.join(OBSERVED)}; cells if absent"),
    "of": ("text", False, "level, rise, area: state or output of the body"),
    "marker_half_life_days": ("number > 0 <= 36500", False, "marker: half-life in blood"),
    "marker_per_cell_day": ("number >= 0", False, "marker: amount that a cell sheds a day; 1 if absent"),
    "delay_days": ("number >= 0 <= 36500", False, "days from a visit to its result; 0 if absent"),
    "error_cv": ("number >= 0 <= 10", False, "coefficient of variation of the log-normal error; 0 if absent"),
    "error_sd": ("number >= 0", False, "standard deviation of the error that is added, in the unit measured"),
    "detection_limit": ("number >= 0", False, "a lower value is reported as this one, in the unit measured"),
}
CONTROLLER_KEYS: Keys = {
    "kind": ("text", True, f"rule that treats: {', '.join(CONTROLLERS)}"),
    "signal": ("text", False, "body signal of the tissue model that it sets"),
    "drug": ("words", False, "drugs of the body whose planned doses it scales alike, in place of a signal"),
    "on": (
        "number >= 0",
        False,
        "value of the signal, or share of the planned doses, under treatment; 1 if absent",
    ),
    "off": ("number >= 0", False, "value of the signal, or share of the planned doses, without; 0 if absent"),
    "start_dose": (
        "number >= 0",
        False,
        "dose from 0 to 1 before the first result; 0 for a signal and 1 for a drug if absent",
    ),
    **VISIT_KEYS,
    **{
        key: (kind, False, meaning)
        for c in CONTROLLERS.values()
        for key, (kind, _, meaning) in c.keys.items()
    },
}
PROGRESSION_KEYS: Keys = {
    "above": ("number > 0", True, "progression is more than this share of the baseline"),
    "consecutive": ("whole >= 1", False, "visits in a row that must find it; 1 if absent"),
    **VISIT_KEYS,
}
TOXICITY_KEYS: Keys = {
    "concentration": ("text", True, "state or output of the body that acts on the marrow"),
    "factor": ("expression", False, "number it is multiplied by; 1 if absent"),
    "unit": ("text", False, "unit of the factor"),
    "slope": ("number >= 0", False, "loss of proliferation per concentration; 0 if absent"),
    "most": ("number >= 0", False, "highest saturating loss of proliferation; 0 if absent"),
    "half": ("number > 0", False, "concentration of half of it"),
    "transit_time_h": ("number > 0", False, "mean transit time through the marrow; 89.3 if absent"),
    "feedback": ("number > 0", False, "exponent of the feedback; 0.163 if absent"),
    "baseline_cells_per_L": ("number > 0", False, "neutrophils without drug; 5.05e9 if absent"),
    "source": ("text", True, "source of the drug effect: DOI, PMID nnn, fitted or assumed"),
}


def check_trial(tables: Mapping[str, Any], where: str) -> None:
    """Check the numbers and words of [controller], [stop] and [toxicity].

    Raises
    ------
    InputError
    """
    controllers = blocks(tables.get("controller", []))
    for table in controllers:
        _check_controller(table, tables, where)
    _check_targets([name for table in controllers for name in _targets(table)])
    if rule := tables.get("stop", {}).get("progression"):
        check_visits(rule, tables, "stop.progression")
    if "toxicity" in tables:
        table = tables["toxicity"]
        if table.get("most", 0.0) and "half" not in table:
            raise InputError("toxicity.most needs toxicity.half, the concentration of half the effect")


def _check_controller(table: Mapping[str, Any], tables: Mapping[str, Any], where: str) -> None:
    kind = CONTROLLERS[table["kind"]]
    for key, (_, required, meaning) in kind.keys.items():
        if required and key not in table:
            raise InputError(
                f"{where} [controller]: '{key}' is missing, which kind = '{table['kind']}' needs ({meaning})"
            )
    if ("signal" in table) == ("drug" in table):
        raise InputError(
            f"{where} [controller]: write one of signal (of the tissue model) and drug (of a [[regimen]])"
        )
    supplied = [entry["signal"] for entry in tables.get("coupling", {}).get("signals", [])]
    planned = [regimen["drug"] for regimen in tables.get("regimen", [])]
    for key in ("signal", "second_signal"):
        if table.get(key) in supplied:
            raise InputError(
                f"{where} [controller]: the body supplies signal '{table[key]}' already; "
                "name another signal, or take it out of coupling.signals"
            )
    for key in ("drug", "second_drug"):
        for drug in as_list(table.get(key, [])):
            if drug not in planned:
                raise unknown_word("drug with a [[regimen]]", drug, planned, f"{where} [controller] {key}")
    check_visits(table, tables, "controller")
    kind.check(table, "controller")


def _targets(table: Mapping[str, Any]) -> Sequence[str]:
    """Return what a controller doses, a signal and a drug of one name apart."""
    keys: tuple[str, ...] = ("signal", "drug")
    if CONTROLLERS[table["kind"]].targets == 2:
        keys += ("second_signal", "second_drug")
    return [
        f"{key.removeprefix('second_')} '{word}'"
        for key in keys
        if key in table
        for word in as_list(table[key])
    ]


def observed_names(tables: Mapping[str, Any]) -> list[str]:
    """Return the states and outputs of a body that [controller] and [stop] name."""
    sections = [*blocks(tables.get("controller", [])), tables.get("stop", {}).get("progression", {})]
    return [table["of"] for table in sections if "of" in table]


def _check_targets(targets: Sequence[str]) -> None:
    for target in targets:
        if targets.count(target) > 1:
            raise InputError(f"[controller]: {target} is dosed twice; one controller may dose it, once")


def check_visits(table: Mapping[str, Any], tables: Mapping[str, Any], section: str) -> None:
    """Check what is measured, when and how well.

    Raises
    ------
    InputError
    """
    days = tables["scenario"]["duration_days"]
    if table.get("delay_days", 0) >= days:
        raise InputError(
            f"{section}.delay_days ({table['delay_days']:g}) must be shorter than the run ({days:g} d), "
            "or no result would ever be known"
        )
    what = table.get("observe", "cells")
    if what not in OBSERVED:
        raise unknown_word("thing to observe", what, OBSERVED, f"{section}.observe")
    if (what == "marker") != ("marker_half_life_days" in table):
        raise InputError(
            f"{section}: marker_half_life_days and observe = 'marker' need one another, got observe = '{what}'"
        )
    if (what in OF_THE_BODY) != ("of" in table):
        raise InputError(
            f"{section}: 'of' names what is measured of a body where observe is level, rise or area, and only "
            f"there; got observe = '{what}'"
        )
    if what in OF_THE_BODY and "body" not in tables:
        raise InputError(f"{section}.observe = '{what}' measures a body, and the scenario has no [body]")
