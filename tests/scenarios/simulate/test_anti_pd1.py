"""Checkpoint inhibitors: the antibody's books, occupancy from plasma, one way into killing, believable directions."""

import numpy as np
import pytest

from oncolattice.abm.compile.model_file import LIBRARY, read_part
from oncolattice.abm.errors import InputError
from oncolattice.ode_coupling.immune.qcic.model import VARIANTS, qcic
from oncolattice.ode_coupling.pk import pk_model
from oncolattice.ode_coupling.pk.patients import sample_patients
from oncolattice.ode_coupling.system import Body
from oncolattice.scenarios.command.describe import describe_text
from oncolattice.scenarios.files.scenario import load_scenario
from oncolattice.scenarios.simulate.build import Builder, build
from oncolattice.scenarios.simulate.check import check_scenario
from oncolattice.scenarios.simulate.run import run
from oncolattice.scenarios.store import open_run
from oncolattice.scenarios.treatment.companions import companion_models

SMALL = ("rows=48", "columns=48", "margin_um=0", "snapshot_days=0")
HALF_NM = 0.029 / 0.25  # K_D over what of plasma is free in tissue
LOW, HIGH = 2e-7, 2.4e-6  # PD-L1 of a tumour cell, the ends of the population (g/cell)


def small(name: str, *settings: str):
    return load_scenario(name, (*SMALL, *settings))


def test_the_books_of_the_antibody_close_over_56_days(tmp_path):
    record = open_run(run(small("mcrc_anti_pd1", "duration_days=56"), 1, out=tmp_path))
    for species, residual in record.ledger.items():
        assert residual.max() <= 1e-10, species
    assert "pembrolizumab" in record.ledger
    held = sum(record.body[f"pembrolizumab.{part}"] for part in ("central", "peripheral", "eliminated"))
    assert held[record.time_days <= 1.0].max() == 0.0
    assert held[-1] == pytest.approx(600.0, rel=1e-12)  # days 1, 22 and 43
    level = record.body["pembrolizumab.concentration_nM"]
    np.testing.assert_allclose(record.body["PD1_occupancy"], level / (level + HALF_NM), rtol=1e-12)
    assert record.body["PD1_occupancy"][record.time_days > 1.1].min() > 0.995
    assert record.body["pembrolizumab.concentration"].max() == pytest.approx(200.0 / 3.48 * 1.4, rel=0.15)


def test_the_blockade_enters_once_through_the_complex_of_the_body():
    sim = build(small("mcrc_nivolumab"), 3)
    sim.course.advance(48)
    body, model = sim.coupled.body, sim.model
    taken = body.output("PD1_occupancy")
    level = body.output("nivolumab.concentration_nM")
    assert taken == pytest.approx(level / (level + 2.6 / 0.25), rel=1e-12)
    assert 0.9 < taken < 0.99
    whole = body.p[body.model.index("parameters", "alpha_PL")] * body.output("P_C") * body.output("L_C")
    assert body.output("PL_C") == pytest.approx((1.0 - taken) * whole, rel=1e-12)
    sensed = sim.tissue.state.body[[signal.name for signal in model.signals].index("PD1_PDL1")]
    assert 0.0 < sensed < 0.1 * whole
    assert not any(read_part(LIBRARY / "drugs" / "anti_pd1.toml").sections.values())


def test_arms_are_identical_up_to_the_first_dose():
    arms = [build(small(name), 5) for name in ("mcrc_placebo", "mcrc_anti_pd1", "mcrc_anti_pdl1")]
    for sim in arms:
        sim.course.advance(24)
    first = arms[0].tissue.state.to_arrays()
    assert first["tissue_occupant"].any()
    for sim in arms[1:]:
        for key, value in sim.tissue.state.to_arrays().items():
            np.testing.assert_array_equal(value, first[key], err_msg=key)


def test_restart_is_exact_with_a_companion():
    scenario = small("mcrc_nivolumab", "duration_days=3")
    whole, again = build(scenario, 2), build(scenario, 2)
    whole.course.advance(30)
    again.course.restore(whole.course.to_arrays())
    for sim in (whole, again):
        sim.course.advance(18)
    one, two = whole.course.to_arrays(), again.course.to_arrays()
    assert one.keys() == two.keys()
    for key, value in one.items():
        np.testing.assert_array_equal(value, two[key], err_msg=key)


def kills(name: str, seeds: range, *settings: str) -> int:
    """Return how many tumour cells T cells and NK cells killed in four weeks, over some seeds."""
    builder, total = Builder(small(name, "rows=64", "columns=64", *settings)), 0
    for seed in seeds:
        sim = builder.build(seed)
        sim.course.advance(28 * 24)
        events = zip(sim.model.events, sim.tissue.state.events, strict=True)
        total += sum(int(n) for event, n in events if "killed by" in event or event.endswith("die NK"))
    return total


