"""Controllers that dose a body: neutrophils, doses held and scaled in a coupled run, and its books."""

import numpy as np
import pytest
import xarray

from oncolattice.abm.errors import InputError
from oncolattice.ode_coupling.dosing import Dose
from oncolattice.ode_coupling.system import Body
from oncolattice.ode_coupling.toxicity.friberg import friberg_with_drug
from oncolattice.scenarios.command.check import check_file
from oncolattice.scenarios.files.scenario import load_scenario
from oncolattice.scenarios.simulate.build import build
from oncolattice.scenarios.simulate.run import Run, run
from oncolattice.scenarios.store import open_run
from oncolattice.scenarios.treatment.marrow import Marrow
from oncolattice.tests.ode_coupling.test_dose_control import MODEL, RATE

SMALL = [
    "rows=32",
    "columns=32",
    "least_immune=5",
    "margin_um=50",
    "duration_days=20",
    "record_every_hours=24",
]
LONG = [*SMALL[:4], "record_every_hours=168", "checkpoint_every_days=1000"]
TOXIC = [*SMALL, "controller.every_days=1", "controller.delay_days=0.5", "toxicity.slope=0.07"]


def lowest(steps_a_day):
    """Return the neutrophil counts of ten days after a bolus, followed in so many steps a day."""
    body = Body(MODEL, doses=[Dose(0.0, "a", 10.0)], rtol=1e-10, atol=1e-10)
    body.advance_to(1e-9)  # the bolus is in
    marrow = Marrow({"concentration": "held", "slope": 0.05, "source": "assumed"}, None, body)
    counts = []
    for step in range(1, 10 * steps_a_day + 1):
        body.advance_to(step / steps_a_day)
        marrow.advance(body)
        counts.append(marrow.count())
    return np.array(counts[steps_a_day - 1 :: steps_a_day]), marrow


def test_the_marrow_follows_the_drug_to_second_order():
    """Against the model that carries the drug itself, in one compartment; the error falls fourfold."""
    hourly = RATE / 24.0
    model = friberg_with_drug(
        clearance_L_per_h=hourly, central_L=1.0, exchange_L_per_h=0.0, most=0.0, slope_L_per_mg=0.05
    )
    whole = Body(model, doses=[Dose(0.0, "docetaxel", 10.0)], rtol=1e-10, atol=1e-3)
    exact = []
    for day in range(1, 11):
        whole.advance_to(float(day))
        exact.append(whole.output("ANC"))
    errors = [np.abs(lowest(n)[0] - exact).max() for n in (4, 8, 16)]
    assert errors[1] < 1e-3 * 5.05e9
    assert errors[0] / errors[1] == pytest.approx(4, abs=0.4)
    assert errors[1] / errors[2] == pytest.approx(4, abs=0.4)


def test_without_effect_the_count_stays_and_grades_are_counted_below_their_bounds():
    body = Body(MODEL)
    marrow = Marrow({"concentration": "held", "slope": 1.0, "source": "assumed"}, None, body)
    for day in range(1, 6):
        body.advance_to(float(day))
        marrow.advance(body)
    assert marrow.count() == pytest.approx(5.05e9, rel=1e-12)
    _, hit = lowest(8)
    assert marrow.outcome()["grade_3_days"] == 0.0
    assert hit.outcome()["anc_lowest"] < 5.05e9


def test_another_marrow_goes_on_from_the_arrays():
    _, whole = lowest(8)
    body = Body(MODEL)
    again = Marrow({"concentration": "held", "slope": 0.05, "source": "assumed"}, None, body)
    again.restore(whole.to_arrays())
    assert again.count() == whole.count()
    assert again.outcome() == whole.outcome()


def decided(path):
    """Return day of decision, visit, observed count and dose of a run file."""
    table = xarray.open_dataset(path, group="visits", engine="h5netcdf")
    columns = [table["visit"].sel(quantity=name).values for name in ("visit_day", "observed", "dose TAS102")]
    return table["time"].values, *columns


@pytest.fixture(scope="module")
def toxic(tmp_path_factory):
    return run(load_scenario("mcrc_neutropenia", TOXIC), 3, out=tmp_path_factory.mktemp("toxic"))


