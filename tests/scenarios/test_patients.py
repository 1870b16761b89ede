"""Virtual patients: every parameter follows its Beta law, and patient i depends on (seed, i) alone."""

import csv
import math

import numpy as np
import pytest
from scipy import stats
from shared import beside

from oncolattice.abm.errors import InputError
from oncolattice.ode_coupling.pk.patients import sample_patients
from oncolattice.scenarios.body_side import patient_of
from oncolattice.scenarios.build import build
from oncolattice.scenarios.patients import (
    DESIGNS,
    Law,
    Population,
    library_populations,
    load_population,
    sample,
    sample_tissue,
)
from oncolattice.scenarios.population_file import POPULATIONS
from oncolattice.scenarios.run import key_of
from oncolattice.scenarios.scenario import load_scenario
from oncolattice.scenarios.well_mixed import simulate_twin

PUBLISHED = {"placebo": "placebo", "tas102": "tas102", "tas102_bev": "tas102bev"}
N = 4000
# One false alarm in a million for the whole population, shared by its 21 parameters (Bonferroni).
ALPHA = 1e-6 / 21

WORDS = {
    "min": "0.0", "max": "1.0", "a": "2.0", "b": "3.0", "unit": '"1"', "source": '"assumed"',
}  # fmt: skip


def law_of(law):
    """Return the law as SciPy has it, of the logarithm where it is log-normal."""
    low, high = law.range
    if law.kind == "log-normal":
        middle, spread = math.log(law.median), law.log_sd
        ends = ((math.log(end) - middle) / spread for end in (low, high))
        return stats.truncnorm(*ends, loc=middle, scale=spread)
    return stats.beta(law.a, law.b, loc=low, scale=high - low)


def columns(population, n=N, seed=11, design="iid"):
    patients = sample(population, n, seed, design)
    return {law.name: np.array([patient[law.name] for patient in patients]) for law in population.laws}


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
    for law in load_population("qcic_treated").laws:
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
    ("unit", "times"), [("1/day", 1), ("1/d", 1), ("1/h", 1 / 24), ("1/week", 7), ("%/h", 100 / 24)]
)
@pytest.mark.parametrize("law", ["beta", "log-normal"])
def test_the_unit_of_a_law_is_that_of_its_numbers(unit, times, law, tmp_path):
    def patients(name, unit, times):
        own = {"a": "", "b": "", "median": f"{0.3 * times!r}", "log_sd": "0.2"} if law != "beta" else {}
        ends = {
            "min": f"{0.24 * times!r}",
            "max": f"{0.48 * times!r}",
            "unit": f'"{unit}"',
            "law": f'"{law}"',
        }
        text = write(tmp_path, **ends, **own).read_text().replace("\np = ", "\nV_D_CA = ")
        (tmp_path / name).write_text(text)
        return [patient["V_D_CA"] for patient in sample(load_population(tmp_path / name), 20, 1)]

    expected = patients("a.toml", "1/day", 1)
    assert 0.24 <= min(expected) < max(expected) <= 0.48
    found = patients("b.toml", unit, times)
    assert found == (expected if times == 1 else pytest.approx(expected, rel=1e-12))


@pytest.mark.parametrize(
    ("unit", "words"),
    [("kg", "wrong dimension"), ("1/um", "wrong dimension"), ("😀", "unknown unit"), ("day", "wrong dim")],
)
def test_a_law_in_another_dimension_or_no_unit_at_all_is_refused(unit, words, tmp_path):
    text = write(tmp_path, unit=f'"{unit}"').read_text().replace("\np = ", "\nV_D_CA = ")
    (tmp_path / "p.toml").write_text(text)
    with pytest.raises(InputError, match=f"V_D_CA.*{words}"):
        load_population(tmp_path / "p.toml")


def test_a_law_of_tissue_is_converted_to_the_unit_that_the_model_declares(tmp_path):
    values = {}
    for unit, times in (("um", 1.0), ("mm", 1e-3)):
        law = f'min = {60 * times}, max = {90 * times}, a = 2, b = 2, unit = "{unit}", source = "assumed"'
        (tmp_path / "p.toml").write_text(
            '[population]\nname = "n"\ntitle = "t"\nsource = "assumed"\nextends = "qcic_treated"\n'
            f"[tissue]\ngland_scale = {{ {law} }}\n"
        )
        scenario = load_scenario("mcrc_trial_placebo", [f"population={tmp_path / 'p.toml'}"])
        values[unit] = patient_of(scenario)[1]["gland_scale"]
    assert 60 <= values["um"] <= 90
    assert values["mm"] == pytest.approx(values["um"], rel=1e-12)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"min": "1.0"}, "'max' must exceed 'min'"),
        ({"a": "0.0"}, "'a' must be above 0"),
        ({"b": "nan"}, "nan is no finite number"),
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


