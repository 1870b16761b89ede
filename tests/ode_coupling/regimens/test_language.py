"""What is printed reads back as what it was, and every order of the manual is one."""

import pathlib
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from order_cases import orders, plans

from oncolattice.abm.errors import InputError
from oncolattice.ode_coupling.regimens import parse_plan, parse_regimen

PAGE = (pathlib.Path(__file__).resolve().parents[3] / "docs" / "regimens.md").read_text(encoding="utf-8")
TABLES = PAGE.split("## Rules")[0]
ROWS = re.findall(r"^\| `([^`]+)` \|", TABLES, re.MULTILINE)
ORDERS = [text for text in ROWS if ":" not in text]
PLANS = [text for text in ROWS if ":" in text]
CODE = {kind: re.findall(rf'parse_{kind}\(\s*"([^"]+)"', PAGE) for kind in ("regimen", "plan")}
GRAMMAR = re.search(r"```ebnf\n(.*?)```", PAGE, re.DOTALL)[1]
usual, many = (
    settings(max_examples=n, deadline=None, suppress_health_check=[HealthCheck.too_slow]) for n in (80, 3000)
)


def check_order(order):
    text = str(order)
    assert parse_regimen(text) == order
    assert parse_regimen(text.upper()) == order
    assert parse_regimen(text.replace(", ", " ").replace(" then", ", then")) == order


def check_plan(plan):
    assert parse_plan(str(plan)) == plan
    assert parse_plan(str(plan).replace("; ", "\n")) == plan


@usual
@given(orders())
def test_an_order_reads_back_as_it_was_printed(order):
    check_order(order)


@usual
@given(plans())
def test_a_plan_reads_back_as_it_was_printed(plan):
    check_plan(plan)


@pytest.mark.slow
@many
@given(orders(), plans())
def test_thousands_read_back_as_they_were_printed(order, plan):
    check_order(order)
    check_plan(plan)


@pytest.mark.parametrize("text", ORDERS)
def test_the_orders_of_the_manual(text):
    order = parse_regimen(text)
    assert parse_regimen(str(order)) == order
    assert str(parse_regimen(str(order))) == str(order)


@pytest.mark.parametrize("text", PLANS)
def test_the_plans_of_the_manual(text):
    plan = parse_plan(text)
    assert parse_plan(str(plan)) == plan


def test_the_manual_has_examples_of_every_word_of_its_grammar():
    assert len(ORDERS) >= 30
    assert len(PLANS) >= 3
    words = set(re.findall(r'"([a-zA-Z0-9]{2,})"', GRAMMAR)) - {"mcg", "qid", "tid", "cells", "days"}
    shown = " ".join(ROWS)
    rare = {
        "min",
        "daily",
        "Tuesday",
        "Wednesday",
        "Thursday",
        "Friday",
        "Saturday",
        "Sunday",
        "cycles",
        "weeks",
    }
    assert {
        word for word in words - rare if not re.search(rf"(?<![a-zA-Z]){word}(?![a-zA-Z])", shown)
    } == set()


@pytest.mark.parametrize("kind", ["regimen", "plan"])
def test_the_code_of_the_manual(kind):
    parse, found = {"regimen": parse_regimen, "plan": parse_plan}[kind], CODE[kind]
    assert found
    for text in found:
        assert parse(str(parse(text))) == parse(text)


def test_the_errors_of_the_manual():
    block = re.search(r"```text\n(.*?)```", PAGE, re.DOTALL)[1]
    shown = re.findall(r"^(order: .*)\n  (.*)\n  ( *\^+)$", block, re.MULTILINE)
    assert len(shown) == 3
    for message, text, carets in shown:
        with pytest.raises(InputError) as caught:
            parse_regimen(text)
        first, line, under = str(caught.value).split("\n")
        assert first.startswith(message.removesuffix(" (valid: ...)"))
        assert (line, under) == (f"  {text}", f"  {carets}")


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("240MG IV OVER 1 HOUR Q2W X13", "240 mg iv over 1 h q2w x 13"),
        ("35 mg/m² po bid, days 1-5, 8-12, q28d × 6", "35 mg/m2 po bid d1-5,8-12 q28d x 6"),
        ("5 µg/kg sc q24h", "5 ug/kg sc daily"),
        ("5 mcg po q12h for 6 days", "5 ug po bid for 6 days"),
        ("5 mg iv x 6 q21d", "5 mg iv q21d x 6"),
        ("5 mg iv q3w for 6 cycles", "5 mg iv q3w x 6"),
        ("5 mg po qd d3,1,2", "5 mg po daily d1-3"),
        ("5 mg iv", "5 mg iv once"),
        ("2 mg po qod", "2 mg po q2d"),
        ("2 mg iv q1w", "2 mg iv weekly"),
        ("3 mg iv q7d, weekdays only day 1 is a tue", "3 mg iv q7d, weekdays only, day 1 is a Tuesday"),
    ],
)
def test_what_is_printed(text, canonical):
    assert str(parse_regimen(text)) == canonical


def test_a_then_before_a_drug_is_the_plans_and_otherwise_the_orders():
    plan = parse_plan(
        "A: 2 mg iv q4w x 2, then 1 mg iv q2w x 3\nB: 3 mg po daily for 9 weeks, then C: 5 mg iv q3w;"
    )
    assert [[line.drug for line in phase] for phase in plan.phases] == [["A", "B"], ["C"]]
    assert [len(line.order.steps) for phase in plan.phases for line in phase] == [2, 1, 1]


@given(st.text("0123456789 dqxwmgAUC/.,;:+-%ivpo\n", max_size=40))
def test_any_text_is_read_or_refused_in_words(text):
    for parse in (parse_regimen, parse_plan):
        try:
            read = parse(text)
        except InputError:
            continue
        assert parse(str(read)) == read
