"""Attributes and changes as tables, and what a wrong word is told."""

import numpy as np
import pytest
from tiny import attribute, behaviour, change, parameters, rule, tiny_model

from oncolattice.abm.errors import InputError
from oncolattice.abm.vocabulary import BECOME, CLOCK, COUNT, DIE, TIMER

NUMBERS = parameters(
    b=(0.1, "1/h"), n=(9.0, "1"), lose=(-1.0, "1"), hours=(12.0, "h"), day=(1.5, "d"), now=(0.0, "h"), k=(0.05, "1/h"),
    minus=(-2.0, "1"),
)  # fmt: skip
DIVIDE = behaviour("A", "divide", "b")
LEFT = attribute("left", "A", "n")
IMMUNE = """
[[cell_type]]
name = "E"
display = "E"
layer = "immune"
colour = "#444444"
"""


def test_kinds_carriers_and_starts():
    """A group carries for its members, a type for those that are like it; times are kept in hours."""
    model = tiny_model(
        NUMBERS,
        attribute("left", "A", "n")
        + attribute("age", "tumour", "day", kind="clock", unit="h")
        + attribute("rest", "T", "hours", spread="day", kind="timer", unit="h"),
    )
    carries = model.tables.carries
    assert carries.shape == (5, 3)
    assert carries["carried"].tolist() == [[0, 0, 0], [1, 1, 0], [1, 1, 0], [0, 0, 1], [0, 0, 0]]
    assert [carries[1, 0]["kind"], carries[1, 1]["kind"], carries[3, 2]["kind"]] == [COUNT, CLOCK, TIMER]
    assert (carries[1, 0]["initial"], carries[1, 0]["spread"]) == (9.0, 0.0)
    assert carries[2, 1]["initial"] == 36.0
    assert (carries[3, 2]["initial"], carries[3, 2]["spread"]) == (12.0, 36.0)
    assert [(a.name, a.unit, a.kind) for a in model.attributes] == [
        ("left", "1", "count"), ("age", "h", "clock"), ("rest", "h", "timer"),
    ]  # fmt: skip


def test_changes_belong_to_their_behaviour():
    """In the order of declaration; those of a type pass to types that are like it, with events of their own."""
    model = tiny_model(
        NUMBERS,
        LEFT
        + attribute("age", "A", "now", kind="clock", unit="h")
        + change("left", "divide", add="lose", at_zero="become V")
        + change("age", "divide", set="now")
        + change("left", "become B", set="n", at_zero="die worn")
        + DIVIDE
        + behaviour("A", "become B", "k"),
    )
    tables = model.tables
    rows = {}
    for t, name in ((1, "A"), (2, "B")):
        for slot in tables.slots[tables.types[t]["fate_first"] : tables.types[t]["fate_last"]]:
            rows[name, int(slot["verb"])] = tables.changes[slot["change_first"] : slot["change_last"]]
    divide, become = rows["A", 0], rows["A", BECOME]
    assert divide["attribute"].tolist() == [0, 1]
    assert divide["sets"].tolist() == [0, 1]
    assert divide["amount"].tolist() == [-1.0, 0.0]
    assert divide["at_zero"].tolist() == [BECOME, -1]
    assert divide["object"].tolist() == [4, 0]
    assert become["at_zero"].tolist() == [DIE]
    assert np.array_equal(
        rows["B", 0][["attribute", "amount", "object"]], divide[["attribute", "amount", "object"]]
    )
    assert {"A: become V", "B: become V", "B: die worn"} <= set(model.events)  # it has become B when it dies


