"""Controllers and stopping rules, against decisions made by hand."""

import numpy as np
import pytest

from oncolattice.abm.errors import InputError
from oncolattice.scenarios.files.scenario import load_scenario
from oncolattice.scenarios.simulate.build import build
from oncolattice.scenarios.treatment.controllers import CONTROLLERS, controller
from oncolattice.scenarios.treatment.trial import Trial
from oncolattice.tests.helpers.clinic import Scene, follow
from oncolattice.tests.helpers.race import write_race


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_race(tmp_path_factory.mktemp("race"))


@pytest.fixture(scope="module")
def model(folder):
    return build(load_scenario(str(folder / "adaptive.toml")), 1).model


ADAPTIVE = {"kind": "adaptive", "signal": "drug", "off_below": 0.5, "on_above": 1.0}


def test_adaptive_treats_to_half_and_waits_for_all_of_it(model):
    """On at 100; 50 is not below half, 49 is; 100 is not above the baseline, 101 is."""
    numbers = [100, 120, 80, 50, 49, 60, 100, 101, 70, 30, 90]
    trial, doses = follow(model, {"controller": ADAPTIVE}, numbers)
    assert doses == [1, 1, 1, 1, 0, 0, 0, 1, 1, 0, 0]
    assert trial.outcome(40) == {"treated_days": 4 + 2, "pauses": 2}


def test_thresholds_and_levels_are_those_of_the_file(model):
    table = ADAPTIVE | {"off_below": 0.8, "on_above": 0.9, "on": 5.0, "off": 2.0}
    _, doses = follow(model, {"controller": table}, [100, 79, 89, 91, 85, 70])
    assert doses == [5, 2, 2, 5, 5, 2]


@pytest.mark.parametrize(("kind", "dose"), [("none", 0.0), ("continuous", 1.0), ("always on", 1.0)])
def test_the_others_do_not_look(kind, dose, model):
    trial, doses = follow(model, {"controller": {"kind": kind, "signal": "drug"}}, [100, 10, 500])
    assert doses == [dose] * 3
    assert trial.outcome(8) == {"treated_days": 2 * dose, "pauses": 0}


def test_treatment_begins_on_its_first_day_with_a_baseline_of_that_day(model):
    scene, seen, step = Scene(), {}, 0
    trial = Trial({"controller": ADAPTIVE | {"first_day": 3, "every_days": 2}}, model, scene)
    for day, number in {0: 100, 3: 400, 5: 210, 7: 199, 9: 390, 11: 401}.items():
        assert step == 4 * day
        trial.attend(step, np.array([number, 0]))
        seen[day], step = trial.levels[0], trial.next(step)
    assert seen == {0: 0, 3: 1, 5: 1, 7: 0, 9: 0, 11: 1}
    assert scene.told == [0, 1, 0, 1]  # it is told what is new
    assert trial.outcome(4 * 11)["treated_days"] == 4


def test_only_the_types_asked_for_are_counted(model):
    trial = Trial({"controller": ADAPTIVE | {"types": "S"}}, model, Scene())
    for step, counts, dose in ((0, (10, 90), 1), (4, (4, 900), 0), (8, (11, 0), 1)):
        trial.attend(step, np.array(counts))
        assert trial.levels == [dose]


def rule(**changed):
    return {"stop": {"progression": {"above": 1.2, "consecutive": 2} | changed}}


def test_progression_is_the_first_of_two_days_in_a_row(model):
    """120 is not above 1.2 x 100; day 3 stands alone; days 6 and 7 are the two."""
    trial, _ = follow(model, rule(), [100, 120, 120, 121, 100, 120, 121, 130, 140])
    assert trial.ended == "progression"
    assert trial.outcome(28) == {"ttp_days": 6.0, "ttp_event": 1}


def test_one_visit_is_enough_if_the_rule_says_so(model):
    trial, _ = follow(model, rule(consecutive=1, above=2), [100, 150, 201, 300])
    assert trial.outcome(8) == {"ttp_days": 2.0, "ttp_event": 1}


def test_extinction_ends_the_run_without_progression(model):
    trial, _ = follow(model, rule(), [100, 10, 0, 5])
    assert trial.ended == "extinction"
    assert trial.outcome(8) == {"ttp_days": None, "ttp_event": 0}


def test_a_run_that_is_not_over_is_censored(model):
    trial, _ = follow(model, rule(), [100, 110, 130])
    assert trial.ended == ""
    assert trial.outcome(8) == {"ttp_days": None, "ttp_event": 0}


@pytest.mark.parametrize("cut", range(1, 9))
def test_a_trial_goes_on_from_its_arrays(cut, model):
    tables = {"controller": ADAPTIVE} | rule()
    numbers = [100, 90, 49, 60, 99, 101, 121, 119, 125, 130]
    whole, doses = follow(model, tables, numbers)
    first, _ = follow(model, tables, numbers[:cut])
    second = Trial(tables, model, Scene())
    second.restore(first.to_arrays())
    told = []
    for day in range(cut, len(numbers)):
        second.attend(4 * day, np.array([numbers[day], 0]))
        told += second.levels
    assert told == doses[cut:]
    assert second.ended == whole.ended == "progression"
    assert second.outcome(36) == whole.outcome(36)


def test_a_new_controller_is_one_function(model):
    @controller("by steps", {"stride": ("number", True, "change a visit")}, dose=1.0, last=1.0)
    def by_steps(settings, seen, memory):
        memory["dose"] += settings["stride"] * (1 if seen.relative > memory["last"] else -1)
        memory["last"] = seen.relative
        return memory["dose"]

    table = {"kind": "by steps", "signal": "drug", "stride": 0.25}
    try:
        _, doses = follow(model, {"controller": table}, [100, 80, 120, 90])
    finally:
        del CONTROLLERS["by steps"]
    assert doses == [0.75, 0.5, 0.75, 0.5]


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        (["controller.kind=adaptve"], "unknown kind 'adaptve'; did you mean 'adaptive'"),
        (["controller.signal=drugs"], "unknown body signal 'drugs'; did you mean 'drug'"),
        (["controller.types=T"], "unknown cell type or group 'T'"),
        (["controller.every_days=0.1"], "every_days must be a positive multiple of the time step"),
        (["controller.every_days=0"], "every_days must be above 0"),
        (["controller.off_below=2"], r"off_below \(2\) must not lie above controller.on_above \(1\)"),
        (["stop.progression.above=0"], "stop.progression.above must be above 0"),
        (["stop.progression.consecutive=0"], "consecutive must be 1 or more"),
        (["controller.first_day=-1"], "first_day must be 0 to 36500"),
        (["treatment=until progression"], r"needs a \[body\]"),
        (["every_days=2"], "ambiguous, write one of controller.every_days, stop.progression.every_days"),
    ],
)
def test_a_trial_that_cannot_be_is_refused(settings, reason, folder):
    with pytest.raises(InputError, match=reason):
        build(load_scenario(str(folder / "adaptive.toml"), settings), 1)


def test_settings_reach_controller_and_stop(folder):
    settings = ["off_below=0.3", "controller.every_days=7", "progression.above=1.5", "consecutive=3"]
    tables = load_scenario(str(folder / "adaptive.toml"), settings).tables
    assert tables["controller"] | {"off_below": 0.3, "every_days": 7.0} == tables["controller"]
    assert tables["stop"] == {"progression": {"above": 1.5, "consecutive": 3}}
