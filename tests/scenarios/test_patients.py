"""Virtual patients: every parameter follows its Beta law, and patient i depends on (seed, i) alone."""

import csv
import math
import pathlib

import numpy as np
import pytest
from oncolattice.abm.errors import InputError
from oncolattice.scenarios.patients import Law, Population, library_populations, load_population, sample
from scipy import stats

QCIC = pathlib.Path(__file__).resolve().parents[2] / "../shared/reference/qcic"
PUBLISHED = {"placebo": "placebo", "tas102": "tas102", "tas102_bev": "tas102bev"}
N = 4000
# One false alarm in a million for the whole population, shared by its 21 parameters (Bonferroni).
ALPHA = 1e-6 / 21

WORDS = {
    "min": "0.0", "max": "1.0", "a": "2.0", "b": "3.0", "unit": '"1"', "source": '"assumed"',
}  # fmt: skip


def law_of(law):
    low, high = law.range
    return stats.beta(law.a, law.b, loc=low, scale=high - low)


def columns(population, n=N, seed=11):
    patients = sample(population, n, seed)
    return {law.name: np.array([patient[law.name] for patient in patients]) for law in population.laws}


def test_the_library_holds_four_populations_of_21_parameters():
    names = ["qcic_published_placebo", "qcic_published_tas102", "qcic_published_tas102_bev", "qcic_treated"]
    assert library_populations() == names
    for name in names:
        assert len({law.name for law in load_population(name).laws}) == 21


@pytest.mark.parametrize("name", library_populations())
def test_every_parameter_follows_its_law(name):
    population = load_population(name)
    drawn = columns(population)
    bound = stats.norm.isf(ALPHA / 6)  # three two-sided tests a parameter share ALPHA
    for law in population.laws:
        values, beta = drawn[law.name], law_of(law)
        low, high = law.range
        assert low <= values.min() < values.max() <= high
        mean, variance, kurtosis = (float(m) for m in beta.stats("mvk"))
        assert abs(values.mean() - mean) < bound * math.sqrt(variance / N)
        assert abs(values.var() - variance) < bound * variance * math.sqrt((kurtosis + 2) / N)
        assert stats.kstest(values, beta.cdf).pvalue > ALPHA / 3


def test_the_test_would_notice_a_wrong_shape():
    law = Law("p", 0.0, 1.0, 6.0, 4.0, "1", "assumed")
    values = columns(Population("p", "p", "assumed", (law,)))["p"]
    assert stats.kstest(values, stats.beta(6.0, 4.6).cdf).pvalue < ALPHA / 3


def test_parameters_are_independent():
    drawn = np.array(list(columns(load_population("qcic_treated")).values()))
    # rank correlations of 210 pairs, SE 1/sqrt(N); 6 SE: a false alarm in 2.4 million
    correlation = stats.spearmanr(drawn.T).statistic[np.triu_indices(21, 1)]
    assert np.abs(correlation).max() < 6 / math.sqrt(N)


def test_a_patient_depends_on_seed_and_number_alone():
    population = load_population("qcic_treated")
    hundred = sample(population, 100, 2025)
    assert sample(population, 0, 2025) == []
    assert sample(population, 7, 2025) == hundred[:7]
    assert sample(population, 100, 2026)[0] != hundred[0]
    assert hundred[0] != hundred[1]
    # neither the order of parameters nor what else varies matters
    fewer = Population("few", "few", "assumed", population.laws[::-3])
    assert all(
        few[key] == all_[key]
        for few, all_ in zip(sample(fewer, 5, 2025), hundred, strict=False)
        for key in few
    )


def test_a_patient_has_the_same_rank_in_every_population():
    ranks = {}
    for name in ("qcic_treated", "qcic_published_placebo"):
        population = load_population(name)
        patient = sample(population, 3, 9)[2]
        ranks[name] = [float(law_of(law).cdf(patient[law.name])) for law in population.laws]
    assert ranks["qcic_treated"] == pytest.approx(ranks["qcic_published_placebo"], abs=1e-9)


def published_rows(cohort):
    path = QCIC / "vp_sampling.csv"
    if not path.exists():
        pytest.skip("../shared/reference/qcic/vp_sampling.csv is absent")
    with path.open() as file:
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
    for law in load_population("qcic_treated").laws:
        assert (law.lowest, law.highest, law.a, law.b) == numbers(rows[law.name])
        assert law.factor == factors.get(law.name.rstrip("123"), 1.0)
        assert law.factor_source == ("" if law.factor == 1.0 else "fitted")


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_patients_look_like_ours(name):
    """The authors' stored patients pass as draws from the population (K-S, one false alarm in 10,000)."""
    path = QCIC / f"vp_matrix_{PUBLISHED[name]}.csv"
    if not path.exists():
        pytest.skip(f"../shared/reference/qcic/{path.name} is absent")
    with path.open() as file:
        stored = list(csv.DictReader(file))
    for law in load_population(f"qcic_published_{name}").laws:
        values = [float(row[law.name]) for row in stored]
        assert stats.kstest(values, law_of(law).cdf).pvalue > 1e-4 / 21


def write(folder, body="", head='name = "n"\ntitle = "t"\nsource = "assumed"', **changes):
    entry = ", ".join(f"{k} = {v}" for k, v in (WORDS | changes).items() if v)
    path = folder / "p.toml"
    path.write_text(f"[population]\n{head}\n{body}\n[parameters]\np = {{ {entry} }}\n")
    return path


def test_a_file_of_ones_own(tmp_path):
    population = load_population(write(tmp_path, min="2.0", max="4.0", factor="10", factor_source='"fitted"'))
    assert population.laws[0].range == (20.0, 40.0)
    assert 20 <= sample(population, 1, 1)[0]["p"] <= 40


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"min": "1.0"}, "'max' must exceed 'min'"),
        ({"a": "0.0"}, "'a' must be above 0"),
        ({"b": "nan"}, "'b' must be a finite number"),
        ({"max": '"2"'}, "'max' must be a finite number"),
        ({"unit": ""}, "'unit' is missing"),
        ({"source": '"somewhere"'}, "source 'somewhere'"),
        ({"alpha": "2"}, "unknown key 'alpha'"),
        ({"factor": "2.0"}, "'factor' and 'factor_source' go together"),
        ({"factor": "-1.0", "factor_source": '"fitted"'}, "'factor' must be above 0"),
        ({"head": 'name = "n"\nsource = "assumed"'}, "'title' is missing"),
        ({"body": "[extra]"}, "unknown section 'extra'"),
    ],
)
def test_bad_files_are_refused(tmp_path, changes, words):
    with pytest.raises(InputError, match=words):
        load_population(write(tmp_path, **changes))


def test_other_mistakes_are_refused(tmp_path):
    with pytest.raises(InputError, match="did you mean 'qcic_treated'"):
        load_population("qcic_treted")
    (tmp_path / "empty.toml").write_text('[population]\nname = "n"\n')
    with pytest.raises(InputError, match=r"needs a \[parameters\] table"):
        load_population(tmp_path / "empty.toml")
    (tmp_path / "bad.toml").write_text("[population\n")
    with pytest.raises(InputError, match="not valid TOML"):
        load_population(tmp_path / "bad.toml")
    (tmp_path / "bare.toml").write_text(
        '[population]\nname="n"\ntitle="t"\nsource="assumed"\n[parameters]\np = 3\n'
    )
    with pytest.raises(InputError, match="a table is needed"):
        load_population(tmp_path / "bare.toml")
    with pytest.raises(InputError, match="0 or more"):
        sample(load_population("qcic_treated"), -1, 1)