def shares(population, n, seed, design):
    """Return, by parameter, the quantiles at which the patients of a population lie."""
    drawn = columns(population, n, seed, design)
    return {law.name: law_of(law).cdf(drawn[law.name]) for law in population.laws}


def test_a_latin_hypercube_has_one_patient_in_each_part_of_each_law():
    population = load_population("qcic_treated")
    for share in shares(population, 50, 3, "latin hypercube").values():
        assert sorted(np.floor(share * 50 + 1e-6).astype(int)) == list(range(50))
    # whatever else varies, and dependent on the number of patients
    fewer = Population("few", "few", "assumed", population.laws[::-3])
    whole = sample(population, 50, 3, "latin hypercube")
    assert all(
        one[k] == other[k]
        for one, other in zip(sample(fewer, 50, 3, "latin hypercube"), whole, strict=True)
        for k in one
    )
    assert sample(population, 49, 3, "latin hypercube")[0] != whole[0]


def test_sobol_points_are_even_and_begin_alike():
    population = load_population("qcic_treated")
    assert sample(population, 70, 3, "sobol")[:33] == sample(population, 33, 3, "sobol")
    assert sample(population, 4, 4, "sobol")[0] != sample(population, 4, 3, "sobol")[0]
    for share in shares(population, 64, 3, "sobol").values():
        assert sorted(np.floor(share * 64 + 1e-6).astype(int)) == list(range(64))
    with pytest.raises(InputError, match="did you mean 'sobol'"):
        sample(population, 4, 4, "sobel")


def test_a_log_normal_law_is_the_truncated_one():
    law = Law("k", 1.0, 400.0, math.nan, math.nan, "1", "assumed", kind="log-normal", median=18.0, log_sd=1.8)
    value = law.quantile(np.random.default_rng(1).random(N))
    low, high = (math.log(end / 18.0) / 1.8 for end in law.range)
    assert stats.kstest(np.log(value / 18.0) / 1.8, stats.truncnorm(low, high).cdf).pvalue > 1e-5
    assert law.quantile(np.array([0.0, 1.0])) == pytest.approx([1.0, 400.0])


def test_tissue_varies_beside_the_body_and_leaves_it_alone():
    population = load_population("mcrc_week8")
    tissue, body = sample_tissue(population, 5, 2025), sample(population, 5, 2025)
    assert set(tissue[0]) == {law.name for law in population.tissue}
    assert not set(tissue[0]) & set(body[0])
    assert sample_tissue(population, 3, 2025) == tissue[:3]
    assert sample_tissue(load_population("qcic_treated"), 2, 1) == [{}, {}]
    logs = np.log([row["section_CTL"] for row in sample_tissue(population, N, 2)])
    low, high = (math.log(end / 18) / 1.8 for end in (1.24, 346))
    # the spread of the published densities, cut to their range; SE of a standard deviation is about sd/sqrt(2N)
    exact = 1.8 * stats.truncnorm(low, high).std()
    assert abs(np.std(logs) - exact) < 5 * exact / math.sqrt(2 * N)


def test_drug_kinetics_follow_the_random_effects_of_the_library():
    population = load_population("mcrc_week8")
    for patient, effect in zip(sample(population, 20, 7), sample_patients("bevacizumab", 20, 7), strict=True):
        expected = 0.0779 * math.exp(effect["clearance"] - effect["volume"])
        assert patient["k_10_Trag"] == pytest.approx(expected, rel=1e-12)


