"""The published numbers that the package carries."""

import pytest

from oncolattice.analysis.outcomes.published import arm_key, recourse, week8_published

ARMS = ("placebo", "TAS-102", "TAS-102 + bevacizumab")


@pytest.mark.parametrize("arm", ARMS)
def test_week_8_shares_add_up(arm):
    rows = week8_published(arm)
    assert [row["kind"] for row in rows] == ["QCIC as published", "pooled trials"]
    for row in rows:
        control = row["CR_pct"] + row["PR_pct"] + row["SD_pct"]
        assert control == pytest.approx(row["DCR_pct"], abs=0.25)  # published with one decimal
        assert control + row["PD_pct"] == pytest.approx(100, abs=0.25)
        assert row["source"] == "10.1038/s41540-025-00513-1"


def test_arms_are_found_in_any_spelling_and_unknown_ones_are_empty():
    assert arm_key("TAS-102 + bevacizumab") == arm_key("tas102_bev")
    assert week8_published("tas102bev") == week8_published("TAS-102 + Bevacizumab")
    assert week8_published("regorafenib") == []
    assert recourse("OS", "TAS-102 + bevacizumab", "survival") == []


@pytest.mark.parametrize("endpoint", ["OS", "PFS"])
@pytest.mark.parametrize("arm", ARMS[:2])
def test_recourse_survival_falls_and_is_cited(endpoint, arm):
    rows = recourse(endpoint, arm, "survival")
    assert [r["months"] for r in rows] == [3, 6, 9, 12]
    values = [1.0] + [r["value"] for r in rows]
    assert values == sorted(values, reverse=True)
    assert {r["source"] for r in rows} == {"10.1056/NEJMoa1414325"}


def test_recourse_hazard_ratios():
    (overall,), (progression,) = (recourse(e, "TAS-102", "hazard ratio") for e in ("OS", "PFS"))
    assert round(overall["value"], 2) == 0.68  # the paper's rounding
    assert progression["value"] == pytest.approx(0.48, abs=0.01)
    assert overall["ci_low"] < overall["value"] < overall["ci_high"] < 1
