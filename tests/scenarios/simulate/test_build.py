"""Assembling a scenario: what goes where, and what both sides agree on at time 0."""

import csv
from collections import Counter

import numpy as np
import pytest
from shared import beside

from oncolattice.abm.errors import InputError
from oncolattice.abm.vocabulary import DIVIDE
from oncolattice.scenarios.files.scenario import load_scenario
from oncolattice.scenarios.patients.sample import load_population
from oncolattice.scenarios.simulate.body_side import burn_in, density_stream, patient_of, schedule_of
from oncolattice.scenarios.simulate.build import build, route
from oncolattice.scenarios.simulate.run import Run
from oncolattice.scenarios.tissue.density import draw_densities
from oncolattice.scenarios.treatment.course import body_parameter

SMALL = ("rows=48", "columns=48", "margin_um=0")
IMMUNE = ("CTL", "Th1", "Treg")


def small(name="mcrc_tas102", *more):
    return load_scenario(name, (*SMALL, *more))


def division_rate(simulation, name):
    """Return the base rate (1/h) of the division of a cell type in the compiled tables."""
    model = simulation.model
    slots = model.tables.slots
    first, last = (int(model.tables.types[model.type_id(name)][key]) for key in ("fate_first", "fate_last"))
    (rate,) = [float(slot["base"]) for slot in slots[first:last] if slot["verb"] == DIVIDE]
    return rate


def finished(scenario, tissue_file=None):
    run = Run(scenario, 1, tissue_file=tissue_file)
    for _ in run.steps():
        pass
    return run


# --- parameters ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["0.0481/d", "0.0481", "0.3367/week", "0.0020041666666666667/h"])
def test_a_parameter_of_both_sides_reaches_both(text):
    """Whatever the unit it is given in: 0.0481/d is 0.3367/week."""
    simulation = build(small("mcrc_tas102", f"beta_X1={text}"), 1)
    assert body_parameter(simulation.coupled.body, "beta_X1") == pytest.approx(0.0481, rel=1e-12)
    assert division_rate(simulation, "DSTC") == pytest.approx(0.0481 / 24, rel=1e-12)
    assert division_rate(simulation, "DRTC") != pytest.approx(0.0481 / 24, rel=1e-3)


def test_a_virtual_patient_reaches_both_and_the_user_has_the_last_word():
    patient, values = patient_of(small("mcrc_tas102", "patient.number=3"))
    assert patient == "qcic_treated-3"
    simulation = build(small("mcrc_tas102", "patient.number=3", "beta_X2=0.01"), 1)
    body = simulation.coupled.body
    for name, value in (values | {"beta_X2": 0.01}).items():
        assert body_parameter(body, name) == value
    assert division_rate(simulation, "DSTC") == pytest.approx(values["beta_X1"] / 24, rel=1e-12)
    assert division_rate(simulation, "DRTC") == pytest.approx(0.01 / 24, rel=1e-12)


def test_a_parameter_of_one_side_stays_there():
    simulation = build(small("mcrc_tas102", "V_B=4.5", "site=14um"), 1)
    assert body_parameter(simulation.coupled.body, "V_B") == 4.5
    assert simulation.coupled.ports.blood_volume_L == 4.5
    assert simulation.model.site_um == 14.0


def test_a_body_parameter_is_converted_to_the_unit_of_the_body():
    with_unit = route(small("mcrc_tas102", "V_B=4500cm3", "V_D_CA=0.025/h"), {})[1]
    assert with_unit == {"V_B": pytest.approx(4.5, rel=1e-15), "V_D_CA": pytest.approx(0.6, rel=1e-15)}
    with pytest.raises(InputError, match="V_B: wrong dimension"):
        build(small("mcrc_tas102", "V_B=4500mg"), 1)


@pytest.mark.parametrize("seed", [-1, 2**63])
def test_a_seed_that_no_file_can_hold_is_refused(seed):
    with pytest.raises(InputError, match="the seed must be"):
        build(small(), seed)


@pytest.mark.parametrize("number", [0, -1, 10_001])
def test_a_patient_number_out_of_range_is_refused(number):
    with pytest.raises(InputError, match=r"patient\.number must be 1 to 10000"):
        patient_of(small("mcrc_tas102", f"patient.number={number}"))


