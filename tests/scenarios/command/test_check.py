"""``check`` and ``schema``: good files pass both, mistakes are named, and the format page is true."""

import json
import os
import pathlib
import re
import tomllib

import pytest

from oncolattice.abm.compile.quantities import _UNITS
from oncolattice.abm.errors import InputError
from oncolattice.abm.model import load_model
from oncolattice.abm.vocabulary import EFFECTS, MODEL_KEYS, RESPONSES, SENSES, SOURCE_WORDS, VERBS
from oncolattice.scenarios.command.check import check_file, json_schema
from oncolattice.scenarios.files.keys import ENTRY_KEYS, SCENARIO_KEYS, STUDY_KEYS
from oncolattice.scenarios.files.scenario import LIBRARY
from oncolattice.tests.helpers import store_cases

PAGE = (pathlib.Path(__file__).resolve().parents[3] / "docs" / "format.md").read_text(encoding="utf-8")
EXAMPLES = dict(re.findall(r"<!-- example: ([\w ]+) -->\n```toml\n(.*?)```", PAGE, re.DOTALL))


def write(folder, text, name="file.toml"):
    """Write a file and return its path."""
    path = folder / name
    path.write_text(text)
    return path


# --- the format page ---------------------------------------------------------------------------------


def test_the_minimal_model_is_short_and_valid(tmp_path):
    text = EXAMPLES["minimal"]
    assert 20 <= len([line for line in text.splitlines() if line.strip()]) <= 32
    path = write(tmp_path, text)
    assert check_file(path) == []
    model = load_model(str(path))
    assert model.events == ("cancer: divide", "cancer: division blocked")
    assert model.tables.slots["base"][0] == pytest.approx(0.5 / 24, rel=1e-12)


def test_type_field_and_drug_of_the_page_extend_the_minimal_model(tmp_path):
    parts = ["cell type", "field", "drug"]
    for part in parts:
        write(tmp_path, EXAMPLES[part], f"{part}.toml")
    include = f"include = {json.dumps([f'{part}.toml' for part in parts])}"
    head = 'boundary = "no-flux"'
    path = write(tmp_path, EXAMPLES["minimal"].replace(head, f"{head}\n{include}"))
    assert check_file(path) == []
    model = load_model(str(path))
    assert [info.name for info in model.types] == ["cancer", "resistant", "vessel"]
    assert [field.name for field in model.fields] == ["oxygen"]
    assert {"resistant: divide", "resistant: die poison"} <= set(model.events)
    assert check_file(tmp_path / "drug.toml") == []
    assert check_file(tmp_path / "field.toml") == []


@pytest.mark.parametrize("kind", ["scenario", "study"])
def test_the_scenario_and_the_study_of_the_page_are_valid(kind, tmp_path):
    assert check_file(write(tmp_path, EXAMPLES[kind])) == []


SECTIONS = [
    (section, keys) for table in (MODEL_KEYS, SCENARIO_KEYS, STUDY_KEYS) for section, keys in table.items()
]


@pytest.mark.parametrize(("section", "keys"), SECTIONS, ids=[section for section, _ in SECTIONS])
def test_the_page_names_every_section_key_and_meaning(section, keys):
    heading = "parameters" if section == "parameter" else section
    tables = [
        part for part in re.split(r"\n### ", PAGE) if re.search(rf"`\[+{heading}\]+`", part.splitlines()[0])
    ]
    assert tables
    for key, (_, required, meaning) in keys.items():
        rows = [line for part in tables for line in part.splitlines() if line.startswith(f"| `{key}` |")]
        assert any(meaning in row and ("required" in row) == required for row in rows), key


