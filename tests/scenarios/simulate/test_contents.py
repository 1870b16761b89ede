"""Everything that decides a run is in its key, and nothing else: one number in a file of every kind, and its place."""

import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest

from oncolattice.abm.compile.model_file import LIBRARY as MODELS
from oncolattice.abm.compile.model_file import read_model
from oncolattice.abm.errors import InputError
from oncolattice.ode_coupling.immune.qcic import tables as qcic_tables
from oncolattice.ode_coupling.pk.drug_file import LIBRARY as DRUGS
from oncolattice.scenarios.batch.jobs import jobs_of, paths_of
from oncolattice.scenarios.files.inputs import FILES
from oncolattice.scenarios.files.scenario import load_scenario
from oncolattice.scenarios.files.study import load_study
from oncolattice.scenarios.patients.population import POPULATIONS
from oncolattice.scenarios.simulate import contents
from oncolattice.scenarios.simulate.contents import CONTENT
from oncolattice.scenarios.simulate.replicate import arm_key
from oncolattice.scenarios.simulate.run import key_of
from oncolattice.scenarios.store import run_key
from oncolattice.scenarios.tissue.density import DENSITY_TABLE
from oncolattice.tests.helpers.store_cases import finish

HEAD = '[scenario]\nextends = "mcrc_tas102"\nname = "own"\ntitle = "own"\narm = "own"\n'
ALONE = '[scenario]\nextends = "eden"\nname = "own"\ntitle = "own"\narm = "own"\n'
COMPANION = (
    '[[companion]]\ndrug = "{}"\n[[regimen]]\ndrug = "{}"\norder = "5 mg iv once"\nsource = "assumed"\n'
)
KINETIC = '{ drug = "drug.toml", powers = { clearance = 1 }, typical = 1, unit = "1/d", source = "assumed" }'


def copied(source: Path, target: Path, *replaced: tuple[str, str]) -> None:
    text = source.read_text(encoding="utf-8")
    for old, new in replaced:
        assert old in text
        text = text.replace(old, new)
    target.write_text(text, encoding="utf-8")


def drug(folder):
    copied(DRUGS / "nivolumab.toml", folder / "drug.toml", ('name = "nivolumab"', 'name = "mine"'))


def population(folder):
    copied(POPULATIONS / "mcrc_week8.toml", folder / "base.toml")
    drug(folder)
    text = f'[population]\nname = "p"\ntitle = "p"\nsource = "assumed"\nextends = "base.toml"\n[pk]\nk = {KINETIC}\n'
    (folder / "population.toml").write_text(text)
    return HEAD + '[patient]\npopulation = "population.toml"\n'


def model(folder):
    copied(MODELS / "mcrc.toml", folder / "model.toml")
    shutil.copytree(MODELS / "drugs", folder / "drugs")
    return HEAD + 'model = "model.toml"\n'


def included(folder):
    shutil.copytree(MODELS / "drugs", folder / "drugs")
    shutil.copy(MODELS / "drugs" / "anti_pd1.toml", folder / "part.toml")
    return HEAD + 'include = ["part.toml"]\n'


def companion(folder):
    drug(folder)
    return HEAD + COMPANION.format("drug.toml", "drug.toml")


def chain(folder):
    (folder / "base.toml").write_text(HEAD + "duration_days = 28\n")
    return HEAD.replace("mcrc_tas102", "base.toml")


def tissue(kind, name, more=""):
    def write(folder):
        (folder / name).write_bytes(b"x_um,y_um,phenotype\n10,20,T\n")
        return HEAD + f'[tissue]\nkind = "{kind}"\nfile = "{name}"\n{more}'

    return write


def snapshot(folder):
    shutil.move(finish(folder), folder / "run.h5")
    return HEAD + '[tissue]\nkind = "snapshot"\nfile = "run.h5"\n'


def body(folder):
    (folder / "body.xml").write_text('<sbml><parameter id="k" value="10"/></sbml>')
    return HEAD + '[body]\nmodel = "body.xml"\n'


def text_change(old, new):
    def change(path):
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    return change


