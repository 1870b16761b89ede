"""Patient i depends on (seed, i) alone: designs, tissue, kinetics of drugs, selections, runs."""

import math

import numpy as np
import pytest
from patient_cases import PATIENTS, columns, law_of
from scipy import stats

from oncolattice.abm.errors import InputError
from oncolattice.ode_coupling.pk.patients import sample_patients
from oncolattice.scenarios.batch.well_mixed import simulate_twin
from oncolattice.scenarios.files.scenario import load_scenario
from oncolattice.scenarios.patients.population import POPULATIONS
from oncolattice.scenarios.patients.sample import Population, load_population, sample, sample_tissue
from oncolattice.scenarios.simulate.build import build
from oncolattice.scenarios.simulate.run import key_of


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


def test_tissue_varies_beside_the_body_and_leaves_it_alone():
    population = load_population("mcrc_week8")
    tissue, body = sample_tissue(population, 5, 2025), sample(population, 5, 2025)
    assert set(tissue[0]) == {law.name for law in population.tissue}
    assert not set(tissue[0]) & set(body[0])
    assert sample_tissue(population, 3, 2025) == tissue[:3]
    assert sample_tissue(load_population("qcic_treated"), 2, 1) == [{}, {}]
    logs = np.log([row["section_CTL"] for row in sample_tissue(population, PATIENTS, 2)])
    low, high = (math.log(end / 18) / 1.8 for end in (1.24, 346))
    # the spread of the published densities, cut to their range; SE of a standard deviation is about sd/sqrt(2N)
    exact = 1.8 * stats.truncnorm(low, high).std()
    assert abs(np.std(logs) - exact) < 5 * exact / math.sqrt(2 * PATIENTS)


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
