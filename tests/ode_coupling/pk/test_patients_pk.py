"""Covariates by hand, the law of the random effects, and drug files that are wrong."""

import math
from pathlib import Path

import numpy as np
import pytest

from oncolattice.abm.errors import InputError
from oncolattice.ode_coupling.pk import library_drugs, load_drug, pk_model, sample_patients
from oncolattice.ode_coupling.pk.drug_file import LIBRARY


def parameters(drug, covariates=None, eta=None):
    return pk_model(drug, covariates, eta)[1]


def test_nivolumab_covariates_by_hand():
    patient = {"weight": 60.0, "gfr": 50.0, "sex": "male", "ecog": "1", "race": "asian"}
    got = parameters("nivolumab", patient)
    size = (60 / 80) ** 0.566 * (50 / 90) ** 0.186
    assert got["clearance"] == pytest.approx(9.4 * 0.024 * size * math.exp(0.172 + 0.165 - 0.125), rel=1e-12)
    assert got["volume"] == pytest.approx(3.63 * (60 / 80) ** 0.597 * math.exp(0.152), rel=1e-12)
    assert got["peripheral_volume"] == 2.78


def test_pembrolizumab_covariates_and_shared_effects_by_hand():
    patient = {"weight": 100.0, "albumin": 30.0, "sex": "female", "tumour": "nsclc"}
    got = parameters("pembrolizumab", patient, {"clearance": 0.3, "volume": -0.2})
    cl = 0.22 * (100 / 76.8) ** 0.595 * (30 / 39.6) ** -0.907 * (1 - 0.152) * (1 + 0.145)
    assert got["clearance"] == pytest.approx(cl * math.exp(0.3), rel=1e-12)
    assert got["flow"] == pytest.approx(0.795 * (100 / 76.8) ** 0.595 * math.exp(0.3), rel=1e-12)
    assert got["peripheral_volume"] == pytest.approx(4.06 * (100 / 76.8) ** 0.489 * math.exp(-0.2), rel=1e-12)


def test_bevacizumab_man_and_teclistamab_stages():
    man = parameters("bevacizumab", {"sex": "male"})
    woman = parameters("bevacizumab")
    assert man["clearance"] / woman["clearance"] == pytest.approx(1.14)
    assert man["volume"] / woman["volume"] == pytest.approx(1.18)
    stages = [parameters("teclistamab", {"iss_stage": stage})["clearance"] for stage in ("I", "II", "III")]
    np.testing.assert_allclose(stages, [0.449, 0.449 * 1.31, 0.449 * 1.67], rtol=1e-12)


def test_the_complex_leaves_as_the_drug_does():
    got = parameters(
        "bevacizumab_vegf", {"weight": 92.0}, {"clearance": 0.4, "volume": -0.1, "synthesis": 0.2}
    )
    assert got["internalisation"] == pytest.approx(got["clearance"] / got["volume"], rel=1e-12)
    model, _ = pk_model("bevacizumab_vegf")
    assert model.initial[-1] == pytest.approx(0.0053, rel=1e-12)  # published baseline


@pytest.mark.parametrize("name", ["nivolumab", "atezolizumab", "car_t"])
def test_random_effects_have_the_published_covariance(name):
    """|z| < 4.5 for every mean, variance and covariance: a false alarm once in 4,000 runs over all of them."""
    drug, n = load_drug(name), 20_000
    patients = sample_patients(drug, n, 3)
    drawn = np.array([[patient[key] for key in drug.random_effects] for patient in patients])
    se_mean = np.sqrt(np.diag(drug.omega) / n)
    assert (np.abs(drawn.mean(axis=0)) < 4.5 * se_mean).all()
    variances = np.diag(drug.omega)
    se = np.sqrt((np.outer(variances, variances) + drug.omega**2) / n)
    assert (np.abs(np.cov(drawn.T) - drug.omega) < 4.5 * se).all()
    wrong = drug.omega * 1.1  # the test sees 10 % of variance
    assert (np.abs(np.cov(drawn.T) - wrong) > 4.5 * se).any()


def test_cv_is_that_of_the_log_normal_law():
    drug = load_drug("bevacizumab")
    values = [parameters(drug, eta=eta)["clearance"] for eta in sample_patients(drug, 4000, 5)]
    assert np.std(values) / np.mean(values) == pytest.approx(0.292, abs=5 * 0.0045)


def test_a_patient_does_not_depend_on_how_many_there_are():
    few, many = sample_patients("atezolizumab", 3, 11), sample_patients("atezolizumab", 50, 11)
    assert few == many[:3]
    assert sample_patients("atezolizumab", 3, 12)[0] != few[0]
    assert sample_patients("tas102", 2, 1) == [{}, {}]
    with pytest.raises(InputError, match="0 or more"):
        sample_patients("tas102", -1, 1)


@pytest.mark.parametrize("name", library_drugs())
def test_every_number_has_unit_and_source_and_every_patient_a_model(name):
    drug = load_drug(name)
    model, values = pk_model(drug)
    assert all(p.unit and p.source for p in model.parameters)
    assert model.time_unit == "d"
    assert {p.name: p.value for p in model.parameters} == values
    for eta in sample_patients(drug, 200, 2):
        pk_model(drug, eta=eta)


