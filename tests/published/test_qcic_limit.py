"""Without space the lattice returns the trajectories of the conservative QCIC equations.

The oracle is `simulate`, the ODE alone, for the same patient, doses and burn-in. What must agree are daily means (24
hourly values): tumour cells and CTL of the mean of the replicates within 3 %, the standard error of that mean being at
most 1 %. Seeds are fixed; for other seeds a false alarm needs a deviation of (3 - 1)/0.7 standard errors on some day.
"""

import csv

import numpy as np
import pytest
from shared import QCIC, needs

from oncolattice.ode_coupling.immune.qcic.model import qcic
from oncolattice.ode_coupling.ode_only import simulate
from oncolattice.ode_coupling.system import Body
from oncolattice.scenarios.files.scenario import load_scenario
from oncolattice.scenarios.simulate.body_side import patient_of, schedule_of
from oncolattice.scenarios.simulate.build import Builder, Simulation

STEPS = 24  # a day
RUNS = 8
TUMOUR, CTL = "tumour", "T8_C"
OWNED = ("X1_C", "X2_C", "X3_C", "T8_C", "T1_C", "Treg_C")
CIRCULATING = {"CTL": ("T8", "T8_C"), "Th1": ("T1", "T1_C"), "Treg": ("Treg", "Treg_C")}
EGRESS, VOLUME = 2.0, 0.8  # V_Z_CB of the three types (1/d), V_C (L)
QUICK_DAYS, QUICK_RUNS, BOOST = 9, 6, 25.0


def builder(arm: str, side: int, days: int, *settings: str) -> Builder:
    """Return the limit of an arm on a square lattice; the placebo scenario bears no arm in its name."""
    name = "qcic_limit" if arm == "placebo" else f"qcic_limit_{arm}"
    size = (f"rows={side}", f"columns={side}", f"duration_days={days}")
    return Builder(load_scenario(name, [*size, *settings]))


def daily(values: np.ndarray) -> np.ndarray:
    """Return the means of every 24 hourly values along the last axis, time 0 left out."""
    after = values[..., 1:]
    return after.reshape(*after.shape[:-1], -1, STEPS).mean(axis=-1)


def summed(hourly: np.ndarray) -> dict[str, np.ndarray]:
    """Return the daily means of all tumour cells and of every owned type; the type is the first axis."""
    means = daily(hourly)
    return {TUMOUR: means[:3].sum(axis=0)} | dict(zip(OWNED, means, strict=True))


def lattice(build: Builder, seed: int, days: int) -> tuple[np.ndarray, np.ndarray, Simulation]:
    """Return hourly densities of the owned types (cells/L), their hourly inflow (cells/d), and the run at its end."""
    run = build.build(seed)
    body = run.coupled.body
    columns = [body.model.index("states", name) for name in OWNED]
    fluxes = [body.model.index("outputs", f"arrival_{code}") for code, _ in CIRCULATING.values()]
    hourly, inflow = np.empty((len(OWNED), days * STEPS + 1)), np.empty((len(fluxes), days * STEPS + 1))
    hourly[:, 0], inflow[:, 0] = body.y[columns], body.outputs()[fluxes]
    for step in range(1, days * STEPS + 1):
        run.coupled.step()
        hourly[:, step], inflow[:, step] = body.y[columns], body.outputs()[fluxes]
    return hourly, inflow, run


def equations(build: Builder, days: int, **changed: float) -> dict[str, np.ndarray]:
    """Return the same of the ODE alone."""
    _, patient = patient_of(build.scenario)
    doses = schedule_of(build.scenario.tables)
    found = simulate(patient | changed, doses, days, 1 / STEPS, "conservative", burn_in_days=14)
    return summed(np.array([found[name][: days * STEPS + 1] for name in OWNED]))


def replicates(build: Builder, runs: int, days: int) -> dict[str, np.ndarray]:
    """Return daily means, shape (runs, days), of seeds 1 to runs."""
    found = [summed(lattice(build, seed, days)[0]) for seed in range(1, runs + 1)]
    return {name: np.array([one[name] for one in found]) for name in found[0]}


def test_the_scale_is_what_the_scenario_asks_for():
    """Weights follow from the share of reactive T cells, and tumour cells and T cells fill the body's densities."""
    run = builder("placebo", 256, 1).build(1)
    value = {p.name: p.value for p in run.model.parameters}
    numbers = dict(zip([info.name for info in run.model.types], run.tissue.state.number[1:], strict=True))
    assert numbers["CTL"] > 1100
    tumour = value["W"] * (numbers["DSTC"] + numbers["DRTC"])
    assert tumour == pytest.approx(value["X0"] * value["V_C"], rel=1e-12)
    for name in ("CTL", "Th1", "Treg"):
        weight = run.course.weights[name]
        assert weight / value["W"] == pytest.approx(value[f"reactive_{name}"], rel=2e-3)
        state = CIRCULATING[name][1]
        assert numbers[name] * weight == pytest.approx(run.coupled.body.get(state) * value["V_C"], rel=1e-12)


def boost(factor: float) -> dict[str, float]:
    """Return the killing rates of the body's T cells, multiplied."""
    return {
        f"eta_X{k}{code}": factor * rate for k in (1, 2, 3) for code, rate in (("T8", 5e-9), ("T1", 5e-10))
    }


