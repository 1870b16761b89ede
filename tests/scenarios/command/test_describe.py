"""What ``list`` and ``describe`` say, against numbers computed by hand."""

import math
import pathlib
import re

import pytest

from oncolattice.abm.errors import InputError
from oncolattice.abm.model import load_model
from oncolattice.scenarios.command.describe import catalogue, day_ranges, describe_text, rule_sentences
from oncolattice.scenarios.files import scenario

MODEL = """
[model]
name = "small"
title = "A small model"
reference = "10.1000/xyz"
dimensions = 2
layers = ["tissue", "immune"]
site = "site"
time_step = "step"
update = "rates"
neighbourhood = "moore"
boundary = "no-flux"

[parameters]
site = { value = 15, unit = "um", source = "assumed", description = "pitch" }
step = { value = 30, unit = "min", source = "assumed (short)" }
k = { value = 0.002, unit = "1/h", source = "10.1000/xyz" }
D = { value = 100, unit = "um^2/h", source = "fitted" }
p = { value = 3, unit = "nM", source = "PMID 1" }
twice = { expr = "2*k", unit = "1/d" }

[[cell_type]]
name = "A"
display = "Ay"
layer = "tissue"
group = "tumour"
colour = "#111111"

[[cell_type]]
name = "T"
display = "Tee"
layer = "immune"
colour = "#222222"

[[field]]
name = "F"
unit = "nM"
diffusivity = "D"
decay = "k"
solver = "transient"
update_interval = "2*step"
tolerance = "0.001"

[[body_signal]]
name = "P"
unit = "nM"
default = "p/3"
description = "plasma"

[[behaviour]]
cell = "A"
do = "divide"
rate = "twice"
rings = "2"
below_zero = "die crowded"

[[behaviour]]
cell = "T"
do = "kill tumour"
rate = "k"

[[behaviour]]
cell = "T"
do = "secrete F"
rate = "p/step"

[[behaviour]]
cell = "T"
do = "migrate"
rate = "k*100"
up = "F"
bias = "0.25"

[[rule]]
cell = "A"
behaviour = "divide"
signal = "crowding"
effect = "decreases"
response = "linear"
half = "0.5"

[[rule]]
cell = "T"
behaviour = "kill tumour"
signal = ["body P", "relative_field F"]
effect = "decreases"
half = "10*p"
power = "2"
fold = "0.5"

[[rule]]
cell = "T"
behaviour = "kill tumour"
signal = "field F"
effect = "drives"
response = "exponential"
half = "p"

[[rule]]
cell = "T"
behaviour = "kill tumour"
signal = "contact tumour"
effect = "increases"
half = "4"
fold = "3"
"""
SENTENCES = [
    "A: divide at 0.096 1/d, daughter up to 2 sites away, 'die crowded' where rules turn the rate negative",
    "In A, crowding decreases divide from 0.096 1/d towards 0 x, in proportion to the signal, in full at 0.5",
    "T: kill tumour at 0.048 1/d per contact",
    "In T, body P x relative_field F decreases kill tumour from 0.048 1/d towards 0.5 x, half at 30 nM, "
    "Hill power 2",
    "In T, field F drives kill tumour from 0 towards 0.048 1/d, as 1 - exp(-signal/scale), scale 3 nM",
    "In T, contact tumour increases kill tumour from 0.048 1/d towards 3 x, half at 4, Hill power 1",
    "T: secrete F at 6 nM/h",
    "T: migrate at 0.2 1/h, share 0.25 of hops up F",
]


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "small.toml"
    file.write_text(MODEL)
    return str(file)


def row(text, first):
    """Return the cells of the line that starts with a word."""
    lines = [line.split() for line in text.splitlines()]
    return next(cells for cells in lines if cells[:1] == [first])


def test_rules_read_as_sentences(path):
    assert [line.strip() for line in rule_sentences(load_model(path))] == SENTENCES


def test_a_model_is_described_whole(path):
    text = describe_text(path, False)
    assert text.startswith("model small: A small model\nreference 10.1000/xyz\n")
    assert "layers tissue, immune; sites of 15 um; steps of 0.5 h" in text
    assert row(text, "A") == ["A", "Ay", "tissue", "tumour", "#111111"]
    assert row(text, "F") == ["F", "nM", "100", "0.002", f"{math.sqrt(100 / 0.002):.3g}", "transient"]
    assert row(text, "P") == ["P", "nM", "1", "plasma"]
    assert row(text, "k") == ["k", "0.002", "1/h", "10.1000/xyz"]
    assert row(text, "twice") == ["twice", "0.096", "1/d", "derived"]
    for sentence in SENTENCES:
        assert sentence in text


def test_assumed_lists_only_the_assumed_and_counts_them(path):
    lines = describe_text(path, True).splitlines()
    assert lines[0] == "2 of 6 parameters of small are assumed"
    assert [line.split()[0] for line in lines[2:]] == ["site", "step"]


def test_a_field_that_does_not_decay_reaches_everywhere(tmp_path):
    file = tmp_path / "still.toml"
    file.write_text(MODEL.replace('decay = "k"', 'decay = "0*k"'))
    assert row(describe_text(str(file), False), "F")[4] == "infinite"


@pytest.mark.parametrize(
    ("days", "words"),
    [
        ([1, 2, 3, 4, 5, 8, 9, 10, 11, 12], "1-5, 8-12"),
        ([1, 15], "1, 15"),
        ([3, 1, 2], "1-3"),
        ([1.5], "1.5"),
    ],
)
def test_days_are_joined_to_runs(days, words):
    assert day_ranges(days) == words