def test_blockade_frees_killing_on_the_lattice_and_more_so_where_pd_l1_is_high():
    """Poisson counts: a difference beyond 4.5 standard errors has a false-alarm rate below 1e-5."""
    seeds = range(1, 4)
    bare = {level: kills("mcrc_placebo", seeds, f"phi_L={level}") for level in (LOW, HIGH)}
    freed = {level: kills("mcrc_anti_pd1", seeds, f"phi_L={level}") for level in (LOW, HIGH)}
    gain = {level: freed[level] - bare[level] for level in (LOW, HIGH)}
    assert gain[HIGH] > 4.5 * np.sqrt(freed[HIGH] + bare[HIGH])
    assert gain[HIGH] - gain[LOW] > 4.5 * np.sqrt(bare[HIGH] + bare[LOW])  # without it the freed ones agree
    assert abs(freed[HIGH] - freed[LOW]) < 4.5 * np.sqrt(freed[HIGH] + freed[LOW])


def after_eight_weeks(values: dict[str, float], occupancy: float) -> float:
    """Return the tumour of the body model alone on day 56, after a burn-in of 14 days."""
    body = Body(qcic(), values, rtol=1e-7, start_days=-14.0)
    body.set_input("variant", VARIANTS["conservative"])
    body.set_input("freeze_tumour", 1.0)
    body.advance_to(0.0)
    body.set_input("freeze_tumour", 0.0)
    body.set_input("PD1_occupancy", occupancy)
    body.advance_to(56.0)
    return sum(body.get(name) for name in ("X1_C", "X2_C", "X3_C"))


def shrinkage(**values: float) -> float:
    """Return by which share full blockade lowers the tumour."""
    return 1.0 - after_eight_weeks(values, 1.0) / after_eight_weeks(values, 0.0)


def test_the_body_responds_more_with_pd_l1_and_with_t_cells():
    standard = {parameter.name: parameter.value for parameter in qcic().parameters}
    entry = [name for name in standard if name.startswith(("V_T8_BC", "X_T8", "V_T1_BC", "X_T1C", "X_T1L"))]
    by_ligand = [shrinkage(phi_L=level) for level in (LOW, 5.22e-7, HIGH)]
    by_entry = [shrinkage(**{n: standard[n] * factor for n in entry}) for factor in (0.1, 1.0, 10.0)]
    assert by_ligand == sorted(by_ligand)
    assert by_entry == sorted(by_entry)  # desert, as published, inflamed
    assert by_entry[0] < 0.01 < 0.05 < by_entry[2]
    assert 0.0 < by_ligand[0] < 0.02 < by_ligand[2] < 0.2


def test_the_field_follows_plasma_and_keeps_the_books():
    sim = build(small("mcrc_anti_pd1_field"), 1)
    sim.course.advance(24 * 9)
    state, model, body = sim.tissue.state, sim.model, sim.coupled.body
    number = [field.name for field in model.fields].index("anti_PD1")
    plasma = body.output("pembrolizumab.concentration_nM")
    assert state.fields[number].mean() == pytest.approx(0.25 * plasma, rel=0.05)  # the partition
    assert state.fields[number].min() > 0.0
    assert sim.course.residuals().max() <= 1e-10
    assert (
        "PD1_occupancy" not in sim.course.body_columns
    )  # blocked where it is, not a second time in the body
    assert body.u[body.model.index("inputs", "PD1_occupancy")] == 0.0


def test_the_local_blockade_is_exact_at_the_reference_and_near_it_elsewhere():
    """The factor of the rule against the competitive law that it stands for."""
    scope = build(small("mcrc_anti_pd1_field"), 1).model.scope
    names = {"lambda_PL": "1", "K_PL": "g/L", "PL_reference": "g/L", "half_anti_PD1": "nM", "gain_kill": "1"}
    weight, half, reference, where, gain = (scope.number(name, unit, name) for name, unit in names.items())
    c = np.geomspace(1e-3, 1e2, 30)

    def law(s, blocked):
        return 1.0 - weight * s / (half * (1.0 + blocked / 0.029) + s)

    factor = 1.0 + (gain - 1.0) * c / (c + where)
    np.testing.assert_allclose(law(reference, 0.0) * factor, law(reference, c), rtol=1e-12)
    for s in (0.5 * reference, 2.0 * reference):
        np.testing.assert_allclose(law(s, 0.0) * factor, law(s, c), rtol=0.15)


