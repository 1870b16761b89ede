"""The compiled part of an exchange: arrivals drawn, cells and antigen settled, the books kept."""

import numpy as np
from numba import njit

from ..abm.cells.draws import mix, poisson, step_key

MOST_A_PLACE = 10  # arrivals a step
ARRIVALS = 100  # purpose of the draws of arrivals, apart from those of the cells


@njit(cache=True)
def book(species: int, amount: float, booked: np.ndarray, gross: np.ndarray) -> None:
    """Book a signed change of a species by a source or sink."""
    booked[species] += amount
    gross[species] += abs(amount)


@njit(cache=True)
def book_body(
    y: np.ndarray,
    before: np.ndarray,
    blood: np.ndarray,
    litres: float,
    booked: np.ndarray,
    gross: np.ndarray,
) -> None:
    """Book what happened inside the body to each blood pool since its density was ``before``."""
    for i in range(blood.size):
        if blood[i] >= 0:
            book(i, litres * (y[blood[i]] - before[i]), booked, gross)


@njit(cache=True)
def note_blood(y: np.ndarray, blood: np.ndarray, before: np.ndarray) -> None:
    """Note the density of each blood pool."""
    for i in range(blood.size):
        before[i] = y[blood[i]] if blood[i] >= 0 else 0.0


@njit(cache=True)
def draw_arrivals(
    seed: np.uint64,
    step: int,
    type_id: np.ndarray,
    weight: np.ndarray,
    arrival: np.ndarray,
    blood: np.ndarray,
    outputs: np.ndarray,
    y: np.ndarray,
    days: float,
    litres: float,
    places: int,
    waiting: np.ndarray,
    wanted: np.ndarray,
) -> None:
    """Draw how many lattice cells of each type leave blood in a step of some ``days``.

    A Poisson number of the outward flux (``days`` includes the lesion's share of it). Blood gives whole lattice
    cells only; those for which it holds too little wait in ``waiting`` until it does. A flux of many times what the
    lattice has ``places`` for, which only a weight far too low makes, is not drawn cell by cell.
    """
    most = MOST_A_PLACE * places
    key = step_key(seed, step, ARRIVALS)
    for i in range(type_id.size):
        wanted[i] = 0
        if arrival[i] < 0:
            continue
        expected = min(outputs[arrival[i]] * days / weight[i], float(most))
        held = int(min(litres * y[blood[i]] / weight[i], float(most)))
        due = poisson(expected, mix(key ^ np.uint64(type_id[i]))) + waiting[i]
        wanted[i] = min(due, held)
        waiting[i] = min(due - wanted[i], most)


@njit(cache=True)
def settle_cells(
    events: np.ndarray,
    before: np.ndarray,
    weight: np.ndarray,
    blood: np.ndarray,
    flows: np.ndarray,
    wanted: np.ndarray,
    entered: np.ndarray,
    litres: float,
    y: np.ndarray,
    refused: np.ndarray,
    booked: np.ndarray,
    gross: np.ndarray,
) -> None:
    """Debit arrivals, credit departures, and book births, deaths and changes of type since ``before``."""
    row = 0
    for i in range(blood.size):
        first, left = row, 0
        while row < len(flows) and flows[row, 0] == i:
            if flows[row, 2] == 0:
                left += events[flows[row, 1]] - before[flows[row, 1]]
            row += 1
        if blood[i] >= 0:
            refused[i] += wanted[i] - entered[i]
            y[blood[i]] += weight[i] * (left - entered[i]) / litres
            gross[i] += weight[i] * entered[i]
            gross[i] += weight[i] * left
        for k in range(first, row):
            happened = events[flows[k, 1]] - before[flows[k, 1]]
            if happened and flows[k, 2]:
                book(i, weight[i] * flows[k, 2] * happened, booked, gross)


@njit(cache=True)
def released_since(events: np.ndarray, before: np.ndarray, which: np.ndarray, amount: np.ndarray) -> float:
    """Return the antigen that events have released since ``before``."""
    total = 0.0
    for k in range(which.size):
        total += amount[k] * (events[which[k]] - before[which[k]])
    return total


@njit(cache=True)
def take_stock(
    amount: np.ndarray,
    blood: np.ndarray,
    tissue: np.ndarray,
    litres: float,
    tissue_litres: float,
    held: np.ndarray,
    y: np.ndarray,
    stock: np.ndarray,
) -> None:
    """Hand the lattices' densities to the body, and write the stock of every species of cells and drug.

    ``held`` lists the body states of drugs, shape (state, 2): species and position.
    """
    for i in range(amount.size):
        y[tissue[i]] = amount[i] / tissue_litres
        stock[i] = amount[i] + (litres * y[blood[i]] if blood[i] >= 0 else 0.0)
    for k in range(len(held)):
        stock[held[k, 0]] = 0.0
    for k in range(len(held)):
        stock[held[k, 0]] += y[held[k, 1]]


@njit(cache=True)
def residuals(
    stock: np.ndarray, opening: np.ndarray, booked: np.ndarray, gross: np.ndarray, out: np.ndarray
) -> None:
    """Write the residual of every species relative to the larger of stock and gross flow."""
    for i in range(stock.size):
        scale = max(max(abs(stock[i]), gross[i]), np.finfo(np.float64).tiny)
        out[i] = abs(stock[i] - opening[i] - booked[i]) / scale


@njit(cache=True)
def keep_worst(
    stock: np.ndarray, opening: np.ndarray, booked: np.ndarray, gross: np.ndarray, worst: np.ndarray
) -> None:
    """Raise the worst residual so far of every species."""
    for i in range(stock.size):
        scale = max(max(abs(stock[i]), gross[i]), np.finfo(np.float64).tiny)
        residual = abs(stock[i] - opening[i] - booked[i]) / scale
        if not residual <= worst[i]:
            worst[i] = residual
