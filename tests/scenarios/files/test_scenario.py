"""Scenarios: chains of files, ``--set``, and what is refused."""

import pytest

from oncolattice.abm.errors import InputError
from oncolattice.abm.placement.table import FILLS
from oncolattice.abm.placement.texture import PATTERNS
from oncolattice.ode_coupling.immune.qcic.model import qcic
from oncolattice.scenarios.files import keys
from oncolattice.scenarios.files.scenario import library_scenarios, load_scenario
from oncolattice.scenarios.files.study import load_study
from oncolattice.scenarios.simulate.contents import resolved
from oncolattice.scenarios.simulate.model import scenario_model

CHILD = """
[scenario]
extends = "mcrc_tas102"
name = "child"
title = "A child"
"""
OWN_MODEL = """
[model]
name = "own"
title = "Own"
dimensions = 2
layers = ["tissue"]
site = "u"
time_step = "t"
update = "rates"
neighbourhood = "moore"
boundary = "no-flux"
"""


def write(folder, text, name="child.toml"):
    """Write a file and return its path as text."""
    path = folder / name
    path.write_text(text)
    return str(path)


# --- --set -------------------------------------------------------------------------------------------


def parameter(settings, name="beta_X1"):
    """Return (value, unit, source) of a tissue parameter under some settings."""
    model = scenario_model(load_scenario("mcrc_placebo", settings))
    found = next(p for p in model.parameters if p.name == name)
    return found.value, found.unit, found.source


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("beta_X1=0.002/h", 0.048),
        ("beta_X1=0.002 1/h", 0.048),
        ("beta_X1=0.002 h^-1", 0.048),
        ("beta_X1 = 0.048 / d", 0.048),
        ("beta_X1=0.048", 0.048),
        ("beta_X1=4.8e-2/d", 0.048),
        ("beta_X1=+.336/week", 0.048),
        ("beta_X1=4.8%/d", 0.048),
    ],
)
def test_a_parameter_is_set_in_any_unit_of_its_dimension(setting, expected):
    value, unit, source = parameter([setting])
    assert value == pytest.approx(expected, rel=1e-12)
    assert (unit, source) == ("1/d", "user")


def test_the_last_setting_of_a_parameter_counts_and_others_stay():
    assert parameter(["beta_X1=1/d", "beta_X1=0.02/d"])[0] == pytest.approx(0.02, rel=1e-12)
    assert parameter(["beta_X1=1/d"], "beta_X2")[2] != "user"


def test_a_parameter_that_only_the_body_has_is_accepted():
    scenario = load_scenario("mcrc_placebo", ["alpha_PL=0.5"])
    assert "alpha_PL" in {p.name for p in qcic().parameters}
    assert scenario.user_parameters == {"alpha_PL": (0.5, None)}


@pytest.mark.parametrize(
    ("setting", "section", "key", "expected"),
    [
        ("duration_days=56", "scenario", "duration_days", 56.0),
        ("tissue.occupancy=0.3", "tissue", "occupancy", 0.3),
        ("scenario.duration_days=56", "scenario", "duration_days", 56.0),
        ("rows=64", "lattice", "rows", 64),
        ("snapshot_days=0,28, 56", "output", "snapshot_days", [0.0, 28.0, 56.0]),
        ("snapshot_days=[]", "output", "snapshot_days", []),
        ("treatment=until progression", "scenario", "treatment", "until progression"),
        ("patient.number=3", "patient", "number", 3),
        ("pattern=disc", "tissue", "pattern", "disc"),
    ],
)
def test_a_key_of_the_scenario_is_set(setting, section, key, expected):
    value = load_scenario("mcrc_tas102", [setting]).tables[section][key]
    assert value == expected
    assert type(value) is type(expected)


