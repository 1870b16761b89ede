"""Kernels that most tests need: those of importing the package, of a lattice, of a body and of both."""

from engine_cases import busy_model, busy_start
from tiny import tissue_of

from oncolattice.scenarios.batch.well_mixed import simulate_twin
from oncolattice.scenarios.files.scenario import load_scenario
from oncolattice.scenarios.simulate.build import build


def warm_up():
    """Compile them, or find them compiled."""
    for shape in ((12, 14), (5, 12, 14)):
        for update in ("rates", "per-step probabilities"):
            tissue = tissue_of(busy_model(update, dimensions=len(shape)), busy_start(shape), seed=1)
            tissue.step({3: 4})
    small = ("rows=32", "columns=32", "margin_um=0", "duration_days=1")
    scenario = load_scenario("mcrc_trial_tas102", small)
    build(scenario, 1).course.advance(2)
    simulate_twin(scenario)
