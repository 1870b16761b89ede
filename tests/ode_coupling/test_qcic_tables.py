"""The tables of QCIC agree with the positions that the compiled code uses, and every number has a source."""

import csv
import pathlib

from oncolattice.ode_coupling.immune.qcic import names
from oncolattice.ode_coupling.immune.qcic.model import qcic
from oncolattice.ode_coupling.immune.qcic.tables import FOLDER, sampled_names


def column(file: str, key: str) -> list[str]:
    with open(pathlib.Path(FOLDER) / file, newline="", encoding="ascii") as lines:
        return [row[key] for row in csv.DictReader(lines)]


def test_positions_follow_the_tables():
    for listed in (
        column("states.csv", "name"),
        column("molecules.csv", "name"),
        column("parameters.csv", "name"),
        [variable.name for variable in qcic().inputs],
    ):
        assert [getattr(names, name) for name in listed] == list(range(len(listed)))


def test_numbers_of_the_paper():
    model = qcic()
    compartments = column("states.csv", "compartment")
    assert [compartments.count(c) for c in ("TDLN", "PB", "TME")] == [10, 21, 22]
    assert len(column("molecules.csv", "name")) == 42
    assert (
        len(model.parameters) == 435 + 3 + 1 + 1
    )  # three of read-outs, one of a correction, one of the start
    assert len(sampled_names()) == 21
    value = {parameter.name: parameter.value for parameter in model.parameters}
    assert (value["V_A"], value["V_B"], value["V_C"]) == (0.01, 4.5, 0.8)
    assert (value["K_Chem"], value["n_c"], value["K_TA"]) == (47.5, 2.0, 5e8)


def test_every_parameter_has_unit_source_and_a_value_that_makes_sense():
    assert qcic().parameters
    for parameter in qcic().parameters:
        assert parameter.unit
        assert parameter.description
        assert parameter.source == "10.1038/s41540-025-00513-1" or parameter.name.startswith("k_in_")
        assert parameter.value >= 0.0
