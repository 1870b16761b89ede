"""Errors point at the word that is wrong and say what was expected there."""

import pytest

from oncolattice.abm.errors import InputError
from oncolattice.ode_coupling.regimens import BodySize, parse_plan, parse_regimen

# text, what the carets stand under, words of the message
ORDERS = [
    ("5 mgg iv q3w", "mgg", "unknown unit 'mgg'; did you mean 'mg'"),
    ("240 iv q2w", "iv", "unknown unit 'iv'"),
    ("5 mg/kg vi q3w", "vi", "unknown route 'vi'; did you mean 'iv'"),
    ("5 mg/kg oral q3w", "oral", "valid: im, iv, po, sc"),
    ("5 mg iv q3m", "q3m", "unknown unit 'm' of an interval"),
    ("5 mg iv q3", "q3", "unknown frequency 'q3'"),
    ("5 mg iv q0d", "q0d", "whole number from 1"),
    ("5 mg po dayly", "dayly", "did you mean 'daily'"),
    ("5 mg po bidd", "bidd", "did you mean 'bid'"),
    ("0 mg iv q3w", "0", "must be positive"),
    ("-5 mg iv q3w", "-5", "must be positive"),
    ("AUC 0 iv", "0", "must be positive"),
    ("5 mg iv over 0 min q3w", "0", "must be positive"),
    ("5 mg iv over 5 min2 q3w", "min2", "unknown unit of time 'min2'; did you mean 'min'"),
    ("5 mg iv over 25 d q3w", "25 d", "longer than the 21 days"),
    ("5 mg iv over 13 h bid", "13 h", "longer than the 12 h"),
    ("5 mg iv over 30 h d1-5 q28d", "30 h", "longer than the 1 days"),
    ("load 8 mg iv over 8 d, then 6 mg iv weekly", "8 mg iv over 8 d", "longer than the 7 days"),
    ("load 8 cells iv, then 6 mg iv weekly", "8 cells iv", "does not fit"),
    ("load 8 mg iv 6 mg iv weekly", "6", "expected 'then'"),
    ("35 mg po d5-1 q28d", "5-1", "reversed; write 1-5"),
    ("35 mg po d1-5,3-8 q28d", "3-8", "overlapping"),
    ("35 mg po d1,1 q28d", "1", "overlapping"),
    ("35 mg po d0-5 q28d", "0", "a day must be a whole number from 1"),
    ("35 mg po d1.5 q28d", "1.5", "a day must be a whole number from 1"),
    ("35 mg po d1-9999999 q28d", "9999999", "to 36500"),
    ("35 mg po d1,29 q28d", "29", "outside days 1 to 28"),
    ("35 mg po d1-5,8-12 q2d", "1-5", "day 3 lies outside days 1 to 2"),
    ("35 mg po bid q36h", "q36h", "no whole number of days"),
    ("35 mg po q3w weekly", "weekly", "a second clause for the interval"),
    ("35 mg po daily once", "once", "exclude one another"),
    ("35 mg po 3 weeks on 1 week off", "3 weeks on 1 week off", "say how often"),
    ("35 mg po q4w 3 weeks on 1 week off", "q4w", "q4w is longer than the 3 weeks on"),
    ("35 mg po daily 3 weeks on 1 week of", "of", "expected 'off'"),
    ("35 mg po daily 3 h on 1 week off", "3 h on 1 week off", "whole days"),
    ("5 mg iv x 3", "x 3", "nothing repeats"),
    ("5 mg iv q3w x 0", "0", "whole number from 1"),
    ("5 mg iv q3w x 1e999", "1e999", "to 36500"),
    ("5 mg iv q3w until Monday", "Monday", "unknown end 'Monday'"),
    ("5 mg iv q3w from day 22 until day 20", "until day 20", "before the start"),
    ("5 mg iv q3w, then 3 mg iv q2w", "5 mg iv q3w", "never ends"),
    ("5 mg iv q3w x 2, then 3 mg iv q2w from day 10", "from day 10", "before the end of what comes before"),
    ("5 mg iv q3w x 2, then 3 cells iv q2w", "3 cells iv", "do not add"),
    ("5 mg iv q3w max 2 mg/kg", "max 2 mg/kg", "one number of mg for every patient"),
    ("5 mg iv q3w max 2 cells", "max 2 cells", "one number of mg"),
    ("5 mg iv q3w max 2 mg round to 5 mg", "round to 5 mg", "cannot stay within"),
    ("5 mg iv q3w x 3, skip d2 of cycle 2", "2", "no dose is due on day 2"),
    ("5 mg iv q3w x 3, skip d1", "1", "of which cycle"),
    ("5 mg iv q3w x 3, skip cycle 4", "skip cycle 4", "no cycle 4, the course has 3"),
    ("5 mg iv q3w x 3, delay cycle 5 by 7d", "delay cycle 5 by 7d", "no cycle 5"),
    ("5 mg po daily, delay cycle 5 by 7d", "delay cycle 5 by 7d", "has no cycles"),
    ("5 mg iv q3w, reduce to 100% from cycle 2", "100", "between 0 and 100"),
    ("5 mg iv q3w, reduce to 0% from cycle 2", "0", "between 0 and 100"),
    ("5 mg iv q3w, reduce to 50 from cycle 2", "from", "expected '%'"),
    ("5 mg iv q3w, reduce to 50% from week 2", "week", "unknown word 'week'"),
    ("5 mg iv q3w, weekdays only", "weekdays only", "needs the weekday"),
    ("5 mg iv q3w, move weekends, day 1 is a moonday", "moonday", "did you mean 'monday'"),
    ("5 mg iv q3w & 3 mg po", "&", "no meaning"),
    ("A: 5 mg iv q3w", "A", "names no drug"),
    ("5 mg iv q3w +", "", "expected an amount"),
    ("5", "", "expected a unit"),
    ("5 mg", "", "expected a route"),
    ("5 mg iv q3w,", "", "expected a frequency or clause"),
]
PLANS = [
    ("A: 5 mg iv q3w, then B: 5 mg iv q3w", "A", "order of A never ends"),
    ("A: 5 mg iv; A: 3 mg iv", "A", "two orders at a time"),
    ("A: 5 mg iv\nB: 3 mg ivv", "ivv", "unknown route"),
    ("A: 5 mg iv B: 3 mg iv", "B", "names no drug"),
    ("5 mg iv", "5", "expected a drug"),
    ("A: 5 mg iv q3w x 2, then B: 5 mg po from day 5", "from day 5", "before the end"),
    ("A: 5 mg iv q3w x 2, then B: 5 mg po daily until day 40", "until day 40", "before the start"),
    (
        "A: 5 mg po weekly, weekdays only, day 1 is a Monday; B: 5 mg po weekly, weekdays only, day 1 is a Friday",
        "B: 5 mg po weekly, weekdays only, day 1 is a Friday",
        "differ on the weekday",
    ),
]


