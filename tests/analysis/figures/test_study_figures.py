"""Figures of a study: flow, swimmer, forest, ROC, boxes, tornado, Kaplan-Meier, control, pairs, accounts."""

import csv
import io
import math
from dataclasses import replace

import numpy as np
import pytest

from oncolattice.abm.errors import InputError
from oncolattice.abm.snapshot import Columns
from oncolattice.analysis import figures
from oncolattice.analysis.figures.drawing import csv_text
from oncolattice.analysis.figures.flow import flow_rows
from oncolattice.analysis.figures.forest import forest_rows, peto_ratio
from oncolattice.analysis.outcomes.study_table import ENDPOINTS, of_a_batch, read_rows, subgroups, times_of
from oncolattice.analysis.outcomes.table import biomarker_rows, outcome_rows
from oncolattice.analysis.series import exemplars
from oncolattice.analysis.survival import Times
from oncolattice.tests.helpers.synthetic import SLOPES, run, trial


@pytest.fixture(scope="module")
def records():
    return trial(4, days=120.0, step=1.0, sites=32)


@pytest.fixture(scope="module")
def rows(records):
    return outcome_rows(records)


def made_rows(number=60, seed=1, ratio=0.5):
    """Rows of two arms with exponential progression times, and a biomarker that decides the class."""
    rng = np.random.default_rng(seed)
    rows = []
    for arm, rate in (("placebo", 0.02), ("new", 0.02 * ratio)):
        for k in range(number):
            day, marker = rng.exponential(1 / rate), float(k)
            rows.append(
                {
                    "run": f"{arm}{k}",
                    "scenario": "s",
                    "arm": arm,
                    "patient": f"p{k}",
                    "seed": k,
                    "days": 300.0,
                }
                | {"ttp_days": day if day < 300 else math.nan, "ttp_event": int(day < 300)}
                | {"last_visit_days": min(day, 300.0), "class_week8": "SD" if k >= number / 2 else "PD"}
                | {"CTL_density_day0": marker, "CTL_density_week8": marker + rng.normal(0, 20)}
                | {"best_response": "SD", "depth": 0.1, "tri_week8": 0.1, "os_event": 0, "os_days": math.nan}
            )
    return rows


def test_every_figure_of_rows_writes_png_and_csv_of_one_name(rows, records, tmp_path):
    tornado = [{"parameter": "a", "value": 0.4, "low": 0.2, "high": 0.6}, {"parameter": "b", "value": -0.7}]
    drawn = [
        figures.draw_flow(rows),
        figures.draw_swimmer(rows, records),
        figures.draw_waterfall_rows(rows),
        figures.draw_best_change(rows),
        figures.draw_forest(rows),
        figures.draw_responders(rows),
        figures.draw_roc(made_rows()),
        figures.draw_tornado(tornado),
        *(figures.draw_times(rows, endpoint) for endpoint in list(ENDPOINTS)[:3]),
    ]
    for drawing in drawn:
        assert drawing.caption.endswith(".")
        image, table = figures.save(drawing, tmp_path)
        assert image.read_bytes().startswith(b"\x89PNG")
        with table.open(encoding="utf-8") as file:
            assert len(list(csv.DictReader(file))) == len(drawing.table) > 0
    assert len({drawing.name for drawing in drawn}) == len(drawn)


def test_flow_adds_up(rows):
    failures = [{"run": "x", "arm": "placebo", "reason": "killed"}, {"run": "y", "reason": "killed"}]
    number = {(r["arm"], r["stage"]): r["runs"] for r in flow_rows(rows, failures)}
    assert [number["placebo", stage] for stage in ("planned", "failed", "completed")] == [5, 1, 4]
    assert number["all arms", "failed"] == 1
    # slopes .009 to .012: all have 20 % more by week 8; with bevacizumab -.000 to .003: .003 has by day 61
    assert number["placebo", "progressed"] == 4
    assert number["TAS-102 + bevacizumab", "progressed"] == 2
    for arm in SLOPES:
        assert number[arm, "neither"] <= number[arm, "completed"] - number[arm, "progressed"]


