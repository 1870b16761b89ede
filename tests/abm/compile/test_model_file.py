"""Bad model files: every mistake is one sentence that names the file, the offender and the choices."""

import pytest
from tiny import CELLS, HEAD, behaviour, parameters, rule

from oncolattice.abm.compile.model_file import library_models, read_model, read_part
from oncolattice.abm.errors import InputError
from oncolattice.abm.model import load_model
from oncolattice.abm.vocabulary import MODEL_KEYS

NUMBERS = parameters(r=(0.01, "1/h"), D=(100.0, "um^2/h"), L=(30.0, "um"), p=(2.0, "nM"), w=(1.0, "cells/L"))
BLOCKS = """
[[field]]
name = "F"
unit = "nM"
diffusivity = "D"
decay = "r"
solver = "quasi-steady"
update_interval = "2*time_step"
tolerance = "0.001"

[[body_signal]]
name = "P"
unit = "nM"
default = "p"

[[body_signal]]
name = "free_F"
unit = "1"
default = "1"
free_of = "P"
affinity = "p"

[[density]]
name = "crowd"
unit = "cells/L"
radius = "L"
weights = { tumour = "w" }
update_interval = "time_step"
"""
RULES = (
    behaviour("A", "divide", "r", rings="2", below_zero="die crowded")
    + behaviour("A", "become B", "r")
    + behaviour("T", "kill tumour", "r")
    + behaviour("T", "migrate", "r", up="F", bias="0.5")
    + rule("A", "divide", "field F", "drives", "p", power="2")
    + rule("A", "divide", "density crowd", "decreases", "w", response="linear")
    + rule("T", "kill tumour", "body P", "increases", "p", fold="2")
)
GOOD = HEAD + NUMBERS + "\n" + CELLS + BLOCKS + RULES


def load(folder, text):
    """Load a model file of this text."""
    path = folder / "bad.toml"
    path.write_text(text)
    return load_model(str(path))


def edited(*swaps):
    """Return the good file with parts replaced, each of which must be there."""
    text = GOOD
    for old, new in swaps:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def test_the_good_file_is_good(tmp_path):
    assert load(tmp_path, GOOD).name == "tiny"