def test_the_page_names_every_key_of_an_entry_and_every_word():
    for keys in ENTRY_KEYS.values():
        for key, (*_, meaning) in keys.items():
            assert re.search(rf"\| `{key}` \|.*{re.escape(meaning)}", PAGE)
    for word in (*VERBS, *SENSES, *RESPONSES, *SOURCE_WORDS):
        assert re.search(rf"`[^`]*\b{word}\b[^`]*`", PAGE), word
    for word in EFFECTS:
        assert word.removesuffix("s") in PAGE
    for unit in set(_UNITS) - {"-"}:
        assert re.search(rf"`([^`]* )?{re.escape(unit)}( [^`]*)?`", PAGE), unit


# --- check -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["mcrc", "trifluridine", "mcrc_tas102", "nivolumab", "qcic_treated", "demo"])
def test_library_names_work(name):
    assert check_file(name) == []


def test_a_run_file_is_checked(tmp_path):
    path = store_cases.finish(tmp_path)
    assert check_file(path) == []
    renamed = path.rename(tmp_path / "run.data")
    assert check_file(renamed) == []
    renamed.write_bytes(renamed.read_bytes()[:-2000])
    assert len(check_file(renamed)) == 1


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", r"needs a \[model\], \[scenario\], \[study\], \[population\] or \[drug\] table"),
        ("[other]\nx = 1\n", r"sections found: other"),
        ("x = ", "not valid TOML"),
        ("[model]\n", "'name' is missing"),
        ("[study]\n", "'name' is missing"),
        ("[scenario]\n", "section .lattice. is missing"),
        ('[parameters]\nk = { value = 1, unit = "1/d" }\n', "source missing"),
        ('[parameters]\nk = { value = 1, unit = "foo", source = "assumed" }\n', "unknown unit 'foo'"),
        ('[parameters]\nk = { expr = "1 +", unit = "1" }\n', "cannot read the expression"),
        (
            '[[behaviour]]\ncell = "A"\ndo = "dye x"\nrate = "k"\n',
            "unknown behaviour 'dye'",
        ),
        ('[[behaviour]]\ncell = "A"\ndo = "die x"\nrate = "k +"\n', "cannot read the expression"),
        ('[[behaviour]]\ncell = "A"\ndo = "die"\nrate = "k"\n', "'die' needs a cause"),
    ],
)
def test_a_wrong_file_gets_one_sentence(text, reason, tmp_path):
    problems = check_file(write(tmp_path, text))
    assert len(problems) == 1
    assert re.search(reason, problems[0])


