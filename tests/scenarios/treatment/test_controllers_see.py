"""What controllers see: error, delay, detection limit and kinetics, against laws and hand-made tables."""

import numpy as np
import pytest
import scipy.stats
import xarray

from oncolattice.scenarios.command.check import check_file
from oncolattice.scenarios.files.scenario import load_scenario
from oncolattice.scenarios.simulate.build import build
from oncolattice.scenarios.simulate.run import Run, run
from oncolattice.scenarios.store import open_run
from oncolattice.scenarios.treatment.observe import Visits
from oncolattice.scenarios.treatment.trial import Trial
from oncolattice.tests.helpers.clinic import Scene, follow
from oncolattice.tests.helpers.race import write_race

ADAPTIVE = {"kind": "adaptive", "signal": "drug", "off_below": 0.5, "on_above": 1.0}
STOP = {"stop": {"progression": {"above": 1.2, "consecutive": 2}}}
DRAWS = 40_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_race(tmp_path_factory.mktemp("race"))


@pytest.fixture(scope="module")
def model(folder):
    return build(load_scenario(str(folder / "adaptive.toml")), 1).model


def reports(model, true, seed=7, purpose=200, number=DRAWS, **table):
    visits = Visits(table, model, "test", purpose)
    return np.array([visits.reported(true, seed, step)[0] for step in range(number)])


@pytest.mark.parametrize("cv", [0.05, 0.3, 1.0])
def test_the_error_is_log_normal_unbiased_and_of_its_cv(cv, model):
    """Mean within 5 standard errors (false alarm 6e-7); the law by Kolmogorov and Smirnov at 1e-6."""
    seen = reports(model, 200.0, error_cv=cv)
    assert abs(seen.mean() - 200.0) < 5.0 * 200.0 * cv / np.sqrt(DRAWS)
    sigma = np.sqrt(np.log1p(cv**2))
    law = scipy.stats.lognorm(s=sigma, scale=200.0 * np.exp(-0.5 * sigma**2))
    assert law.std() / law.mean() == pytest.approx(cv, rel=1e-12)
    assert scipy.stats.kstest(seen, law.cdf).pvalue > 1e-6


def test_the_added_error_is_normal_and_never_below_nothing(model):
    seen = reports(model, 200.0, error_sd=10.0)
    assert scipy.stats.kstest(seen, scipy.stats.norm(200.0, 10.0).cdf).pvalue > 1e-6
    near = reports(model, 5.0, error_sd=10.0)
    assert near.min() == 0.0
    share = scipy.stats.norm.cdf(-0.5)  # below 0 before it is cut
    assert abs((near == 0).mean() - share) < 5 * np.sqrt(share * (1 - share) / DRAWS)


def test_both_errors_add_up_and_draws_are_independent(model):
    """Variances add; correlations over visits, seeds and purposes stay within 5 standard errors of 0."""
    both = reports(model, 100.0, error_cv=0.2, error_sd=10.0)
    variance = 20.0**2 + 10.0**2
    kurtosis = scipy.stats.kurtosis(both)
    assert abs(both.var() / variance - 1) < 5 * np.sqrt((2 + kurtosis) / DRAWS)
    others = [both[1:], reports(model, 100.0, seed=8, error_cv=0.2, error_sd=10.0)]
    others.append(reports(model, 100.0, purpose=199, error_cv=0.2, error_sd=10.0))
    for other in others:
        assert abs(np.corrcoef(both[: len(other)], other)[0, 1]) < 5 / np.sqrt(DRAWS)
    assert np.array_equal(both[:100], reports(model, 100.0, number=100, error_cv=0.2, error_sd=10.0))


def test_what_is_too_little_is_reported_as_the_limit(model):
    visits = Visits({"detection_limit": 40.0}, model, "test", 200)
    assert [visits.reported(x, 1, 0) for x in (100.0, 40.0, 39.0, 0.0)] == [
        (100.0, False), (40.0, False), (40.0, True), (40.0, True),
    ]  # fmt: skip
    # half of the baseline lies below the limit: the pause never comes
    _, doses = follow(model, {"controller": ADAPTIVE | {"detection_limit": 60.0}}, [100, 40, 30, 70])
    assert doses == [1, 1, 1, 1]


