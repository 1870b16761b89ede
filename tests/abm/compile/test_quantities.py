"""Units and expressions against hand-computed values and Python's own arithmetic."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncolattice.abm.compile.quantities import (
    _UNITS,
    Quantity,
    convert,
    describe_dimension,
    evaluate,
    in_unit,
    names_in,
    number_and_unit,
    parse_unit,
    quantity,
)
from oncolattice.abm.errors import InputError


@pytest.mark.parametrize(
    ("value", "unit", "target", "expected"),
    [
        (1, "1/d", "1/h", 1 / 24),
        (1, "d", "h", 24),
        (2, "week", "d", 14),
        (2.9e-7, "cm^2/s", "um^2/h", 2.9e-7 * 1e8 * 3600),
        (1e5, "um^2/min", "um2/h", 6e6),
        (1, "L", "um^3", 1e15),
        (1, "mL", "mm^3", 1000),
        (1, "nM", "nmol/L", 1),
        (1, "uM", "nM", 1000),
        (1, "M", "mol/L", 1),
        (1, "pM", "nM", 1e-3),
        (296.2, "Da", "g/mol", 296.2),
        (45, "kDa", "g/mol", 45000),
        (1, "g/L", "pg/L", 1e12),
        (1, "mg/L", "ng/mL", 1000),
        (5e-9, "L/cell/d", "um^3/cell/h", 5e-9 * 1e15 / 24),
        (4e8, "cells/L", "cells/mm3", 400),
        (50, "%", "1", 0.5),
        (3, "nM/dose", "dose^-1 nM", 3),
        (3, "/h", "1/h", 3),
        (7, "h^0", "1", 7),
    ],
)
def test_conversions_equal_hand_computed_values(value, unit, target, expected):
    assert in_unit(quantity(value, unit), target, "test") == pytest.approx(expected, rel=1e-12)


def test_a_mass_over_a_molar_mass_and_a_volume_is_a_concentration():
    # 1 mg of a 150 kDa antibody in 3 L: 1e-3 g / 150000 g/mol / 3 L = 2.2222 nM
    names = {"m": quantity(1, "mg"), "M": quantity(150, "kDa"), "V": quantity(3, "L")}
    assert in_unit(evaluate("m/(M*V)", names, "x"), "nM", "x") == pytest.approx(2.222222222222, rel=1e-11)


units = st.lists(
    st.tuples(st.sampled_from(sorted(set(_UNITS) - {"1", "-"})), st.integers(-3, 3).filter(bool)),
    min_size=1,
    max_size=4,
).map(lambda parts: "*".join(f"{name}^{power}" for name, power in parts))
numbers = st.floats(1e-6, 1e6)


@given(numbers, units)
def test_into_a_unit_and_back_is_the_identity(value, unit):
    assert in_unit(quantity(value, unit), unit, "x") == pytest.approx(value, rel=4e-16)


@given(units, units)
def test_units_multiply_and_divide_as_their_exponents_add_and_subtract(first, second):
    a, b, product = parse_unit(first), parse_unit(second), parse_unit(f"{first}*{second}")
    assert product.size == pytest.approx(a.size * b.size, rel=1e-12)
    assert product.dimension == tuple(x + y for x, y in zip(a.dimension, b.dimension, strict=True))
    one = evaluate("p/q", {"p": Quantity(1, product.dimension), "q": Quantity(1, b.dimension)}, "x")
    assert one.dimension == a.dimension


@pytest.mark.parametrize(
    "unit", ["", " ", "10", "12/h", "h/", "furlong", "um^x", "um^33", "2h", "mgs", "--2"]
)
def test_a_unit_that_is_none_is_refused(unit):
    with pytest.raises(InputError, match="unit"):
        parse_unit(unit, "here")


def test_an_unknown_unit_names_its_neighbour():
    with pytest.raises(InputError, match=r"here 'mmhg/h': unknown unit 'mmhg'; did you mean 'mmHg'\?"):
        parse_unit("mmhg/h", "here")


@pytest.mark.parametrize(("unit", "target"), [("um", "um^2"), ("1/h", "h"), ("nM", "mg/L"), ("1", "cells")])
def test_a_wrong_dimension_is_refused_with_both_dimensions(unit, target):
    with pytest.raises(InputError, match="wrong dimension") as caught:
        in_unit(quantity(1, unit), target, "key")
    message = str(caught.value)
    assert message.startswith("key")
    assert describe_dimension(parse_unit(unit).dimension) in message
    assert f"({target})" in message


leaves = st.one_of(
    st.integers(1, 9).map(str), st.sampled_from(["a", "b", "c"]), st.floats(0.25, 4).map(lambda x: f"{x:.3f}")
)
expressions = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*/"), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        inner.map(lambda x: f"-({x})"),
        st.tuples(inner, st.sampled_from(["2", "3", "-1"])).map(lambda t: f"({t[0]})**{t[1]}"),
    ),
    max_leaves=8,
)


@given(expressions)
def test_expressions_equal_python(text):
    values = {"a": 0.5, "b": 3.0, "c": 7.0}
    names = {name: Quantity(value) for name, value in values.items()}
    try:
        expected = eval(text, {}, values)
    except (ZeroDivisionError, OverflowError):
        with pytest.raises(InputError, match=r"divides by zero|too large"):
            evaluate(text, names, "x")
        return
    found = evaluate(text, names, "x").value
    assert found == pytest.approx(expected, rel=1e-12, nan_ok=True)


def test_dimensions_follow_powers_and_add_only_to_their_like():
    names = {"L": quantity(2, "um"), "t": quantity(4, "h")}
    assert evaluate("L**2/t", names, "x") == Quantity(1.0, parse_unit("um^2/h").dimension)
    assert evaluate("t**-1", names, "x") == Quantity(0.25, parse_unit("1/h").dimension)
    assert evaluate("(L**2)**0.5", names, "x") == Quantity(2.0, parse_unit("um").dimension)
    with pytest.raises(InputError, match="adds um to h"):
        evaluate("L + t", names, "x")
    with pytest.raises(InputError, match="adds um to dimensionless"):
        evaluate("L - 1", names, "x")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1/0", "divides by zero"),
        ("a/(a - a)", "divides by zero"),
        ("(a - a)**-1", "divides by zero"),
        ("(0 - a)**0.5", "root of a negative"),
        ("a**a", "exponent"),
        ("9.0**9.0**9.0", "exponent"),
        ("a**99999", "too large"),
        ("", "cannot read"),
        ("a +", "cannot read"),
        ("a b", "cannot read"),
        ("abs(a)", "may hold only"),
        ("True", "may hold only"),
        ("'a'", "may hold only"),
        ("a if a else a", "may hold only"),
        ("a[0]", "may hold only"),
        ("a.real", "may hold only"),
        ("__import__('os')", "may hold only"),
        ("bb", "unknown parameter 'bb'"),
    ],
)
def test_what_is_no_arithmetic_is_refused(text, reason):
    with pytest.raises(InputError, match=reason):
        evaluate(text, {"a": Quantity(3.0), "b": Quantity(1.0)}, "x")


def test_names_in_leaves_numbers_alone():
    assert sorted(names_in("e5*1e5 + x2/(2e-3 - y)", "x")) == ["e5", "x2", "y"]


def test_infinite_numbers_stay_visible():
    assert math.isinf(evaluate("1e999", {}, "x").value)


def test_a_number_in_the_same_unit_stays_the_very_same_number():
    for value in (0.1, 1 / 3, 1e-300, math.nan):
        assert repr(convert(value, "1/d", "1/day", "x")) == repr(value)
    assert convert(3.0, "mm^2", "um^2", "x") == 3e6
    with pytest.raises(InputError, match="x: wrong dimension"):
        convert(1.0, "kg", "1/d", "x")


@pytest.mark.parametrize(
    ("text", "found"),
    [("3", (3.0, None)), (" -1e-3 1/d ", (-1e-3, "1/d")), ("4500cm3", (4500.0, "cm3")), (".5 %", (0.5, "%"))],
)
def test_a_number_is_read_with_its_unit(text, found):
    assert number_and_unit(text) == found


@pytest.mark.parametrize("text", ["", "kg", "1;2", "nan", "1 \U0001f600", "- 1"])
def test_what_is_no_number_with_a_unit_is_none(text):
    assert number_and_unit(text) is None
