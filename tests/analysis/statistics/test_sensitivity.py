"""Partial correlations, designed sensitivity and disease control by fifths, against closed forms and R."""

import math
import sys

import numpy as np
import pytest
from scipy import stats

from oncolattice.abm.errors import InputError
from oncolattice.analysis.statistics.morris_sobol import (
    morris_design,
    morris_indices,
    sobol_design,
    sobol_indices,
)
from oncolattice.analysis.statistics.sensitivity import control_by_bins, correlations, replicate_means

ISHIGAMI = dict.fromkeys(("x1", "x2", "x3"), (-math.pi, math.pi))


def ishigami(inputs):
    x1, x2, x3 = (inputs[name] for name in ISHIGAMI)
    return np.sin(x1) + 7 * np.sin(x2) ** 2 + 0.1 * x3**4 * np.sin(x1)


def by_name(rows):
    return {row["input"]: row for row in rows}


def test_sobol_indices_of_ishigami():
    pytest.importorskip("SALib", reason="Sobol indices need the extra 'stats'")
    design = sobol_design(ISHIGAMI, 4096)
    assert design["x1"].size == 4096 * 5
    found = by_name(sobol_indices(ISHIGAMI, ishigami(design)))
    assert [found[x]["first"] for x in ISHIGAMI] == pytest.approx([0.3139, 0.4424, 0.0], abs=0.01)
    assert [found[x]["total"] for x in ISHIGAMI] == pytest.approx([0.5576, 0.4424, 0.2437], abs=0.01)
    for row in found.values():
        assert row["total_low"] < row["total"] < row["total_high"]
    again = by_name(sobol_indices(ISHIGAMI, ishigami(sobol_design(ISHIGAMI, 4096))))
    assert again == found


def test_morris_of_a_linear_model_is_exact():
    pytest.importorskip("SALib", reason="Morris screening needs the extra 'stats'")
    bounds = {"a": (0.0, 1.0), "b": (10.0, 30.0), "c": (0.0, 5.0)}
    design = morris_design(bounds, 8)
    assert design["a"].size == 8 * 4
    found = by_name(morris_indices(bounds, design, 3 * design["a"] - 0.1 * design["b"]))
    # effects per range of an input
    assert [found[x]["mean"] for x in bounds] == pytest.approx([3.0, -2.0, 0.0], abs=1e-12)
    assert [found[x]["importance"] for x in bounds] == pytest.approx([3.0, 2.0, 0.0], abs=1e-12)
    assert max(row["spread"] for row in found.values()) < 1e-12
    curved = by_name(morris_indices(bounds, design, design["a"] * design["c"]))
    assert curved["a"]["spread"] > 0.5


def test_partial_correlation_is_the_t_of_a_regression():
    regression = pytest.importorskip("statsmodels.api")
    rng = np.random.default_rng(1)
    x = rng.normal(size=(80, 3))
    x[:, 1] += 0.8 * x[:, 0]
    y = x @ [1.0, -0.5, 0.1] + rng.normal(size=80)
    fit = regression.OLS(y, regression.add_constant(x)).fit()
    found = by_name(correlations(dict(zip("abc", x.T, strict=True)), y, "partial"))
    t = fit.tvalues[1:]
    expected = t / np.sqrt(t**2 + fit.df_resid)
    assert [found[name]["correlation"] for name in "abc"] == pytest.approx(expected, abs=1e-9)
    assert [found[name]["p"] for name in "abc"] == pytest.approx(fit.pvalues[1:], rel=1e-6)


def test_partial_rank_correlation_sees_any_monotonic_effect():
    rng = np.random.default_rng(2)
    a, b, c = rng.uniform(size=(3, 200))
    y = np.exp(5 * a) - 3 * b
    ranks, plain = (
        by_name(correlations({"a": a, "b": b, "c": c}, y, kind)) for kind in ("partial rank", "partial")
    )
    assert ranks["a"]["correlation"] > plain["a"]["correlation"]
    same = by_name(correlations({"a": np.exp(a), "b": b**3, "c": np.log(c)}, np.cbrt(y), "partial rank"))
    assert same == ranks, "monotonic maps leave ranks alone"
    assert next(iter(ranks)) == "a", "strongest first"
    assert ranks["c"]["low"] < 0.0 < ranks["c"]["high"]


def test_exact_outputs_and_plain_correlations():
    a, b = np.random.default_rng(3).normal(size=(2, 50))
    found = by_name(correlations({"a": a, "b": b}, 2 * a - b, "partial"))
    assert [found[x]["correlation"] for x in "ab"] == pytest.approx([1.0, -1.0], abs=1e-6)
    plain = by_name(correlations({"a": a}, a + b, "correlation"))["a"]
    expected = stats.pearsonr(a, a + b)
    ci = expected.confidence_interval()
    assert (plain["correlation"], plain["p"]) == pytest.approx(
        (expected.statistic, expected.pvalue), rel=1e-9
    )
    assert (plain["low"], plain["high"]) == pytest.approx((ci.low, ci.high), rel=1e-9)