def test_equations_that_blow_up_are_an_input_error():
    with pytest.raises(InputError, match=r"no longer finite at day 0 \(parameters changed: V_B = 0,"):
        build(small("mcrc_tas102", "V_B=0"), 1)


# --- time 0 -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [1, 2])
def test_the_lattice_starts_with_what_the_body_has(seed):
    """Weight x count = density x volume for immune cells; the tumour at X0, in the shares of the scenario."""
    scenario = small()
    simulation = build(scenario, seed)
    coupled, model = simulation.coupled, simulation.model
    counts = dict(
        zip((t.name for t in model.types), coupled.tissue.state.counts(model).tolist(), strict=True)
    )
    _, values = patient_of(scenario)
    burnt = burn_in(coupled.body.model, values, scenario.tables["body"])
    volume = body_parameter(burnt, "V_C")
    ports = {port.type: port for port in coupled.ports.cells}
    for name in IMMUNE:
        held = burnt.get(ports[name].tissue) * volume
        assert ports[name].weight * counts[name] == pytest.approx(held, rel=1e-12)
        assert coupled.body.get(ports[name].tissue) == pytest.approx(burnt.get(ports[name].tissue), rel=1e-12)
    tumour = sum(coupled.body.get(state) for state in ("X1_C", "X2_C", "X3_C"))
    assert tumour == pytest.approx(4e8, rel=1e-12)  # 10.1038/s41540-025-00513-1, baseline
    assert counts["DSTC"] / (counts["DSTC"] + counts["DRTC"]) == pytest.approx(0.25, abs=1 / counts["DRTC"])
    assert counts["DPTC"] == 0


def test_the_burn_in_moves_the_immune_system_and_leaves_the_tumour():
    scenario = small()
    model = build(scenario, 1).coupled.body.model
    burnt = burn_in(model, {}, scenario.tables["body"])
    states = [s.name for s in model.states]
    for name in ("X1_C", "X2_C", "X3_C"):
        assert burnt.get(name) == model.initial[states.index(name)]
    assert sum(burnt.get(name) for name in ("X1_C", "X2_C", "X3_C")) == 4e8
    fresh = burn_in(model, {}, scenario.tables["body"] | {"burn_in_days": 0})
    assert np.array_equal(fresh.y, model.initial)
    assert burnt.get("T8_C") < 0.5 * fresh.get("T8_C")


def test_no_entry_points_are_better_than_the_densities_say():
    """Drawn tissue: the factors of a type are its drawn densities, region by region."""
    simulation = build(load_scenario("mcrc_placebo", ("rows=64", "columns=64", "margin_um=300")), 4)
    state, model = simulation.coupled.tissue.state, simulation.model
    assert simulation.placement.region_names == ("core", "margin")
    report = simulation.placement.report
    cells_um2 = model.site_um**2
    for name in IMMUNE:
        core, margin = state.entry_factor[model.type_id(name)]
        area = [(simulation.placement.region == r).sum() * cells_um2 * 1e-6 for r in (0, 1)]
        placed = [report["regions"][region]["placed"][name] for region in ("core", "margin")]
        if sum(placed) > 30:  # more than the least number: rounded, not raised
            assert abs(core * area[0] - placed[0]) <= 1
            assert abs(margin * area[1] - placed[1]) <= 1
        assert min(core, margin) > 0
    assert (state.entry_factor[model.type_id("DSTC")] == 1).all()


def test_doses_of_both_drugs_fall_on_their_days():
    """TAS-102 on days 1-5 and 8-12, bevacizumab on 1 and 15, of 28 (10.1038/s41540-025-00513-1)."""
    doses = schedule_of(load_scenario("mcrc_tas102_bev", ("duration_days=60",)).tables)
    found = {drug: [d.time_days for d in doses if d.drug == drug] for drug in ("TAS102", "bevacizumab")}
    tas = [1, 2, 3, 4, 5, 8, 9, 10, 11, 12]
    assert found["TAS102"] == [float(day + 28 * k) for k in range(3) for day in tas if day + 28 * k < 60]
    assert found["bevacizumab"] == [1.0, 15.0, 29.0, 43.0, 57.0]
    assert schedule_of(load_scenario("mcrc_placebo").tables) == []
    assert len(schedule_of(load_scenario("mcrc_tas102").tables)) == 60


