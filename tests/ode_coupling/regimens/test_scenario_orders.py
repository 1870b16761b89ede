"""A scenario takes an order in words in place of keys, and gives the same doses."""

import pytest

from oncolattice.abm.errors import InputError
from oncolattice.scenarios.files.scenario import load_scenario
from oncolattice.scenarios.simulate.body_side import schedule_of

HEAD = '[scenario]\nextends = "mcrc_tas102_bev"\nname = "x"\ntitle = "x"\n'
TAS102 = "95 units iv over 0.1 d d1-5,8-12 q28d x 6"
BEVACIZUMAB = "5 mg/kg iv over 0.1 d d1,15 q28d x 6"


def block(order, drug="TAS102", more="first_day = 1\n"):
    return f'[[regimen]]\ndrug = "{drug}"\norder = "{order}"\n{more}source = "assumed"\n'


def scenario(tmp_path, text, settings=()):
    path = tmp_path / "x.toml"
    path.write_text(HEAD + text, encoding="utf-8")
    return load_scenario(str(path), settings)


@pytest.mark.parametrize("days", [9, 60, 365])
@pytest.mark.parametrize("treatment", ["as scheduled", "until progression"])
def test_both_forms_give_the_same_doses(tmp_path, days, treatment):
    settings = (f"duration_days={days}", f"treatment={treatment}")
    text = block(TAS102) + block(BEVACIZUMAB, "bevacizumab") + "[patient]\nweight_kg = 56\n"
    words = scenario(tmp_path, text, settings)
    keys = load_scenario("mcrc_tas102_bev", settings)
    doses = schedule_of(words.tables)
    assert doses == schedule_of(keys.tables)
    due = (1, 2, 3, 4, 5, 8, 9, 10, 11, 12)
    cycles = 6 if treatment == "as scheduled" else 20
    tas102 = [c * 28 + day for c in range(cycles) for day in due if c * 28 + day < days]
    assert [d.time_days for d in doses if d.drug == "TAS102"] == tas102


def test_until_progression_in_words(tmp_path):
    text = block("95 units iv over 0.1 d q3w until progression", more="")
    doses = schedule_of(scenario(tmp_path, text, ("treatment=until progression", "duration_days=50")).tables)
    assert [dose.time_days for dose in doses] == [0.0, 21.0, 42.0]
    with pytest.raises(InputError, match="write treatment = 'until progression'"):
        scenario(tmp_path, text)


def test_a_patient_of_known_size(tmp_path):
    text = block("35 mg/m2 po q4w x 1", more="") + "[patient]\nweight_kg = 80\nheight_cm = 180\n"
    (dose,) = schedule_of(scenario(tmp_path, text).tables)
    assert (dose.amount, dose.route, dose.time_days) == (70.0, "po", 0.0)
    heavier = scenario(tmp_path, text, ("weight_kg=125", "height_cm=180"))
    assert schedule_of(heavier.tables)[0].amount == pytest.approx(87.5)  # 2.5 m2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (block("95 units vi q3w x 2"), r"\[regimen\] 1: order: unknown route 'vi'"),
        (block("95 units iv q3w x 2", more="amount = 3\n"), "'order' and 'amount' say the same thing"),
        (block("95 units iv q3w x 2", more="cycles = 3\n"), "'order' and 'cycles' say the same thing"),
        (block("35 mg/m2 iv q3w x 2"), "weight_kg and height_cm of the patient must be given"),
        ('[[regimen]]\ndrug = "TAS102"\nsource = "assumed"\n', "'amount' is missing"),
        (block("95 units iv q3w x 2") + '[patient]\nsex = "mail"\n', "did you mean 'male'"),
        (block("95 units iv q3w x 2") + "[patient]\nweight_kg = 0\n", "'weight_kg' must be above 0"),
    ],
)
def test_what_a_scenario_refuses(tmp_path, text, words):
    with pytest.raises(InputError, match=words):
        scenario(tmp_path, text)


@pytest.mark.parametrize("key", ["days", "cycle_days", "infusion_days", "first_day"])
def test_keys_are_all_or_none(tmp_path, key):
    keys = {"amount": "1", "days": "[1]", "cycle_days": "7", "infusion_days": "0", "first_day": "0"}
    del keys[key]
    body = "".join(f"{name} = {value}\n" for name, value in keys.items())
    with pytest.raises(InputError, match=f"'{key}' is missing .*or an order in words"):
        scenario(tmp_path, f'[[regimen]]\ndrug = "TAS102"\nsource = "assumed"\n{body}')


def test_a_route_among_the_keys(tmp_path):
    body = 'amount = 1\ndays = [1]\ncycle_days = 7\ncycles = 2\ninfusion_days = 0\nfirst_day = 0\nsource = "assumed"\n'
    text = f'[[regimen]]\ndrug = "TAS102"\nroute = "sc"\n{body}'
    assert {dose.route for dose in schedule_of(scenario(tmp_path, text).tables)} == {"sc"}
    with pytest.raises(InputError, match="unknown route 'cs'"):
        scenario(tmp_path, text.replace('"sc"', '"cs"'))
