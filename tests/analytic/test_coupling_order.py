"""Order of the splitting of body and tissue: with the agents frozen, the whole coupled run against the matrix
exponential of plasma, periphery and every site of the lattice together."""

import numpy as np
import pytest
from scipy.linalg import expm

from oncolattice.ode_coupling.couple import CoupledRun
from oncolattice.tests.helpers.boxes import MOLAR, SITE_UM, boxes, drug_model, ports_of, vessels_and_cells

SIDE, HOURS = 8, 4.0
K12, K21, K10 = 12.0, 6.0, 4.0  # 1/d
EXCHANGE, DIFFUSIVITY, DECAY, UPTAKE, PLASMA = 1.0, 150.0, 0.05, 0.2, 1.5  # 1/h, um2/h, 1/h, 1/h, volumes
OCCUPANT = vessels_and_cells(SIDE, every=3, cells=0.3)


def exact() -> np.ndarray:
    """Return central, peripheral, eliminated (in nM of plasma) and the field after HOURS."""
    sites = SIDE * SIDE
    a = np.zeros((3 + sites, 3 + sites))
    a[0, 0], a[0, 1], a[1, 0], a[1, 1], a[2, 0] = -(K12 + K10) / 24, K21 / 24, K12 / 24, -K21 / 24, K10 / 24
    hop = DIFFUSIVITY / SITE_UM**2
    for y in range(SIDE):
        for x in range(SIDE):
            i = 3 + y * SIDE + x
            a[i, i] -= DECAY + (UPTAKE if OCCUPANT[0, y, x] == 1 else 0.0)
            for v, w in ((y + 1, x), (y - 1, x), (y, x + 1), (y, x - 1)):
                if 0 <= v < SIDE and 0 <= w < SIDE:
                    a[i, i] -= hop
                    a[i, 3 + v * SIDE + w] += hop
            if OCCUPANT[0, y, x] == 4:
                a[i, 0] += EXCHANGE
                a[i, i] -= EXCHANGE
                a[0, 0] -= EXCHANGE / (PLASMA * sites)
                a[0, i] += EXCHANGE / (PLASMA * sites)
    start = np.zeros(3 + sites)
    start[0] = 1000.0
    return expm(a * HOURS) @ start


def error(splitting: str, dt_h: float, truth: np.ndarray) -> tuple[float, int]:
    """Return the largest error of body and field, relative to the start, and steps of the field of first order."""
    model = drug_model(dt_h, EXCHANGE, DIFFUSIVITY, DECAY, UPTAKE, order=2)
    tissue, body, flux, volume = boxes(model, OCCUPANT, plasma=PLASMA, k12=K12, k21=K21, k10=K10)
    run = CoupledRun(tissue, body, ports_of(flux, splitting=splitting))
    run.open()
    for _ in range(round(HOURS / dt_h)):
        run.step()
        assert tissue.state.fields.min() >= 0.0
        assert body.y.min() >= 0.0
    assert run.ledger.worst.max() <= 1e-12
    in_nM = body.y[:3] / volume / MOLAR * 1e6
    found = np.concatenate([in_nM, tissue.state.fields[0].reshape(-1)])
    return float(np.abs(found - truth).max() / 1000.0), int(tissue.state.field_first_order[0])


@pytest.mark.parametrize(("splitting", "ratio", "margin"), [("strang", 4.0, 0.4), ("lie", 2.0, 0.2)])
def test_the_error_falls_with_the_order_of_the_splitting(splitting, ratio, margin):
    truth = exact()
    found = [error(splitting, dt_h, truth) for dt_h in (0.5, 0.25, 0.125, 0.0625)]
    errors = np.array([value for value, _ in found])
    falls = errors[:-1] / errors[1:]
    assert np.abs(falls - ratio).max() <= margin
    assert errors[-1] < 2e-3
    assert [steps for _, steps in found] == [0] * len(found)  # no step of the field fell back to first order
