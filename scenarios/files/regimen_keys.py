"""What a [[regimen]] must hold: an order in words, or amount and days in keys."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from ...abm.errors import InputError
from ...ode_coupling.dosing import Dose, cycle_doses
from ...ode_coupling.pk.drug_file import load_drug
from ...ode_coupling.regimens import BodySize, Order, parse_regimen
from ..treatment.companions import drug_source
from .keys import SCENARIO_KEYS
from .limits import MOST_DOSES
from .systemic import check_dose_unit, of_file

NEEDED = ("amount", "days", "cycle_days", "infusion_days", "first_day")  # in place of an order
INSTEAD = ("amount", "days", "cycle_days", "cycles", "infusion_days", "route")  # which an order says itself
SIZE_KEYS = (
    "weight_kg",
    "height_cm",
    "sex",
    "age_years",
    "gfr_mL_per_min",
    "creatinine_mg_per_dL",
    "bsa_formula",
)


def check_regimens(tables: Mapping[str, Any], where: str) -> None:
    """Check every [[regimen]] and the size of the patient.

    Raises
    ------
    InputError
        Neither an order nor all keys in its place, or both; an order that cannot be read or whose doses
        cannot be worked out.
    """
    size = size_of(tables)
    open_ended = tables["scenario"].get("treatment") == "until progression"
    for number, regimen in enumerate(tables.get("regimen", []), start=1):
        place = f"{where} [regimen] {number}"
        if "order" not in regimen:
            for key in NEEDED:
                if key not in regimen:
                    meaning = SCENARIO_KEYS["regimen"][key][2]
                    raise InputError(f"{place}: '{key}' is missing ({meaning}), or an order in words")
            _check_cycle(regimen, tables["scenario"]["duration_days"], place)
            doses_of(regimen, size, tables["scenario"]["duration_days"], open_ended, place)
            continue
        if both := [key for key in INSTEAD if key in regimen]:
            raise InputError(
                f"{place}: 'order' and '{both[0]}' say the same thing; keep the order or the keys, not both"
            )
        _check_unit(regimen["drug"], _order(regimen, place), tables, place)
        if _order(regimen, place).to_progression and not open_ended:
            raise InputError(
                f"{place}: the order goes on until progression; write treatment = 'until progression' in [scenario]"
            )
        doses_of(regimen, size, tables["scenario"]["duration_days"], open_ended, place)


def _check_unit(drug: str, order: Order, tables: Mapping[str, Any], place: str) -> None:
    """Check that an order counts in what its drug is counted in: mg or cells, by the body model also its own units."""
    companions = [entry for entry in tables.get("companion", []) if entry.get("drug") == drug]
    if companions:
        load_drug(drug_source(companions[0])).check_order(order, place)
    elif of_file(tables):
        check_dose_unit(tables, drug, order.unit, place)
    elif order.unit == "cells" and tables["body"].get("model") == "qcic":
        raise InputError(f"{place}: the order comes out in cells, and qcic counts {drug} in mg or units")


def _check_cycle(regimen: Mapping[str, Any], until_days: float, place: str) -> None:
    """Check that an infusion ends before the next dose begins, as in an order, and that the doses can be listed."""
    days, cycle = sorted(regimen["days"]), regimen["cycle_days"]
    if not days or len(set(days)) < len(days):
        raise InputError(
            f"{place}: 'days' must hold one or more different days of the cycle, got {regimen['days']}"
        )
    gap = min(after - before for before, after in pairwise([*days, days[0] + cycle]))
    if regimen["infusion_days"] > gap:
        raise InputError(
            f"{place}: 'infusion_days' ({regimen['infusion_days']:g}) is longer than the {gap:g} days to the "
            "next dose; shorten it, or give the same amount in fewer doses"
        )
    if (doses := until_days / cycle * len(days)) > MOST_DOSES:
        raise InputError(
            f"{place}: {doses:,.0f} doses, at most {MOST_DOSES:,}; lengthen cycle_days ({cycle:g})"
        )


def size_of(tables: Mapping[str, Any]) -> BodySize:
    """Return the size of the patient that [patient] gives.

    Raises
    ------
    InputError
    """
    patient = tables.get("patient", {})
    return BodySize(**{key: patient[key] for key in SIZE_KEYS if key in patient})


def doses_of(
    regimen: Mapping[str, Any],
    size: BodySize,
    until_days: float,
    open_ended: bool,
    where: str = "[[regimen]]",
) -> list[Dose]:
    """Return the doses of one [[regimen]].

    Parameters
    ----------
    regimen : mapping
    size : BodySize
    until_days : float
        No dose starts at or after this time (d).
    open_ended : bool
        Whether the number of cycles is passed over.
    where : str, optional

    Raises
    ------
    InputError
    """
    if "order" in regimen:
        order = _order(regimen, where)
        order = order.until_progression() if open_ended else order
        return order.doses(regimen["drug"], size, until_days, regimen.get("first_day", 0.0))
    return cycle_doses(
        regimen["drug"],
        regimen["amount"],
        days=tuple(regimen["days"]),
        cycle_days=regimen["cycle_days"],
        cycles=None if open_ended else regimen.get("cycles"),
        duration_days=regimen["infusion_days"],
        first_day=regimen["first_day"],
        until_days=until_days,
        route=regimen.get("route", "iv"),
    )


def _order(regimen: Mapping[str, Any], where: str) -> Order:
    try:
        return parse_regimen(regimen["order"])
    except InputError as error:
        raise InputError(f"{where}: {error}") from None
