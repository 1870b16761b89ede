"""Kaplan-Meier bands, medians, follow-up, weights, restricted means and log-rank tests.

Expected values without another source: R 4.2.2, survival 3.5-3, on the published patients of trials.py.
"""

import math

import numpy as np
import pytest

from oncolattice.abm.errors import InputError
from oncolattice.analysis.survival import (
    Times,
    follow_up,
    kaplan_meier,
    log_rank,
    log_rank_test,
    required_events,
    restricted_mean,
    restricted_mean_difference,
    survival_curve,
    times_from_columns,
)
from oncolattice.tests.helpers.trials import MAINTAINED, NOT_MAINTAINED, aml, lung, recourse, times

NAN = math.nan


def limits(quantile):
    return [quantile.estimate, quantile.lower, quantile.upper]


@pytest.mark.parametrize(
    ("interval", "half", "quarter", "three_quarters", "bands"),
    [
        (
            "plain",
            (284, 361),
            (145, 197),
            (457, 643),
            (
                (0.6632393849592, 0.7801019218603),
                (0.3390285838477, 0.4794546650724),
                (0.0602296507745, 0.1711565459155),
            ),
        ),
        (
            "log",
            (285, 363),
            (145, 197),
            (460, 654),
            (
                (0.6655423071306, 0.7825325699250),
                (0.3447215817958, 0.4858376035472),
                (0.0716318249618, 0.1868567918209),
            ),
        ),
        (
            "log-log",
            (284, 361),
            (144, 194),
            (457, 643),
            (
                (0.6583045284457, 0.7753146907165),
                (0.3387142690883, 0.4783807676470),
                (0.0676321514888, 0.1778251997002),
            ),
        ),
    ],
)
def test_lung_cancer_bands_and_quantiles(interval, half, quarter, three_quarters, bands):
    patients, _ = lung()
    curve = survival_curve(patients, interval)
    found = curve.at([180, 365, 730])
    assert found[:, 0] == pytest.approx([0.7216706534, 0.4092416245, 0.1156930983], abs=1e-10)
    assert found[:, 1:] == pytest.approx(np.array(bands), abs=1e-11)
    assert limits(curve.median()) == [310, *half]
    assert limits(curve.quantile(0.25)) == [170, *quarter]
    assert limits(curve.quantile(0.75)) == [550, *three_quarters]
    # R counts those at risk just before the day itself: 160, 65, 13
    rows = np.searchsorted(curve.time, [180, 365, 730])
    assert curve.at_risk[rows].tolist() == [160, 65, 13]


@pytest.mark.parametrize(
    ("interval", "maintained", "not_maintained"),
    [("plain", (18, 48), (8, 33)), ("log", (18, NAN), (8, NAN)), ("log-log", (13, NAN), (5, 33))],
)
def test_aml_medians(interval, maintained, not_maintained):
    for values, median, expected in ((MAINTAINED, 31, maintained), (NOT_MAINTAINED, 23, not_maintained)):
        found = limits(survival_curve(times(values), interval).median())
        assert found == pytest.approx([median, *expected], nan_ok=True)


def test_medians_of_lung_cancer_by_sex():
    patients, columns = lung()
    found = [survival_curve(patients[columns["sex"] == sex]).median().estimate for sex in (1, 2)]
    assert found == [270, 426]


def test_median_of_a_step_at_one_half_is_its_middle():
    assert survival_curve(times((1, 2, 3, 4))).median().estimate == 2.5  # as R; S is 1/2 from 2 to 3


def test_curve_agrees_with_the_other_implementation():
    for patients in (lung()[0], aml()[0], times((0.0, 3, 3, 5))):
        curve = survival_curve(patients)
        at, survival = kaplan_meier(patients)
        assert curve.at(at)[:, 0] == pytest.approx(survival, abs=1e-13)


