"""Every kind of controller against a sequence of decisions made by hand."""

import numpy as np
import pytest

from oncolattice.abm.errors import InputError
from oncolattice.scenarios.files.scenario import load_scenario
from oncolattice.scenarios.simulate.build import build
from oncolattice.scenarios.treatment.trial import Trial
from oncolattice.tests.helpers.clinic import Scene, follow
from oncolattice.tests.helpers.race import MODEL, write_race

SECOND = MODEL.replace(
    "[[cell_type]]",
    '[[body_signal]]\nname = "other"\nunit = "1"\ndefault = "0"\ndescription = "second"\n\n[[cell_type]]',
    1,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = write_race(tmp_path_factory.mktemp("race"))
    (folder / "race_model.toml").write_text(SECOND)
    return folder


@pytest.fixture(scope="module")
def model(folder):
    return build(load_scenario(str(folder / "adaptive.toml")), 1).model


def test_dose_modulation_goes_up_with_growth_and_down_with_shrinkage(model):
    """Within 10 % of the last result nothing changes; 0.75 x 1.5 = 1.125 is cut to 1, 0.125 raised to 0.2."""
    table = {
        "kind": "dose modulation",
        "signal": "drug",
        "dose_step": 0.5,
        "least_change": 0.1,
        "dose_least": 0.2,
    }
    _, doses = follow(model, {"controller": table}, [100, 80, 85, 100, 130, 60, 30, 10, 10])
    assert doses == [1, 0.5, 0.5, 0.75, 1, 0.5, 0.25, 0.2, 0.2]


def test_vacations_while_the_tumour_does_not_grow(model):
    """5 % of 90 is 4.5: 94 is stable, 99 has grown from 94."""
    table = {"kind": "vacation", "signal": "drug", "least_change": 0.05}
    trial, doses = follow(model, {"controller": table}, [100, 90, 94, 99, 99, 110, 50])
    assert doses == [1, 0, 0, 1, 0, 1, 0]
    assert trial.outcome(28) == {"treated_days": 3, "pauses": 3}


def test_intermittent_treatment_follows_the_calendar(model):
    table = {"kind": "intermittent", "signal": "drug", "on_days": 3, "off_days": 2, "first_day": 1}
    _, doses = follow(model, {"controller": table}, [9] * 13)
    assert doses == [0, 1, 1, 1, 0, 0, 1, 1, 1, 0, 0, 1, 1]


TOXICITY = {
    "kind": "toxicity", "drug": "chemo", "observe": "level", "of": "ANC", "hold_below": 1.0, "reduce_below": 0.5,
    "resume_from": 1.5,
}  # fmt: skip


def test_doses_are_held_by_the_count_and_resume_reduced(model):
    """Grade 4 reduces once an episode, by a quarter, and again in the next; 1.2 is not enough to resume."""
    counts = [5.0, 1.2, 0.9, 0.45, 0.3, 0.9, 1.2, 1.5, 0.8, 2.0, 0.4, 3.0]
    scene = Scene()
    trial = Trial({"controller": TOXICITY}, model, scene)
    seen = []
    for day, count in enumerate(counts):
        scene.levels["ANC"] = count
        trial.attend(4 * day, np.zeros(2, int))
        seen += trial.levels
    assert seen == [1, 1, 0, 0, 0, 0, 0, 0.75, 0, 0.75, 0, 0.5625]
    assert scene.given_doses == [("chemo", factor) for factor in (0, 0.75, 0, 0.75, 0, 0.5625)]
    assert trial.outcome(44)["dose_intensity_chemo"] == 0.75  # 30 of 40


@pytest.mark.parametrize(
    ("bounds", "doses"),
    [
        ({"target": 30.0}, [1, 0.75, 0.75, 0.75]),
        ({"target": 30.0, "dose_least": 0.8}, [1, 0.8, 0.8, 0.8]),
        ({"target": 80.0, "dose_most": 1.5}, [1, 1.5, 1.5, 1.5]),
        ({"target": 80.0}, [1, 1, 1, 1]),
    ],
)
def test_exposure_hits_its_target_at_once_where_kinetics_are_linear(bounds, doses, model):
    """The full dose clears 40 from visit to visit."""
    table = {
        "kind": "exposure",
        "drug": "chemo",
        "observe": "rise",
        "of": "cleared",
        "every_days": 7,
        **bounds,
    }
    scene, seen = Scene(), []
    scene.levels["cleared"] = 5.0
    trial = Trial({"controller": table}, model, scene)
    for visit in range(4):
        trial.attend(28 * visit, np.zeros(2, int))
        seen += trial.levels
        scene.levels["cleared"] += 40.0 * trial.levels[0]
    assert seen == pytest.approx(doses, rel=1e-12)


def test_a_late_result_is_judged_by_the_dose_behind_it(model):
    """The result of week 1 is known in week 2, when the dose of week 1 is what it tells about."""
    table = {
        "kind": "exposure", "drug": "chemo", "observe": "rise", "of": "cleared", "every_days": 7,
        "delay_days": 7, "target": 20.0,
    }  # fmt: skip
    scene, seen = Scene(), []
    scene.levels["cleared"] = 0.0
    trial = Trial({"controller": table}, model, scene)
    for visit in range(6):
        trial.attend(28 * visit, np.zeros(2, int))
        seen += trial.levels
        scene.levels["cleared"] += 40.0 * trial.levels[0]
    # weeks 1 and 2 show 40 at dose 1; week 3 shows 20 at dose 0.5
    assert seen == [1, 1, 0.5, 0.5, 0.5, 0.5]


def test_extinction_strikes_a_second_time_and_does_not_turn_back(model):
    table = {"kind": "extinction", "signal": "drug", "second_signal": "other", "switch_below": 0.2, "on": 2.0}
    trial, doses = follow(model, {"controller": table}, [100, 50, 20, 19, 5, 300])
    assert doses == [(2, 0), (2, 0), (2, 0), (0, 2), (0, 2), (0, 2)]
    assert trial.outcome(20) == {"treated_days": 5, "pauses": 0}


def test_drugs_of_one_controller_go_together_and_two_strikes_may_be_drugs(model):
    table = {"kind": "extinction", "drug": ["a", "b"], "second_drug": "c", "switch_below": 0.2}
    scene = Scene()
    trial, doses = follow(model, {"controller": table}, [100, 19], scene)
    assert doses == [(1, 0), (0, 1)]
    # the first strike is given as planned, the second held until its time
    assert scene.given_doses == [("c", 0), ("a", 0), ("b", 0), ("c", 1)]
    assert {f"dose_intensity_{drug}" for drug in "abc"} <= trial.outcome(4).keys()


def test_several_controllers_have_their_own_eyes(model):
    tables = {
        "controller": [
            {"kind": "adaptive", "signal": "drug", "off_below": 0.5, "on_above": 1.0},
            {"kind": "adaptive", "signal": "other", "off_below": 0.7, "on_above": 0.8, "every_days": 2},
        ]
    }
    trial, doses = follow(model, tables, [100, 60, 60, 40, 90])
    assert doses == [(1, 1), (1, 1), (1, 0), (0, 0), (0, 1)]
    assert trial.outcome(16) == {"treated_days_1": 3, "pauses_1": 1, "treated_days_2": 2, "pauses_2": 1}
    days, rows = trial.take_visits()
    names, _ = trial.visit_columns()
    assert names[4:6] == ["1 dose drug", "2 visit_day"]
    assert days.tolist() == [0, 1, 2, 3, 4]
    assert rows[:, names.index("2 visit_day")].tolist() == [0, 0, 2, 2, 4]
    assert rows[:, names.index("2 observed")].tolist() == [100, 100, 60, 60, 90]


MODULATION = ["kind=dose modulation", "dose_step=0.5", "least_change=0.1"]
TOXIC = ["kind=toxicity", "hold_below=1", "reduce_below=0.5"]
BREAKS = ["kind=intermittent", "on_days=2", "off_days=3"]


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        (["every_days=-1"], "every_days must be above 0 and at most 36500"),
        (["delay_days=-1"], "controller.delay_days must be 0 to 36500 .*, got -1"),
        (["delay_days=0.1"], "delay_days must be a positive multiple of the time step"),
        (["delay_days=60"], r"controller.delay_days \(60\) must be shorter than the run \(60 d\)"),
        (["error_cv=-0.1"], "controller.error_cv must be 0 to 10 .*, got -0.1"),
        (["error_sd=-1"], "controller.error_sd must be 0 or more"),
        (["detection_limit=-1"], "controller.detection_limit must be 0 or more"),
        (["observe=volum"], "unknown observe 'volum'; did you mean 'volume'"),
        (["observe=marker"], "marker_half_life_days and observe = 'marker' need one another"),
        (["marker_half_life_days=2"], "marker_half_life_days and observe = 'marker' need one another"),
        (["observe=marker", "marker_half_life_days=0"], "marker_half_life_days must be above 0"),
        (["of=ANC"], "'of' names what is measured of a body"),
        (["observe=level", "of=ANC"], r"measures a body, and the scenario has no \[body\]"),
        (["drug=chemo"], "write one of signal .* and drug"),
        ([*MODULATION, "least_change=-1"], "least_change must be 0 or more"),
        ([*MODULATION, "dose_step=0"], "dose_step must be above 0 and at most 1 .*, got 0"),
        ([*MODULATION, "dose_least=2"], r"dose_least \(2\) must not lie above controller.dose_most \(1\)"),
        (["kind=dose modulation", "least_change=1"], "'dose_step' is missing"),
        ([*TOXIC, "reduce_below=2"], r"reduce_below \(2\) must not lie above controller.hold_below \(1\)"),
        ([*TOXIC, "resume_from=0.9"], r"hold_below \(1\) must not lie above controller.resume_from \(0.9\)"),
        ([*TOXIC, "reduce_to=1.1"], "reduce_to must be above 0 and at most 1"),
        ([*BREAKS, "every_days=2"], r"off_days must be a multiple of controller.every_days \(2 d\)"),
        ([*BREAKS, "on_days=0"], "on_days must be above 0"),
        (["kind=exposure", "target=0"], "target must be above 0"),
        (["kind=extinction", "switch_below=0.1"], "needs one of second_signal and second_drug"),
        (
            ["kind=extinction", "switch_below=0.1", "second_signal=drug"],
            "signal 'drug' is dosed twice",
        ),
        (
            ["kind=extinction", "switch_below=0.1", "second_signal=othr"],
            "unknown body signal 'othr'; did you mean 'other'",
        ),
    ],
)
def test_a_controller_that_cannot_be_is_refused(settings, reason, folder):
    own = [f"controller.{setting}" for setting in settings]
    with pytest.raises(InputError, match=reason):
        build(load_scenario(str(folder / "adaptive.toml"), own), 1)


def test_a_list_of_controllers_is_checked_one_by_one(folder):
    head = f'[scenario]\nextends = "{folder / "adaptive.toml"}"\nname = "two"\n'
    block = '[[controller]]\nkind = "continuous"\nsignal = "{}"\n'
    path = folder / "two.toml"
    path.write_text(head + block.format("drug") + block.format("other"))
    assert len(build(load_scenario(str(path)), 1).trial.controls) == 2
    with pytest.raises(InputError, match=r"the scenario has 2 \[\[controller\]\] blocks"):
        load_scenario(str(path), ["controller.every_days=2"])
    path.write_text(head + block.format("drug") + block.format("drug"))
    with pytest.raises(InputError, match="signal 'drug' is dosed twice"):
        load_scenario(str(path))
    path.write_text(head + block.format("drug") + "kin = 1\n")
    with pytest.raises(InputError, match="kin"):
        load_scenario(str(path))
