"""One page, one table: whatever a report states twice it states alike, and nothing happens after a death."""

import csv
import hashlib
import math
from collections import Counter
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from oncolattice.analysis.outcomes.assessment import Clinic
from oncolattice.analysis.report.write import write_report
from oncolattice.tests.analysis.report.test_report import Page
from oncolattice.tests.helpers.synthetic import SLOPES, run

MONTH = 30.4375


def study(seed, patients, points=(None,)):
    """Random runs: tumours from shrinking to lethal within weeks, runs of different lengths, perhaps a sweep."""
    rng = np.random.default_rng(seed)
    found = []
    for point in points:
        given = {} if point is None else {"beta": [point, "1/d"]}
        for arm in SLOPES:
            for k in range(1, patients + 1):
                days = float(rng.choice([40.0, 100.0, 182.0, 182.0]))
                record = run(
                    arm, f"p{k:03d}", k, days=days, step=1.0, slope=float(rng.uniform(-0.004, 0.03)), sites=8
                )
                own = {"ttp_days": days - 1.0, "ttp_event": 1, "tri_week8": 0.0}
                key = hashlib.blake2b(f"{point} {arm} {k}".encode(), digest_size=32).hexdigest()
                found.append(
                    replace(
                        record,
                        attributes=record.attributes
                        | {"user_parameters": given, "run_key": key, "outcome": own},
                    )
                )
    return found


def table(folder, name):
    with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def number(text):
    return float(text) if text else math.nan


@pytest.fixture(
    scope="module",
    params=[
        pytest.param((1, 6, (None,), Clinic()), id="deaths early and late"),
        pytest.param((2, 4, (0.1, 0.2), Clinic()), id="a sweep"),
        pytest.param(
            (3, 6, (None,), Clinic("recist11", every_days=28.0, error_cv=0.05)), id="another criterion"
        ),
    ],
)
def page(request, tmp_path_factory, unpainted_module):
    seed, patients, points, clinic = request.param
    records = study(seed, patients, points)
    folder = tmp_path_factory.mktemp("page")
    html = write_report(records, folder, ode_only=None, title="x", clinic=clinic).read_text(encoding="utf-8")
    return records, folder, Page(html).rows, clinic


def events(folder, time, event, followed):
    """Return (time, event) of every run by arm as outcomes.csv says them."""
    found = {}
    for row in table(folder, "outcomes"):
        seen = row[event] == "1"
        day = number(row[time]) if seen else number(row[followed])
        died = number(row["os_days"])
        late = died < day
        found.setdefault(row["arm"], []).append((died, False) if late else (day, seen))
    return found


ENDPOINTS = {
    "time to progression": ("ttp_days", "ttp_event", "last_visit_days"),
    "progression-free survival": ("pfs_days", "pfs_event", "last_visit_days"),
    "overall survival": ("os_days", "os_event", "os_followed_days"),
    "time to progression by the run's own rule": ("own_ttp_days", "own_ttp_event", "days"),
}


def test_the_study_has_what_the_checks_need(page):
    _, folder, _, _ = page
    rows = table(folder, "outcomes")
    dead = [number(row["os_days"]) for row in rows if row["os_event"] == "1"]
    assert 3 < len(dead) < len(rows) - 2
    assert min(dead) < 120.0
    assert any(row["ttp_event"] == "1" for row in rows)


def test_events_and_numbers_are_those_of_the_rows_everywhere(page):
    _, folder, html, _ = page
    flow = {(row["arm"], row["stage"]): int(row["runs"]) for row in table(folder / "figures", "flow")}
    heads = [k for k, row in enumerate(html) if row[:3] == ["endpoint", "arm", "events"]]
    assert len(heads) == 1
    lines, endpoint = {}, ""
    for row in html[heads[0] + 1 : heads[0] + 1 + 4 * len(SLOPES)]:
        endpoint = row[0] or endpoint
        lines[endpoint, row[1]] = row[2]
    for endpoint, columns in ENDPOINTS.items():
        curve = table(folder / "figures", "km-" + endpoint.replace(" ", "-").replace("'", "-"))
        for arm, found in events(folder, *columns).items():
            count = sum(seen for _, seen in found)
            assert lines[endpoint, arm] == f"{count} of {len(found)}"
            steps = [row for row in curve if row["arm"] == arm]
            assert int(steps[0]["at_risk"]) == len(found)
            for row in steps:
                assert int(row["at_risk"]) == sum(day >= float(row["day"]) - 1e-6 for day, _ in found)
            falls = sum(float(a["survival"]) > float(b["survival"]) for a, b in pairwise(steps))
            assert falls == len({day for day, seen in found if seen})
            stage = {"time to progression": "progressed", "overall survival": "died"}.get(endpoint)
            if stage:
                assert flow[arm, stage] == count
                assert flow[arm, "completed"] == len(found)