WRONG = {
    "unit of a count": (attribute("x", "A", "n", unit="h"), r"a count is kept in unit '1', not 'h'"),
    "unit of a clock": (
        attribute("x", "A", "hours", kind="clock", unit="d"),
        r"a clock is kept in unit 'h', not 'd'",
    ),
    "dimension of the start": (attribute("x", "A", "hours"), r"initial"),
    "dimension of the spread": (attribute("x", "A", "n", spread="hours"), r"spread"),
    "negative start": (attribute("x", "A", "lose"), r"initial"),
    "kind": (attribute("x", "A", "n", kind="counter"), r"unknown kind 'counter'; did you mean 'count'\?"),
    "twice": (LEFT + LEFT, r"'left' is declared twice"),
    "unknown carrier": (attribute("x", "Q", "n"), r"unknown .*'Q'"),
    "change of nothing": (
        LEFT + DIVIDE + change("lef", "divide", add="lose"),
        r"unknown attribute 'lef'.*'left'",
    ),
    "change on an unknown behaviour": (
        LEFT + DIVIDE + change("left", "devide", add="lose"),
        r"unknown behaviour 'devide'",
    ),
    "change on a behaviour that no carrier has": (
        LEFT + DIVIDE + change("left", "become V", add="lose"),
        r"become V",
    ),
    "change on a behaviour without a moment": (
        LEFT + DIVIDE + behaviour("A", "migrate", "b") + change("left", "migrate", add="lose"),
        r"divide, kill or become, not on 'migrate'",
    ),
    "change of a type that does not carry it": (
        LEFT + behaviour("V", "divide", "b") + change("left", "divide", add="lose", cell="V"),
        r"V does not carry 'left'",
    ),
    "both": (LEFT + DIVIDE + change("left", "divide", add="lose", set="n"), r"give either add or set"),
    "neither": (LEFT + DIVIDE + change("left", "divide"), r"give either add or set"),
    "dimension of the change": (LEFT + DIVIDE + change("left", "divide", add="hours"), r"amount"),
    "at_zero does what": (
        LEFT + DIVIDE + change("left", "divide", add="lose", at_zero="leave"),
        r"at_zero reads 'become <cell type>' or 'die <cause>'",
    ),
    "at_zero an unknown verb": (
        LEFT + DIVIDE + change("left", "divide", add="lose", at_zero="stop"),
        r"unknown behaviour 'stop'",
    ),
    "at_zero without an object": (
        LEFT + DIVIDE + change("left", "divide", add="lose", at_zero="become"),
        r"needs a cell type",
    ),
    "at_zero an unknown type": (
        LEFT + DIVIDE + change("left", "divide", add="lose", at_zero="become Q"),
        r"unknown cell type 'Q'",
    ),
    "at_zero across layers": (
        LEFT + DIVIDE + change("left", "divide", add="lose", at_zero="become T"),
        r"A cannot become T, which sits on another layer",
    ),
    "a rule on what is not carried": (
        LEFT + behaviour("V", "divide", "b") + rule("V", "divide", "own left", "decreases", "n"),
        r"V does not carry 'left'",
    ),
    "a rule on what does not exist": (
        DIVIDE + rule("A", "divide", "own age", "decreases", "n"),
        r"unknown attribute 'age'",
    ),
    "own with a linear response": (
        LEFT + DIVIDE + rule("A", "divide", "own left", "decreases", "n", response="linear"),
        r"a linear response to an attribute has no upper bound; use hill or step",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_word_is_named_with_its_place(case):
    blocks, message = WRONG[case]
    with pytest.raises(InputError, match=message) as caught:
        tiny_model(NUMBERS, blocks)
    assert "tiny.toml" in str(caught.value)


@pytest.mark.parametrize(
    ("start", "lost", "where"), [(2.0**24 + 2, -1.0, "initial"), (9.0, -(2.0**24) - 2, "amount")]
)
def test_what_single_precision_cannot_count_is_refused(start, lost, where):
    """From 2^24 on, adding 1 in single precision changes nothing."""
    assert np.float32(2.0**24) + np.float32(1.0) == np.float32(2.0**24)
    numbers = parameters(b=(0.1, "1/h"), start=(start, "1"), lost=(lost, "1"))
    blocks = attribute("left", "A", "start") + change("left", "divide", add="lost") + DIVIDE
    with pytest.raises(InputError, match=rf"{where}.* single precision, .* 16,777,216"):
        tiny_model(numbers, blocks)
    tiny_model(numbers.replace("16777218.0", "16777216.0"), blocks)
