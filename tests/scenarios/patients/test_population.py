"""A population of one's own: units, what it extends, whom it selects, and what is refused."""

import pytest

from oncolattice.abm.errors import InputError
from oncolattice.scenarios.files.scenario import load_scenario
from oncolattice.scenarios.patients.sample import load_population, sample
from oncolattice.scenarios.simulate.body_side import patient_of

WORDS = {
    "min": "0.0", "max": "1.0", "a": "2.0", "b": "3.0", "unit": '"1"', "source": '"assumed"',
}  # fmt: skip


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