def test_curve_ends_where_it_must():
    dead, alive = survival_curve(times((1, 2))), survival_curve(times((1, -2)))
    assert dead.at([0.5, 2, 9])[:, 0].tolist() == [1.0, 0.0, 0.0]
    assert alive.at([2])[0, 0] == 0.5
    assert np.isnan(alive.at([2.5])).all()
    assert np.isnan(dead.at([2])[0, 1:]).all(), "the band of an extinct group is unknown"


def test_follow_up_by_reverse_kaplan_meier():
    assert limits(follow_up(lung()[0])) == [588, 511, 1010]
    assert limits(follow_up(aml()[0])) == pytest.approx([161, 45, NAN], nan_ok=True)


def test_weights_of_a_population():
    patients, _ = lung()
    weights = 1 + np.arange(1, 229) % 3
    curve = survival_curve(patients, weights=weights)
    # R: survfit(weights = w, robust = TRUE)
    expected = [
        [0.719613663576, 0.6590430263584, 0.785751163573],
        [0.413794992305, 0.3445719334208, 0.496924673919],
        [0.130110765013, 0.0787788695638, 0.214890252500],
    ]
    assert curve.at([180, 365, 730]) == pytest.approx(np.array(expected), abs=1e-11)
    assert limits(curve.median()) == [306, 284, 364]
    rows = np.searchsorted(curve.time, [180, 365, 730], side="right") - 1
    assert curve.standard_error[rows] == pytest.approx([0.0322824867, 0.0386499625, 0.0333077277], abs=1e-9)


def test_weights_of_one_and_of_whole_patients():
    patients, _ = lung()
    plain, ones = survival_curve(patients), survival_curve(patients, weights=np.full(228, 2.0))
    assert ones.survival == pytest.approx(plain.survival, abs=1e-13)
    # weights are no patients: doubling all of them leaves the certainty where it was
    assert ones.upper[:-1] == pytest.approx(plain.upper[:-1], abs=1e-12)
    twice = np.arange(228) % 2 + 1
    copied = survival_curve(patients[np.repeat(np.arange(228), twice)])
    assert survival_curve(patients, weights=twice).survival == pytest.approx(copied.survival, abs=1e-13)


@pytest.mark.parametrize(("rho", "expected"), [(0, 3.39638869898), (1, 2.77927954475)])
def test_log_rank_of_aml(rho, expected):
    patients, group = aml()
    assert log_rank_test(patients, group, rho).chi_squared == pytest.approx(expected, abs=1e-10)


def test_log_rank_of_lung_cancer():
    patients, columns = lung()
    found = log_rank_test(patients, columns["sex"])
    assert found.chi_squared == pytest.approx(10.32674195, abs=1e-8)
    assert found.observed.sum() == pytest.approx(found.expected.sum(), abs=1e-9)
    assert log_rank_test(patients, columns["sex"], rho=1).chi_squared == pytest.approx(
        12.7141514012, abs=1e-9
    )
    two = [patients[columns["sex"] == sex] for sex in (1, 2)]
    assert found.chi_squared == pytest.approx(log_rank(*two)[0], rel=1e-12)


def test_log_rank_of_several_groups_and_within_strata():
    patients, columns = lung(with_ecog=True)
    sex, ecog = columns["sex"], np.minimum(columns["ph_ecog"], 2)  # the one patient of grade 3 joins grade 2
    strata = columns["ph_ecog"]
    assert log_rank_test(patients, sex, strata=strata).chi_squared == pytest.approx(10.7950596335, abs=1e-9)
    assert log_rank_test(patients, sex, 1, strata=strata).chi_squared == pytest.approx(
        13.8577727534, abs=1e-9
    )
    several = log_rank_test(patients, ecog)
    assert (several.degrees_of_freedom, several.groups) == (2, [0, 1, 2])
    # renaming the groups changes nothing
    assert log_rank_test(patients, 5 - ecog).chi_squared == pytest.approx(several.chi_squared, rel=1e-10)