@pytest.fixture(scope="module")
def boosted() -> tuple[Builder, list[tuple[np.ndarray, np.ndarray, Simulation]]]:
    """Short runs in which T cells kill 25 times as much, so that killing rules the tumour."""
    rates = {"eta_XT8": BOOST * 5e-9, "eta_XT1": BOOST * 5e-10} | boost(BOOST)
    build = builder("placebo", 144, QUICK_DAYS, *(f"{name}={value}" for name, value in rates.items()))
    return build, [lattice(build, seed, QUICK_DAYS) for seed in range(1, QUICK_RUNS + 1)]


def test_contacts_kill_by_mass_action(boosted):
    """Tumour cells after nine days of strong killing lie within 3 % of the ODE, and would not if a T cell touched eight
    or ten sites in place of nine. The mean of six runs has a standard error of 0.6 %."""
    build, runs = boosted
    found = np.mean([summed(hourly)[TUMOUR][-1] for hourly, *_ in runs])
    right, more, less = (
        equations(build, QUICK_DAYS, **boost(factor * BOOST))[TUMOUR][-1] for factor in (1.0, 10 / 9, 8 / 9)
    )
    assert right < 0.7 * 4e8
    assert abs(found / right - 1.0) < 0.03
    assert abs(found / more - 1.0) > 0.03
    assert abs(found / less - 1.0) > 0.03


def test_boundary_fluxes_are_those_of_the_equations(boosted):
    """Cells enter at V_BC V_B Z_B + c_Z V_C Z_B and leave at V_CB Z: counts lie within 4 Poisson standard deviations of
    the integrals (6e-5 each, six of them), on top of 0.3 % for sums of hourly values. No arrival is refused."""
    _, runs = boosted
    for k, (name, (_, state)) in enumerate(CIRCULATING.items()):
        found, expected = np.zeros(2), np.zeros(2)
        for hourly, inflow, run in runs:
            events = dict(zip(run.model.events, run.tissue.state.events, strict=True))
            numbers = dict(zip([i.name for i in run.model.types], run.tissue.state.number[1:], strict=True))
            weight, density = run.course.weights[name], hourly[OWNED.index(state)]
            gone = sum(int(n) for event, n in events.items() if event.startswith(f"{name}: "))
            found += numbers[name] - density[0] * VOLUME / weight + gone, events[f"{name}: leave"]
            days = np.arange(density.size) / STEPS
            expected += (
                np.trapezoid(inflow[k], days) / weight,
                np.trapezoid(EGRESS * density * VOLUME, days) / weight,
            )
            assert run.coupled.refused.sum() == 0
        assert np.all(np.abs(found - expected) < 4 * np.sqrt(expected) + 0.003 * expected), name


@needs("reference/qcic")
def test_arrivals_are_those_of_the_published_patients():
    """Mean entry per litre of tumour and day over the 100 placebo patients on day 56, by cell type, to 4 digits."""
    with open(QCIC / "tme_boundary_fluxes.csv", newline="") as lines:
        table = {row["cell"]: row for row in csv.DictReader(lines)}
    with open(QCIC / "vp_matrix_placebo.csv", newline="") as lines:
        patients = [{k: float(v) for k, v in row.items() if k != "vp"} for row in csv.DictReader(lines)]
    cells = ("T1", "T2", "T17", "Treg", "Tfh", "T8")
    found = np.zeros((len(patients), len(cells), 2))
    for k, patient in enumerate(patients):
        end = simulate(patient, [], 56.0, 56.0, "paper_exact")
        body = Body(qcic(), patient, [])
        body.y[:] = [end[state.name][-1] for state in qcic().states]
        found[k, :, 0] = [body.output(f"arrival_{cell}") / VOLUME for cell in cells]
        found[k, :, 1] = [end[f"{cell}_C"][-1] for cell in cells]
    means = found.mean(axis=0)
    for cell, (entry, density) in zip(cells, means, strict=True):
        row = {key: float(value) for key, value in table[cell].items() if key != "cell"}
        assert entry == pytest.approx(
            row["entry_migration_per_L_day"] + row["entry_chemotaxis_per_L_day"], rel=2e-3
        )
        assert density == pytest.approx(row["TME_density_per_L"], rel=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("arm", ["placebo", "tas102", "tas102_bev"])
def test_the_limit_is_the_ode(arm):
    build = builder(arm, 256, 56)
    found, right = replicates(build, RUNS, 56), equations(build, 56)
    for name in (TUMOUR, CTL):
        error = found[name].std(axis=0, ddof=1) / np.sqrt(len(found[name])) / right[name]
        assert error.max() <= 0.01, name
        assert np.abs(found[name].mean(axis=0) / right[name] - 1.0).max() <= 0.03, name


@pytest.mark.slow
def test_the_error_falls_as_the_lattice_grows():
    """Root mean square error of single runs over 56 days: chance, so halved where the side doubles.

    The ratio of the smallest to the largest lattice is 4; CTL renew themselves twice a day, so that theirs is known to
    some 5 %, the tumour's, which remembers, to some 50 %.
    """
    error = {}
    for side in (64, 128, 256):
        build = builder("placebo", side, 28)
        found, right = replicates(build, 6, 28), equations(build, 28)
        error[side] = {
            name: np.sqrt(np.mean((found[name] / right[name] - 1.0) ** 2)) for name in (TUMOUR, CTL)
        }
    assert error[64][CTL] > 1.5 * error[128][CTL] > 1.5 * 1.5 * error[256][CTL]
    assert 3.2 < error[64][CTL] / error[256][CTL] < 4.8
    assert 2.0 < error[64][TUMOUR] / error[256][TUMOUR] < 8.0
