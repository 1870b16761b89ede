"""What a compiled model holds: inheritance by ``like``, steps that are short enough, read-only tables."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import CELLS, HEAD, behaviour, parameters, rule, tiny_model

from oncolattice.abm.compile.model_file import expand_groups, read_model
from oncolattice.abm.compile.parameters import Override
from oncolattice.abm.compile.rules import inherited
from oncolattice.abm.errors import InputError
from oncolattice.abm.model import compile_model, load_model

NUMBERS = parameters(r=(0.01, "1/h"), s=(0.02, "1/h"), half=(0.5, "1"), n=(3.0, "1")) + "\n"


def have(model, section, key):
    """Return type -> what it has, as sorted words."""
    held = inherited(model.spec, section, key)
    return {
        name: sorted(
            entry[key] + (f" <- {entry['signal']}" if section == "rule" else "") for entry in entries
        )
        for name, entries in held.items()
    }


def test_like_hands_on_look_behaviours_and_rules():
    model = tiny_model(
        NUMBERS, behaviour("A", "divide", "r") + rule("A", "divide", "crowding", "decreases", "half")
    )
    a, b, *_ = model.types
    assert (b.layer, b.group, b.colour, b.display) == (a.layer, a.group, a.colour, "B")
    assert have(model, "behaviour", "do")["B"] == ["divide"]
    assert have(model, "rule", "behaviour")["B"] == ["divide <- crowding"]
    assert have(model, "behaviour", "do")["T"] == []


def test_a_behaviour_declared_anew_drops_the_rules_of_the_old_one():
    model = tiny_model(
        NUMBERS,
        behaviour("A", "divide", "r")
        + behaviour("A", "die x", "r")
        + behaviour("B", "divide", "s")
        + rule("A", "divide", "crowding", "decreases", "half")
        + rule("A", "die x", "crowding", "increases", "half", fold="2"),
    )
    assert have(model, "behaviour", "do")["B"] == ["die x", "divide"]
    assert have(model, "rule", "behaviour")["B"] == ["die x <- crowding"]
    rates = sorted(model.tables.slots["base"])
    assert rates == pytest.approx([0.01, 0.01, 0.01, 0.02], rel=1e-12)


def test_a_type_is_in_the_group_of_the_type_it_is_like():
    # B declares its own division, so it inherits none; the rule of the group must still reach it
    model = tiny_model(
        NUMBERS,
        behaviour("A", "divide", "r")
        + behaviour("B", "divide", "s")
        + rule("A", "divide", "contact T", "decreases", "n")
        + rule("tumour", "divide", "crowding", "decreases", "half"),
    )
    assert have(model, "rule", "behaviour")["A"] == ["divide <- contact T", "divide <- crowding"]
    assert have(model, "rule", "behaviour")["B"] == ["divide <- crowding"]
    types = model.spec.sections["cell_type"]
    assert list(expand_groups("tumour", types, "x")) == ["A", "B"]
    assert model.members("tumour") == (1, 2)


def test_group_members_are_the_same_for_rules_and_for_the_engine():
    own = '\n[[cell_type]]\nname = "C"\nlike = "B"\ngroup = "other"\n[[cell_type]]\nname = "D"\nlike = "C"\n'
    model = tiny_model(NUMBERS, own)
    types = model.spec.sections["cell_type"]
    for word in ("tumour", "other", "A", "T", "V"):
        names = list(expand_groups(word, types, "x"))
        assert names == [model.types[i - 1].name for i in model.members(word)]
    assert list(expand_groups("other", types, "x")) == ["C", "D"]


def test_chains_of_like_hand_on_everything_once():
    third = '\n[[cell_type]]\nname = "C"\nlike = "B"\n'
    model = tiny_model(
        NUMBERS,
        third
        + behaviour("A", "divide", "r")
        + behaviour("tumour", "die x", "r")
        + rule("tumour", "die x", "crowding", "increases", "half", fold="2"),
    )
    assert have(model, "behaviour", "do")["C"] == ["die x", "divide"]
    assert have(model, "rule", "behaviour")["C"] == ["die x <- crowding"]


def test_kills_are_counted_by_victim_and_killer():
    model = tiny_model(NUMBERS, behaviour("T", "kill tumour", "r"))
    assert model.events == ("A: killed by T", "B: killed by T")


STEPS = (
    parameters(a=(0.11, "1/h"), b=(0.2, "1/h"), half=(0.5, "1"), two=(2.0, "1"))
    + "\n"
    + 'three_hours = { value = 3, unit = "h", source = "assumed" }\n'
)
FIELD = """
[[field]]
name = "F"
unit = "nM"
diffusivity = "site**2*a"
decay = "a"
solver = "transient"
update_interval = "three_hours"
tolerance = "0.001"
"""


@settings(deadline=None, max_examples=40)
@given(st.floats(0.05, 30), st.floats(0.05, 30), st.floats(0.5, 5))
def test_a_step_too_long_names_one_that_does(tmp_path_factory, slow, fast, fold):
    text = (
        HEAD + STEPS + CELLS + FIELD
        + behaviour("A", "die x", "a") + behaviour("A", "divide", "b")
        + behaviour("T", "kill A", "b")
        + rule("A", "divide", "crowding", "increases", "half", fold="two")
    )  # fmt: skip
    path = tmp_path_factory.mktemp("model") / "steps.toml"
    path.write_text(text)
    spec = read_model(str(path))
    rates = {
        "a": Override(slow, None, "user"),
        "b": Override(fast, None, "user"),
        "two": Override(fold, None, "user"),
    }
    expected = slow + fast * max(1.0, fold)  # events of the fate clock of A in one hour
    if expected <= 0.25:
        compile_model(spec, rates, {})
        return
    with pytest.raises(InputError, match="events a step of 1 h are too many") as caught:
        compile_model(spec, rates, {})
    named = re.search(r"a time step of (\S+) h would do", str(caught.value))
    assert named
    step = float(named[1])
    assert step * expected <= 0.25 * (1 + 1e-6)
    assert (
        step * expected > 0.25 / 2.6
    )  # and it is not needlessly short: divisors are 1, 2, 4, 5, 8, 10, 16 ...
    assert compile_model(spec, rates | {"time_step": Override(step, "h", "user")}, {}).dt_h == step


def test_a_rate_at_the_limit_is_allowed():
    limit = parameters(q=(0.25, "1/h")) + "\n"
    assert tiny_model(limit, behaviour("A", "die x", "q")).tables.slots["base"][0] == 0.25
    with pytest.raises(InputError, match=r"A: 0.26 events a step of 1 h .* a time step of 0.5 h would do"):
        tiny_model(parameters(q=(0.26, "1/h")) + "\n", behaviour("A", "die x", "q"))


def test_two_ways_to_migrate_are_refused():
    with pytest.raises(InputError, match="'migrate' is declared twice for T"):
        tiny_model(NUMBERS, behaviour("T", "migrate", "r") + behaviour("T", "migrate", "s"))


def test_tables_cannot_be_written():
    model = tiny_model(NUMBERS, behaviour("A", "divide", "r"))
    arrays = [part for part in model.tables if isinstance(part, np.ndarray)]
    assert arrays
    assert not any(array.flags.writeable for array in arrays)


def test_unknown_types_and_groups_are_named():
    model = tiny_model(NUMBERS, "")
    assert model.type_id("T") == 3
    with pytest.raises(InputError, match=r"unknown cell type 'tumour'.*A, B, T, V"):
        model.type_id("tumour")
    with pytest.raises(InputError, match=r"unknown cell type or group 'immune'"):
        model.members("immune")


def test_overrides_reach_the_tables(tmp_path):
    path = tmp_path / "m.toml"
    path.write_text(HEAD + NUMBERS + CELLS + behaviour("V", "die x", "r"))
    model = load_model(str(path), {"r": Override(1.2, "1/d", "user")})
    assert model.tables.slots["base"][0] == pytest.approx(0.05, rel=1e-12)
    assert next(p for p in model.parameters if p.name == "r").source == "user"
