"""Values, expressions, measured numbers and overrides of parameters."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncolattice.abm.compile.model_file import ModelSpec, check_parameter
from oncolattice.abm.compile.parameters import Override, Scope
from oncolattice.abm.errors import InputError


def scope(overrides=None, measured=None, **entries):
    """Resolve parameters given as tables."""
    for name, entry in entries.items():
        check_parameter(entry, name)
    return Scope(ModelSpec(parameters=entries), overrides or {}, measured or {})


def number(value, unit, **more):
    """Return the table of an assumed number."""
    return {"value": value, "unit": unit, "source": "assumed"} | more


def values(result):
    """Return name -> (value, unit, source)."""
    return {p.name: (p.value, p.unit, p.source) for p in result.parameters}


def test_expressions_resolve_in_any_order_and_in_their_own_unit():
    result = scope(
        rate={"expr": "share/time", "unit": "1/d"},
        share={"expr": "part/2", "unit": "1"},
        part=number(3, "1"),
        time=number(2, "h"),
    )
    assert values(result)["rate"] == (pytest.approx(0.75 * 24, rel=1e-12), "1/d", "derived")
    assert result.number("rate", "1/h", "x") == pytest.approx(0.75, rel=1e-12)


def test_a_number_next_to_a_name_like_it_is_no_reference():
    assert values(scope(e5={"expr": "1e5*x", "unit": "1"}, x=number(2, "1")))["e5"][0] == 2e5


@pytest.mark.parametrize(
    ("entries", "path"),
    [
        ({"a": "a"}, "a -> a"),
        ({"a": "b", "b": "a"}, "a -> b -> a"),
        ({"a": "b + 1", "b": "c*2", "c": "3/a"}, "a -> b -> c -> a"),
    ],
)
def test_a_circle_is_refused_with_its_path(entries, path):
    with pytest.raises(InputError, match=f"defined by itself .{path}."):
        scope(**{name: {"expr": text, "unit": "1"} for name, text in entries.items()})


def test_an_unknown_name_lists_all_parameters():
    with pytest.raises(InputError, match=r"unknown parameter 'lenght'; did you mean 'length'\? .*last"):
        scope(a={"expr": "2*lenght", "unit": "um"}, length=number(1, "um"), last=number(1, "1"))


@pytest.mark.parametrize("unit", ["um^2", "1", "h"])
def test_an_expression_of_another_dimension_is_refused(unit):
    with pytest.raises(InputError, match="parameter 'a': wrong dimension"):
        scope(a={"expr": "b", "unit": unit}, b=number(1, "um"))


@given(st.floats(1e-3, 1e3), st.sampled_from([("1/h", 24.0), ("1/d", 1.0), ("1/week", 1 / 7), ("%/d", 0.01)]))
def test_an_override_is_converted_and_names_its_source(value, unit_factor):
    unit, factor = unit_factor
    result = scope(
        {"k": Override(value, unit, "user")}, k=number(5, "1/d"), twice={"expr": "2*k", "unit": "1/d"}
    )
    assert values(result)["k"] == (pytest.approx(value * factor, rel=1e-12), "1/d", "user")
    assert values(result)["twice"][0] == pytest.approx(2 * value * factor, rel=1e-12)


def test_an_override_without_unit_is_in_the_declared_one():
    assert values(scope({"k": Override(7, None, "user")}, k=number(5, "1/d")))["k"][0] == pytest.approx(7)


@pytest.mark.parametrize(
    ("override", "reason"),
    [
        ({"K": Override(1, None, "user")}, "unknown parameter 'K' .valid: k."),
        ({"k": Override(1, "um", "user")}, "parameter 'k': wrong dimension"),
        ({"k": Override(1, "furlong", "user")}, "unknown unit 'furlong'"),
        ({"k": Override(math.nan, None, "user")}, "not a finite number"),
        ({"k": Override(math.inf, None, "user")}, "not a finite number"),
        ({"k": Override(11, None, "user")}, "outside its range 0 to 10"),
        ({"k": Override(0.5, "1/h", "user")}, "12 1/d lies outside its range"),
    ],
)
def test_a_bad_override_is_refused(override, reason):
    with pytest.raises(InputError, match=reason):
        scope(override, k=number(5, "1/d", range=[0, 10]))


def test_a_measured_parameter_takes_tissue_before_file_and_override_before_tissue():
    entry = {"measured": "count A", "value": 10, "unit": "cells"}
    double = {"expr": "2*n", "unit": "cells"}
    assert values(scope(n=entry, d=double))["d"][0] == 20
    assert values(scope(None, {"count A": 4.0}, n=entry, d=double))["d"][0] == 8
    assert values(scope(None, {"count B": 4.0}, n=entry, d=double))["d"][0] == 20
    both = scope({"n": Override(3, None, "user")}, {"count A": 4.0}, n=entry, d=double)
    assert values(both) == {"n": (3, "cells", "user"), "d": (6, "cells", "derived")}


def test_a_measured_parameter_without_value_needs_its_tissue():
    entry = {"measured": "sites", "unit": "1"}
    assert values(scope(None, {"sites": 9.0}, n=entry))["n"] == (9, "1", "measured")
    with pytest.raises(InputError, match="'sites' was not measured and no value is given"):
        scope(n=entry)


@pytest.mark.parametrize("limits", [[1], [1, 2, 3], ["a", "b"], []])
def test_a_range_is_two_numbers(limits):
    with pytest.raises(InputError, match="'range' must be"):
        scope(k=number(1, "1", range=limits))


def test_positive_refuses_less_than_it_says():
    result = scope(k=number(-1, "1/d"), zero=number(0, "1/d"), big=number(1e300, "1"))
    assert result.positive("zero", "1/h", "x") == 0
    with pytest.raises(InputError, match="x: 'zero' is 0 1/h, and it cannot be zero or negative"):
        result.positive("zero", "1/h", "x", zero=False)
    with pytest.raises(InputError, match="x: 'k' is -1 1/d, and it cannot be negative"):
        result.positive("k", "1/d", "x")
    for text in ("big*big", "big*big - big*big"):
        with pytest.raises(InputError, match="not a finite number"):
            result.positive(text, "1", "x")


def test_parameters_keep_their_order_and_their_declared_numbers():
    result = scope(b=number(0.0665, "1/d"), a=number(2.9e-7, "cm^2/s"), c={"expr": "a/b", "unit": "um^2"})
    assert [p.name for p in result.parameters] == ["b", "a", "c"]
    assert [p.value for p in result.parameters[:2]] == pytest.approx([0.0665, 2.9e-7], rel=4e-16)


def test_a_misspelt_measure_is_refused_although_a_value_stands_beside_it():
    with pytest.raises(InputError, match=r"unknown measure 'cuont tumour'.*count"):
        check_parameter({"measured": "cuont tumour", "value": 1.0, "unit": "cells"}, "here")