def test_a_selection_numbers_the_patients_of_its_sample():
    picked = load_population("mcrc_trial_100")
    chosen = picked.selection
    base = sample(load_population(chosen.of), chosen.size, chosen.seed)
    found = sample(picked, 100, chosen.seed)
    assert found == [base[k - 1] for k in chosen.numbers]
    assert (
        sample_tissue(picked, 100, chosen.seed)[41]
        == sample_tissue(load_population(chosen.of), chosen.numbers[41], chosen.seed)[-1]
    )
    with pytest.raises(InputError, match="holds 100 picked patients"):
        sample(picked, 101, chosen.seed)
    with pytest.raises(InputError, match="set population_seed to 2025"):
        sample(picked, 3, 1)


def test_a_population_extends_another(tmp_path):
    write(tmp_path)
    file = tmp_path / "child.toml"
    file.write_text(
        '[population]\nname = "c"\ntitle = "t"\nsource = "assumed"\nextends = "p.toml"\n[parameters]\n'
        'p = { factor = 3.0, factor_source = "fitted" }\n[tissue]\n'
        't = { law = "log-normal", median = 2, log_sd = 1, min = 1, max = 4, unit = "1", source = "assumed" }\n'
    )
    found = load_population(file)
    assert found.laws[0].range == (0.0, 3.0)
    assert found.tissue[0].median == 2.0
    text = file.read_text()
    for old, new, words in (
        ('"log-normal"', '"lognormal"', "did you mean 'log-normal'"),
        ("log_sd = 1", "log_sd = 0", "'log_sd' must be above 0"),
        ("t = {", "p = {", "'p' has two laws"),
        ("t = {", "kappa_Treg = {", "the body has a parameter of that name"),
        ('"p.toml"', '"child.toml"', "extends itself"),
    ):
        file.write_text(text.replace(old, new))
        with pytest.raises(InputError, match=words):
            load_population(file)


def test_a_selection_of_nobody_is_refused(tmp_path):
    write(tmp_path)
    file = tmp_path / "s.toml"
    head = '[population]\nname = "s"\ntitle = "t"\nsource = "derived"\n'
    for numbers, words in (("[]", "one or more whole numbers"), ("[11]", "from 1 to size")):
        file.write_text(
            f'{head}[selection]\nof = "p.toml"\nseed = 1\nsize = 10\ndesign = "iid"\nnumbers = {numbers}\n'
        )
        with pytest.raises(InputError, match=words):
            load_population(file)
    laws = '[parameters]\np = { min = 0, max = 1, a = 1, b = 1, unit = "1", source = "assumed" }\n'
    rate = 'drug = "bevacizumab", powers = { speed = 1 }, typical = 1, unit = "1", source = "assumed"'
    file.write_text(f"{head}[pk]\nk = {{ {rate} }}\n{laws}")
    with pytest.raises(InputError, match="random effect 'speed'"):
        load_population(file)


def test_an_edited_population_makes_another_run(tmp_path):
    """The key of a run holds the laws of its population and of the one that its patients were picked from."""
    text = (POPULATIONS / "mcrc_week8.toml").read_text()
    picked = (POPULATIONS / "mcrc_trial_100.toml").read_text().replace('"mcrc_week8"', '"base.toml"')
    keys = set()
    for factor in ("1.937", "1.5"):
        (tmp_path / "base.toml").write_text(text.replace("1.937", factor))
        (tmp_path / "picked.toml").write_text(picked)
        scenario = load_scenario("mcrc_tas102", [f"population={tmp_path / 'picked.toml'}"])
        keys.add(key_of(scenario, 1))
    assert "1.937" in text
    assert len(keys) == 2


def test_a_drawn_resistant_share_is_one_number_in_tissue_and_body():
    settings = ("rows=64", "columns=64", "margin_um=0", "patient.population=mcrc_varied", "patient.number=3")
    scenario = load_scenario("mcrc_trial_tas102", settings)
    share = sample(load_population("mcrc_varied"), 3, 2025)[2]["resistant_share"]
    assert 0.5 < share < 1.0
    assert abs(share - 0.75) > 0.01
    sim = build(scenario, 1)
    counts = dict(
        zip((t.name for t in sim.model.types), sim.tissue.state.counts(sim.model).tolist(), strict=True)
    )
    cells = counts["DSTC"] + counts["DRTC"]
    assert abs(counts["DRTC"] - share * cells) <= 0.5
    assert sim.coupled.body.get("X2_C") == pytest.approx(share * 4e8, rel=1 / cells)
    _, course = simulate_twin(scenario)
    assert course["X2_C"][0] == pytest.approx(share * 4e8, rel=1e-12)