def cell_change(path):
    with h5py.File(path, "a") as file:
        file["snapshots/occupancy"][0, 0, 0, 0] ^= 1


def state_change(path):
    with h5py.File(path, "a") as file:
        file["checkpoint/field"][0, 0, 0] = np.nextafter(file["checkpoint/field"][0, 0, 0], 2.0)


def second_law(path):
    text_change("1.937", "1.938")(path)


# kind of file -> what writes it and returns the scenario, the file, the change of one number in it
KINDS = {
    "scenario that is extended": (chain, "base.toml", text_change("= 28", "= 29")),
    "model": (model, "model.toml", text_change("value = 1", "value = 2")),
    "part that a model includes": (model, "drugs/trifluridine.toml", text_change("value = ", "value = 1")),
    "part that a scenario includes": (included, "part.toml", text_change("value = ", "value = 1")),
    "drug of a companion": (companion, "drug.toml", text_change("value = 0", "value = 1")),
    "population that is extended": (population, "base.toml", second_law),
    "population": (population, "population.toml", text_change("typical = 1", "typical = 2")),
    "drug of a population": (population, "drug.toml", text_change("value = 0", "value = 1")),
    "cell table": (tissue("table", "t.csv"), "t.csv", text_change("10", "11")),
    "cell table of AnnData": (tissue("table", "t.h5ad"), "t.h5ad", text_change("10", "11")),
    "image": (tissue("image", "t.png", "pixel_um = 1\n"), "t.png", text_change("10", "11")),
    "tiles": (tissue("tiles", "t.csv"), "t.csv", text_change("10", "11")),
    "snapshot of a run": (snapshot, "run.h5", cell_change),
    "final state of a run": (snapshot, "run.h5", state_change),
    "body model": (body, "body.xml", text_change("10", "11")),
}  # fmt: skip


def made(folder, write):
    folder.mkdir()
    (folder / "own.toml").write_text(write(folder))
    return folder


def key(folder):
    return key_of(load_scenario(str(folder / "own.toml")), 1)


@pytest.mark.parametrize("kind", KINDS)
def test_a_number_in_a_file_is_in_the_key_and_its_place_is_not(tmp_path, monkeypatch, kind):
    write, name, change = KINDS[kind]
    here = made(tmp_path / "here", write)
    first = key(here)
    shutil.copytree(here, tmp_path / "there")
    assert key(tmp_path / "there") == first
    monkeypatch.chdir(tmp_path)  # the paths are those of the scenario, wherever the command is called
    assert key(Path("there")) == first
    for toml in (tmp_path / "there").rglob("*.toml"):
        toml.write_text(f"# a remark\n{toml.read_text(encoding='utf-8')}\n\n", encoding="utf-8")
    assert key(tmp_path / "there") == first
    change(here / name)
    assert key(here) != first


def test_every_kind_of_file_is_in_the_key_by_one_table():
    """What may name a file is resolved beside the scenario and hashed: the parts of a model with the model."""
    assert FILES.keys() - {"scenario"} == CONTENT.keys()


@pytest.mark.parametrize("table", [DENSITY_TABLE, qcic_tables.FOLDER / "parameters.csv"])
def test_the_tables_of_the_package_are_in_the_key(table, monkeypatch):
    assert table.is_file()
    digest = contents.file_digest
    scenario = load_scenario("mcrc_tas102")
    before = key_of(scenario, 1)
    monkeypatch.setattr(
        contents, "file_digest", lambda p, what: digest(p, what) + ("'" if p == table else "")
    )
    assert key_of(scenario, 1) != before


def test_a_cell_table_from_the_command_line_is_in_the_key(tmp_path):
    keys = []
    for number, text in enumerate(
        ("x,y,phenotype\n1,2,T\n", "x,y,phenotype\n1,3,T\n", "x,y,phenotype\n1,2,T\n")
    ):
        path = tmp_path / f"{number}.csv"
        path.write_text(text)
        keys.append(key_of(load_scenario("mcrc_tas102"), 1, path))
    assert len({key_of(load_scenario("mcrc_tas102"), 1), *keys}) == 3
    assert keys[0] == keys[2]