@pytest.mark.parametrize(("parse", "cases"), [(parse_regimen, ORDERS), (parse_plan, PLANS)])
def test_mistakes_are_pointed_at(parse, cases):
    for text, word, words in cases:
        with pytest.raises(InputError) as caught:
            parse(text)
        message, line, carets = str(caught.value).split("\n")
        assert line[2:] in text.split("\n"), text
        first, length = carets.index("^"), carets.count("^")
        assert carets[first:] == "^" * length
        assert line[first : first + length] == word, (text, carets)
        assert words in message, message


@pytest.mark.parametrize("text", ["", " \n "])
def test_an_empty_text(text):
    with pytest.raises(InputError, match="empty; write for example"):
        parse_regimen(text)


@pytest.mark.parametrize(
    ("text", "arguments", "word", "words"),
    [
        ("5 mg iv q3w", {}, "5 mg iv q3w", "goes on without end; give until_days"),
        ("5 mg/kg iv", {}, "5 mg/kg", "weight_kg of the patient must be given"),
        ("5 mg/m2 iv", {"size": BodySize(weight_kg=70)}, "5 mg/m2", "height_cm of the patient must be given"),
        ("AUC 5 iv", {"size": BodySize(weight_kg=70)}, "AUC 5", "gfr_mL_per_min"),
        ("2 mg po round to 5 mg", {}, "5 mg", "rounded to nothing"),
        (
            "2 mg po daily for 9 days, move weekends, day 1 is a Friday",
            {},
            "move weekends, day 1 is a Friday",
            "two doses would be given at day 3",
        ),
    ],
)
def test_doses_that_cannot_be_worked_out(text, arguments, word, words):
    with pytest.raises(InputError) as caught:
        parse_regimen(text).doses("A", **arguments)
    message, line, carets = str(caught.value).split("\n")
    assert words in message
    assert message.startswith("order of A: ")
    assert line[carets.index("^") : len(carets)] == word


@pytest.mark.parametrize(
    "arguments", [{"until_days": float("inf")}, {"until_days": 9.0, "first_day": float("nan")}]
)
def test_times_must_be_finite(arguments):
    with pytest.raises(InputError, match="finite"):
        parse_regimen("5 mg iv q3w").doses("A", **arguments)