@pytest.mark.parametrize(
    ("setting", "reason"),
    [
        ("duration_day=56", "unknown parameter or key 'duration_day'; did you mean"),
        ("beta_X9=1", r"unknown parameter or key 'beta_X9'; did you mean 'beta_X\d'"),
        ("lattice.duration_days=3", "unknown parameter or key"),
        ("extends=mcrc_placebo", "unknown parameter or key 'extends'"),
        ("amount=3", "unknown parameter or key 'amount'"),
        ("duration_days", "write key=value"),
        ("duration_days=", "write key=value"),
        ("=3", "write key=value"),
        ("duration_days=long", "'long' is not a plain number"),
        ("duration_days=a\nb", "'a b' is not a plain number"),
        ("duration_days=8 week", "'8 week' is not a plain number"),
        ("duration_days=1e999", "too large"),
        ("duration_days=0", "duration_days must be above 0"),
        ("duration_days=-1", "duration_days must be above 0"),
        ("assessment_days=0", "assessment_days must be above 0"),
        ("rows=8", "lattice.rows must be 16 to 8192"),
        ("rows=64.5", "not a whole number"),
        ("rows=1e999", "too large"),
        ("snapshot_days=a,b", "not a list of numbers"),
        ("composition=DSTC", "this is a table"),
        ("treatment=forever", r"unknown treatment 'forever' \(valid: as scheduled, until progression\)"),
        ("pattern=gland", "unknown pattern 'gland'; did you mean 'glands'"),
        ("table_fill=mirrors", "unknown table_fill 'mirrors'"),
        ("occupancy=0.3", "ambiguous, write one of tissue.occupancy or parameters.occupancy"),
        ("tissue.occupancy=1.5", "occupancy must be 0 to 1"),
        ("burn_in_days=-1", "burn_in_days must be 0 to 36500"),
        ("model=mcrc", "ambiguous, write one of scenario.model, body.model"),
        ("scenario.model=mrcr", "unknown model 'mrcr'; did you mean 'mcrc'"),
        ("beta_X1=fast", "'fast' is not a number with an optional unit"),
        ("beta_X1=nan", "'nan' is not a number"),
    ],
)
def test_a_bad_setting_is_refused(setting, reason):
    with pytest.raises(InputError, match=reason):
        load_scenario("mcrc_placebo", [setting])


@pytest.mark.parametrize(
    ("setting", "reason"),
    [
        ("beta_X1=3 um", "parameter 'beta_X1': wrong dimension"),
        ("beta_X1=3/fortnight", "unknown unit 'fortnight'"),
        ("competition_radius=1 um", "outside its range"),
        ("beta_X1=-1", "cannot be negative"),
        ("T_hop=-1/h", "cannot be negative"),
    ],
)
def test_a_bad_parameter_is_refused_when_the_model_is_compiled(setting, reason):
    with pytest.raises(InputError, match=reason):
        scenario_model(load_scenario("mcrc_placebo", [setting]))


def test_a_step_too_long_is_refused_with_one_that_would_do():
    with pytest.raises(InputError, match=r"events a step .* would do"):
        scenario_model(load_scenario("mcrc_placebo", ["V_T8_CB=12/d"]))


def test_setting_the_model_reads_it(tmp_path):
    path = write(tmp_path, OWN_MODEL, "own.toml")
    scenario = load_scenario("mcrc_placebo", [f"scenario.model={path}"])
    assert scenario.model_spec.model["name"] == "own"


def test_the_words_of_a_scenario_are_those_of_the_placement():
    assert set(keys.PATTERNS) == set(PATTERNS)
    assert set(keys.FILLS) == {"drawn", *FILLS}


# --- chains ------------------------------------------------------------------------------------------


def test_a_child_changes_what_it_says_and_nothing_else(tmp_path):
    child = load_scenario(write(tmp_path, CHILD + "[lattice]\nrows = 32\n"))
    parent = load_scenario("mcrc_tas102")
    assert child.name == "child"
    assert child.tables["lattice"] == {"rows": 32, "columns": parent.tables["lattice"]["columns"]}
    same = set(parent.tables) - {"scenario", "lattice"}
    assert {s: child.tables[s] for s in same} == {s: parent.tables[s] for s in same}
    assert "extends" not in child.tables["scenario"]
    assert child.tables["scenario"]["arm"] == parent.tables["scenario"]["arm"]


