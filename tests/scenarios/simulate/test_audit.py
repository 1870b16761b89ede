"""The library's scenarios with every cell held against the bounds of its rates in every step; who is let in."""

import pathlib
import tomllib

import pytest

from oncolattice.abm.errors import InputError
from oncolattice.abm.model import compile_model
from oncolattice.scenarios.command import check as checking
from oncolattice.scenarios.files.scenario import load_scenario
from oncolattice.scenarios.simulate.build import Builder, Simulation, build
from oncolattice.scenarios.simulate.check import check_scenario
from oncolattice.scenarios.simulate.run import attend

FOLDER = pathlib.Path(checking.__file__).parents[1] / "library"
LIBRARY = sorted(p.stem for p in FOLDER.glob("*.toml") if "scenario" in tomllib.loads(p.read_text("utf-8")))


def audited(name: str, steps: int) -> Simulation:
    """Run steps of a scenario with an audit, and return it; too fast a rate or a wrong bound raises."""
    simulation = build(load_scenario(name), 1)
    simulation.tissue.audit = True
    for step in range(steps):
        if attend(simulation, step):
            break
        simulation.course.advance(1)
    return simulation


@pytest.mark.parametrize("name", ["eden", "strobl2022_continuous", "radiotherapy"])
def test_no_rate_is_above_its_bound(name):
    assert audited(name, 6).tissue.state.step == 6


@pytest.mark.slow
@pytest.mark.parametrize("name", LIBRARY)
def test_no_rate_of_the_library_is_above_its_bound(name):
    assert audited(name, 100).tissue.state.step > 0


def test_no_limit_is_held_against_a_draft_that_mixes_sites_with_a_default_count():
    """Kill rates go with sites over tumour cells: 16.8 million sites and 13,107 cells are no tissue of any run."""
    sites = 4096.0**2
    scenario = load_scenario("mcrc_tas102", ["rows=4096", "columns=4096"])
    Builder(scenario)
    with pytest.raises(InputError, match="too many"):
        compile_model(scenario.model_spec, {}, {"sites": sites})
    tumour = 0.2 * sites
    one = 0.8 * 4e8 / tumour  # body tumour cells that a lattice tumour cell stands for: volume times density
    weights = {f"weight {name}": one / 18 for name in ("CTL", "Th1", "Treg")}
    compile_model(scenario.model_spec, {}, {"sites": sites, "count tumour": tumour} | weights)


def test_an_arrival_that_no_cell_admits_is_found_by_check():
    scenario = load_scenario("mcrc_placebo")
    assert check_scenario(scenario) == []
    behaviours = scenario.model_spec.sections["behaviour"]
    behaviours[:] = [entry for entry in behaviours if entry["do"] != "admit Th1"]
    rules = scenario.model_spec.sections["rule"]
    rules[:] = [entry for entry in rules if entry["behaviour"] != "admit Th1"]
    assert [p for p in check_scenario(scenario) if "brings Th1 from blood" in p and "'admit Th1'" in p]