def test_swimmer_bars_end_with_death_or_run(rows, records):
    table = figures.draw_swimmer(rows, records).table
    assert len(table) == len(rows)
    for bar in table:
        row = next(r for r in rows if (r["arm"], r["patient"]) == (bar["arm"], bar["patient"]))
        assert bar["end_days"] == (row["days"] if math.isnan(row["os_days"]) else row["os_days"])
    treated = next(bar for bar in table if bar["arm"] == "TAS-102")
    assert (treated["first_dose_days"], treated["last_dose_days"]) == (1.0, 120.0)  # day 8 of the fifth cycle
    ends = [bar["end_days"] for bar in table if bar["arm"] == "placebo"]
    assert ends == sorted(ends, reverse=True)


def test_peto_ratio_by_hand():
    # deaths on days 1 (first), 2 (second), 3 (first); O2 = 1, E2 = 2/4 + 2/3 + 1/2, V = 1/4 + 2/9 + 1/4
    times = Times(np.array([1.0, 3.0, 2.0, 4.0]), np.array([True, True, True, False]))
    expected, variance = 0.5 + 2 / 3 + 0.5, 0.25 + 2 / 9 + 0.25
    middle, reach = (1 - expected) / variance, 1.959963984540054 / math.sqrt(variance)
    found = peto_ratio(times, np.array([False, False, True, True]))
    assert found == pytest.approx([math.exp(middle + k * reach) for k in (0, -1, 1)], rel=1e-9)


def test_a_forest_finds_the_ratio_of_exponential_times():
    # 2 x 600 runs, ratio .6: ln within 4.5 standard errors (about .06), bias of the method below .02
    table = forest_rows(made_rows(600, ratio=0.6), "time to progression")
    (everyone,) = (row for row in table if row["subgroup"] == "all")
    error = (math.log(everyone["high"]) - math.log(everyone["low"])) / (2 * 1.959964)
    assert abs(math.log(everyone["hazard_ratio"]) - math.log(0.6)) < 4.5 * error + 0.02
    halves = [row for row in table if row["subgroup"].startswith("CTL density")]
    assert sum(row["runs"] for row in halves) == everyone["runs"] == 1200
    assert sum(row["events"] for row in halves) == everyone["events"]


def test_subgroups_are_halves_shared_by_the_arms(rows):
    masks = subgroups(rows)
    low = next(mask for name, mask in masks.items() if name.startswith("CTL density ≤"))
    high = next(mask for name, mask in masks.items() if name.startswith("CTL density >"))
    assert not (low & high).any()
    assert (low | high).all()
    of_patient = {}
    for row, member in zip(rows, low, strict=True):
        assert of_patient.setdefault(row["patient"], member) == member
    assert not any("week" in name for name in masks), "nothing known only later"


def test_roc_and_boxes_of_a_perfect_biomarker():
    rows = made_rows()
    roc = figures.draw_roc(rows).table
    assert {r["auc"] for r in roc if r["visit"] == "day 0"} == {1.0}
    later = {r["auc"] for r in roc if r["visit"] == "week 8"}
    assert later
    assert all(0.5 < area < 1.0 for area in later)
    boxes = figures.draw_responders(rows).table
    day0 = next(r for r in boxes if r["visit"] == "day 0")
    # patients 30 to 59 against 0 to 29 in both arms
    assert (day0["responders"], day0["others"], day0["shift"]) == (60, 60, 30.0)
    assert all(r["p_holm"] >= r["p"] for r in boxes)


def test_too_few_of_a_kind_draw_nothing(rows):
    placebo = [row for row in rows if row["arm"] == "placebo"]  # all progress
    assert figures.draw_roc(placebo) is None
    assert figures.draw_responders(placebo) is None
    assert figures.draw_forest(placebo) is None
    assert figures.draw_tornado([]) is None
    assert figures.draw_swimmer([]) is None


def test_tornado_orders_by_size_and_refuses_what_is_no_table():
    table = [{"parameter": p, "value": v} for p, v in (("a", 0.1), ("b", -0.9), ("c", 0.5))]
    drawing = figures.draw_tornado(table)
    assert [t.get_text() for t in drawing.figure.axes[0].get_yticklabels()] == ["b", "c", "a"]
    with pytest.raises(InputError, match="column 'value' is missing"):
        figures.draw_tornado([{"parameter": "a"}])
    with pytest.raises(InputError, match="is no number"):
        figures.draw_tornado([{"parameter": "a", "value": "big"}])