# what is changed -> all that the message must say
MISTAKES = {
    "section": (
        [("[[field]]", "[[feild]]")],
        ["bad.toml", "unknown section 'feild'", "did you mean 'field'?"],
    ),
    "key": ([("decay =", "decoy =")], ["bad.toml [[field]] 1 (F)", "unknown key 'decoy'", "mean 'decay'?"]),
    "model key": ([("title =", "tile =")], ["bad.toml [model]", "unknown key 'tile'", "'title'?"]),
    "parameter key": (
        [("unit =", "units =")],
        ["bad.toml [parameters] site", "unknown key 'units'", "'unit'?"],
    ),
    "missing key": ([('decay = "r"\n', "")], ["[[field]] 1 (F)", "'decay' is missing", "decay rate"]),
    "update": ([('"rates"', '"rate"')], ["unknown update 'rate'", "mean 'rates'?"]),
    "neighbourhood": ([('"moore"', '"more"')], ["unknown neighbourhood 'more'", "moore"]),
    "boundary": ([('"no-flux"', '"sticky"')], ["unknown boundary 'sticky'", "no-flux", "periodic"]),
    "dimensions": ([("dimensions = 2", "dimensions = 4")], ["dimensions = 4", "(2, 3)"]),
    "solver": ([('"quasi-steady"', '"steady"')], ["unknown solver 'steady'", "quasi-steady, transient"]),
    "verb": ([('do = "divide"', 'do = "devide"')], ["'devide'", "bad.toml"]),
    "verb alone": ([('do = "become B"', 'do = "become"')], ["'become' needs a cell type"]),
    "verb with object": ([('do = "migrate"', 'do = "migrate F"')], ["'migrate' takes no object"]),
    "victim": ([('do = "kill tumour"', 'do = "kill tumor"')], ["kill tumor"]),
    "become whom": (
        [('do = "become B"', 'do = "become C"')],
        ["unknown cell type 'C'", "(valid: A, B, T, V)"],
    ),
    "become on another layer": ([('do = "become B"', 'do = "become T"')], ["A cannot become T", "layer"]),
    "rule without behaviour": (
        [('behaviour = "divide"', 'behaviour = "die old"')],
        ["unknown behaviour of A 'die old'", "become B, divide"],
    ),
    "cell of a behaviour": ([('cell = "A"', 'cell = "Q"')], ["unknown cell type or group 'Q'", "tumour"]),
    "no cell": ([('cell = "A"', "cell = []")], ["'cell' must be text or a list of texts", "got []"]),
    "sense": ([('"field F"', '"feild F"')], ["unknown signal 'feild'", "mean 'field'?", "relative_field"]),
    "field of a signal": ([('"field F"', '"field G"')], ["unknown field 'G'", "(valid: F)"]),
    "body signal": ([('"body P"', '"body Q"')], ["unknown body signal 'Q'", "P, free_F"]),
    "density of a signal": ([('"density crowd"', '"density crow"')], ["unknown density 'crow'", "'crowd'?"]),
    "crowding of": ([('"field F"', '"crowding A"')], ["'crowding' takes no object"]),
    "three signals": (
        [('signal = "field F"', 'signal = ["field F", "body P", "crowding"]')],
        ["one signal or the product of two, got 3"],
    ),
    "effect": ([('"drives"', '"drive"')], ["unknown effect 'drive'", "decreases, drives, increases"]),
    "response": ([('"linear"', '"line"')], ["unknown response 'line'", "exponential, hill, linear"]),
    "increase without fold": ([('fold = "2"', "")], ["'fold' is missing", "increase"]),
    "rings elsewhere": ([('\nup = "F"', '\nrings = "2"')], ["'rings' has no meaning for 'migrate'"]),
    "bias above one": ([('bias = "0.5"', 'bias = "1.5"')], ["bias", "0 to 1", "1.5"]),
    "rings too wide": ([('rings = "2"', 'rings = "5"')], ["rings must be 1 to 4", "5"]),
    "below zero": ([('"die crowded"', '"leave"')], ["below_zero reads 'die <cause>'", "'leave'"]),
    "layer": ([('layer = "immune"', 'layer = "imune"')], ["unknown layer 'imune'", "mean 'immune'?"]),
    "layer twice": (
        [('"tissue", "immune"', '"tissue", "tissue"')],
        ["'layers' must be a list of different names"],
    ),
    "like": ([('like = "A"', 'like = "C"')], ["bad.toml [[cell_type]] 2 (B) like", "unknown cell type 'C'"]),
    "like a later type": ([('like = "A"', 'like = "T"')], ["unknown cell type 'T'", "(valid: A)"]),
    "colour": ([('"#111111"', '"red"')], ["colour 'red' is not of the form #rrggbb"]),
    "no colour": ([('colour = "#222222"\n', "")], ["(T)", "'colour' is missing, and no 'like' supplies it"]),
    "missing unit": ([('unit = "um", ', "")], ["bad.toml [parameters] site", "'unit' is missing"]),
    "empty unit": (
        [('unit = "um"', 'unit = ""')],
        ["[parameters] site", "'unit' must be text (unit; 1 for none)"],
    ),
    "unknown unit": ([('unit = "um"', 'unit = "micron"')], ["parameter 'site' 'micron'", "unknown unit"]),
    "missing source": ([(', source = "assumed"', "")], ["[parameters] site", "source missing", "'assumed'"]),
    "bad source": ([('"assumed"', '"guess"')], ["[parameters] site", "source 'guess'", "DOI"]),
    "bad DOI": ([('"assumed"', '"10.12/x"')], ["source '10.12/x' is none of"]),
    "bare number": (
        [('zero = { value = 0, unit = "1/h", source = "assumed" }', "zero = 0")],
        ["[parameters] zero", "not a bare int"],
    ),
    "value and expr": ([("value = 15", 'expr = "L", value = 15')], ["give either value or expr"]),
    "neither value nor expr": ([("value = 15, ", "")], ["give either value or expr"]),
    "text for a number": ([("value = 15", 'value = "15"')], ["'value' must be a finite number", "'15'"]),
    "a truth for a number": ([("value = 15", "value = true")], ["must be a finite number", "True"]),
    "nan": ([("value = 15", "value = nan")], ["parameters", "nan is no finite number"]),
    "inf": ([("value = 15", "value = inf")], ["parameters", "inf is no finite number"]),
    "beyond double": ([("value = 15", "value = 1" + "0" * 400)], ["more than 64 bits"]),
    "number for an expression": ([('decay = "r"', "decay = 0.1")], ["'decay' must be text", "0.1"]),
    "wrong dimension": ([('decay = "r"', 'decay = "D"')], ["(F) decay", "wrong dimension", "1/h"]),
    "half of another unit": ([('half = "p"', 'half = "L"')], ["half", "wrong dimension", "nM"]),
    "site of another unit": ([('site = "site"', 'site = "r"')], ["[model] tiny site", "wrong dimension"]),
    "negative rate": (
        [('rate = "r"', 'rate = "-r"')],
        ["(A: divide) rate", "-0.01 1/h", "cannot be negative"],
    ),
    "negative weight": ([('tumour = "w"', 'tumour = "-w"')], ["weights.tumour", "cannot be negative"]),
    "weight as number": ([('tumour = "w"', "tumour = 1")], ["weights.tumour must be text"]),
    "zero half": ([('half = "p"', 'half = "0*p"')], ["half", "zero or negative"]),
    "zero step": (
        [('time_step = "time_step"', 'time_step = "0*time_step"')],
        ["time_step", "zero or negative"],
    ),
    "unknown parameter": ([('decay = "r"', 'decay = "rr"')], ["unknown parameter 'rr'", "mean 'r'?"]),
    "division by zero": ([('decay = "r"', 'decay = "r/(zero/zero)"')], ["decay", "divides by zero"]),
    "overflow": ([('decay = "r"', 'decay = "1e308*10*r"')], ["decay", "not a finite number"]),
    "not arithmetic": ([('decay = "r"', 'decay = "max(r, r)"')], ["may hold only names, numbers"]),
    "interval": ([('"2*time_step"', '"2.5*time_step"')], ["update_interval", "2.5 h is not a multiple"]),
    "interval below a step": ([('"2*time_step"', '"0.1*time_step"')], ["not a multiple of the time step"]),
    "vessel alone": ([("solver =", 'vessel_level = "p"\nsolver =')], ["vessel_type", "belong together"]),
    "scale in another unit": ([("solver =", 'scale = "P"\nsolver =')], ["(F) scale", "wrong dimension"]),
    "scale in another size": (
        [
            ("solver =", 'normalise = "tissue mean"\nscale = "P"\nsolver ='),
            ('name = "P"\nunit = "nM"', 'name = "P"\nunit = "uM"'),
        ],
        ["'P' is in uM, and nM is needed"],
    ),
    "free of nothing": ([('free_of = "P"', 'free_of = "Q"')], ["unknown body signal 'Q'", "P"]),
    "free of itself": ([('free_of = "P"', 'free_of = "free_F"')], ["other than itself"]),
    "one block of a list": ([("[[density]]", "[density]")], ["write [[density]]"]),
    "parameters as a list": ([("[parameters]", "[[parameters]]")], ["[parameters]: a table is needed"]),
    "no layers": ([('layers = ["tissue", "immune"]', 'layers = "tissue"')], ["'layers' must be a list"]),
    "include of nothing": (
        [('title = "tiny"', 'title = "tiny"\ninclude = ["nowhere.toml"]')],
        ["unknown model 'nowhere.toml'", "mcrc"],
    ),
    "include of itself": (
        [('title = "tiny"', 'title = "tiny"\ninclude = ["bad.toml"]')],
        ["includes itself (bad.toml -> bad.toml)"],
    ),
    "include of a number": (
        [('title = "tiny"', 'title = "tiny"\ninclude = [3]')],
        ["'include' must be a list"],
    ),
    "type twice": ([('name = "B"', 'name = "A"')], ["cell type 'A' is declared twice"]),
    "signal twice": ([('name = "free_F"', 'name = "P"')], ["body signal 'P' is declared twice"]),
    "behaviour twice": ([('do = "become B"', 'do = "divide"')], ["'divide' is declared twice for A"]),
    "not TOML": ([("[parameters]", "[parameters")], ["bad.toml", "not valid TOML", "line"]),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_sentence(mistake, tmp_path):
    swaps, parts = MISTAKES[mistake]
    with pytest.raises(InputError) as caught:
        load(tmp_path, edited(*swaps))
    message = str(caught.value)
    assert "\n" not in message
    for part in parts:
        assert part in message


@pytest.mark.parametrize("block", ["field", "density"])
def test_a_field_or_density_declared_twice_is_refused(block, tmp_path):
    start = BLOCKS.index(f"[[{block}]]")
    again = BLOCKS[start : BLOCKS.find("[[", start + 2) if "[[" in BLOCKS[start + 2 :] else None]
    with pytest.raises(InputError, match=f"{block} '.*' is declared twice"):
        load(tmp_path, GOOD + again)


def test_a_behaviour_by_name_and_by_group_is_declared_twice(tmp_path):
    with pytest.raises(InputError, match="'divide' is declared twice for A"):
        load(tmp_path, GOOD + behaviour("tumour", "divide", "r"))


@pytest.mark.parametrize("key", [key for key, (_, needed, _) in MODEL_KEYS["model"].items() if needed])
def test_every_required_key_of_a_model_is_required(key, tmp_path):
    lines = [line for line in GOOD.splitlines() if not line.startswith(f"{key} =")]
    head = len(GOOD.splitlines()) - len(lines)
    assert head >= 1
    with pytest.raises(InputError, match=f"'{key}' is missing"):
        load(tmp_path, "\n".join(lines))


def test_a_parameter_declared_in_two_files_is_refused(tmp_path):
    (tmp_path / "more.toml").write_text("[parameters]\n" + parameters(r=(1.0, "1/h")))
    with pytest.raises(InputError, match=r"more.toml \[parameters\] r: declared twice"):
        load(tmp_path, edited(('title = "tiny"', 'title = "tiny"\ninclude = ["more.toml"]')))


def test_included_files_add_their_sections(tmp_path):
    (tmp_path / "more.toml").write_text(
        "[parameters]\n" + parameters(extra=(0.02, "1/h")) + behaviour("V", "die old", "extra")
    )
    model = load(tmp_path, edited(('title = "tiny"', 'title = "tiny"\ninclude = ["more.toml"]')))
    assert "V: die old" in model.events
    assert model.scope.number("extra", "1/d", "x") == pytest.approx(0.48, rel=1e-12)
    assert "more.toml" in model.spec.text
    assert "die old" in model.spec.text


def test_a_part_needs_no_model_table_and_a_model_does(tmp_path):
    path = tmp_path / "part.toml"
    path.write_text("[parameters]\n" + parameters(extra=(0.02, "1/h")))
    assert list(read_part(path).parameters) == ["extra"]
    with pytest.raises(InputError, match=r"needs a \[model\] table"):
        read_model(str(path))


@pytest.mark.parametrize(
    "source",
    [
        "10.1038/s41540-025-00513-1",
        "10.1038/s41540-025-00513-1 (table 2)",
        "PMID 12345",
        "code jnkather/immunoABM@bfa5aeb",
        "code jnkather/immunoABM@bfa5aeb line 3",
        "fitted; week 8",
    ],
)
def test_good_sources_are_accepted(source, tmp_path):
    assert load(tmp_path, edited(('"assumed"', f'"{source}"'))).parameters[0].source == source


@pytest.mark.parametrize("name", ["nothing", "", "nothing.toml", "."])
def test_an_unknown_model_lists_the_library(name):
    with pytest.raises(InputError, match="unknown model") as caught:
        read_model(name)
    assert all(model in str(caught.value) for model in library_models())


def test_unreadable_files_are_named(tmp_path):
    (tmp_path / "latin.toml").write_bytes(b"name = '\xff\xfe'")
    with pytest.raises(InputError, match=r"latin.toml: byte 8 is not UTF-8"):
        read_model(str(tmp_path / "latin.toml"))
