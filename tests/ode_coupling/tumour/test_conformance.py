"""What every tumour model of the list promises, tested on arrival."""

import numpy as np
import pytest

from oncolattice.abm.compile.model_file import check_source
from oncolattice.abm.errors import InputError
from oncolattice.ode_coupling.system import Body
from oncolattice.ode_coupling.tumour.catalogue import cell_states, tumour_model, tumour_models

KNOWN_UNITS = {"1", "1/d", "cells", "mm", "units"}


@pytest.mark.parametrize("name", tumour_models())
def test_names_units_and_sources(name):
    model = tumour_model(name)
    assert model.name == name
    assert model.time_unit == "d"
    assert model.notes
    assert model.index("inputs", "drug") == 0
    assert model.index("outputs", "burden") == 0
    for parameter in model.parameters:
        check_source(parameter.source, parameter.name)
        assert len(parameter.description) > 3
    for thing in (*model.states, *model.inputs, *model.outputs, *model.parameters):
        assert thing.unit in KNOWN_UNITS, thing.name


@pytest.mark.parametrize("name", tumour_models())
@pytest.mark.parametrize("drug", [0.0, 0.5, 1.0])
def test_finite_and_never_negative(name, drug):
    body = Body(tumour_model(name), rtol=1e-8, atol=1e-9)
    body.set_input("drug", drug)
    for day in (0.1, 1.0, 10.0, 100.0, 1000.0):
        body.advance_to(day)
        assert np.isfinite(body.y).all()
        assert (body.y >= 0.0).all()
        assert np.isfinite(body.outputs()).all()


@pytest.mark.parametrize("name", tumour_models())
def test_no_tumour_comes_from_nothing(name):
    model = tumour_model(name, {"y0": 0.0} if name == "stein" else None)
    cells = cell_states(model)
    body = Body(model)
    body.y[cells] = 0.0
    body.advance_to(50.0)
    assert (body.y[cells] == 0.0).all()


@pytest.mark.parametrize("name", tumour_models())
def test_burden_is_the_sum_of_the_cells(name):
    model = tumour_model(name)
    body = Body(model)
    body.advance_to(3.0)
    assert body.output("burden") == pytest.approx(body.y[cell_states(model)].sum(), rel=1e-14)


@pytest.mark.parametrize("name", tumour_models())
def test_the_full_dose_leaves_less_than_none(name):
    ends = []
    for drug in (0.0, 1.0):
        body = Body(tumour_model(name), rtol=1e-8)
        body.set_input("drug", drug)
        body.advance_to(20.0)
        ends.append(body.output("burden"))
    assert ends[1] < ends[0]


def test_own_numbers_replace_the_defaults_and_say_so():
    model = tumour_model("logistic", {"r": 0.3}, {"tumour": 7.0}, source="fitted")
    by_name = {p.name: p for p in model.parameters}
    assert (by_name["r"].value, by_name["r"].source) == (0.3, "fitted")
    assert by_name["K"].source == "assumed"
    assert model.initial.tolist() == [7.0]
    assert tumour_model("logistic").initial.tolist() == [5e9]


@pytest.mark.parametrize(
    ("name", "parameters", "initial", "says"),
    [
        ("logistik", {}, {}, "logistic"),
        ("logistic", {"rr": 1.0}, {}, "rr"),
        ("logistic", {}, {"tumor": 1.0}, "tumour"),
        ("logistic", {"r": -1.0}, {}, "from 0 on"),
        ("logistic", {}, {"tumour": float("inf")}, "finite"),
    ],
)
def test_bad_input(name, parameters, initial, says):
    with pytest.raises(InputError, match=says):
        tumour_model(name, parameters, initial)