def test_a_list_is_replaced_as_a_whole(tmp_path):
    text = CHILD + '[[regimen]]\ndrug = "bevacizumab"\namount = 1\ndays = [1]\ncycle_days = 14\n'
    text += 'infusion_days = 0\nfirst_day = 1\nsource = "assumed"\n'
    child = load_scenario(write(tmp_path, text))
    assert [r["drug"] for r in child.tables["regimen"]] == ["bevacizumab"]


def test_a_chain_of_files_is_followed_from_each_file(tmp_path):
    (tmp_path / "sub").mkdir()
    write(tmp_path, CHILD + "duration_days = 7\n", "base.toml")
    text = '[scenario]\nextends = "../base.toml"\nname = "grandchild"\ntitle = "G"\n'
    scenario = load_scenario(write(tmp_path / "sub", text, "grandchild.toml"))
    assert (scenario.name, scenario.tables["scenario"]["duration_days"]) == ("grandchild", 7)


@pytest.mark.parametrize(
    "links", [{"a": "a.toml"}, {"a": "b.toml", "b": "a.toml"}, {"a": "./sub/../b.toml", "b": "sub/../a.toml"}]
)
def test_a_loop_is_refused(links, tmp_path):
    (tmp_path / "sub").mkdir()
    for name, base in links.items():
        write(tmp_path, f'[scenario]\nextends = "{base}"\nname = "{name}"\ntitle = "x"\n', f"{name}.toml")
    with pytest.raises(InputError, match=r"extends itself .* -> a.toml"):
        load_scenario(str(tmp_path / "a.toml"))


def test_the_model_is_looked_for_beside_the_file_that_names_it(tmp_path):
    (tmp_path / "sub").mkdir()
    write(tmp_path, OWN_MODEL, "own.toml")
    write(tmp_path, CHILD + 'model = "own.toml"\n', "base.toml")
    text = '[scenario]\nextends = "../base.toml"\nname = "g"\ntitle = "G"\n'
    grandchild = load_scenario(write(tmp_path / "sub", text, "g.toml"))
    assert grandchild.model_spec.model["name"] == "own"


# --- bad files ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('[scenario]\nname = "x"\n', r"section \[lattice\] is missing"),
        ("[lattice]\nrows = 3\n", r"needs a \[scenario\] table"),
        ("scenario = 3\n", r"needs a \[scenario\] table"),
        ("[scenario]\nextends = 3\n", "'extends' must be text"),
        ('[scenario]\nextends = "nothing"\n', "unknown scenario 'nothing'"),
        (CHILD + "[latice]\nrows = 32\n", "unknown section 'latice'; did you mean 'lattice'"),
        (CHILD + "[lattice]\nrow = 32\n", "unknown key 'row'; did you mean 'rows'"),
        (CHILD + "[lattice]\nrows = 32.5\n", "'rows' must be a whole number"),
        (CHILD + 'duration_days = "long"\n', "'duration_days' must be a finite number"),
        (CHILD + "[[lattice]]\nrows = 32\n", "a table is needed here, not list"),
        (CHILD + '[regimen]\ndrug = "x"\n', r"write \[\[regimen\]\]"),
        (CHILD + '[[regimen]]\ndrug = "x"\nsource = "assumed"\n', r"\[regimen\] 1: 'amount' is missing"),
        (CHILD + '[output]\nsnapshot_days = ["a"]\n', "'snapshot_days' must be a list of numbers"),
        (CHILD + '[tissue]\npattern = "x"\n', "unknown pattern 'x'"),
        (CHILD + '[coupling]\nsignals = [{ signal = "NK", bdy = "NK_C" }]\n', "signals 1: unknown key 'bdy'"),
        (CHILD + "[coupling]\ncells = [3]\n", "cells 1: a table is needed"),
        (CHILD + "[parameters]\nbeta_X1 = 3\n", r"\[parameters\] beta_X1: a table is needed"),
        (CHILD + "[parameters]\nbeta_X1 = { value = 3 }\n", "beta_X1: 'source' is missing"),
        (CHILD + '[parameters]\nbeta_X1 = { value = 3, source = "me" }\n', "source 'me' is none of"),
        (CHILD + "[lattice\n", "not valid TOML"),
    ],
)
def test_a_bad_scenario_file_is_refused(text, reason, tmp_path):
    with pytest.raises(InputError, match=reason):
        load_scenario(write(tmp_path, text))


