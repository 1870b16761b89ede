"""A folder that holds replicates alone gives a report; what it shows is what a run file of the seed shows."""

import csv

import numpy as np
import pytest

from oncolattice.scenarios.command.reporting import report_folder, thinned
from oncolattice.scenarios.command.reporting_replicates import replicate_records, spec_of
from oncolattice.scenarios.files.scenario import load_scenario
from oncolattice.scenarios.simulate.build import Builder
from oncolattice.scenarios.simulate.header import versions
from oncolattice.scenarios.simulate.replicate import arm_key, replicate
from oncolattice.scenarios.simulate.run import run
from oncolattice.scenarios.store import open_run, to_json
from oncolattice.scenarios.store.replicates import REPLICATES_FILE, ArmRuns, write_replicates

NAME, SETTINGS, SEEDS = "strobl2022_adaptive_clinic", ("rows=30", "columns=30", "duration_days=60"), (3, 4)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two replicates as a batch writes them, and the run file of the first seed in a folder of its own."""
    folder = tmp_path_factory.mktemp("replicates")
    scenario = load_scenario(NAME, SETTINGS)
    builder = Builder(scenario)
    model = builder.build(SEEDS[0]).model
    about = {
        "scenario": scenario.name, "arm": scenario.tables["scenario"]["arm"],
        "title": scenario.tables["scenario"]["title"], "scenario_text": to_json(scenario.tables),
        "user_parameters": to_json({}), "model_text": scenario.model_spec.text, "versions": to_json(versions()),
        "source_hash": "0" * 12, "created": "2025-01-01",
    }  # fmt: skip
    runs = {seed: replicate(builder.build(seed)) for seed in SEEDS}
    key = arm_key(scenario)
    arm = ArmRuns(key, about, [info.name for info in model.types], list(model.events), runs)
    write_replicates(folder / "study" / REPLICATES_FILE, {key: arm})
    run(NAME, SEEDS[0], SETTINGS, out=folder / "run")
    return folder


def test_a_replicate_is_the_run_of_its_seed(folder):
    first, second = replicate_records(folder / "study" / REPLICATES_FILE)
    (path,) = (folder / "run").glob("*.h5")
    alone = open_run(path)
    assert (first.seed, second.seed) == SEEDS
    assert first.attributes["run_key"] == alone.attributes["run_key"]
    assert first.types == alone.types
    assert np.array_equal(first.time_days, alone.time_days)
    assert np.array_equal(first.count, alone.count)
    assert first.tumour_volume_cm3 == pytest.approx(alone.tumour_volume_cm3, rel=1e-12)
    assert first.area_mm2 == pytest.approx(alone.area_mm2, rel=1e-12)


def test_replicates_alone_give_a_report(folder):
    page = report_folder(folder / "study", folder / "study" / "report")
    with (page.parent / "outcomes.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["seed"] for row in rows] == ["3", "4"]
    assert all(float(row["own_days"]) == 60.0 for row in rows)
    text = page.read_text(encoding="utf-8")
    assert "These runs have no body" in text
    assert (page.parent / "figures" / "control.png").exists()


def test_a_run_that_is_there_twice_counts_once(folder, unpainted):
    page = report_folder(folder, folder / "report")
    with (page.parent / "outcomes.csv").open(encoding="utf-8") as file:
        assert sorted(row["seed"] for row in csv.DictReader(file)) == ["3", "4"]
    assert (page.parent / "figures" / "pairs.png").exists()


def test_the_text_of_a_model_gives_its_types_and_parameters(folder):
    scenario = load_scenario(NAME, SETTINGS)
    spec = spec_of(scenario.model_spec.text)
    assert spec.model == scenario.model_spec.model
    assert spec.parameters == scenario.model_spec.parameters


def test_a_thinned_run_keeps_what_outcomes_need(folder):
    (path,) = (folder / "run").glob("*.h5")
    record = open_run(path)
    thin = thinned(record, record)
    assert thin.time_days.tolist() == list(np.arange(61.0))
    assert thin.snapshots == ()
    assert thin.tumour_volume_cm3[-1] == record.tumour_volume_cm3[-1]
    assert "model_text" not in thin.attributes
