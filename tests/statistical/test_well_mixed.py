"""The well-mixed limit of the lattice is the body model's own equations.

Cells scattered, T cells walking without a gradient, no hypoxia, competition over the whole section: what is
left of space is chance. Tumour and CTL at day 56 are compared with the `conservative` ODE of the same patient:
mean of replicates within 4.5 standard errors and 2 % (the time step and the grid of weights). A false alarm is
rarer than 1 in 10,000; killing that is twice the ODE's must be seen.
"""

import numpy as np
import pytest

from oncolattice.ode_coupling.ode_only import simulate
from oncolattice.scenarios.files.scenario import load_scenario
from oncolattice.scenarios.simulate.run import Run

WELL_MIXED = (
    "pattern=scattered",
    "T_climb=0",
    "hypoxia_oxygen=0.01",
    "necrosis=0/min",
    "competition_radius=1900",
    "margin_um=0",
    "duration_days=56",
    "record_every_hours=24",
)


def ratios(scenario: str, seeds: range, *more: str) -> np.ndarray:
    """Lattice over ODE, shape (seed, 2): tumour at day 56, CTL averaged over days 21 to 56.

    Every seed is another patient, as immune densities and thus weights are the patient's: one whose Th1 cells fill
    a twentieth of the sites, such as the first, has 3 % more CTL than the ODE.
    """
    rows = []
    for seed in seeds:
        run = Run(load_scenario(scenario, (*WELL_MIXED, *more, f"patient.number={seed}")), seed)
        ctl = []
        for step in run.steps():
            if step.day >= 21:
                ctl.append(run.simulation.coupled.body.get("T8_C"))
        body, patient = run.simulation.coupled.body, run.simulation.patient_values
        ode = simulate(patient, run.simulation.doses, 56, 1.0, burn_in_days=14)
        tumour = sum(body.get(name) for name in ("X1_C", "X2_C", "X3_C"))
        expected = sum(ode[name][-1] for name in ("X1_C", "X2_C", "X3_C"))
        rows.append((tumour / expected, np.mean(ctl) / ode["T8_C"][21:].mean()))
    return np.array(rows)


@pytest.mark.slow
@pytest.mark.parametrize("scenario", ["mcrc_placebo", "mcrc_tas102"])
def test_the_well_mixed_lattice_follows_the_ode(scenario):
    found = ratios(scenario, range(1, 6))
    error = found.std(axis=0, ddof=1) / np.sqrt(len(found))
    assert error.max() < 0.03
    assert np.all(np.abs(found.mean(axis=0) - 1) < 4.5 * error + 0.02)


@pytest.mark.slow
def test_killing_twice_as_hard_is_seen():
    """A test of the test: the lattice alone kills twice as hard, and the tumour falls out of the band."""
    honest = ratios("mcrc_placebo", range(1, 4))[:, 0]
    error = honest.std(ddof=1) / np.sqrt(len(honest))
    doubled = ratios("mcrc_placebo", range(1, 4), "eta_XT8=1e-8")[:, 0]
    assert doubled.mean() < 1 - (4.5 * error + 0.02)
