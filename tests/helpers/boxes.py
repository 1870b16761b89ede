"""A small body (one drug in two compartments, T cells in blood) and a small tissue that exchanges with it."""

import numpy as np
from numba import njit

from oncolattice.abm.advance import Tissue
from oncolattice.abm.compile.parameters import Override
from oncolattice.abm.model import Model, compile_model
from oncolattice.abm.ode_model import OdeModel, Parameter, Variable
from oncolattice.ode_coupling.integrate import ODE_SIGNATURE
from oncolattice.ode_coupling.ports import CellPort, DrugAccount, Flux, Ports
from oncolattice.ode_coupling.system import Body
from oncolattice.tests.helpers.tiny import behaviour, parameters, scattered, tiny_model, tissue_of

SITE_UM, MOLAR = 15.0, 300.0
STATES = ("central", "peripheral", "eliminated", "A_tissue", "T_tissue", "T_blood")
INPUTS = ("dose_rate_drug", "owned_A_tissue", "owned_T_tissue", "antigen_rate")
LIVING = (
    behaviour("A", "divide", "b")
    + behaviour("A", "die apoptosis", "d")
    + behaviour("A", "become B", "d")
    + behaviour("T", "kill A", "d")
    + behaviour("T", "leave", "out")
    + behaviour("V", "admit T", "one")
)


@njit(ODE_SIGNATURE)
def rhs(t, y, p, u, dy):
    out, back, lost = p[0] * y[0], p[1] * y[1], p[2] * y[0]
    dy[0] = u[0] + back - out - lost
    dy[1] = out - back
    dy[2] = lost
    dy[3] = dy[4] = 0.0
    dy[5] = p[4]


@njit(ODE_SIGNATURE)
def observe(t, y, p, u, out):
    out[0] = p[3] * y[5]


def body_model(k12=0.0, k21=0.0, k10=0.0, outflow=0.0, supply=0.0) -> OdeModel:
    """Return the body: rates in 1/d, outflow of T cells from blood in L/d, their supply in cells/L/d."""
    values = {"k12": k12, "k21": k21, "k10": k10, "outflow": outflow, "supply": supply}
    return OdeModel(
        name="boxes",
        time_unit="d",
        states=tuple(Variable(name, "mg" if i < 3 else "cells/L") for i, name in enumerate(STATES)),
        inputs=tuple(Variable(name, "1") for name in INPUTS),
        outputs=(Variable("arrival_T", "cells/d"),),
        parameters=tuple(Parameter(name, value, "1/d", "user") for name, value in values.items()),
        initial=np.zeros(len(STATES)),
        rhs=rhs,
        observe=observe,
    )


def drug_model(
    dt_h: float = 1.0,
    exchange: float = 20.0,
    diffusivity: float = 1e6,
    decay: float = 0.0,
    uptake: float = 0.0,
    order: int = 1,
    behaviours: str = "",
    field: str = "",
) -> Model:
    """Return the tissue model: a drug in nM that vessels (V) exchange; rates in 1/h, D in um2/h.

    ``field`` replaces lines of the field by their key.
    """
    numbers = parameters(
        D=(diffusivity, "um^2/h"), k=(exchange, "1/h"), none=(0.0, "nM"), decay=(decay, "1/h"),
        fine=(1e-12, "1"), b=(0.02, "1/h"), d=(0.008, "1/h"), out=(0.1, "1/h"), one=(1.0, "1"),
        eat=(uptake, "1/h"), longer=(2 * dt_h, "h"), K=(1.0, "nM"), coarse=(1e-6, "1"),
    )  # fmt: skip
    lines = {
        "name": '"drug"', "display": '"drug"', "unit": '"nM"', "diffusivity": '"D"', "decay": '"decay"',
        "solver": '"transient"', "update_interval": '"time_step"', "tolerance": '"fine"', "initial": '"none"',
        "vessel_type": '"V"', "vessel_exchange": '"k"', "vessel_level": '"none"', "time_order": str(order),
    }  # fmt: skip
    for line in field.splitlines():
        key, _, value = line.partition(" = ")
        lines[key] = value
    block = "\n[[field]]\n" + "".join(f"{key} = {value}\n" for key, value in lines.items() if value)
    eats = behaviour("A", "take_up drug", "eat") if uptake else ""
    model = tiny_model(numbers, block + eats + behaviours)
    return compile_model(model.spec, {"time_step": Override(dt_h, "h", "user")}, {})


def vessels_and_cells(side: int = 16, every: int = 4, cells: float = 0.0, t_cells: float = 0.0) -> np.ndarray:
    """Return an occupancy with a vessel (4) at every so many sites, and some A (1) and T (3) cells."""
    occupant = scattered((side, side), cells, 1, 0)
    occupant[0, ::every, ::every] = 4
    occupant[1] = scattered((side, side), t_cells, 3, 1, seed=2)[1]
    return occupant


def litres(tissue: Tissue, scale: float) -> float:
    """Return the volume that a lattice stands for."""
    return tissue.state.region.size * SITE_UM**3 * 1e-15 * scale


def boxes(
    model: Model,
    occupant: np.ndarray,
    scale: float = 1e6,
    plasma: float = 2.0,
    seed: int = 1,
    nM: float = 1000.0,
    **rates: float,
) -> tuple[Tissue, Body, Flux, float]:
    """Return tissue, body, flux, and litres of plasma (``plasma`` times the tissue), with drug in blood."""
    tissue = tissue_of(model, occupant, seed=seed)
    volume = plasma * litres(tissue, scale)
    body = Body(body_model(**rates), rtol=1e-11, atol=1e-16)
    body.set("central", nM * 1e-6 * volume * MOLAR)
    return tissue, body, Flux("drug", "central", volume, MOLAR, scale), volume


def ports_of(flux: Flux, weight: float = 0.0, splitting: str = "strang") -> Ports:
    """Return ports for the drug alone, or, given a weight, for the cells as well."""
    cells = (
        CellPort("A", "A_tissue", weight),
        CellPort("T", "T_tissue", weight, "T_blood", "arrival_T"),
    )
    return Ports(
        cells if weight else (),
        (),
        (),
        (DrugAccount("drug", ("central", "peripheral", "eliminated"), flux),),
        blood_volume_L=1.0,
        tissue_volume_L=1.0,
        splitting=splitting,
    )