def test_curves_of_one_endpoint_are_one_curve(page):
    _, folder, _, clinic = page
    by = "TRI" if clinic.criterion == "qcic_tri" else clinic.criterion
    for name, kind, other in (
        ("survival", "Kaplan-Meier of drawn deaths", "km-overall-survival"),
        ("progression", f"{by} at visits", "km-time-to-progression"),
    ):
        one = [row for row in table(folder / "figures", name) if row["kind"] == kind]
        for arm in SLOPES:
            first = {
                round(float(r["month"]) * MONTH, 5): float(r["survival"]) for r in one if r["arm"] == arm
            }
            second = {round(float(r["day"]), 5): float(r["survival"])
                      for r in table(folder / "figures", other) if r["arm"] == arm}  # fmt: skip
            assert len(first) > 1
            assert first == pytest.approx(second, abs=1e-8)


def test_the_forest_and_the_log_rank_table_count_the_same_events(page):
    _, folder, html, _ = page
    progressed = events(folder, *ENDPOINTS["time to progression"])
    died = events(folder, *ENDPOINTS["overall survival"])
    everyone = [row for row in table(folder / "figures", "forest") if row["subgroup"] == "all"]
    assert len(everyone) == 3
    for row in everyone:
        both = [one for arm in row["contrast"].split(" / ") for one in progressed[arm]]
        assert (int(row["runs"]), int(row["events"])) == (len(both), sum(seen for _, seen in both))
    tests = [row for row in html if len(row) == 5 and " against " in row[0]]
    assert len(tests) == 3
    for names, *counts, _, _ in tests:
        for arm, count in zip(names.split(" against "), counts, strict=True):
            assert count == f"{sum(seen for _, seen in died[arm])} of {len(died[arm])}"


def test_the_forest_compares_within_the_points_of_a_sweep(page):
    """The ratio of all runs is Peto's, O - E and V added up over the points."""
    _, folder, _, _ = page
    rows = table(folder, "outcomes")
    everyone = [row for row in table(folder / "figures", "forest") if row["subgroup"] == "all"]
    assert len(everyone) == 3
    for line in everyone:
        second, first = line["contrast"].split(" / ")
        gap = variance = 0.0
        for point in {row.get("set_beta", "") for row in rows}:
            own = [r for r in rows if r.get("set_beta", "") == point and r["arm"] in (first, second)]
            time = np.array(
                [
                    number(r["ttp_days"]) if r["ttp_event"] == "1" else number(r["last_visit_days"])
                    for r in own
                ]
            )
            seen = np.array([r["ttp_event"] == "1" for r in own])
            treated = np.array([r["arm"] == second for r in own])
            for t in np.unique(time[seen]):
                risk, d = time >= t, np.count_nonzero(seen & (time == t))
                n, share = np.count_nonzero(risk), np.mean(treated[risk])
                gap += np.count_nonzero(seen & treated & (time == t)) - d * share
                variance += d * share * (1 - share) * (n - d) / max(n - 1, 1)
        known = variance > 0.0
        assert bool(line["hazard_ratio"]) == known
        if known:
            assert float(line["hazard_ratio"]) == pytest.approx(math.exp(gap / variance), rel=1e-6)


def test_week_8_is_counted_once(page):
    _, folder, html, _ = page
    rows = table(folder, "outcomes")
    bars = Counter((row["arm"], row["class"]) for row in table(folder / "figures", "waterfall"))
    own = Counter((row["arm"], row["class_week8"]) for row in rows if row["tri_week8"])
    assert bars == own
    spatial = [row for row in html if len(row) == 8 and row[1].startswith("spatial")]
    assert [row[0] for row in spatial] == list(SLOPES)
    for arm, what, *counts in spatial:
        runs = [row for row in rows if row["arm"] == arm]
        reached = [row for row in runs if row["tri_week8"]]
        assert what == f"spatial (n={len(runs)})"
        assert counts[:4] == [f"{own[arm, c]} of {len(reached)}" for c in ("CR", "PR", "SD", "PD")]
        assert counts[-1] == str(len(runs) - len(reached))


def test_nothing_happens_after_a_death(page):
    records, folder, _, _ = page
    rows = {row["run"]: row for row in table(folder, "outcomes")}
    assert len(rows) == len(records)
    until = {name: number(row["os_days"]) for name, row in rows.items() if row["os_event"] == "1"}
    for name, day in until.items():
        row = rows[name]
        for column in (
            "ttp_days",
            "response_days",
            "pfs_days",
            "last_visit_days",
            "own_ttp_days",
            "ttp_after_days",
        ):
            assert not number(row[column]) > day, column
        if day < 56.0:
            assert (row["class_week8"], row["tri_week8"], row["CTL_density_week8"]) == ("NE", "", "")
    for name, column in (("spider", "day"), ("counts", "day"), ("immune-body", "day"), ("pk", "day"), ("tissue", "day"),
                         ("swimmer", "end_days"), ("swimmer", "last_dose_days")):  # fmt: skip
        for row in table(folder / "figures", name):
            assert not number(row[column]) > until.get(row["run"], math.inf) + 1e-6, name
    for row in table(folder, "biomarkers"):
        assert float(row["day"]) <= until.get(row["run"], math.inf)