RULE = '[[rule]]\ncell = "A"\nbehaviour = "divide"\nsignal = "crowding"\neffect = "drives"\nhalf = "1"\n'


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("", "", None),
        ('"crowding"', '"crowd"', "unknown signal 'crowd'; did you mean 'crowding'"),
        ('"drives"', '"drive"', "unknown effect 'drive'"),
        ('"1"\n', '"1"\nresponse = "Hill"\n', "unknown response 'Hill'; did you mean 'hill'"),
        ('"divide"', '"divide A"', "'divide' takes no object"),
        ("half", "hlaf", "unknown key 'hlaf'; did you mean 'half'"),
        ('"1"', '"1 +"', "cannot read"),
    ],
)
def test_a_drug_file_is_checked_word_by_word(old, new, reason, tmp_path):
    problems = check_file(write(tmp_path, RULE.replace(old, new)))
    assert bool(problems) == (reason is not None)
    assert reason is None or reason in problems[0]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("mrcr", "unknown name 'mrcr'; did you mean 'mcrc'?"),
        ("nowhere.toml", "no such file"),
        ("nowhere.h5", "no such file"),
        (".", ".: a folder, not a file"),
        ("pipe.toml", "pipe.toml: a pipe or device, not a file"),
        ("a\0b.toml", "no such file"),
    ],
)
def test_what_is_no_file_gets_one_sentence(name, reason, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe.toml")
    problems = check_file(name)
    assert len(problems) == 1
    assert reason in problems[0]


PLACEBO = LIBRARY / "mcrc_placebo.toml"


@pytest.mark.parametrize("target", ["[]", "3", "true", '["CTL"]'])
def test_a_phenotype_stands_for_a_type_or_for_shares(target, tmp_path):
    text = PLACEBO.read_text(encoding="utf-8")
    old = '"CD8+ T cells" = "CTL"'
    assert old in text
    problems = check_file(write(tmp_path, text.replace(old, f'"CD8+ T cells" = {target}')))
    assert len(problems) == 1
    assert "table_mapping: 'CD8+ T cells' stands for a cell type, 'ignore' or shares" in problems[0]


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('tissue = "X1_C"', 'tissue = "X9_C"', "unknown body state 'X9_C'; did you mean 'X"),
        ('tissue = "X1_C"', 'tissue = "NK_C"', "unknown body state 'NK_C'"),  # no lattice can own it
        ('blood = "T8_B"', 'blood = "T8"', "unknown body state 'T8'; did you mean 'T8_"),
        ('arrival = "arrival_T8"', 'arrival = "arrival"', "unknown body output 'arrival'"),
        ('signal = "NK"', 'signal = "NKK"', "unknown body signal 'NKK'; did you mean 'NK'?"),
        ('body = "I2_C"', 'body = "I3_C"', "unknown body state or output 'I3_C'"),
        ('"die NK"', '"die nk"', "unknown event 'DSTC: die nk'; did you mean 'DSTC: die NK'?"),
        ('amount = "kappa_1"', 'amount = "kappa1"', "unknown body parameter 'kappa1'"),
        ('blood_volume = "V_B"', 'blood_volume = "VB"', "unknown body parameter 'VB'"),
        ('weight = "W"', 'weight = "X0"', "wrong dimension"),
        ('model = "qcic"', 'model = "qcci"', "unknown model 'qcci'; did you mean 'qcic'?"),
        ('"stroma" = "stroma"', '"stroma" = "strom"', "unknown cell type 'strom'; did you mean 'stroma'?"),
        ("composition = { DSTC", "composition = { DTSC", "unknown cell type 'DTSC'; did you mean 'DSTC'?"),
        ('population = "qcic_treated"', 'population = "qcic_treted"', "'qcic_treted'"),
        ("[output]", "[parameters]\nX = { value = 1, source = 'user' }\n[output]", "unknown parameter 'X'"),
    ],
)
def test_names_that_one_side_lacks_are_found(old, new, reason, tmp_path):
    text = PLACEBO.read_text(encoding="utf-8")
    assert old in text
    problems = check_file(write(tmp_path, text.replace(old, new, 1)))
    assert any(reason in problem for problem in problems), problems


def test_an_unknown_drug_of_a_regimen_is_found(tmp_path):
    text = '[scenario]\nextends = "mcrc_placebo"\nname = "x"\ntitle = "x"\n[[regimen]]\ndrug = "aspirin"\n'
    text += 'amount = 1\ndays = [1]\ncycle_days = 7\ninfusion_days = 0\nfirst_day = 0\nsource = "assumed"\n'
    assert check_file(write(tmp_path, text)) == ["x: unknown drug 'aspirin' (valid: TAS102, bevacizumab)"]


# --- schema ------------------------------------------------------------------------------------------

KINDS = {
    "string": lambda x: isinstance(x, str),
    "number": lambda x: isinstance(x, int | float) and not isinstance(x, bool),
    "integer": lambda x: isinstance(x, int) and not isinstance(x, bool),
    "array": lambda x: isinstance(x, list),
    "object": lambda x: isinstance(x, dict),
}
KNOWN = {
    "$schema",
    "title",
    "description",
    "type",
    "enum",
    "pattern",
    *("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum"),
    "minItems",
    "maxItems",
    "items",
}
KNOWN |= {"properties", "required", "additionalProperties", "anyOf", "not", "if", "else"}


