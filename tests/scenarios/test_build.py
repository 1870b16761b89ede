"""Assembling a scenario: what goes where, and what both sides agree on at time 0."""

import csv
import pathlib
from collections import Counter

import numpy as np
import pytest
from oncolattice.abm.errors import InputError
from oncolattice.abm.vocabulary import DIVIDE
from oncolattice.scenarios.build import body_parameter, build, burn_in, patient_of, schedule_of
from oncolattice.scenarios.run import Run
from oncolattice.scenarios.scenario import load_scenario

SMALL = ("rows=48", "columns=48", "margin_um=0")
CORE = pathlib.Path(__file__).resolve().parents[2] / "../shared/data/crc_codex_schurch2020_reg009A.csv"
IMMUNE = ("CTL", "Th1", "Treg")


def small(name="mcrc_tas102", *more):
    return load_scenario(name, (*SMALL, *more))


def division_rate(simulation, name):
    """Return the base rate (1/h) of the division of a cell type in the compiled tables."""
    model = simulation.model
    slots = model.tables.slots
    first, last = (int(model.tables.types[model.type_id(name)][key]) for key in ("slot_first", "slot_last"))
    (rate,) = [float(slot["base"]) for slot in slots[first:last] if slot["verb"] == DIVIDE]
    return rate


def finished(scenario, tissue_file=None):
    run = Run(scenario, 1, tissue_file=tissue_file)
    for _ in run.steps():
        pass
    return run


# --- parameters ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["0.0481/d", "0.0481", "0.3367 1/week", "0.00200416666666666666/h"])
def test_a_parameter_of_both_sides_reaches_both(text):
    try:
        simulation = build(small("mcrc_tas102", f"beta_X1={text}"), 1)
    except InputError as error:
        assert "week" in text and "unit" in str(error)  # noqa: PT018
        return
    assert body_parameter(simulation.coupled.body, "beta_X1") == pytest.approx(0.0481, rel=1e-12)
    assert division_rate(simulation, "DSTC") == pytest.approx(0.0481 / 24, rel=1e-12)
