"""Rule sets as tables: what a wrong word is told, and random sets from the grammar that must compile and run."""

import re

import numpy as np
import pytest
from engine_cases import BODY, EXHAUSTED, FIELD, busy_model, busy_start
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tiny import attribute, behaviour, change, parameters, placed, rule, tiny_model, tissue_of

from oncolattice.abm.advance import Tissue
from oncolattice.abm.errors import InputError
from oncolattice.abm.state import first_state
from oncolattice.abm.vocabulary import ANY_NEIGHBOUR, NEIGHBOURHOODS, RESPONSES, TARGETS, UPDATES

NUMBERS = parameters(
    b=(0.01, "1/h"), one=(1.0, "1"), two=(2.0, "1"), half=(0.5, "1"), most=(0.7, "1"), rings=(3.0, "1"), far=(5.0, "1"),
    none=(0.0, "h"), keep=(2.0, "h"), level=(1.5, "nM"), D=(2000.0, "um^2/h"), k_F=(0.5, "1/h"), x=(5.0, "1/h"),
    tolerance=(1e-5, "1"), interval=(1.0, "h"), quick=(0.4, "1/h"), fast=(2.0, "1/h"), never=(0.0, "1/h"),
)  # fmt: skip
DIVIDE = behaviour("A", "divide", "b")

