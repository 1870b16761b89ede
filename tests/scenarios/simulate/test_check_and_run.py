"""Whatever is misspelt in a scenario, check and run are of one mind, and nothing is written of what is refused."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from oncolattice.abm.errors import InputError
from oncolattice.scenarios.command import cli
from oncolattice.scenarios.command.check import check_file
from oncolattice.scenarios.files.scenario import library_scenarios, load_scenario
from oncolattice.scenarios.simulate.run import Run

SAMPLE = 211  # a prime, so that every section of a file has its turn in some scenario


def small(name: str) -> dict[str, Any]:
    """Return a library scenario, all that it extends included, on a small lattice."""
    tables = json.loads(json.dumps(load_scenario(name).tables))
    tables["scenario"].pop("extends", None)
    tables["lattice"] |= {"rows": 48, "columns": 48} | (
        {"planes": 16} if "planes" in tables["lattice"] else {}
    )
    tables["tissue"] |= {"margin_um": 0} if "margin_um" in tables["tissue"] else {}
    tables["output"]["snapshot_days"] = [0]
    tables["scenario"]["duration_days"] = 8
    return tables


def places(table: Any, path: tuple = ()) -> Iterator[tuple]:
    """Yield the path of every value, and that of every key with a mark behind it."""
    if isinstance(table, dict | list):
        for key, value in table.items() if isinstance(table, dict) else enumerate(table):
            if isinstance(table, dict):
                yield (*path, key, "key")
            yield from places(value, (*path, key))
    elif not isinstance(table, bool):
        yield (*path, "value")


def misspelt(tables: dict[str, Any], path: tuple) -> dict[str, Any]:
    """Return the tables with the last letter of one key or text changed, or one number turned negative."""
    wrong = copy.deepcopy(tables)
    here: Any = wrong
    *way, last, kind = path
    for key in way:
        here = here[key]
    if kind == "key":
        renamed = [(letter(k) if k == last else k, v) for k, v in here.items()]
        here.clear()
        here.update(renamed)
    else:
        value = here[last]
        here[last] = letter(value) if isinstance(value, str) else -abs(value) or -1
    return wrong


def letter(word: str) -> str:
    return word[:-1] + ("z" if word[-1:] != "z" else "q")


def toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(k)} = {toml(v)}" for k, v in value.items()) + " }"
    return f"[{', '.join(map(toml, value))}]" if isinstance(value, list) else json.dumps(value)


def write(path: Path, tables: dict[str, Any]) -> Path:
    path.write_text("\n".join(f"{key} = {toml(value)}" for key, value in tables.items()))
    return path


def runs(path: Path) -> str:
    """Return why two steps of a scenario are refused; nothing if they are run, with closed books."""
    try:
        run = Run(load_scenario(str(path)), 1)
        run.open()
        run.advance(2)
    except InputError as error:
        return str(error)
    assert max(run.simulation.course.residuals(), default=0.0) <= 1e-10
    return ""


def differences(faults: list[tuple[str, tuple]], folder: Path) -> list[str]:
    found, whole = [], {name: small(name) for name in {name for name, _ in faults}}
    for name, path in faults:
        file = write(folder / f"{name}.toml", misspelt(whole[name], path) if path else whole[name])
        told, refused = check_file(file), runs(file)
        if bool(told) != bool(refused) or (not path and told):
            found.append(f"{name} {path}: check says {told}, run says '{refused}'")
    return found


FAULTS = [(name, path) for name in library_scenarios() for path in ((), *places(small(name)))]


@pytest.mark.parametrize("part", range(4))
def test_check_and_run_refuse_the_same(part, tmp_path):
    some = FAULTS[::SAMPLE]
    assert len(some) > 15
    assert differences(some[part::4], tmp_path) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", library_scenarios())
def test_check_and_run_refuse_the_same_of_every_word(name, tmp_path):
    assert differences([fault for fault in FAULTS if fault[0] == name], tmp_path) == []


COUPLING = [
    ("drugs.0.drug", "TAS1O2", "unknown drug 'TAS1O2'"),
    ("drugs.0.states", ["Chem_C", "Chem_P"], "add 'Chem_eliminated'"),
    ("drugs.0.states", ["Chem_C", "Chem_eliminated"], "do not hold all"),
    ("drugs.0.states", ["Chem_C", "Chem_P", "Targ_eliminated"], "do not hold all"),
    ("drugs.0.states", ["Targ_C", "Targ_P", "Targ_eliminated"], "get 0 of a dose"),
    ("drugs.1.drug", "TAS102", "'TAS102' is named twice"),
    ("releases.0.type", "stroma", "unknown event 'stroma: die apoptosis'"),
    ("cells.5.type", "CTL", "'CTL' is named twice"),
    ("cells.1.tissue", "X1_C", "'X1_C' is named twice"),
    ("cells.4.blood", "T8_B", "'T8_B' is named twice"),
    ("cells.3.blood", None, "from no blood"),
    ("cells.2", None, "the tumour type 'DPTC' is missing"),
    ("blood_volume", "kappa_1", "unknown body parameter 'kappa_1'"),
    ("antigen_turnover", "V_B", "unknown body parameter 'V_B'"),
    ("cells.3.blood", "Chem_C", "unknown body state 'Chem_C'"),
    ("releases.0.amount", "V_B", "unknown body parameter 'V_B'"),
    ("left_out", ["DPTC"], "'DPTC' is in cells and in left_out"),
    ("left_out", ["CTL"], "unknown tumour type 'CTL'"),
    ("signals.3.signal", "bevacizumab", "'bevacizumab' is named twice"),
]


@pytest.mark.parametrize(("place", "value", "says"), COUPLING)
def test_a_coupling_that_could_not_keep_books_is_refused_before_anything_is_written(
    place, value, says, tmp_path
):
    tables = small("mcrc_placebo")
    here: Any = tables["coupling"]
    *way, last = [int(word) if word.isdigit() else word for word in place.split(".")]
    for key in way:
        here = here[key]
    if value is None:
        del here[last]
    else:
        here[last] = value
    file = write(tmp_path / "wrong.toml", tables)
    (told,) = check_file(file)[:1]
    assert says in told
    done = CliRunner().invoke(cli.app, ["run", str(file), "--out", str(tmp_path / "out")])
    assert isinstance(done.exception, InputError)
    assert says in str(done.exception)
    assert not (tmp_path / "out").exists()


def test_a_tumour_type_left_out_by_name_is_left_out(tmp_path):
    """The volume is that of the types that cross; the other one is still counted on the lattice."""
    tables = small("mcrc_placebo")
    tables["tissue"]["composition"] = {"DSTC": 0.5, "DPTC": 0.5}
    whole = Run(load_scenario(str(write(tmp_path / "whole.toml", tables))), 1)
    tables["coupling"] |= {
        "left_out": ["DPTC"],
        "cells": [c for c in tables["coupling"]["cells"] if c["type"] != "DPTC"],
        "releases": [r for r in tables["coupling"]["releases"] if r["type"] != "DPTC"],
    }
    partly = Run(load_scenario(str(write(tmp_path / "partly.toml", tables))), 1)
    counts = whole.simulation.tissue.state.counts(whole.simulation.model)
    names = [info.name for info in whole.simulation.model.types]
    tumour = {name: int(counts[names.index(name)]) for name in ("DSTC", "DRTC", "DPTC")}
    share = 1.0 - tumour["DPTC"] / sum(tumour.values())
    assert 0.4 < share < 0.6
    assert partly.recorder.volume_cm3() == pytest.approx(share * whole.recorder.volume_cm3(), rel=1e-12)