@pytest.mark.parametrize("name", ["mcrc_tas103", "", "nothing.toml"])
def test_an_unknown_scenario_lists_the_library(name):
    with pytest.raises(InputError, match="unknown scenario") as caught:
        load_scenario(name)
    assert all(known in str(caught.value) for known in library_scenarios())


def test_what_is_hashed_does_not_depend_on_the_place_of_the_file(tmp_path):
    (tmp_path / "sub").mkdir()
    here, there = (load_scenario(write(folder, CHILD)) for folder in (tmp_path, tmp_path / "sub"))
    assert resolved(here, 1) == resolved(there, 1)
    assert resolved(here, 1) != resolved(here, 2)


# --- studies -----------------------------------------------------------------------------------------

STUDY = """
[study]
name = "pilot"
title = "Pilot"
arms = ["mcrc_placebo", "child.toml"]
patients = 3
seed = 10
ode_only_patients = 5

[study.settings]
duration_days = 56
beta_X1 = "0.05/d"
snapshot_days = [0, 28]
lattice.rows = 32
"""


def test_a_study_is_read_with_its_settings_and_files(tmp_path):
    child = write(tmp_path, CHILD)
    study = load_study(write(tmp_path, STUDY, "study.toml"))
    assert (study.name, study.patients, study.seed, study.ode_only_patients) == ("pilot", 3, 10, 5)
    assert study.arms == ["mcrc_placebo", child]
    assert study.settings == ["duration_days=56", "beta_X1=0.05/d", "snapshot_days=0,28", "lattice.rows=32"]
    assert load_scenario(study.arms[1], study.settings).tables["lattice"]["rows"] == 32


def test_a_scenario_is_a_study_of_one_arm_and_one_patient(tmp_path):
    study = load_study("mcrc_tas102")
    assert (study.name, study.arms, study.patients, study.settings) == ("mcrc_tas102", ["mcrc_tas102"], 1, [])
    path = write(tmp_path, CHILD)
    assert load_study(path).arms == [path]


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("patients = 3", "patients = 0", "'patients' must be 1 to 1000000 .*, got 0"),
        ("patients = 3", "patients = 2.5", "'patients' must be a whole number"),
        ("patients = 3", "", "'patients' is missing"),
        ("seed = 10", "seed = -1", "'seed' must be 0 to"),
        ("seed = 10", "sed = 10", "unknown key 'sed'; did you mean 'seed'"),
        ("[study]", "[stduy]", "unknown section 'stduy'"),
        ('"child.toml"', '"chld.toml"', "unknown scenario 'chld.toml'"),
        ('["mcrc_placebo", "child.toml"]', "[]", "one or more scenarios"),
        ('"child.toml"', "3", "'arms' must be a list of texts"),
        ('"child.toml"', '"mcrc_placebo"', "an arm is listed twice"),
        ("duration_days = 56", "duration_dys = 56", "unknown parameter or key 'duration_dys'"),
        ("duration_days = 56", "duration_days = true", "must be a number, text or list"),
        ("duration_days = 56", "duration_days = 0", "must be above 0"),
    ],
)
def test_a_bad_study_is_refused(old, new, reason, tmp_path):
    write(tmp_path, CHILD)
    assert old in STUDY
    with pytest.raises(InputError, match=reason):
        load_study(write(tmp_path, STUDY.replace(old, new), "study.toml"))


def test_an_unknown_study_lists_the_library():
    with pytest.raises(InputError, match=r"unknown study or scenario .demmo..*mcrc_placebo"):
        load_study("demmo")
