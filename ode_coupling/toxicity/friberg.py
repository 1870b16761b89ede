"""Neutropenia after chemotherapy: a proliferating pool, three stages of maturation, circulating neutrophils.

Friberg 2002 (10.1200/JCO.2002.02.140): every stage lasts as long as every other, the mean transit time spans four
of them, and the circulating count feeds back on proliferation. A drug lowers the proliferation rate by the factor
1 - E; E is given from outside, or follows from the plasma concentration of a drug that the model itself carries.
"""

from numba import njit

from ...abm.errors import InputError
from ...abm.ode_model import OdeModel, Parameter, Variable
from ..integrate import ODE_SIGNATURE
from .marrow import CELLS, marrow, marrow_parameters, marrow_start

TRANSIT_TIME, FEEDBACK, BASELINE = range(3)
FRIBERG = "10.1200/JCO.2002.02.140"
DTAT = "10.12688/f1000research.10624.3"  # docetaxel as Norris put it together from Friberg and Onoue
CLEARANCE, EXCHANGE, CENTRAL_VOLUME, PERIPHERAL_VOLUME, SLOPE, MOST, HALF = range(3, 10)
CENTRAL, PERIPHERAL, ELIMINATED, FIRST_CELL = range(4)


@njit(ODE_SIGNATURE, cache=True, error_model="numpy")
def rhs(t, y, p, u, dy) -> None:
    """Write the change (cells/L/d) of the five pools under the given drug effect."""
    marrow(y, u[0], p[TRANSIT_TIME], p[FEEDBACK], p[BASELINE], dy)


@njit(ODE_SIGNATURE, cache=True, error_model="numpy")
def observe(t, y, p, u, out) -> None:
    """Write the absolute neutrophil count (cells/L)."""
    out[0] = y[CELLS - 1]


@njit(cache=True, error_model="numpy")
def effect_of(y, p) -> float:
    """Return the drug effect at the present concentration: linear plus saturating part."""
    concentration = y[CENTRAL] / p[CENTRAL_VOLUME]
    return p[SLOPE] * concentration + p[MOST] * concentration / (p[HALF] + concentration)


@njit(ODE_SIGNATURE, cache=True, error_model="numpy")
def rhs_with_drug(t, y, p, u, dy) -> None:
    """Write the change of drug amounts (mg/d) and of the five pools (cells/L/d)."""
    out = p[EXCHANGE] / p[CENTRAL_VOLUME] * y[CENTRAL]
    back = p[EXCHANGE] / p[PERIPHERAL_VOLUME] * y[PERIPHERAL]
    lost = p[CLEARANCE] / p[CENTRAL_VOLUME] * y[CENTRAL]
    dy[CENTRAL] = u[0] + back - out - lost
    dy[PERIPHERAL] = out - back
    dy[ELIMINATED] = lost
    cells, change = y[FIRST_CELL:], dy[FIRST_CELL:]
    marrow(cells, effect_of(y, p), p[TRANSIT_TIME], p[FEEDBACK], p[BASELINE], change)


@njit(ODE_SIGNATURE, cache=True, error_model="numpy")
def observe_with_drug(t, y, p, u, out) -> None:
    """Write neutrophil count (cells/L), plasma concentration (mg/L) and drug effect."""
    out[0] = y[FIRST_CELL + CELLS - 1]
    out[1] = y[CENTRAL] / p[CENTRAL_VOLUME]
    out[2] = effect_of(y, p)


ANC = Variable("ANC", "cells/L", "absolute neutrophil count")


def friberg(
    transit_time_h: float = 89.3,
    feedback: float = 0.163,
    baseline_cells_per_L: float = 5.05e9,
    source: str = FRIBERG,
) -> OdeModel:
    """Return the neutrophil model with input ``drug_effect`` and output ``ANC``.

    Parameters
    ----------
    transit_time_h : float
        Mean transit time MTT (h) from proliferation to blood.
    feedback : float
        Exponent gamma of (baseline / circulating).
    baseline_cells_per_L : float
        Circulating neutrophils without drug; 5.05e9 cells/L are 5,050 per mm3.
    source : str
        Of these three numbers.

    Returns
    -------
    OdeModel
        ``drug_effect`` is 0 without drug and 1 where proliferation stops; above 1 the drug kills.

    Raises
    ------
    InputError
        A number is not positive.
    """
    parameters = marrow_parameters(transit_time_h, feedback, baseline_cells_per_L, source)
    names, start = marrow_start(baseline_cells_per_L)
    return OdeModel(
        name="friberg",
        time_unit="d",
        states=names,
        inputs=(Variable("drug_effect", "1", "loss of proliferation; 1 stops it"),),
        outputs=(ANC,),
        parameters=parameters,
        initial=start,
        rhs=rhs,
        observe=observe,
    )