def test_a_scenario_is_described_with_regimen_settings_and_model(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text(
        '[scenario]\nextends = "mcrc_tas102"\nname = "mine"\ntitle = "Mine"\nduration_days = 7\n'
        '[[regimen]]\ndrug = "TAS102"\namount = 95\ndays = [1, 2, 3, 4, 5, 8, 9, 10, 11, 12]\n'
        "cycle_days = 28\n"
        'cycles = 6\ninfusion_days = 0.1\nfirst_day = 1\nsource = "assumed"\n'
        '[parameters]\nbeta_X1 = { value = 0.01, unit = "1/h", source = "fitted" }\n'
    )
    text = describe_text(str(file), False)
    assert text.startswith("scenario mine: Mine\n")
    assert "  duration_days = 7\n" in text
    assert "95 dose units of TAS102 on days 1-5, 8-12 of 28, 6 cycles, as 0.1-d infusions" in text
    assert row(text, "beta_X1")[:4] == ["beta_X1", "0.24", "1/d", "fitted"]
    assert "In CTL, body PD1_PDL1 x relative_field interferon_gamma decreases kill tumour from" in text


def test_an_untreated_scenario_says_so():
    assert "none: untreated" in describe_text("mcrc_placebo", False)


def test_a_study_is_described_by_its_arms(tmp_path):
    file = tmp_path / "study.toml"
    file.write_text(
        '[study]\nname = "s"\ntitle = "S"\narms = ["mcrc_placebo", "mcrc_tas102"]\npatients = 2\nseed = 1\n'
        "settings = { duration_days = 3 }\n"
    )
    lines = describe_text(str(file), True).splitlines()
    assert lines[:5] == [
        "study s: S",
        "2 patients an arm, seed 1",
        "arm mcrc_placebo",
        "arm mcrc_tas102",
        "set duration_days=3",
    ]
    assert lines[5] == "4 runs"


def test_the_sweeps_of_a_study_are_described(tmp_path):
    file = tmp_path / "study.toml"
    file.write_text(
        '[study]\nname = "s"\ntitle = "S"\narms = ["mcrc_placebo"]\npatients = 2\nseed = 1\nreplicates = 3\n'
        '[[sweep]]\nparameters = { beta_X1 = ["0.06/d", "0.07/d"], beta_X2 = ["0.05/d", "0.06/d"] }\n'
        '[[sweep]]\ndesign = "latin hypercube"\nn = 16\nseed = 1\n'
        "parameters = { contacts = { low = 9, high = 25 } }\n"
    )
    lines = describe_text(str(file), False).splitlines()
    assert "2 patients an arm, 3 seeds each, seed 1" in lines
    assert "sweep beta_X1: 0.06/d, 0.07/d" in lines
    assert "sweep beta_X2: 0.05/d, 0.06/d" in lines
    (drawn,) = [line for line in lines if line.startswith("sweep contacts")]
    low, high = (float(word) for word in drawn.removeprefix("sweep contacts: 16 values, ").split(" to "))
    assert 9 <= low < 10
    assert 24 < high <= 25
    assert "192 runs (32 points of the sweeps)" in lines


def test_the_catalogue_is_what_lies_on_disk():
    listed = catalogue()
    assert list(listed) == [
        *("scenarios", "studies", "models", "drugs", "populations", "drugs with kinetics", "bodies")
    ]
    folder = pathlib.Path(scenario.__file__).parents[1] / "library"
    named = [name for kind in ("scenarios", "studies") for name, _ in listed[kind]]
    assert sorted(named) == sorted(path.stem for path in folder.glob("*.toml"))
    assert ("mcrc_placebo", "Metastatic colorectal cancer, placebo") in listed["scenarios"]
    assert {name for name, _ in listed["drugs"]} >= {"trifluridine", "bevacizumab"}
    assert all(listed.values())
    assert all(title for rows in listed.values() for _, title in rows)


@pytest.mark.parametrize(
    ("name", "near"),
    [("mrcr", "mcrc"), ("qcci", "qcic"), ("nivolumub", "nivolumab"), ("qcic_treted", "qcic_treated")],
)
def test_an_unknown_name_brings_the_nearest_and_the_list(name, near):
    with pytest.raises(InputError, match=f"unknown name '{name}'; did you mean '{near}'.*'oncolattice list'"):
        describe_text(name, False)


@pytest.mark.parametrize("name", ["qcic", "mcrc_tas102", "mcrc_nivolumab"])
def test_every_name_that_a_coupling_may_use_is_described(name):
    text = describe_text(name, False)
    names = ["X1_C", "T8_B", "Chem_eliminated", "beta_X1", "dose_rate_TAS102"]
    names += ["nivolumab.central", "nivolumab.eliminated"] if name == "mcrc_nivolumab" else []
    for word in names:
        assert re.search(rf"^  {re.escape(word)} ", text, re.MULTILINE), word


def test_drugs_and_populations_are_described(tmp_path):
    assert "10.1002/psp4.12143" in describe_text("nivolumab", False)
    path = tmp_path / "p.toml"
    law = '{ min = 0.01, max = 0.02, a = 1, b = 1, unit = "1/h", source = "assumed" }'
    head = '[population]\nname = "n"\ntitle = "t"\nsource = "assumed"\n'
    path.write_text(f"{head}[parameters]\nV_D_CA = {law}\n")
    assert re.search(r"^  V_D_CA +beta +0.24 +0.48 +1/day", describe_text(str(path), False), re.MULTILINE)


def test_a_drug_file_alone_cannot_be_described(tmp_path):
    file = tmp_path / "drug.toml"
    file.write_text('[parameters]\nk = { value = 1, unit = "1/d", source = "assumed" }\n')
    with pytest.raises(InputError, match=r"\[model\], \[population\] or \[drug\]"):
        describe_text(str(file), False)