@pytest.mark.parametrize(
    ("covariates", "eta", "says"),
    [
        ({"wieght": 70}, {}, "unknown covariate 'wieght'; did you mean 'weight'"),
        ({"weight": -1}, {}, "must be a positive number"),
        ({"weight": "heavy"}, {}, "must be a positive number"),
        ({"sex": "f"}, {}, "unknown sex 'f'"),
        ({}, {"flow": 0.1}, "unknown random effect 'flow'"),
        ({}, {"volume": math.nan}, "must be finite"),
    ],
)
def test_patients_that_cannot_be_are_refused(covariates, eta, says):
    with pytest.raises(InputError, match=says):
        pk_model("nivolumab", covariates, eta)


WRONG = [
    ('title = "nivolumab', 'titel = "nivolumab', r"unknown key 'titel'; did you mean 'title'"),
    ("[covariates.gfr]", "[covariate.gfr]", r"unknown section 'covariate'"),
    ('structure = "sigmoid_clearance"', 'structure = "linear"', r"unknown parameter 'late_ratio'"),
    ('routes = ["iv"]', 'routes = ["iv", "po"]', r"'absorption' is missing"),
    ('routes = ["iv"]', 'routes = ["vein"]', r"unknown route 'vein'"),
    ("[parameters.flow]", "[parameters.flwo]", r"unknown parameter 'flwo'; did you mean 'flow'"),
    ('value = 9.4\nunit = "mL/h"', 'value = 9.4\nunit = "mL"', r"clearance\].*wrong dimension"),
    ('value = 9.4\nunit = "mL/h"', 'value = 9.4\nunit = "mL/hour"', r"unknown unit 'hour'"),
    ('value = 9.4\nunit = "mL/h"', "value = 9.4", r"'unit' is missing"),
    ("value = 9.4", "value = -9.4", r"value must be not negative"),
    ('source = "10.1002/psp4.12143"\nomega2 = 0.258', "omega2 = 0.258", r"'source' is missing"),
    ('source = "10.1002/psp4.12143"\nomega2 = 0.258', 'source = "a paper"\nomega2 = 0.258', r"none of DOI"),
    ("omega2 = 0.258", "omega2 = 0.258\ncv = 0.5", r"not as both"),
    ("omega2 = 0.258", "omega2 = -0.258", r"'omega2' must be 0 to 25"),
    ("omega2 = 0.258", "follows = { flow = 1 }", r"unknown random effect 'flow'"),
    ('name = "gfr", effect = "power"', 'name = "gfr", effect = "powder"', r"did you mean 'power'"),
    ('name = "gfr", effect', 'name = "egfr", effect', r"unknown covariate 'egfr'; did you mean 'gfr'"),
    ('level = "asian", effect', 'level = "martian", effect', r"unknown level of race 'martian'"),
    ('level = "asian", effect', "effect", r"'level' goes with"),
    ('levels = ["other", "asian"]', 'levels = ["other"]', r"at least two different names"),
    ("reference = 80", "reference = 0", r"'reference' must be above 0"),
    ('between = ["clearance", "volume"]', 'between = ["clearance", "flow"]', r"unknown random effect 'flow'"),
    ('between = ["clearance", "volume"]', 'between = ["volume", "volume"]', r"two different parameters"),
    ("value = 0.0432", "value = 0.432", r"no law has these"),
    (
        "[parameters.flow]",
        "[parameters.treatment_start]",
        r"'flow' is missing|follows from the doses|stands alone",
    ),
]


@pytest.mark.parametrize(("old", "new", "says"), WRONG)
def test_drug_files_that_are_wrong_are_refused(tmp_path, old, new, says):
    text = (LIBRARY / "nivolumab.toml").read_text()
    assert old in text
    path = tmp_path / "mine.toml"
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(InputError, match=says) as refused:
        load_drug(path)
    assert "mine.toml" in str(refused.value)


def test_a_drug_of_ones_own_and_an_unknown_one(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text((LIBRARY / "fluorouracil.toml").read_text().replace("179", "100"))
    assert pk_model(path)[1]["clearance"] == pytest.approx(2400.0)
    with pytest.raises(InputError, match="unknown drug 'nivolumub'; did you mean 'nivolumab'"):
        load_drug("nivolumub")


def test_the_documented_file_loads_and_every_drug_is_documented(tmp_path):
    page = Path(__file__).resolve().parents[3] / "docs" / "pk.md"
    text = page.read_text()
    example = tmp_path / "mine.toml"
    example.write_text(text.split("```toml\n")[1].split("```")[0])
    _, values = pk_model(example, {"weight": 35})
    assert values["clearance"] == pytest.approx(9 * 0.024 * 0.5**0.75, rel=1e-12)
    assert values["molar_mass"] == pytest.approx(150_000.0)
    assert values["bioavailability"] == pytest.approx(0.7)
    documented = {line.split("|")[1].strip() for line in text.splitlines() if line.startswith("| ")}
    assert set(library_drugs()) <= documented