def test_covariates_reach_the_companion_and_the_description_names_it(tmp_path):
    path = tmp_path / "light.toml"
    path.write_text(
        '[scenario]\nextends = "mcrc_anti_pd1"\nname = "light"\n'
        '[[companion]]\ndrug = "pembrolizumab"\ncovariates = { weight = 50 }\n'
        'drives = "PD1_occupancy"\nhalf = "half_pembrolizumab"\n'
    )
    body = build(load_scenario(str(path), SMALL), 1).coupled.body
    expected = pk_model("pembrolizumab", {"weight": 50})[1]["clearance"]
    assert body.p[body.model.index("parameters", "pembrolizumab.clearance")] == expected < 0.22
    text = describe_text(str(path), False)
    assert "pembrolizumab with kinetics of its own (weight 50); sets PD1_occupancy" in text


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ('drug = "pembrolizumob"\n', "did you mean 'pembrolizumab'"),
        ('drug = "pembrolizumab"\ncovariates = { wait = 50 }\n', "unknown covariate 'wait'"),
        ('drug = "pembrolizumab"\ndrives = "PD1_occupancy"\n', "'drives' and 'half' belong together"),
        ('drug = "pembrolizumab"\ndrives = "PD1"\nhalf = "half_pembrolizumab"\n', "unknown input 'PD1'"),
        (
            'drug = "pembrolizumab"\ndrives = "PD1_occupancy"\nhalf = "site"\n',
            r"\[\[companion\]\] pembrolizumab half",
        ),
        (
            'drug = "bevacizumab"\n'
            '[[regimen]]\ndrug = "bevacizumab"\norder = "350 mg iv q2w x 2"\nsource = "assumed"\n',
            "'bevacizumab' is taken by the systemic model already",
        ),
        ('drug = "nivolumab"\n', "unknown drug 'pembrolizumab'"),
        ('drug = "pembrolizumab"\n[[companion]]\ndrug = "pembrolizumab"\n', "named twice"),
        ('medicine = "pembrolizumab"\n', "unknown key 'medicine'"),
        ('drug = "pembrolizumab"\ncovariates = { weight = "50 cm" }\n', "weight: wrong dimension"),
        (
            'drug = "pembrolizumab"\n'
            '[[regimen]]\ndrug = "pembrolizumab"\norder = "1e8 cells iv once"\nsource = "assumed"\n',
            "pembrolizumab is dosed in mg, and the order comes out in cells",
        ),
    ],
)
def test_a_wrong_companion_is_named(tmp_path, block, message):
    path = tmp_path / "wrong.toml"
    path.write_text(f'[scenario]\nextends = "mcrc_anti_pd1"\nname = "wrong"\n[[companion]]\n{block}')
    with pytest.raises(InputError, match=message):
        build(load_scenario(str(path), SMALL), 1)


def test_a_companion_needs_a_body_and_the_check_sees_its_names(tmp_path):
    path = tmp_path / "alone.toml"
    path.write_text('[scenario]\nextends = "eden"\nname = "alone"\n[[companion]]\ndrug = "nivolumab"\n')
    with pytest.raises(InputError, match=r"\[companion\] belongs to a body"):
        load_scenario(str(path))
    assert check_scenario(small("mcrc_anti_pd1")) == []
    path.write_text(
        '[scenario]\nextends = "mcrc_anti_pd1"\nname = "other"\n[[companion]]\ndrug = "nivolumab"\n'
    )
    problems = " ".join(check_scenario(load_scenario(str(path), SMALL)))
    assert "unknown drug 'pembrolizumab'" in problems
    assert "unknown body state 'pembrolizumab.central'" in problems


def test_patients_of_a_population_have_kinetics_of_their_own():
    """The k-th patient has the k-th random effects of the antibody's population model, whatever the arm's dose."""
    effects = sample_patients("pembrolizumab", 2, 2025)
    for number in (1, 2):
        scenario = load_scenario("mcrc_trial_anti_pd1", (f"patient.number={number}",))
        _, values = companion_models(scenario.tables)["pembrolizumab"]
        expected = pk_model("pembrolizumab", eta=effects[number - 1])[1]
        assert values == expected
        assert values != pk_model("pembrolizumab")[1]
    assert "random effects of the patient" in describe_text("mcrc_trial_anti_pd1", False)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('drug = "pembrolizumab"\npatients = "drawn"', r"pembrolizumab patients.*'drawn'.*typical, vary"),
        ('drug = "tas102"\npatients = "vary"', r"tas102: its population model has no random effects"),
    ],
)
def test_companions_that_cannot_vary_are_refused(tmp_path, text, message):
    path = tmp_path / "arm.toml"
    path.write_text(f'[scenario]\nextends = "mcrc_placebo"\nname = "arm"\n\n[[companion]]\n{text}\n')
    with pytest.raises(InputError, match=message):
        companion_models(load_scenario(str(path)).tables)


def test_variation_needs_a_population(tmp_path):
    path = tmp_path / "arm.toml"
    path.write_text(
        '[scenario]\nextends = "mcrc_placebo"\nname = "arm"\n\n[patient]\nvalues = { K_TN8 = 1e8 }\n\n'
        '[[companion]]\ndrug = "pembrolizumab"\npatients = "vary"\n'
    )
    tables = load_scenario(str(path)).tables
    tables["patient"].pop("population", None)
    with pytest.raises(InputError, match=r"set patient\.population"):
        companion_models(tables)
