"""What a key may hold, kind by kind, against the plain Python statement of it."""

import math

import pytest

from oncolattice.abm.compile.keys import check_keys, check_value
from oncolattice.abm.errors import InputError

VALUES = [
    *(0, 1, -1, 7, 8, 0.5, 1.0, -0.0, 1e300, True, False, 10**400, math.nan, math.inf),
    *(
        "",
        " ",
        "text",
        [],
        ["a"],
        [""],
        ["a", 1],
        [1, 2.5],
        [1, True],
        [0, 8],
        [math.nan],
        {},
        {"a": 1},
        {"a": "x"},
        None,
    ),
]


def real(value):
    return type(value) in (int, float) and abs(value) <= 1.7976931348623157e308


def text(value):
    return isinstance(value, str) and value.strip() != ""


def every(part):
    return lambda value: isinstance(value, list) and all(map(part, value))


MEANING = {
    "text": text,
    "words": lambda value: text(value) or (every(text)(value) and value != []),
    "texts": every(text),
    "expression": text,
    "number": real,
    "whole": lambda value: type(value) is int,
    "numbers": every(real),
    "named": lambda value: isinstance(value, dict) and all(map(real, value.values())),
    "list": lambda value: isinstance(value, list),
    "table": lambda value: isinstance(value, dict),
    "number > 0": lambda value: real(value) and value > 0,
    "number >= 0 < 1": lambda value: real(value) and 0 <= value < 1,
    "whole >= 1 <= 7": lambda value: type(value) is int and 1 <= value <= 7,
    "numbers >= 1 <= 7": every(lambda value: real(value) and 1 <= value <= 7),
}


@pytest.mark.parametrize("kind", MEANING)
def test_a_kind_holds_what_it_says(kind):
    for value in VALUES:
        if MEANING[kind](value):
            check_value(value, kind, "here", "meaning")
        else:
            with pytest.raises(InputError, match=r"here must be .* \(meaning\), got"):
                check_value(value, kind, "here", "meaning")


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("number > 0", "above 0 "),
        ("number >= 2 <= 3", "2 to 3 "),
        ("number > 0 <= 1", "above 0 and at most 1 "),
        ("whole >= 9", "9 or more "),
    ],
)
def test_a_range_is_told_in_words(kind, words):
    with pytest.raises(InputError, match=f"'a' must be {words}"):
        check_keys({"a": -1}, {"a": (kind, True, "meaning")}, "x.toml [b]:")