def test_kaplan_meier_of_rows_is_that_of_its_times():
    rows = made_rows(40)
    drawing = figures.draw_times(rows, "time to progression")
    times = times_of([r for r in rows if r["arm"] == "placebo"], "time to progression")
    last = [r for r in drawing.table if r["arm"] == "placebo"][-1]
    # without censoring before 300 d the curve is the share of later times
    assert last["survival"] == pytest.approx(np.mean(times.time >= 300.0), abs=1e-12)
    assert figures.draw_times(rows, "progression-free survival") is None


@pytest.mark.parametrize(
    ("changed", "words"),
    [({"ttp_event": 2}, "must hold 0"), ({"ttp_days": -1.0, "ttp_event": 1}, "needs a time of 0 or more")],
)
def test_wrong_columns_of_censoring_are_refused(changed, words):
    rows = made_rows(3)
    rows[0] |= changed
    with pytest.raises(InputError, match=words):
        times_of(rows, "time to progression")


def with_more(records):
    """Runs with what controllers, pairs and fields leave behind."""
    days = np.array([0.0, 28.0, 56.0])
    visit = {
        "visit_day": days,
        "true": days + 100,
        "observed": days + 90,
        "at_limit": 0 * days,
        "dose drug": days,
    }
    return [
        replace(r, more={
            "control": Columns(r.time_days, {"drug": (r.time_days > 28) * 1.0}, {"drug": "1"}),
            "visit": Columns(days, visit, dict.fromkeys(visit, "1")),
            "pair_total": Columns(days, {"tissue": 1 + days / 100}, {"tissue": "1"}),
            "pair_correlation": Columns(days, {"DSTC DRTC": 1 - days / 100}, {"DSTC DRTC": "1"}),
            "mean_field_valid": Columns(days, {"mean_field_valid": np.array([1, 0, 0])}, {"mean_field_valid": "1"}),
            "account": Columns(r.time_days, {"oxygen: delivered": r.time_days, "oxygen: taken up": -r.time_days},
                               {"oxygen: delivered": "mmHg", "oxygen: taken up": "mmHg"}),
        })
        for r in records
    ]  # fmt: skip


def test_control_pairs_and_accounts_show_what_was_recorded(records, tmp_path):
    runs = with_more(records[:2])
    control = figures.draw_control(runs)
    rows = [r for r in control.table if r["series"] == "visit" and r["quantity"] == "observed"]
    assert [r["value"] for r in rows[:3]] == [90.0, 118.0, 146.0]
    pairs = figures.draw_pairs(runs)
    assert {r["pair"] for r in pairs.table} == {"all, tissue", "DSTC DRTC"}
    assert [(r["F"], r["mean_field_valid"]) for r in pairs.table[:2]] == [(1.0, 1), (1.28, 0)]
    accounts = figures.draw_accounts(runs)
    assert [r["total"] for r in accounts.table[:2]] == [120.0, -120.0]
    for drawing in (control, pairs, accounts):
        figures.save(drawing, tmp_path)
    assert [draw(records) for draw in (figures.draw_control, figures.draw_pairs, figures.draw_accounts)] == [
        None
    ] * 3


def test_fields_bear_the_names_that_their_model_gives_them(records):
    text = '# --- m.toml\n[[field]]\nname = "oxygen"\ndisplay = "O$_2$"\n# --- d.toml\n[[field]]\nname = "VEGF"\n'
    runs = [replace(r, attributes=r.attributes | {"model_text": text}) for r in with_more(records)]
    titles = [axes.get_title(loc="left") for axes in figures.draw_fields(runs)[0].figure.axes]
    assert titles[:3] == ["O$_2$", "VEGF", "interferon gamma"]
    accounts = figures.draw_accounts(runs)
    assert accounts.figure.axes[0].get_title(loc="left") == "O$_2$"
    assert {row["field"] for row in accounts.table} == {"oxygen"}, "tables keep the name"


def test_accounts_are_in_the_unit_that_the_run_gives_them_and_never_add_two(records):
    runs = with_more(records[:2])
    account = runs[1].more["account"]
    amounts = replace(account, units=dict.fromkeys(account.units, "nmol"))
    runs[1] = replace(runs[1], more=runs[1].more | {"account": amounts})
    drawing = figures.draw_accounts(runs)
    labels = [axes.get_xlabel() for axes in drawing.figure.axes if axes.axison]
    assert sorted(labels) == ["total (mmHg)", "total (nmol)"]
    assert [row["unit"] for row in drawing.table] == ["mmHg"] * 2 + ["nmol"] * 2