def test_doses_are_given_as_decided_and_the_books_hold(toxic):
    """Decide again by hand from what was seen; every dose is the planned one times the share in force."""
    assert check_file(toxic) == []
    record = open_run(toxic)
    days, visits, observed, doses = decided(toxic)
    assert (days - visits == 0.5).all()
    share, held, reduced, expected = 1.0, False, False, []
    for count in observed:
        if count < 0.5e9 and not reduced:
            share, reduced = share * 0.75, True
        if count < 1e9:
            held = True
        elif count >= 1.5e9:
            held = reduced = False
        expected.append(0.0 if held else share)
    assert doses.tolist() == expected
    assert 0.0 in expected
    given = {}
    for day, drug, amount in record.doses:
        in_force = [dose for known, dose in zip(days, doses, strict=True) if known <= day]
        assert (drug, amount) == ("TAS102", 95.0 * (in_force[-1] if in_force else 1.0))
        given[day] = amount
    total = sum(given.values())
    body = record.body
    held_in_body = sum(body[name][-1] for name in ("Chem_C", "Chem_P", "Chem_eliminated"))
    assert held_in_body == pytest.approx(total, rel=1e-12)
    assert max(np.abs(record.ledger["TAS102"])) < 1e-10
    outcome = record.attributes["outcome"]
    assert outcome["dose_intensity_TAS102"] == pytest.approx(total / 950.0, rel=1e-12)
    assert outcome["anc_lowest"] <= record.body["ANC"].min()
    assert record.body_units["ANC"] == "cells/L"


@pytest.mark.parametrize("days", [9.3, 12.7])
def test_an_interrupted_run_goes_on_with_its_doses(days, toxic, tmp_path):
    scenario = load_scenario("mcrc_neutropenia", [*TOXIC, "checkpoint_every_days=2.25"])  # day 9 and 11.25
    broken = Run(scenario, 3, tmp_path)
    for step in broken.steps():
        if step.day >= days:
            break
    resumed, straight = open_run(run(scenario, 3, out=tmp_path, resume=True)), open_run(toxic)
    assert resumed.attributes["digest"] == straight.attributes["digest"]
    assert resumed.attributes["outcome"] == straight.attributes["outcome"]
    assert resumed.doses == straight.doses


def test_exposure_of_the_body_is_brought_to_its_target(tmp_path):
    """What was cleared in each cycle of QCIC's linear kinetics: 950 at full dose, 600 asked for."""
    path = tmp_path / "exposure.toml"
    path.write_text(
        '[scenario]\nextends = "mcrc_tas102"\nname = "exposure"\nduration_days = 85\n'
        '[controller]\nkind = "exposure"\ndrug = "TAS102"\nobserve = "rise"\nof = "Chem_eliminated"\n'
        "every_days = 28\nfirst_day = 1\ntarget = 600\n"
    )
    current = Run(load_scenario(str(path), [*LONG, "duration_days=85"]), 1)
    for _ in current.steps():
        pass
    days, rows = current.simulation.trial.take_visits()
    assert days.tolist() == [1.0, 29.0, 57.0, 85.0]
    observed, doses = rows[:, 2], rows[:, 4]
    assert observed[0] == 0.0
    assert observed[1] == pytest.approx(950.0, rel=1e-6)
    assert observed[2:] == pytest.approx(600.0, rel=1e-6)
    assert doses[:3] == pytest.approx([1.0, 600 / 950, 600 / 950], rel=1e-6)


def test_the_library_controller_holds_cycles_by_the_volume_it_sees():
    bounds = ["controller.on_above=0.98", "controller.off_below=0.98"]
    current = Run(load_scenario("mcrc_adaptive", [*LONG, "duration_days=60", *bounds]), 1)
    for _ in current.steps():
        pass
    _, rows = current.simulation.trial.take_visits()
    relative = rows[:, 2] / rows[0, 2]
    assert rows[:, 4].tolist() == [float(value > 0.98) for value in relative]
    for day, _, amount in current.simulation.course.doses():
        assert amount == 95.0 * rows[int((day - 1) // 28), 4]


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        (["controller.drug=bevacizumab"], "unknown drug with a .* 'bevacizumab'"),
        (["controller.of=ANCC"], "unknown state or output of the body 'ANCC'"),
        (["toxicity.concentration=Chem"], "unknown state or output of the body 'Chem'"),
        (["toxicity.slope=-1"], "toxicity.slope must be 0 or more"),
        (["toxicity.most=2"], "toxicity.most needs toxicity.half"),
        (["toxicity.transit_time_h=0"], "toxicity.transit_time_h must be above 0"),
        (["controller.signal=trifluridine"], "write one of signal .* and drug"),
    ],
)
def test_what_the_body_does_not_have_is_refused(settings, reason):
    with pytest.raises(InputError, match=reason):
        build(load_scenario("mcrc_neutropenia", [*SMALL, *settings]), 1)