WRONG: dict[str, tuple[str, dict, str]] = {
    "update": (DIVIDE, {"update": "rate"}, r"unknown update 'rate'; did you mean 'rates'\?.*random attempts"),
    "neighbourhood": (
        DIVIDE,
        {"neighbourhood": "Moor"},
        r"unknown neighbourhood 'Moor'.*valid: moore, von Neumann",
    ),
    "boundary": (DIVIDE, {"boundary": "torus"}, r"unknown boundary 'torus'.*no-flux, periodic"),
    "dimensions": (DIVIDE, {"dimensions": 4}, r"dimensions.*4"),
    "target": (
        behaviour("A", "divide", "b", target="random neighbour"),
        {},
        r"unknown target 'random neighbour'.*abort if occupied",
    ),
    "target of what does not divide": (
        behaviour("A", "die x", "b", target=TARGETS[0]),
        {},
        r"'target' has no meaning for 'die x'; take it out",
    ),
    "rings with abort": (
        behaviour("A", "divide", "b", target=TARGETS[ANY_NEIGHBOUR], rings="rings"),
        {},
        r"'rings' belongs to target = 'random empty neighbour' only",
    ),
    "too many rings": (behaviour("A", "divide", "b", rings="far"), {}, r"rings must be 1 to 4.*got 5"),
    "rings of a broken number": (behaviour("A", "divide", "b", rings="half"), {}, r"rings"),
    "beget sums": (
        DIVIDE + behaviour("A", "beget B", "most") + behaviour("A", "beget V", "most"),
        {},
        r"A: the probabilities of 'beget' (sum to|reach) 1\.4; at most 1",
    ),
    "die_dividing sums": (
        DIVIDE + behaviour("A", "die_dividing x", "most") + behaviour("A", "die_dividing y", "most"),
        {},
        r"A: the probabilities of 'die_dividing' (sum to|reach) 1\.4; at most 1",
    ),
    "a rule that lifts a probability above 1": (
        DIVIDE
        + behaviour("A", "die_dividing x", "most")
        + rule("A", "die_dividing x", "crowding", "increases", "half", fold="two"),
        {},
        r"A: the probabilities of 'die_dividing' reach 1\.4; at most 1",
    ),
    "beget across layers": (
        DIVIDE + behaviour("A", "beget T", "half"),
        {},
        r"A cannot beget T, which sits on another layer",
    ),
    "beget itself": (
        DIVIDE + behaviour("A", "beget A", "half"),
        {},
        r"A cannot beget A, which it is already",
    ),
    "beget nothing": (DIVIDE + behaviour("A", "beget", "half"), {}, r"'beget' needs a cell type"),
    "beget at a rate": (DIVIDE + behaviour("A", "beget B", "b"), {}, r"rate"),
    "die_dividing at a rate": (DIVIDE + behaviour("A", "die_dividing x", "b"), {}, r"rate"),
    "leaves of another layer": (
        behaviour("A", "die x", "b", leaves="T"),
        {},
        r"'T' must be another type of the same layer",
    ),
    "leaves itself": (
        behaviour("V", "die x", "b", leaves="V"),
        {},
        r"'V' must be another type of the same layer",
    ),
    "leaves of a victim on another layer": (
        EXHAUSTED + behaviour("T", "kill tumour", "b", leaves="E"),
        {},
        r"'E' must be another type of the same layer",
    ),
    "leaves nothing known": (behaviour("A", "die x", "b", leaves="Q"), {}, r"unknown cell type 'Q'"),
    "leaves of what stays": (
        behaviour("T", "leave", "b", leaves="T"),
        {},
        r"'leaves' has no meaning for 'leave'; take it out",
    ),
    "become across layers": (
        behaviour("A", "become T", "b"),
        {},
        r"A cannot become T, which sits on another layer",
    ),
    "up and down": (
        FIELD + behaviour("T", "migrate", "b", up="F", down="F", bias="half"),
        {},
        r"give either up or down, not both",
    ),
    "bias without a field": (
        behaviour("T", "migrate", "b", bias="half"),
        {},
        r"bias needs a field to climb: up or down",
    ),
    "bias above one": (
        FIELD + behaviour("T", "migrate", "b", up="F", bias="two"),
        {},
        r"bias is the share of hops.*got 2",
    ),
    "a climb of nothing": (behaviour("T", "migrate", "b", up="G", bias="half"), {}, r"unknown field 'G'"),
    "no persistence": (behaviour("T", "migrate", "b", persistence="none"), {}, r"persistence"),
    "persistence of a number": (behaviour("T", "migrate", "b", persistence="half"), {}, r"persistence"),
    "persistence of a death": (
        behaviour("T", "die x", "b", persistence="keep"),
        {},
        r"'persistence' has no meaning for 'die x'",
    ),
    "two migrations": (
        behaviour("T", "migrate", "b") + behaviour("T", "migrate", "b"),
        {},
        r"'migrate' is declared twice for T",
    ),
    "response": (
        DIVIDE + rule("A", "divide", "crowding", "decreases", "half", response="steps"),
        {},
        r"unknown response 'steps'; did you mean 'step'\?",
    ),
    "crowding of something": (
        DIVIDE + rule("A", "divide", "crowding A", "decreases", "half"),
        {},
        r"'crowding' takes no object",
    ),
    "rates too high for a step": (
        behaviour("A", "die x", "quick"),
        {},
        r"A: 0\.4 events a step.*a time step of 0\.5 h would do",
    ),
    "probabilities above one": (
        behaviour("A", "die x", "fast"),
        {"update": UPDATES[1]},
        r"A: 2 events a step.*a time step of 0\.5 h would do",
    ),
    "hops above one attempt": (
        behaviour("T", "migrate", "fast"),
        {"update": UPDATES[2]},
        r"T: 2 .*a time step of 0\.5 h would do",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_word_is_told_the_right_ones(case):
    blocks, head, message = WRONG[case]
    with pytest.raises(InputError, match=message):
        tiny_model(NUMBERS, blocks, **head)


@pytest.mark.parametrize(
    ("head", "shape", "message"),
    [
        (
            {"dimensions": 3},
            (12, 12),
            r"tiny has dimensions = 3 and needs a block.*the placed tissue is 12 x 12",
        ),
        ({"dimensions": 2}, (6, 6, 6), r"tiny has dimensions = 2 and needs a section.*6 x 6 x 6"),
        (
            {"boundary": "periodic"},
            (6, 40),
            r"periodic and reaches 3 sites, so it needs at least 7 sites each way.*6 x 40",
        ),
        ({"boundary": "periodic", "dimensions": 3}, (9, 9, 5), r"at least 7 sites each way.*9 x 9 x 5"),
    ],
)
def test_a_placement_that_does_not_fit_is_refused(head, shape, message):
    model = tiny_model(NUMBERS, behaviour("A", "divide", "b", rings="rings"), **head)
    with pytest.raises(InputError, match=message):
        tissue_of(model, np.zeros((2, *shape), np.uint8))


def test_the_words_of_a_mode_reach_the_tables():
    for i, update in enumerate(UPDATES):
        assert tiny_model(NUMBERS, DIVIDE, update=update).tables.update == i
    for i, target in enumerate(TARGETS):
        tables = tiny_model(NUMBERS, behaviour("A", "divide", "b", target=target)).tables
        assert tables.slots[tables.types[1]["fate_first"]]["target"] == i
    tables = tiny_model(
        NUMBERS, FIELD + behaviour("T", "migrate", "b", down="F", bias="half", persistence="keep")
    ).tables
    slot = tables.slots[tables.types[3]["move_first"]]
    assert (slot["bias"], slot["slope"], slot["persistence"], slot["climbs"]) == (0.5, -1.0, 2.0, 0)


# --- random rule sets ------------------------------------------------------------------------------------------------

ATTRIBUTES = (
    attribute("n", "tumour", "two", spread="one")
    + attribute("age", "tumour", "none", kind="clock", unit="h")
    + attribute("rest", "T", "keep", spread="keep", kind="timer", unit="h")
)
OWN = {"A": ("own n", "own age"), "T": ("own rest",), "V": ()}
DOES = {
    "A": ("divide", "die x", "become V", "become B", "migrate", "beget B", "die_dividing y"),
    "T": ("kill tumour", "kill V", "leave", "die z", "migrate", "divide"),
    "V": ("die x", "become A", "divide"),
}
HALF = {"own age": "keep", "own rest": "keep", "body P": "level", "field F": "level"}


@st.composite
def rule_sets(draw) -> str:
    """Return blocks of a model that follow the grammar: behaviours, their rules, attributes and changes."""
    blocks = EXHAUSTED + BODY + ATTRIBUTES
    fields = draw(st.booleans())
    blocks += FIELD if fields else ""
    for cell, choices in DOES.items():
        for do in draw(st.lists(st.sampled_from(choices), unique=True, max_size=4)):
            verb = do.split()[0]
            probability = verb in ("beget", "die_dividing")
            more: dict[str, str] = {}
            if verb == "divide":
                more["target"] = draw(st.sampled_from(TARGETS))
                if more["target"] == TARGETS[0] and draw(st.booleans()):
                    more["rings"] = "rings"
                if draw(st.booleans()):
                    more["below_zero"] = "die crowded"
            elif (verb in ("die", "die_dividing") and cell == "A" and draw(st.booleans())) or (
                do == "kill tumour" and draw(st.booleans())
            ):
                more["leaves"] = "V"
            elif verb == "migrate":
                more |= {"persistence": "keep"} if draw(st.booleans()) else {}
                if fields and draw(st.booleans()):
                    more |= {draw(st.sampled_from(["up", "down"])): "F", "bias": "half"}
            blocks += behaviour(cell, do, "half" if probability else "b", **more)
            signals = (
                "body P",
                "contact tumour",
                "contact V",
                "crowding",
                *OWN[cell],
                *(["field F"] if fields else []),
            )
            for _ in range(draw(st.integers(0, 2))):
                signal = draw(st.sampled_from(signals))
                unbounded = probability or signal in OWN[cell]
                responses = [r for r in RESPONSES if not (unbounded and r == "linear")]
                effect = (
                    "decreases"
                    if probability
                    else draw(st.sampled_from(["increases", "decreases", "drives"]))
                )
                extra = {"response": draw(st.sampled_from(responses))}
                if effect == "increases":
                    extra["fold"] = draw(st.sampled_from(["half", "two"]))
                blocks += rule(cell, do, signal, effect, HALF.get(signal, "half"), **extra)
            if do in ("divide", "become B", "kill tumour") and cell != "V" and draw(st.booleans()):
                name = draw(st.sampled_from(["n", "age"])) if cell == "A" else "rest"
                amount = {"n": "-one", "age": "none", "rest": "keep"}[name]
                zero = draw(st.sampled_from(["", "become V", "die worn"])) if name == "n" else ""
                word = "add" if name == "n" else "set"
                blocks += change(name, do, cell=cell, **{word: amount}, **({"at_zero": zero} if zero else {}))
    return blocks


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    rule_sets(), st.sampled_from(UPDATES), st.sampled_from(NEIGHBOURHOODS), st.booleans(), st.integers(0, 99)
)
def test_any_rule_set_of_the_grammar_compiles_and_runs(blocks, update, neighbourhood, block, seed):
    """No rate is ever above its bound (every cell is looked at), counts stay right, nothing is lost.

    Linear responses may make a step too long, which is said.
    """
    shape = (6, 7, 8) if block else (12, 14)
    try:
        model = tiny_model(
            NUMBERS,
            blocks,
            update=update,
            neighbourhood=neighbourhood,
            dimensions=len(shape),
            boundary="no-flux",
        )
        tissue = Tissue(model, first_state(model, placed(busy_start(shape, seed)), seed), audit=True)
        tissue.advance(2)
    except InputError as error:
        said = re.search("(a time step of .* would do|probabilities of .* at most 1)", str(error))
        if said and 'response = "linear"' in blocks:
            return
        raise
    found = np.bincount(tissue.state.occupant.reshape(-1), minlength=6)[1:]
    assert tissue.state.counts(model).tolist() == found.tolist()
    assert np.array_equal(tissue.state.occupant != 0, tissue.state.uid != 0)
    assert np.isfinite(tissue.state.attributes).all()


def test_the_busy_model_uses_every_part_of_the_grammar():
    """What the other proofs run on really has each verb, each clock, attributes, changes and leaves."""
    tables = busy_model().tables
    assert set(range(11)) - {6} <= set(tables.slots["verb"].tolist())  # secretion is proven with the fields
    assert {0, 1, 2} == set(tables.carries["kind"][tables.carries["carried"] == 1].tolist())
    assert tables.changes.size >= 4
    assert (tables.slots["leaves"] > 0).any()
    assert (tables.slots["persistence"] > 0).any()
    assert (tables.slots["bias"] > 0).any()


def test_more_hops_a_step_than_can_be_made_are_refused():
    numbers = parameters(slow=(1000.0, "1/h"), fast=(1001.0, "1/h"))
    assert tiny_model(numbers, behaviour("T", "migrate", "slow")).tables.slots["base"].tolist() == [1000.0]
    with pytest.raises(InputError, match="T: 1e\\+03 hops a step of 1 h are too many"):
        tiny_model(numbers, behaviour("T", "migrate", "fast"))