def test_coverage_of_partial_rank_limits():
    # independent normals, y = a + b + noise: PRCC of a given b is 6/pi asin(r/2) of r = 1/sqrt 2 to within .01.
    # 300 tables: 95 % limits cover 88 % or less with chance < 1e-6
    rng = np.random.default_rng(4)
    target = np.median(
        [
            by_name(correlations({"a": a, "b": b}, a + b + e))["a"]["correlation"]
            for a, b, e in rng.normal(size=(5, 3, 20000))
        ]
    )
    rows = [
        by_name(correlations({"a": a, "b": b}, a + b + e))["a"] for a, b, e in rng.normal(size=(300, 3, 60))
    ]
    covered = np.mean([row["low"] <= target <= row["high"] for row in rows])
    assert 0.88 < covered < 0.995
    assert target == pytest.approx(6 / math.pi * math.asin(1 / math.sqrt(2) / 2), abs=0.02)


def test_replicate_means_and_the_share_of_chance():
    table = {
        "point": ["q", "q", "p", "p", "r"],
        "kill": [2.0, 2.0, 1.0, 1.0, 3.0],
        "tri": [1.0, 3.0, 10.0, 14.0, 5.0],
    }
    found = replicate_means(table, "point", ["kill"], "tri")
    assert found.mean.tolist() == [2.0, 12.0, 5.0]
    assert found.inputs["kill"].tolist() == [2.0, 1.0, 3.0]
    assert found.runs.tolist() == [2, 2, 1]
    assert found.standard_error == pytest.approx([1.0, 2.0, math.nan], nan_ok=True)
    assert found.noise_share == pytest.approx(2.5 / np.var([2, 12, 5], ddof=1))
    with pytest.raises(InputError, match="input 'kill' differs between the runs of point 'p'"):
        replicate_means(table | {"kill": [2.0, 2.0, 1.0, 1.5, 3.0]}, "point", ["kill"], "tri")
    with pytest.raises(InputError, match="unknown column 'kil'; did you mean 'kill'"):
        replicate_means(table, "point", ["kil"], "tri")


def test_disease_control_by_fifths():
    # R: prop.trend.test(c(15, 10, 12, 6, 3), rep(20, 5)), chi-squared 15.78099839, p 7.11131342e-05
    controlled = np.concatenate([np.arange(20) < k for k in (15, 10, 12, 6, 3)])
    value = np.arange(100.0)
    order = np.random.default_rng(5).permutation(100)
    found = control_by_bins(value[order], controlled[order])
    assert [row["controlled"] for row in found.rows] == [15, 10, 12, 6, 3]
    assert [row["patients"] for row in found.rows] == [20] * 5
    assert (found.rows[1]["low"], found.rows[1]["high"]) == (20, 39)
    assert found.range == pytest.approx(0.6)
    assert (found.trend, found.p) == pytest.approx((15.78099839, 7.11131342e-05), rel=1e-8)
    ci = stats.binomtest(15, 20).proportion_ci(method="wilson")
    assert (found.rows[0]["rate_low"], found.rows[0]["rate_high"]) == (ci.low, ci.high)


def test_bins_of_equal_width():
    value = np.array([0.0, 0.1, 0.2, 4.1, 9.9, 10.0])
    found = control_by_bins(value, [1, 1, 0, 1, 0, 0], bins=2, cut="equal widths")
    assert [row["patients"] for row in found.rows] == [4, 2]
    with pytest.raises(InputError, match="bin 2 of 5 has no patient"):
        control_by_bins(value, [1, 1, 0, 1, 0, 0], cut="equal widths")
    assert math.isnan(control_by_bins(value, [1] * 6, bins=2).trend)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: correlations({"a": [1, 1, 1, 1, 1, 1]}, [1, 2, 3, 4, 5, 6]), "'a' is 1 at every point"),
        (
            lambda: correlations({"a": [1, 2, 3], "b": [3, 1, 2]}, [1, 2, 3]),
            "2 inputs need at least 5 points",
        ),
        (
            lambda: correlations({"a": [1, 2, 3, 4, 6, 7], "b": [2, 4, 6, 8, 12, 14]}, [1, 3, 2, 4, 6, 5]),
            "determine",
        ),
        (lambda: correlations({"a": [1, 2]}, [1, 2], "pcc"), "unknown kind 'pcc'"),
        (lambda: correlations({}, [1, 2]), "at least one input"),
        (lambda: sobol_design({"a": (0, 1)}, 8), "at least two inputs"),
        (lambda: sobol_design({"a": (0, 1), "b": (1, 1)}, 8), "'b': bounds must be finite and rise"),
        (lambda: sobol_design(ISHIGAMI, 100), "power of 2, not 100"),
        (lambda: sobol_indices(ISHIGAMI, np.arange(7.0)), "multiple of 5"),
        (lambda: sobol_indices(ISHIGAMI, np.ones(10)), "no variance"),
        (lambda: morris_design(ISHIGAMI, 4, levels=3), "even number of levels"),
        (lambda: morris_indices(ISHIGAMI, {"x1": [1], "x2": [1]}, [1]), "unknown column 'x3'"),
        (lambda: control_by_bins([1, 1, 1, 1, 1], [0, 1, 0, 1, 1]), "varies"),
        (lambda: control_by_bins([1, 2, 3, 4, 5], [0, 1, 0, 1, 3]), "'controlled' must be 0 or 1"),
    ],
)
def test_bad_input_is_refused(call, words):
    with pytest.raises(InputError, match=words):
        call()


