"""Which solver a field needs, and whether the lattice can show it: judged by its scales of time and length."""

import math

QUASI_STEADY, TRANSIENT = "quasi-steady", "transient"
WELL_BELOW = 0.2  # largest share of the update interval that a quasi-steady field may take to relax


def choose_solver(
    diffusivity: float,
    decay: float,
    uptake: float,
    spacing_um: float,
    interval_h: float,
    site_um: float,
    extent_um: float,
    well_below: float = WELL_BELOW,
) -> tuple[str, str]:
    """Return the solver that the physics of a field asks for, and the reason in one line.

    A field relaxes within tau = min(1 / (decay + uptake), L^2 / D): it is removed where it is, or diffuses over
    the distance L to where it is exchanged. Where tau is well below the update interval the field is at its
    steady state at every update; else it is stepped in time.

    Parameters
    ----------
    diffusivity : float
        D, um2/h.
    decay, uptake : float
        Decay, and mean uptake by cells over the lattice, 1/h.
    spacing_um : float
        Distance L between vessels (or other strong sinks), um; inf where nothing but decay and uptake removes
        the field, which then has no second way to relax. At most the extent counts.
    interval_h : float
        Time between updates of the field, h.
    site_um, extent_um : float
        Width of a site and of the lattice, um.
    well_below : float
        Largest tau / interval that counts as well below.

    Returns
    -------
    word : str
        "quasi-steady" or "transient".
    reason : str
        The numbers behind it.
    """
    loss = decay + uptake
    removal_h = 1.0 / loss if loss > 0.0 else math.inf
    reach_um = min(spacing_um, extent_um)
    travel_h = reach_um**2 / diffusivity if spacing_um < math.inf and diffusivity > 0.0 else math.inf
    tau_h = min(removal_h, travel_h)
    if tau_h == math.inf:
        return TRANSIENT, f"{TRANSIENT}: no decay, uptake or vessel removes it, so it has no steady state"
    if removal_h <= travel_h:
        way = f"decay + uptake {_figure(loss)}/h"
    else:
        way = f"diffusion over {_figure(reach_um)} um at {_figure(diffusivity)} um2/h"
    word = QUASI_STEADY if tau_h <= well_below * interval_h else TRANSIENT
    length = f"; decay length {_length(math.sqrt(diffusivity / loss), site_um)}" if loss > 0.0 else ""
    return word, (
        f"{word}: relaxes in {_time(tau_h)} ({way}), {tau_h / interval_h:.2g} of the {_time(interval_h)} between "
        f"updates ({QUASI_STEADY} up to {well_below:g}){length}"
    )


def check_lengths(
    name: str, diffusivity: float, decay: float, uptake: float, site_um: float, extent_um: float
) -> list[str]:
    """Return a warning, with numbers and the cure, if the lattice cannot show the decay length of a field.

    Parameters
    ----------
    name : str
        Field.
    diffusivity : float
        D, um2/h.
    decay, uptake : float
        Decay, and mean uptake by cells and vessels over the lattice, 1/h.
    site_um, extent_um : float
        Width of a site and smallest width of the lattice, um.

    Returns
    -------
    list of str
        Empty where the decay length sqrt(D / (decay + uptake)) lies between a site and the lattice, and for
        a field that does not spread.
    """
    if diffusivity == 0.0:
        return []
    loss = decay + uptake
    length_um = math.sqrt(diffusivity / loss) if loss > 0.0 else math.inf
    numbers = f"(D {_figure(diffusivity)} um2/h, decay + uptake {_figure(loss)}/h)"
    if length_um < site_um:
        return [
            f"field '{name}': its decay length of {_figure(length_um)} um {numbers} is below "
            f"one site of {_figure(site_um)} um, so gradients are lost between neighbours; "
            f"use sites of at most {length_um / 2.0:.2g} um, "
            "or check the units of diffusivity, decay and uptake"
        ]
    if length_um > extent_um:
        reach = f"its decay length of {_figure(length_um)} um {numbers} is above the lattice of {_figure(extent_um)} um"
        if loss <= 0.0:
            reach = f"nothing decays or is taken up {numbers}, so no decay length fits the lattice"
        return [
            f"field '{name}': {reach}, so the level depends on the edges; use a wider lattice, "
            "vessels or a fixed boundary, or check the units of diffusivity, decay and uptake"
        ]
    return []


def _figure(value: float) -> str:
    """Return a number to three figures, without a power of ten where it is of everyday size."""
    return f"{value:.0f}" if 100.0 <= value < 1e6 else f"{value:.3g}"


def _length(um: float, site_um: float) -> str:
    """Return a length in um and in sites."""
    return f"{_figure(um)} um = {um / site_um:.2g} sites"


def _time(hours: float) -> str:
    """Return a time in the unit that suits its size."""
    if hours < 1.0 / 60.0:
        return f"{3600.0 * hours:.2g} s"
    if hours < 1.0:
        return f"{60.0 * hours:.2g} min"
    return f"{hours:.3g} h"