def friberg_with_drug(
    drug: str = "docetaxel",
    clearance_L_per_h: float = 32.6,
    exchange_L_per_h: float = 5.34,
    central_L: float = 5.77,
    peripheral_L: float = 11.0,
    slope_L_per_mg: float = 0.0,
    most: float = 83.9,
    half_mg_per_L: float = 7.17 * 0.808,
    transit_time_h: float = 89.3,
    feedback: float = 0.163,
    baseline_cells_per_L: float = 5.05e9,
    sources: tuple[str, str] = (DTAT, FRIBERG),
) -> OdeModel:
    """Return neutrophils together with a drug of two compartments; the numbers given are docetaxel's.

    The drug effect is slope x C + most x C / (half + C) with the plasma concentration C (mg/L).

    Parameters
    ----------
    drug : str
        Doses of this drug (mg) enter the central compartment.
    clearance_L_per_h, exchange_L_per_h, central_L, peripheral_L : float
        Clearance, exchange between the compartments, and their volumes.
    slope_L_per_mg, most, half_mg_per_L : float
        Linear effect, highest effect, concentration of half of it. Docetaxel: 83.9 and 7.17 uM at 0.808 mg/L/uM.
    transit_time_h, feedback, baseline_cells_per_L
        As for ``friberg``.
    sources : (str, str)
        Of the pharmacokinetics, and of neutrophils with effect.

    Returns
    -------
    OdeModel
        With input ``dose_rate_<drug>`` (mg/d) and outputs ``ANC`` (cells/L), ``concentration`` (mg/L) and
        ``drug_effect``.

    Raises
    ------
    InputError
        A volume, the clearance, ``half_mg_per_L`` or a number of the neutrophils is not positive, or another
        number is negative.
    """
    positive = {
        "clearance_L_per_h": clearance_L_per_h, "central_L": central_L, "peripheral_L": peripheral_L,
        "half_mg_per_L": half_mg_per_L,
    }  # fmt: skip
    for name, value in positive.items():
        if not value > 0.0:
            raise InputError(f"neutropenia under {drug}: {name} must be above 0, got {value}")
    rest = {"exchange_L_per_h": exchange_L_per_h, "slope_L_per_mg": slope_L_per_mg, "most": most}
    for name, value in rest.items():
        if not value >= 0.0:
            raise InputError(f"neutropenia under {drug}: {name} must be 0 or more, got {value}")
    pools, start = marrow_start(baseline_cells_per_L, before=FIRST_CELL)
    of_drug, of_cells = sources
    return OdeModel(
        name=f"friberg_{drug}",
        time_unit="d",
        states=(*(Variable(name, "mg") for name in ("central", "peripheral", "eliminated")), *pools),
        inputs=(Variable(f"dose_rate_{drug}", "mg/d", "entering the central compartment"),),
        outputs=(
            ANC,
            Variable("concentration", "mg/L", "in plasma"),
            Variable("drug_effect", "1", "loss of proliferation; 1 stops it, above 1 the drug kills"),
        ),
        parameters=(
            *marrow_parameters(transit_time_h, feedback, baseline_cells_per_L, of_cells),
            Parameter("CL", 24.0 * clearance_L_per_h, "L/d", of_drug, "clearance"),
            Parameter("Q", 24.0 * exchange_L_per_h, "L/d", of_drug, "exchange between the compartments"),
            Parameter("V_central", central_L, "L", of_drug, "volume of the central compartment"),
            Parameter("V_peripheral", peripheral_L, "L", of_drug, "volume of the peripheral compartment"),
            Parameter("slope", slope_L_per_mg, "L/mg", of_cells, "linear effect of the concentration"),
            Parameter("E_max", most, "1", of_cells, "highest effect"),
            Parameter("EC50", half_mg_per_L, "mg/L", of_cells, "concentration of half the highest effect"),
        ),
        initial=start,
        rhs=rhs_with_drug,
        observe=observe_with_drug,
    )