def test_late_weights_count_late_deaths():
    # one death in the first quarter is B's; all late ones are A's
    values, group = times((1, 10, 11, 12, 30, 31, 32, 33)), list("BAAABBBB")
    late = log_rank_test(values, group, rho=0, gamma=1)
    # by hand: 1 - S(t-) before 10, 11, 12, ... is 1/8, 2/8, 3/8, ...; the death at 1 weighs nothing
    assert late.observed.tolist() == [(1 + 2 + 3) / 8, (4 + 5 + 6 + 7) / 8]


def test_recourse_medians_and_log_rank():
    patients, arm = recourse("RECOURSE_1A")
    medians = [survival_curve(patients[arm == k]).median() for k in (0, 1)]
    assert [m.estimate for m in medians] == pytest.approx([5.27, 7.04], abs=0.005)
    assert [v for m in medians for v in (m.lower, m.upper)] == pytest.approx(
        [4.58, 6.01, 6.63, 7.81], abs=0.006
    )
    assert log_rank_test(patients, arm).chi_squared == pytest.approx(19.90, abs=0.005)


def test_restricted_mean_of_lung_cancer_and_aml():
    patients, columns = lung()
    found = [restricted_mean(patients[columns["sex"] == sex], 365, draws=100) for sex in (1, 2)]
    assert [f.value for f in found] == pytest.approx([241.495085192, 297.465409532], abs=1e-8)
    assert [f.standard_error for f in found] == pytest.approx([10.3582264911, 10.7913239788], abs=1e-8)
    found = [restricted_mean(times(values), 30, draws=100) for values in (MAINTAINED, NOT_MAINTAINED)]
    assert [f.value for f in found] == pytest.approx([24.6022727273, 19.6944444444], abs=1e-9)


def test_restricted_mean_without_censoring_is_the_mean_of_what_was_lived():
    time = np.random.default_rng(1).exponential(10.0, 300)
    found = restricted_mean(Times(time, np.ones(300)), 12.0, draws=4000)
    lived = np.minimum(time, 12.0)
    assert found.value == pytest.approx(lived.mean(), rel=1e-12)
    # percentile limits of a mean of 300 are normal within a few per cent of their width
    reach = 1.96 * lived.std() / math.sqrt(300)
    assert [found.lower, found.upper] == pytest.approx(
        [found.value - reach, found.value + reach], abs=0.1 * reach
    )


def test_bootstrap_of_the_difference_agrees_with_greenwood():
    patients, columns = lung()
    two = [patients[columns["sex"] == sex] for sex in (2, 1)]
    found = restricted_mean_difference(*two, tau=365, draws=4000)
    assert found.value == pytest.approx(297.465409532 - 241.495085192, abs=1e-8)
    # the half-width's own Monte Carlo error is 2.5 %; 10 % is four of them
    assert (found.upper - found.lower) / 2 == pytest.approx(1.96 * found.standard_error, rel=0.1)
    again = restricted_mean_difference(*two, tau=365, draws=4000)
    assert again == found


def test_required_events():
    # z = 2.8015852 for 5 % and 80 %: 4 z^2 / ln(.5)^2 = 65.34 and 9 z^2 = 70.64 for a ratio of 1/2
    assert [required_events(0.5, method=m) for m in ("schoenfeld", "freedman")] == [66, 71]
    # Freedman for 2 treated : 1 control, by hand: z^2 (1 + 2 x .5)^2 / (2 x .25) = 62.79
    assert required_events(0.5, share=2 / 3) == 63
    with pytest.raises(InputError, match="not 1"):
        required_events(1.0)