def obeys(value, schema):
    """Validate by the JSON Schema keywords that the package uses; the slow, obvious way."""
    if schema is False or schema is True:
        return schema
    assert set(schema) <= KNOWN, set(schema) - KNOWN
    checks = [
        "type" not in schema or KINDS[schema["type"]](value),
        "enum" not in schema or value in schema["enum"],
        "pattern" not in schema or not isinstance(value, str) or bool(re.search(schema["pattern"], value)),
        "anyOf" not in schema or any(obeys(value, part) for part in schema["anyOf"]),
        "not" not in schema or not obeys(value, schema["not"]),
        "if" not in schema or obeys(value, schema["if"]) or obeys(value, schema["else"]),
    ]
    if KINDS["number"](value):
        checks += [
            schema.get("minimum", value) <= value <= schema.get("maximum", value),
            "exclusiveMinimum" not in schema or value > schema["exclusiveMinimum"],
            "exclusiveMaximum" not in schema or value < schema["exclusiveMaximum"],
        ]
    if isinstance(value, list):
        checks += [obeys(item, schema.get("items", True)) for item in value]
        checks += [schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value))]
    if isinstance(value, dict):
        properties = schema.get("properties", {})
        checks += [all(key in value for key in schema.get("required", []))]
        checks += [
            obeys(v, properties.get(k, schema.get("additionalProperties", True))) for k, v in value.items()
        ]
    return all(checks)


def library(folder, kind):
    """Return the files of the library of one kind."""
    files = (PLACEBO.parent.parent.parent / folder).glob("*.toml")
    return [path for path in files if kind in tomllib.loads(path.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("kind", ["model", "scenario", "study"])
def test_every_valid_file_obeys_the_schema(kind):
    schema = json_schema(kind)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    json.dumps(schema)
    files = [tomllib.loads(EXAMPLES["minimal" if kind == "model" else kind])]
    paths = library("abm/models", kind) + library("scenarios/library", kind)
    files += [tomllib.loads(path.read_text(encoding="utf-8")) for path in paths]
    for file in files:
        assert obeys(file, schema)


@pytest.mark.parametrize(
    ("kind", "old", "new"),
    [
        ("model", "title", "tile"),
        ("model", 'title = "Cells that divide until they are crowded"\n', ""),
        ("model", '"rates"', '"steps"'),
        ("model", "dimensions = 2", "dimensions = 4"),
        ("model", '"divide"', '"devide"'),
        ("model", '"crowding"', '"crowd"'),
        ("model", '"decreases"', '"lowers"'),
        ("model", "#CC79A7", "pink"),
        ("model", ', unit = "um"', ""),
        ("model", ', source = "assumed"', ""),
        ("model", "value = 15", 'value = 15, expr = "step"'),
        ("model", 'half = "0.5"', "half = 0.5"),
        ("model", "[[rule]]", "[rule]"),
        ("scenario", 'extends = "mcrc_tas102"\n', ""),
        ("scenario", "rows = 64", "rows = 6.4"),
        ("scenario", "rows", "row"),
        ("scenario", "[lattice]", "[latice]"),
        ("scenario", ', source = "assumed"', ""),
        ("study", "patients = 2", "patients = 0"),
        ("study", "seed = 1", "seed = -1"),
        ("study", "patients = 2", "patients = 1000000000"),
        ("scenario", "rows = 64", "rows = 8"),
        ("study", '["mcrc_placebo", "mcrc_tas102", "mcrc_tas102_bev"]', "[]"),
    ],
)
def test_schema_and_check_refuse_the_same_mistakes(kind, old, new, tmp_path):
    text = EXAMPLES["minimal" if kind == "model" else kind]
    assert old in text
    wrong = text.replace(old, new, 1)
    assert not obeys(tomllib.loads(wrong), json_schema(kind))
    assert check_file(write(tmp_path, wrong))


def test_an_unknown_kind_of_schema_is_refused():
    with pytest.raises(InputError, match="unknown kind of file 'run'"):
        json_schema("run")