# --- cell tables --------------------------------------------------------------------------------------


def test_a_small_table_is_placed_and_runs_a_day(tmp_path):
    kinds = [
        "tumor cells",
        "CD8+ T cells",
        "CD4+ T cells CD45RO+",
        "Tregs",
        "vasculature",
        "stroma",
        "mast cells",
    ]
    rows = [(15 * i + 7, 15 * j + 7, kinds[(3 * i + 5 * j) % 7]) for i in range(20) for j in range(20)]
    path = tmp_path / "cells.csv"
    path.write_text("x_um,y_um,phenotype\n" + "".join(f"{x},{y},{kind}\n" for x, y, kind in rows))
    run = finished(small("mcrc_tas102", "duration_days=1", "table_fill=none"), path)
    report = run.simulation.placement.report
    told = Counter(kind for *_, kind in rows)
    assert run.simulation.tissue_provenance["rows"] == 400
    assert report["unmapped"] == {"mast cells": told["mast cells"]}
    assert {name: entry["cells"] for name, entry in report["phenotypes"].items()} == {
        name: n for name, n in told.items() if name != "mast cells"
    } | {"smooth muscle": 0}  # mapped by the scenario, absent from the table
    assert run.simulation.coupled.tissue.state.day(run.simulation.model) == 1.0
    assert run.simulation.coupled.residuals().max() <= 1e-10


def test_the_real_core_runs_a_day_and_every_row_is_counted():
    core = beside("data/crc_codex_schurch2020_reg009A.csv")
    with core.open() as file:
        told = Counter(row["cell_type"] for row in csv.DictReader(file))
    assert sum(told.values()) == 2434
    run = finished(
        load_scenario("mcrc_tas102", ("rows=128", "columns=128", "margin_um=0", "duration_days=1")), core
    )
    report = run.simulation.placement.report
    assert run.simulation.tissue_provenance["rows"] == 2434
    counted = sum(entry["cells"] for entry in report["phenotypes"].values()) + sum(
        report["unmapped"].values()
    )
    assert counted == 2434
    assert report["phenotypes"]["tumor cells"]["cells"] == told["tumor cells"] == 147
    assert run.simulation.coupled.residuals().max() <= 1e-10
    assert np.isfinite(run.simulation.coupled.body.y).all()


def densities_of(scenario, seed):
    return {
        name: row["asked_per_mm2"] for name, row in build(scenario, seed).placement.report["immune"].items()
    }


def test_regional_densities_are_the_patients_and_only_placement_is_the_seeds():
    """One patient with several seeds differs by luck alone; another number or population seed, by densities."""
    size = ("rows=64", "columns=96", "margin_um=300")
    one = load_scenario("mcrc_placebo", size)
    first = densities_of(one, 1)
    assert densities_of(one, 2) == densities_of(one, 99) == first
    a, b = (build(one, seed).placement.occupant for seed in (1, 2))
    assert not np.array_equal(a, b)
    for arm in ("mcrc_tas102", "mcrc_anti_pd1"):
        assert densities_of(load_scenario(arm, size), 7) == first
    others = [
        densities_of(load_scenario("mcrc_placebo", (*size, s)), 1) for s in ("number=2", "population_seed=1")
    ]
    assert others[0] != first != others[1]
    assert set(others[0]) == set(first)


def test_a_picked_patient_keeps_the_densities_that_he_has_in_the_sample():
    """Patient k of a selection is patient numbers[k - 1] of the sample, with his densities."""
    selection = load_population("mcrc_trial_100").selection
    immune = dict(load_scenario("mcrc_placebo").tables["tissue"]["immune"])
    for number in (1, 17):
        scenario = load_scenario("mcrc_trial_placebo", (f"patient.number={number}",))
        assert draw_densities({"immune": immune}, *density_stream(scenario, 5)) == draw_densities(
            {"immune": immune}, selection.seed, selection.numbers[number - 1]
        )


def test_a_tissue_alone_has_no_patient_but_its_seed():
    scenario = load_scenario("strobl2022_continuous")
    assert [density_stream(scenario, seed) for seed in (1, 2)] == [(1, 1), (2, 1)]
