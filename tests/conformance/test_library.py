"""Everything in the library folders keeps the promises of the format; additions are tested on arrival."""

import csv
import pathlib
import re

import pytest

from oncolattice.abm.compile import model_file
from oncolattice.abm.compile.model_file import LIBRARY, as_list, check_source, library_models
from oncolattice.abm.compile.quantities import in_unit, parse_unit, quantity
from oncolattice.abm.compile.rules import inherited
from oncolattice.abm.model import load_model
from oncolattice.scenarios.command.check import check_file
from oncolattice.scenarios.command.describe import catalogue, describe_text
from oncolattice.scenarios.files.scenario import LIBRARY as SCENARIOS
from oncolattice.scenarios.files.scenario import library_scenarios, load_scenario
from oncolattice.scenarios.files.study import library_studies, load_study
from oncolattice.scenarios.patients.sample import load_population

DRUGS = sorted(path.stem for path in (LIBRARY / "drugs").glob("*.toml"))
QCIC = pathlib.Path(model_file.__file__).parents[2] / "ode_coupling" / "immune" / "qcic" / "parameters.csv"


def written(path, section):
    """Return how many tables of a section stand in a file."""
    return len(re.findall(rf"^\[\[{section}\]\]", path.read_text(encoding="utf-8"), re.MULTILINE))


@pytest.mark.parametrize("name", library_models())
def test_every_model_compiles_and_is_described(name):
    model = load_model(name)
    assert model.name == name
    path = str(LIBRARY / f"{name}.toml")  # a scenario may bear the name of its model
    assert check_file(path) == []
    assert describe_text(path, False).startswith(f"model {name}:")


@pytest.mark.parametrize("name", library_models())
def test_every_parameter_has_unit_source_and_description(name):
    model = load_model(name)
    assert model.parameters
    for parameter in model.parameters:
        parse_unit(parameter.unit, parameter.name)
        check_source(parameter.source, parameter.name)
        assert len(parameter.description) > 3, parameter.name


@pytest.mark.parametrize("name", library_models())
def test_every_parameter_is_used(name):
    spec = load_model(name).spec
    named = {
        word for e in spec.parameters.values() for word in re.findall(r"[A-Za-z_]\w*", e.get("expr", ""))
    }
    blocks = [spec.model, *(entry for entries in spec.sections.values() for entry in entries)]
    for block in blocks:
        for value in (
            *block.values(),
            *block.get("weights", {}).values(),
            *block.get("stirred", {}).values(),
        ):
            if isinstance(value, str):
                named |= set(re.findall(r"[A-Za-z_]\w*", value))
    for scenario in library_scenarios():
        tables = load_scenario(scenario).tables
        entries = [e for part in tables.get("coupling", {}).values() if isinstance(part, list) for e in part]
        named |= {e[key] for e in entries for key in ("weight", "factor") if key in e}
        named |= set(
            re.findall(r"[A-Za-z_]\w*", str(tables["tissue"]))
        )  # numbers of [tissue] may be expressions
    assert set(spec.parameters) - named == set()


@pytest.mark.parametrize("name", library_models())
def test_colours_and_names_are_distinct(name):
    types = load_model(name).types
    colours = [info.colour.lower() for info in types]
    assert all(re.fullmatch(r"#[0-9a-f]{6}", colour) for colour in colours)
    assert len(set(colours)) == len(colours)
    assert len({info.display for info in types}) == len(types)


@pytest.mark.parametrize("name", library_models())
@pytest.mark.parametrize(("section", "key"), [("behaviour", "do"), ("rule", "behaviour")])
def test_what_is_declared_for_a_group_reaches_every_member(name, section, key):
    model = load_model(name)
    held = inherited(model.spec, section, key)
    assert len(model.spec.sections[section]) >= written(LIBRARY / f"{name}.toml", section)
    for entry in model.spec.sections[section]:
        for word in as_list(entry["cell"]):
            for number in model.members(word):
                assert entry in held[model.types[number - 1].name], entry["where"]


@pytest.mark.parametrize("name", library_models())
def test_baselines_are_those_of_the_body_model(name):
    with QCIC.open(newline="", encoding="ascii") as lines:
        body = {
            row["name"]: (float(row["value"]), row["unit"].replace("amount", "dose"))
            for row in csv.DictReader(lines)
        }
    shared = [p for p in load_model(name).parameters if p.name in body]
    assert bool(shared) == (name == "mcrc")  # the published lattice models have no body
    if name == "mcrc":
        assert {"beta_X1", "K1", "a12", "d_T8", "lambda_PL", "K_Chem"} <= {p.name for p in shared}
    for parameter in shared:
        value, unit = body[parameter.name]
        value = in_unit(quantity(value, unit), parameter.unit, parameter.name)
        assert parameter.value == pytest.approx(value, rel=1e-12), parameter.name


@pytest.mark.parametrize("drug", DRUGS)
def test_every_drug_is_valid_and_included_by_a_model(drug):
    assert check_file(drug) == []
    included = {i for name in library_models() for i in load_model(name).spec.model.get("include", [])}
    included |= {
        i for name in library_scenarios() for i in load_scenario(name).tables["scenario"].get("include", [])
    }
    assert f"drugs/{drug}.toml" in included


@pytest.mark.parametrize("name", library_scenarios())
def test_every_scenario_loads_and_its_names_exist_on_both_sides(name):
    assert load_scenario(name).name == name
    assert check_file(SCENARIOS / f"{name}.toml") == []
    assert f"scenario {name}:" in describe_text(name, False)


@pytest.mark.parametrize("name", [name for name, _ in catalogue()["populations"]])
def test_every_population_is_valid_and_its_parameters_exist(name):
    assert check_file(name) == []
    with QCIC.open(newline="", encoding="ascii") as lines:
        body = {row["name"] for row in csv.DictReader(lines)}
    names = {law.name for law in load_population(name).laws}
    assert names
    assert names <= body


@pytest.mark.parametrize("name", library_scenarios())
def test_every_regimen_has_a_source_and_drugs_that_the_body_knows(name):
    scenario = load_scenario(name)
    accounted = {entry["drug"] for entry in scenario.tables.get("coupling", {}).get("drugs", ())}
    regimens = scenario.tables.get("regimen", [])
    assert len(regimens) >= written(SCENARIOS / f"{name}.toml", "regimen")
    for regimen in regimens:
        check_source(regimen["source"], name)
        assert regimen["drug"] in accounted


@pytest.mark.parametrize("name", library_scenarios())
def test_every_body_signal_of_the_model_is_supplied(name):
    scenario = load_scenario(name)
    supplied = {entry["signal"] for entry in scenario.tables.get("coupling", {}).get("signals", ())}
    supplied.add(scenario.tables.get("controller", {}).get("signal"))
    if "radiotherapy" in scenario.tables:
        supplied |= {"radiation_linear", "radiation_quadratic"}
    model = LIBRARY / f"{scenario.tables['scenario']['model']}.toml"
    signals = scenario.model_spec.sections["body_signal"]
    assert len(signals) >= written(model, "body_signal")
    for entry in signals:
        assert entry["name"] in supplied or "free_of" in entry


def test_every_study_loads():
    assert library_studies()
    for name in library_studies():
        assert load_study(name).name == name
        assert check_file(name) == []


def test_every_file_of_the_library_is_a_scenario_or_a_study():
    known = {*library_scenarios(), *library_studies()}
    assert {path.stem for path in SCENARIOS.glob("*.toml")} == known