def test_a_run_made_again_is_the_same_tissue(tmp_path):
    """Neither when nor how fast a run was made is part of what starts from it."""
    again = {
        "created": "2030-01-01T00:00:00Z",
        "wall_seconds": {"decide": 9.0},
        "versions": {},
        "source_hash": "0",
    }
    first, second = finish(tmp_path / "a"), finish(tmp_path / "b", **again)
    assert first.read_bytes() != second.read_bytes()
    assert contents.run_content(first) == contents.run_content(second)


def test_replicates_and_runs_of_a_study_follow_their_files(tmp_path):
    """The key of an arm of a tissue alone, and the paths of a study's runs, change with what the arms name."""
    copied(MODELS / "eden.toml", tmp_path / "m.toml")
    (tmp_path / "own.toml").write_text(ALONE + 'model = "m.toml"\n')
    (tmp_path / "s.toml").write_text(
        '[study]\nname = "s"\ntitle = "s"\narms = ["own.toml"]\npatients = 2\nseed = 1\n'
    )

    def keys():
        study = load_study(str(tmp_path / "s.toml"))
        scenarios = {arm: load_scenario(arm) for arm in study.arms}
        paths = paths_of(jobs_of(study, ()), scenarios, tmp_path)
        return {arm_key(scenarios[study.arms[0]]), *paths.values()}

    before = keys()
    assert keys() == before
    text_change("value = 1", "value = 2")(tmp_path / "m.toml")
    assert keys().isdisjoint(before)
    assert len(before) == 3


def test_the_order_of_keys_and_the_way_to_write_a_number_do_not_matter():
    assert run_key({"a": 1, "b": contents.plain({"x": [3.0]})}, 1) == run_key({"b": {"x": [3]}, "a": 1}, 1)


# --- where files are looked for ----------------------------------------------------------------------


def test_what_a_scenario_includes_lies_beside_it(tmp_path, monkeypatch):
    """Though its model comes from elsewhere, and a file of the same name lies where the command is called."""
    here = made(tmp_path / "here", included)
    (tmp_path / "part.toml").write_text("this is not it")
    monkeypatch.chdir(tmp_path)
    scenario = load_scenario("here/own.toml")
    assert scenario.tables["scenario"]["include"] == [str(here / "part.toml")]
    names = read_model("mcrc").parameters
    added = scenario.model_spec.parameters.keys() - names.keys()
    assert added
    assert load_scenario(str(here / "own.toml")).model_spec.parameters.keys() - names.keys() == added


def test_a_part_may_include_a_part_that_lies_beside_it(tmp_path):
    copied(MODELS / "eden.toml", tmp_path / "m.toml", ("[model]\n", '[model]\ninclude = ["parts/a.toml"]\n'))
    (tmp_path / "parts").mkdir()
    for name, more in (("a", '[model]\ninclude = ["b.toml"]\n'), ("b", "")):
        number = f'[parameters]\n{name} = {{ value = 1, unit = "1", source = "assumed" }}\n'
        (tmp_path / "parts" / f"{name}.toml").write_text(more + number)
    assert {"a", "b"} <= read_model(str(tmp_path / "m.toml")).parameters.keys()


@pytest.mark.parametrize("links", [{"m": "m"}, {"m": "a", "a": "m"}, {"m": "a", "a": "b", "b": "a"}])
def test_a_circle_of_includes_is_named(tmp_path, links):
    for name, other in links.items():
        include = f'[model]\ninclude = ["{other}.toml"]\n'
        if name == "m":
            copied(MODELS / "eden.toml", tmp_path / "m.toml", ("[model]\n", include))
        else:
            (tmp_path / f"{name}.toml").write_text(include)
    last = [*links.values()][-1]
    with pytest.raises(
        InputError, match=rf"{last}\.toml: includes itself \({last}\.toml -> .*{last}\.toml\)"
    ):
        read_model(str(tmp_path / "m.toml"))