def test_tidy_biomarkers(records):
    rows = biomarker_rows(records)
    assert list(rows[0]) == ["run", "scenario", "arm", "patient", "seed", "day", "biomarker", "unit", "value"]
    assert len(rows) == len(records) * 2 * 5
    first = next(r for r in rows if r["biomarker"] == "CTL_density" and r["day"] == 56.0)
    assert first["value"] == pytest.approx(records[0].count[56, 5] / (32 * 0.015) ** 2)


def test_rows_come_back_from_their_file(rows, tmp_path):
    path = tmp_path / "outcomes.csv"
    path.write_text(csv_text(rows), encoding="utf-8")
    found = read_rows(path)
    assert [r["class_week8"] for r in found] == [r["class_week8"] for r in rows]
    assert csv_text(found) == csv_text(list(csv.DictReader(io.StringIO(csv_text(rows)))))
    assert of_a_batch(found) == found, "rows that say their criterion stay as they are"
    path.write_text("a,b\n1\n", encoding="utf-8")
    with pytest.raises(InputError, match="line 2 has 1 fields"):
        read_rows(path)


def test_rows_of_a_batch_are_the_runs_own():
    (row,) = of_a_batch(
        [{"run": "a", "scenario": "s", "arm": "x", "patient": "p", "seed": 1.0, "ttp_days": 5.0, "days": 9.0}]
    )
    assert row == {
        "run": "a",
        "scenario": "s",
        "arm": "x",
        "patient": "p",
        "seed": 1.0,
        "own_ttp_days": 5.0,
        "days": 9.0,
    }


def test_what_a_batch_says_of_volume_keeps_its_name():
    row = {"run": "a", "scenario": "s", "arm": "x", "patient": "p", "seed": 1.0, "days": 9.0}
    found = of_a_batch([row | {"tri_week8": value, "best_tri": -0.1} for value in (0.25, 0.1, math.nan)])
    assert [r["class_week8"] for r in found] == ["PD", "SD", "NE"]
    assert [r["tri_best"] for r in found] == [-0.1] * 3
    assert "own_tri_week8" not in found[0]


def test_many_runs_are_ribbons_of_quantiles():
    many = [
        replace(run(days=20.0, step=1.0, slope=0.001 * k, sites=8, snapshot_days=()), seed=k)
        for k in range(401)
    ]
    table = figures.draw_spider(many).table
    assert len(table) == 21
    # slopes 0 to .4 in equal steps: the median run has .2
    assert table[20]["relative_volume_q50"] == pytest.approx(math.exp(0.2 * 20), rel=1e-9)
    assert table[20]["relative_volume_q5"] == pytest.approx(math.exp(0.02 * 20), rel=1e-9)
    waterfall = [{"run": str(k), "scenario": "s", "arm": "a", "patient": str(k), "seed": k, "tri_week8": 0.01 * k}
                 for k in range(100)]  # fmt: skip
    assert [r["order"] for r in figures.draw_waterfall_rows(waterfall).table] == list(range(1, 101))


def swept(records, **values):
    """Return runs with these user parameters."""
    given = {name: [value, None] for name, value in values.items()}
    return [replace(r, attributes=r.attributes | {"user_parameters": given}) for r in records]


def test_values_of_a_sweep_are_columns_and_subgroups():
    low = swept(trial(patients=4), section=5.0, common=1.0)
    high = swept(trial(patients=4), section=75.0, common=1.0)
    rows = outcome_rows([*low, *high])
    assert [row["set_section"] for row in rows] == [5.0] * 12 + [75.0] * 12
    assert "set_common" not in rows[0], "it was the same in all runs"
    masks = subgroups(rows)
    assert masks["section = 5"].tolist() == [True] * 12 + [False] * 12
    assert masks["section = 75"].tolist() == [False] * 12 + [True] * 12
    assert not any(name.startswith("section") for name in subgroups(outcome_rows(low)))


def test_one_patient_shows_one_point_of_a_sweep_in_all_arms():
    records = [*swept(trial(patients=4), section=5.0), *swept(trial(patients=4), section=75.0)]
    for shown in (exemplars(records), exemplars(records[::-1])):
        assert len({repr(r.attributes["user_parameters"]) for r in shown.values()}) == 1
        assert len({(r.patient, r.seed) for r in shown.values()}) == 1