def test_a_result_changes_the_dose_on_the_day_it_is_known(model):
    """Two days late: nothing is given on days 0 and 1, and the 49 of day 2 pauses on day 4."""
    numbers = [100, 120, 49, 60, 101, 80, 70, 60]
    trial, doses = follow(model, {"controller": ADAPTIVE | {"delay_days": 2}}, numbers)
    assert doses == [0, 0, 1, 1, 0, 0, 1, 1]
    days, rows = trial.take_visits()
    names, units = trial.visit_columns()
    assert names == ["visit_day", "true", "observed", "at_limit", "dose drug"]
    assert units == ["d", "1", "1", "1", "1"]
    table = [
        (2, 0, 100, 1), (3, 1, 120, 1), (4, 2, 49, 0), (5, 3, 60, 0), (6, 4, 101, 1), (7, 5, 80, 1),
    ]  # fmt: skip
    assert [(day, row[0], row[1], row[4]) for day, row in zip(days, rows, strict=True)] == table
    assert rows[:, 1].tolist() == rows[:, 2].tolist()
    assert trial.outcome(32)["treated_days"] == 2 + 2


def test_a_delay_may_end_between_visits_and_last_longer_than_their_interval(model):
    scene = Scene()
    trial = Trial({"controller": ADAPTIVE | {"delay_days": 1.25, "start_dose": 1.0}}, model, scene)
    assert [trial.next(step) for step in (0, 4, 5, 8, 9)] == [4, 8, 8, 12, 12]
    seen = {}
    step, numbers = 0, [100, 40, 120, 100]
    while step < 16:
        trial.attend(step, np.array([numbers[step // 4], 0]))
        seen[step] = trial.levels[0]
        step = trial.next(step)
    # visits at 0, 4, 8, 12; results five steps later
    assert seen == {0: 1, 4: 1, 5: 1, 8: 1, 9: 0, 12: 0, 13: 1}


def test_progression_is_dated_by_the_visit_and_ends_the_run_when_it_is_known(model):
    rule = {"stop": {"progression": STOP["stop"]["progression"] | {"delay_days": 3}}}
    trial, _ = follow(model, rule, [100, 100, 130, 140, 100, 100, 100])
    assert trial.ended == "progression"
    assert trial.outcome(24) == {"ttp_days": 2.0, "ttp_event": 1}
    trial, _ = follow(model, rule, [100, 100, 130, 140, 100, 100])
    assert trial.ended == ""


MARKER = ADAPTIVE | {"observe": "marker", "marker_half_life_days": 2.5, "marker_per_cell_day": 0.3}


def test_a_marker_follows_its_cells_as_the_solution_says(model):
    """Steady state at the start, then cells N0 + b t: M = s (N0 + b t) / k - s b (1 - exp(-k t)) / k^2."""
    trial, _ = follow(model, {"controller": MARKER}, [90 + 30 * day for day in range(12)])
    days, rows = trial.take_visits()
    k, s = np.log(2) / 2.5, 0.3
    expected = s * (90 + 30 * days) / k - s * 30 * -np.expm1(-k * days) / k**2
    assert rows[:, 2] == pytest.approx(expected, rel=1e-12)
    gone, _ = follow(model, {"controller": MARKER}, [100, 0, *[0] * 10])
    _, rows = gone.take_visits()
    assert rows[2:, 1] / rows[1:-1, 1] == pytest.approx(0.5 ** (1 / 2.5), rel=1e-12)


def test_volume_and_body_are_measured_as_they_are(model):
    scene = Scene()
    scene.volume, scene.levels["ANC"] = 3.5, 2e9
    for table, value, unit in (
        ({"observe": "volume"}, 3.5, "cm3"),
        ({"observe": "level", "of": "ANC"}, 2e9, "cells/L"),
    ):
        trial, _ = follow(model, {"controller": ADAPTIVE | table}, [10], scene)
        assert trial.take_visits()[1][0, 1] == value
        assert trial.visit_columns()[1][1] == unit


def test_an_area_is_the_integral_since_the_last_visit(model):
    """Level 2 + 3 t: from day a to day b (2 + 1.5 (a + b)) (b - a), exact by trapezoids."""
    scene = Scene()
    table = ADAPTIVE | {"observe": "area", "of": "level", "every_days": 2, "first_day": 1}
    trial, step = Trial({"controller": table}, model, scene), 0
    while step <= 20:
        scene.levels["level"] = 2 + 3 * step / 4
        trial.attend(step, np.zeros(2, int))
        step = trial.next(step)
    days, rows = trial.take_visits()
    assert days.tolist() == [1, 3, 5]
    assert rows[:, 1] == pytest.approx([3.5, 2 * (2 + 1.5 * 4), 2 * (2 + 1.5 * 8)], rel=1e-12)
    assert trial.visit_columns()[1][1] == "cells/L d"


SEEN = [
    {"delay_days": 2.5, "error_cv": 0.2, "error_sd": 3.0, "detection_limit": 60.0},
    {"delay_days": 1, "observe": "marker", "marker_half_life_days": 2.5},
    {"delay_days": 3, "observe": "area", "of": "ANC", "error_cv": 0.1},
    {"observe": "rise", "of": "ANC"},
]


@pytest.mark.parametrize("table", SEEN)
@pytest.mark.parametrize("cut", [1, 9, 15, 22])
def test_a_trial_goes_on_from_the_middle_of_a_delay(table, cut, model):
    """Decisions, and every bit of what is remembered at the end, with a stopping rule that sees alike."""
    rule = {"above": 5.0, **table}
    tables = {"controller": ADAPTIVE | table, "stop": {"progression": rule}}

    def course(first, last, arrays=None):
        scene = Scene()
        trial, levels = Trial(tables, model, scene), []
        if arrays is not None:
            trial.restore(arrays)
        for step in range(first, last):
            scene.levels["ANC"] = 1.0 + 0.1 * step * (step % 5)
            if step == 0 or trial.next(step - 1) == step:
                trial.attend(step, np.array([100 + 20 * (step % 7) - 3 * step, 1]))
            levels += trial.levels
        return trial, levels

    whole, expected = course(0, 40)
    part, begun = course(0, cut)
    resumed, rest = course(cut, 40, part.to_arrays())
    assert begun + rest == expected
    kept, again = whole.to_arrays(), resumed.to_arrays()
    assert kept.keys() == again.keys()
    for name in kept:
        assert np.array_equal(kept[name], again[name]), name
    assert whole.outcome(40) == resumed.outcome(40)


LATE = ["controller.delay_days=1.5", "controller.error_cv=0.2", "progression.error_cv=0.1"]


@pytest.mark.parametrize("days", [3.2, 7.7])
def test_an_interrupted_run_with_pending_results_goes_on_to_the_same_bits(days, folder, tmp_path):
    scenario = load_scenario(str(folder / "adaptive.toml"), [*LATE, "checkpoint_every_days=0.5"])
    straight_path = run(scenario, 5, out=tmp_path / "straight")
    broken = Run(scenario, 5, tmp_path / "broken")
    for step in broken.steps():
        if step.day >= days:
            break
    resumed_path = run(scenario, 5, out=tmp_path / "broken", resume=True)
    straight, resumed = open_run(straight_path), open_run(resumed_path)
    assert resumed.attributes["digest"] == straight.attributes["digest"]
    assert resumed.attributes["outcome"] == straight.attributes["outcome"]
    assert check_file(straight_path) == []
    tables = [
        xarray.open_dataset(p, group="visits", engine="h5netcdf") for p in (straight_path, resumed_path)
    ]
    assert tables[0].identical(tables[1])
    seen = tables[0]["visit"].sel(quantity=["visit_day", "true", "observed"]).values
    assert (tables[0]["time"].values - seen[:, 0] == 1.5).all()
    on_record = np.isin(straight.time_days, seen[:, 0])
    assert np.array_equal(straight.count.sum(axis=1)[on_record], seen[:, 1])
    assert (seen[:, 1] != seen[:, 2]).all()


def test_an_exact_look_in_so_many_words_is_what_it_was_without_them(folder):
    """Same state, same decisions: the new settings at their defaults change no bit."""
    words = [f"{part}.{key}=0" for part in ("controller", "progression")
             for key in ("delay_days", "error_cv", "error_sd", "detection_limit")]  # fmt: skip
    words += ["controller.observe=cells", "progression.observe=cells", "controller.start_dose=0"]
    runs = [Run(load_scenario(str(folder / "adaptive.toml"), s), 5) for s in ([], words)]
    for current in runs:
        for _ in current.steps():
            pass
    assert runs[0].digest() == runs[1].digest()
    assert runs[0].key != runs[1].key


@pytest.mark.parametrize(
    ("seed", "settings", "found"),
    [
        (1, [], (372.0, 341.0, 1)),
        (2, [], (354.0, 323.0, 1)),
        (3, ["turnover=0.3"], (585.0, 430.0, 3)),
        (1, ["controller.kind=continuous"], (355.0, 356.0, 0)),
    ],
)
def test_published_adaptive_therapy_is_what_it_was(seed, settings, found):
    """Times to progression, treated days and pauses from before controllers could err."""
    current = Run(load_scenario("strobl2022_adaptive", settings), seed)
    for _ in current.steps():
        pass
    outcome = current.simulation.trial.outcome(current.step)
    assert (outcome["ttp_days"], outcome["treated_days"], outcome["pauses"]) == found
