"""Doses fall where a calendar on the wall has them, in amounts worked out by hand."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from order_cases import courses, due_hours, finite

from oncolattice.abm.errors import InputError
from oncolattice.ode_coupling.dosing import cycle_doses
from oncolattice.ode_coupling.regimens import BodySize, parse_plan, parse_regimen
from oncolattice.ode_coupling.regimens.order import Order

PATIENT = BodySize(weight_kg=80.0, height_cm=180.0, gfr_mL_per_min=95.0)  # 2 m2 by Mosteller, exactly


def times(text, until=None, first=1.0):
    """Start times, counted from 1 as clinics do."""
    return [dose.time_days for dose in parse_regimen(text).doses("A", PATIENT, until, first)]


def amounts(text, until=None):
    return [dose.amount for dose in parse_regimen(text).doses("A", PATIENT, until)]


@pytest.mark.parametrize(
    ("text", "until", "expected"),
    [
        ("1 mg po bid d1-2,4 q7d x 2", None, [1, 1.5, 2, 2.5, 4, 4.5, 8, 8.5, 9, 9.5, 11, 11.5]),
        ("1 mg po tid for 1 day", None, [1, 32 / 24, 40 / 24]),
        ("1 mg po qid x 1", None, [1, 1.25, 1.5, 1.75]),
        ("1 mg po q4h x 1", None, [(24 + 4 * k) / 24 for k in range(6)]),
        ("1 mg iv q36h x 4", None, [1, 2.5, 4, 5.5]),
        ("1 mg iv q2w x 3", None, [1, 15, 29]),
        ("1 mg iv q3w until progression", 60.0, [1, 22, 43]),
        ("1 mg iv q3w", 43.0, [1, 22]),  # the dose due at the very time is not given
        ("1 mg iv weekly until day 15", None, [1, 8, 15]),  # day 15 is still treated
        ("1 mg iv weekly for 2 weeks", None, [1, 8]),
        ("1 mg iv weekly from day 5 for 2 weeks", None, [5, 12]),
        ("1 mg iv weekly 3 weeks on 1 week off x 2", None, [1, 8, 15, 29, 36, 43]),
        ("1 mg po daily 2 days on 5 days off x 2", None, [1, 2, 8, 9]),
        ("1 mg po d1,2 q7d 2 weeks on 1 week off x 2", None, [1, 2, 8, 9, 22, 23, 29, 30]),
        ("1 mg po d2,9", None, [2, 9]),
        ("1 mg iv once", None, [1]),
        ("1 mg iv q4w x 2, then 1 mg iv q2w x 2", None, [1, 29, 57, 71]),
        ("1 mg iv until day 10 q7d, then 1 mg iv weekly x 2", None, [1, 8, 11, 18]),
        ("1 mg iv once, then 1 mg iv once, then 1 mg iv weekly x 2", None, [1, 2, 3, 10]),
        ("1 mg iv over 46 h once, then 1 mg iv once", None, [1, 3]),
        ("load 2 mg iv, then 1 mg iv q3w x 3", None, [1, 22, 43]),
        ("1 mg iv d1,15 q28d x 2, skip d15 of cycle 1", None, [1, 29, 43]),
        ("1 mg iv d1,15 q28d x 2, skip cycle 1", None, [29, 43]),
        ("1 mg po daily for 5 days, skip d2-3", None, [1, 4, 5]),
        ("1 mg iv q3w x 4, delay cycle 3 by 7d", None, [1, 22, 50, 71]),
        ("1 mg iv q3w x 4, delay cycle 2 by 1 d, delay cycle 4 by 12 h", None, [1, 23, 44, 65.5]),
        ("1 mg iv q3w x 2, delay cycle 2 by 7d, then 1 mg iv once", None, [1, 29, 50]),
        ("1 mg iv q3w until day 50, delay cycle 3 by 7d", None, [1, 22, 50]),
        ("1 mg po daily for 8 days, weekdays only, day 1 is a Thursday", None, [1, 2, 5, 6, 7, 8]),
        ("1 mg iv q5d x 4, move weekends, day 1 is a Monday", None, [1, 8, 11, 16]),  # Saturday 6 to Monday 8
        ("1 mg iv q10d x 2, move weekends, day 1 is a Sunday", None, [2, 11]),
        ("1 mg iv d1-5 q7d x 1, weekdays only, day 1 is a Monday", None, [1, 2, 3, 4, 5]),
    ],
)
def test_times_worked_out_by_hand(text, until, expected):
    assert times(text, until) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("35 mg/m2 po", [70.0]),
        ("5 mg/kg iv", [400.0]),
        ("1.5 g iv", [1500.0]),
        ("1500 ug iv", [1.5]),
        ("AUC 5 iv", [600.0]),  # 5 (95 + 25)
        ("1e6 cells/kg iv", [8e7]),
        ("95 units iv", [95.0]),
        ("load 8 mg/kg iv, then 6 mg/kg iv q3w x 3", [640.0, 480.0, 480.0]),
        ("1.4 mg/m2 iv weekly x 2 max 2 mg", [2.0, 2.0]),
        ("33 mg/m2 po round to 5 mg", [65.0]),  # 66
        ("33.75 mg/m2 po round to 5 mg", [70.0]),  # 67.5: halves up
        ("74 mg/m2 po round to 20 mg max 150 mg", [140.0]),  # 148 would be rounded beyond the cap
        (
            "50 mg iv q3w x 4, reduce to 80% from cycle 2, reduce to 60% from cycle 4",
            [50.0, 40.0, 40.0, 30.0],
        ),
        ("50 mg po daily for 3 days, reduce to 50% from day 3", [50.0, 50.0, 25.0]),
        (
            "100 mg/m2 iv q3w x 2 max 150 mg round to 5 mg, reduce to 75% from cycle 2",
            [150.0, 115.0],
        ),  # 112.5
        ("50 mg iv q1w x 2, then 30 mg iv weekly x 1", [50.0, 50.0, 30.0]),
    ],
)
def test_amounts_worked_out_by_hand(text, expected):
    assert amounts(text) == pytest.approx(expected, rel=1e-15)


def test_pulse_and_daily_add_up():
    doses = parse_regimen("pulse 750 mg po d1-3 q28d x 1 + 50 mg po daily for 5 days").doses("A")
    total = [sum(d.amount for d in doses if d.time_days == day) for day in range(6)]
    assert total == [800.0, 800.0, 800.0, 50.0, 50.0, 0.0]


def test_length_and_route():
    doses = parse_regimen("load 8 mg iv over 90 min, then 6 mg sc q3w x 2").doses("A")
    assert [(d.duration_days, d.route) for d in doses] == [(0.0625, "iv"), (0.0, "sc")]
    assert parse_regimen("1 units iv over 0.1 d").doses("A")[0].duration_days == 0.1


@settings(max_examples=150, deadline=None)
@given(courses("mg", finite).filter(lambda course: not course.delays and course.given.amount.unit != "AUC"))
def test_the_same_hours_as_a_calendar_on_the_wall(course):
    hours = 24 * 120
    expected = due_hours(course, hours)
    doses = [hour for hour, *_ in course.due(0.0) if hour < hours]
    assert doses == expected


def test_the_published_schedules_are_those_of_the_keys():
    order = parse_regimen("95 units iv over 0.1 d d1-5,8-12 q28d x 6")
    assert order.doses("TAS102", first_day=1.0) == cycle_doses("TAS102", 95.0)
    order = parse_regimen("280 mg iv over 0.1 d d1,15 q28d")
    expected = cycle_doses("b", 280.0, (1, 15), 28.0, None, until_days=100.0)
    assert order.doses("b", None, 100.0, 1.0) == expected


@given(st.integers(1, 60), st.integers(1, 30), st.floats(1.0, 500.0))
def test_a_count_is_passed_over_where_progression_ends_treatment(interval, count, until):
    order = parse_regimen(f"1 mg iv q{interval}d x {count}").until_progression()
    doses = order.doses("A", until_days=until)
    assert [dose.time_days for dose in doses] == [k * interval for k in range(math.ceil(until / interval))]


def test_a_second_strike_begins_on_the_day_after_the_first():
    plan = parse_plan(
        "A: 10 mg po daily until day 56, then B: 75 mg/m2 iv q3w x 2; C: 1 mg po weekly until day 70"
    )
    doses = plan.doses(PATIENT, first_day=1.0)
    by_drug = {drug: [d.time_days for d in doses if d.drug == drug] for drug in plan.drugs}
    assert by_drug == {"A": list(range(1, 57)), "B": [57, 78], "C": [57, 64]}
    assert [(d.time_days, d.drug) for d in doses] == sorted((d.time_days, d.drug) for d in doses)
    assert plan.until_progression().doses(PATIENT, 120.0)[-1].time_days == 119.0  # B: 56, 77, 98, 119


def test_body_surface_and_filtration():
    man = BodySize(weight_kg=70.0, height_cm=170.0, sex="male", age_years=60.0, creatinine_mg_per_dL=1.0)
    assert man.surface_m2 == pytest.approx(math.sqrt(70 * 170 / 3600), rel=1e-15)
    # 0.007184 * 70^0.425 * 170^0.725 by logarithms
    by_hand = math.exp(math.log(0.007184) + 0.425 * math.log(70) + 0.725 * math.log(170))
    assert BodySize(weight_kg=70.0, height_cm=170.0, bsa_formula="dubois").surface_m2 == pytest.approx(
        by_hand
    )
    assert man.filtration_mL_per_min == pytest.approx(80 * 70 / 72)
    woman = BodySize(weight_kg=70.0, sex="female", age_years=60.0, creatinine_mg_per_dL=1.0)
    assert woman.filtration_mL_per_min == pytest.approx(0.85 * 80 * 70 / 72)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"weight_kg": 0.0}, "weight_kg must be a positive number"),
        ({"height_cm": math.nan}, "height_cm must be a positive number"),
        ({"age_years": 140.0}, "below 140"),
        ({"sex": "mail"}, "did you mean 'male'"),
        ({"bsa_formula": "dubios"}, "did you mean 'dubois'"),
    ],
)
def test_bad_sizes(arguments, words):
    with pytest.raises(InputError, match=words):
        BodySize(**arguments)


def test_filtration_needs_the_sex():
    with pytest.raises(InputError, match="gfr_mL_per_min, or sex"):
        _ = BodySize(weight_kg=70.0, age_years=60.0, creatinine_mg_per_dL=1.0).filtration_mL_per_min


def test_an_order_needs_a_course():
    with pytest.raises(InputError, match="needs a course"):
        Order(())