WIDE = {"a": (0.0, 1.0), "b": (-2.0, 6.0)}


def sobol_rows(points=64):
    design = sobol_design(WIDE, points)
    return design, design["a"] + 2 * design["b"]


@pytest.mark.parametrize("lost", [4, 8, 128, 252])
def test_a_sobol_design_without_some_rows_is_refused(lost):
    """Their number tells, unless what is left is a power of 2 again: then the design does."""
    pytest.importorskip("SALib", reason="Sobol indices need the extra 'stats'")
    design, y = sobol_rows()
    kept = np.sort(np.random.default_rng(1).permutation(256)[lost:])
    with pytest.raises(InputError, match=r"no whole Sobol design|left out, doubled or moved"):
        sobol_indices(WIDE, y[kept], design={name: v[kept] for name, v in design.items()})
    if (256 - lost) // 4 & ((256 - lost) // 4 - 1):
        with pytest.raises(InputError, match=r"no whole Sobol design.*every row"):
            sobol_indices(WIDE, y[kept])


def test_moved_and_doubled_rows_of_a_design_are_refused():
    pytest.importorskip("SALib", reason="Sobol indices need the extra 'stats'")
    design, y = sobol_rows()
    whole = sobol_indices(WIDE, y, design=design)
    assert whole == sobol_indices(WIDE, y)
    written = {name: [f"{v:.12g}" for v in column] for name, column in design.items()}
    assert sobol_indices(WIDE, y, design=written) == whole, "a design that went through a file"
    order = np.arange(256)
    for rows in (
        np.random.default_rng(1).permutation(order),
        np.roll(order, 1),
        np.where(order == 7, 6, order),
        np.tile(order[:128], 2),
    ):
        with pytest.raises(InputError, match=r"left out, doubled or moved|there twice"):
            sobol_indices(WIDE, y[rows], design={name: v[rows] for name, v in design.items()})


def test_moved_and_doubled_rows_of_trajectories_are_refused():
    pytest.importorskip("SALib", reason="Morris screening needs the extra 'stats'")
    design = morris_design(WIDE, 8)
    y = design["a"] + 2 * design["b"]
    order = np.arange(24)
    for rows in (np.roll(order, 1), np.where(order == 4, 3, order), np.delete(order, [1, 5, 9])):
        with pytest.raises(InputError, match="left out, doubled or moved"):
            morris_indices(WIDE, {name: v[rows] for name, v in design.items()}, y[rows])
    with pytest.raises(InputError, match="outside its bounds"):
        morris_indices(WIDE | {"a": (0.0, 0.5)}, design, y)
    with pytest.raises(InputError, match=r"does not change .*8 levels"):
        morris_indices(WIDE, design, y, levels=8)


@pytest.mark.parametrize(
    "indices", [sobol_indices, lambda bounds, y: morris_indices(bounds, morris_design(bounds, 2), y)]
)
def test_a_missing_output_is_to_be_run_again_not_left_out(indices):
    pytest.importorskip("SALib", reason="designs need the extra 'stats'")
    with pytest.raises(InputError, match=r"run those rows again") as caught:
        indices(WIDE, [1.0, math.nan, 2.0, 3.0, 4.0, 5.0])
    assert "leave those rows out" not in str(caught.value)


def test_a_missing_library_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "SALib.sample.sobol", None)
    with pytest.raises(InputError, match=r"needs SALib, which is not installed.*oncolattice\[stats\]"):
        sobol_design(ISHIGAMI, 8)