@pytest.mark.parametrize(
    ("time", "event", "words"),
    [
        ([1, -2], [1, 0], "'time' must be 0 or more, but row 1 holds -2"),
        ([1, NAN], [1, 0], "'time' must hold finite numbers"),
        ([1, math.inf], [1, 0], "'time' must hold finite numbers"),
        ([1, 2], [1, 2], "'event' must be 0 or 1 throughout, but row 1 holds 2"),
        ([1, 2], [1, NAN], "'event' must be 0 or 1"),
        ([1, 2], [1], "one length"),
        (["a", "b"], [1, 0], "'time' must hold numbers"),
        ([[1], [2]], [1, 0], "one-dimensional"),
    ],
)
def test_wrong_columns_are_refused(time, event, words):
    with pytest.raises(InputError, match=words):
        Times(np.array(time), np.array(event))


def test_wrong_groups_are_refused():
    patients = times((1, 2, 3))
    with pytest.raises(InputError, match="group 'b' has 1 member,"):
        log_rank_test(patients, ["a", "a", "b"])
    with pytest.raises(InputError, match="at least two groups"):
        log_rank_test(patients, ["a", "a", "a"])
    with pytest.raises(InputError, match="one length"):
        log_rank_test(patients, ["a", "a", "b", "b"])
    with pytest.raises(InputError, match="at least one event"):
        log_rank_test(times((-1, -2, -3, -4)), [0, 0, 1, 1])
    with pytest.raises(InputError, match="at risk together"):
        log_rank_test(times((-1, -2, 3, 4)), [0, 0, 1, 1])


def test_wrong_settings_are_refused():
    patients = times((1, -2, 3))
    with pytest.raises(InputError, match="did you mean 'log-log'"):
        survival_curve(patients, "loglog")
    with pytest.raises(InputError, match="level must lie strictly between 0 and 1"):
        survival_curve(patients, level=95)
    with pytest.raises(InputError, match="weights must be one a patient"):
        survival_curve(patients, weights=[1, 2])
    with pytest.raises(InputError, match="weights must be 0 or more"):
        survival_curve(patients, weights=[1, 2, -1])
    with pytest.raises(InputError, match="at least one patient"):
        survival_curve(patients[:0])
    with pytest.raises(InputError, match="not beyond it"):
        restricted_mean(times((1, 2, -3)), 4)
    assert restricted_mean(times((1, 2, 3)), 4, draws=100).value == 2.0  # all dead: the curve is known


def test_times_of_a_table():
    table = {"pfs_days": [56, NAN, 112], "pfs_event": [1, 0, 1], "last_visit_days": [56, 168, 112]}
    found = times_from_columns(table, "pfs_days", "pfs_event", "last_visit_days")
    assert (found.time.tolist(), found.observed.tolist()) == ([56, 168, 112], [True, False, True])
    text = {
        "pfs_days": ["56", "", "112"],
        "pfs_event": ["1", "0", "1"],
        "last_visit_days": ["56", "168", "112"],
    }
    assert times_from_columns(text, "pfs_days", "pfs_event", "last_visit_days").time.tolist() == [
        56,
        168,
        112,
    ]
    with pytest.raises(InputError, match="did you mean 'pfs_event'"):
        times_from_columns(table, "pfs_days", "pfs_events", where="outcomes.csv")
    with pytest.raises(InputError, match="'pfs_days' must hold finite numbers"):
        times_from_columns(table, "pfs_days", "pfs_event")
    with pytest.raises(InputError, match="row 1 has pfs_event = 1 but no pfs_days"):
        times_from_columns(table | {"pfs_event": [1, 1, 1]}, "pfs_days", "pfs_event", "last_visit_days")
    with pytest.raises(InputError, match="row 2 has pfs_event = 0 but pfs_days = 112"):
        times_from_columns(table | {"pfs_event": [1, 0, 0]}, "pfs_days", "pfs_event", "last_visit_days")


def test_a_data_frame_is_a_table():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"days": [3.0, 5.0], "event": [1, 0]})
    assert times_from_columns(frame, "days", "event").time.tolist() == [3.0, 5.0]
