"""Every parameter of a population follows its law, and the laws are the published ones."""

import csv
import math

import numpy as np
import pytest
from patient_cases import PATIENTS, columns, law_of
from scipy import stats
from shared import beside

from oncolattice.scenarios.patients.sample import (
    DESIGNS,
    Law,
    Population,
    library_populations,
    load_population,
)

PUBLISHED = {"placebo": "placebo", "tas102": "tas102", "tas102_bev": "tas102bev"}
# One false alarm in a million for the whole population, shared by its 21 parameters (Bonferroni).
ALPHA = 1e-6 / 21


def test_the_library_holds_populations_of_21_parameters():
    published = [
        "qcic_published_placebo",
        "qcic_published_tas102",
        "qcic_published_tas102_bev",
        "qcic_treated",
    ]
    trial = ["mcrc_persister", "mcrc_persister_100", "mcrc_trial_100", "mcrc_varied", "mcrc_week8"]
    assert library_populations() == [*trial, *published]
    for name in library_populations():
        more = 2 if name == "mcrc_varied" else 0
        assert len({law.name for law in load_population(name).laws}) == 21 + more


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("name", [n for n in library_populations() if not load_population(n).selection])
def test_every_parameter_follows_its_law(name, design):
    """Under the even designs deviations are smaller than chance, so the bounds hold all the more."""
    population = load_population(name)
    drawn = columns(population, design=design)
    bound = stats.norm.isf(ALPHA / 6)  # three two-sided tests a parameter share ALPHA
    for law in population.laws:
        values, beta = drawn[law.name], law_of(law)
        low, high = law.range
        if law.kind == "log-normal":
            values, low, high = np.log(values), math.log(low), math.log(high)
        assert low <= values.min() < values.max() <= high
        mean, variance, kurtosis = (float(m) for m in beta.stats("mvk"))
        assert abs(values.mean() - mean) < bound * math.sqrt(variance / PATIENTS)
        assert abs(values.var() - variance) < bound * variance * math.sqrt((kurtosis + 2) / PATIENTS)
        assert stats.kstest(values, beta.cdf).pvalue > ALPHA / 3


def test_the_test_would_notice_a_wrong_shape():
    law = Law("p", 0.0, 1.0, 6.0, 4.0, "1", "assumed")
    values = columns(Population("p", "p", "assumed", (law,)))["p"]
    assert stats.kstest(values, stats.beta(6.0, 4.6).cdf).pvalue < ALPHA / 3


def test_parameters_are_independent():
    drawn = np.array(list(columns(load_population("qcic_treated")).values()))
    # rank correlations of 210 pairs, SE 1/sqrt(N); 6 SE: a false alarm in 2.4 million
    correlation = stats.spearmanr(drawn.T).statistic[np.triu_indices(21, 1)]
    assert np.abs(correlation).max() < 6 / math.sqrt(PATIENTS)


def published_rows(cohort):
    with beside("reference/qcic/vp_sampling.csv").open() as file:
        return {row["parameter"]: row for row in csv.DictReader(file) if row["cohort"] == cohort}


def numbers(row):
    return tuple(float(row[key]) for key in ("min", "max", "beta_a", "beta_b"))


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_populations_hold_the_published_laws(name):
    rows = published_rows(f"{PUBLISHED[name]}_100")
    laws = load_population(f"qcic_published_{name}").laws
    assert {law.name: (law.lowest, law.highest, law.a, law.b) for law in laws} == {
        parameter: numbers(row) for parameter, row in rows.items()
    }
    assert all(law.factor == 1.0 for law in laws)


def test_the_fitted_population_is_the_treated_one_times_its_factors():
    rows = published_rows("tas102_100")
    rows |= {k: v for k, v in published_rows("tas102bev_100").items() if k.startswith("varepsilon")}
    factors = {"varepsilon_TX": 1.14, "rho_X3X": 0.38, "sigma_X": 1.55}
    laws = load_population("qcic_treated").laws
    assert {law.name for law in laws} == rows.keys()
    for law in laws:
        assert (law.lowest, law.highest, law.a, law.b) == numbers(rows[law.name])
        assert law.factor == factors.get(law.name.rstrip("123"), 1.0)
        assert law.factor_source == ("" if law.factor == 1.0 else "fitted")


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_patients_look_like_ours(name):
    """The authors' stored patients pass as draws from the population (K-S, one false alarm in 10,000)."""
    with beside(f"reference/qcic/vp_matrix_{PUBLISHED[name]}.csv").open() as file:
        stored = list(csv.DictReader(file))
    for law in load_population(f"qcic_published_{name}").laws:
        values = [float(row[law.name]) for row in stored]
        assert stats.kstest(values, law_of(law).cdf).pvalue > 1e-4 / 21


def test_a_log_normal_law_is_the_truncated_one():
    law = Law("k", 1.0, 400.0, math.nan, math.nan, "1", "assumed", kind="log-normal", median=18.0, log_sd=1.8)
    value = law.quantile(np.random.default_rng(1).random(PATIENTS))
    low, high = (math.log(end / 18.0) / 1.8 for end in law.range)
    assert stats.kstest(np.log(value / 18.0) / 1.8, stats.truncnorm(low, high).cdf).pvalue > 1e-5
    assert law.quantile(np.array([0.0, 1.0])) == pytest.approx([1.0, 400.0])
