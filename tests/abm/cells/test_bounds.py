"""Bounds of rates: nothing that thinning lists by is ever below what a cell does, to the last bit."""

import math
import re

import numpy as np
import pytest
from engine_cases import busy_model, busy_start
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import behaviour, parameters, placed, rule, scattered, tiny_model, tissue_of

from oncolattice.abm.advance import Tissue
from oncolattice.abm.cells import audit, decide, draws, sense
from oncolattice.abm.cells.act import act_blocks
from oncolattice.abm.cells.audit import RateBoundError, audit_rates, behaviour_name
from oncolattice.abm.cells.blocks import plan_blocks
from oncolattice.abm.cells.decide import list_blocks
from oncolattice.abm.errors import InputError
from oncolattice.abm.placement import Placement
from oncolattice.abm.state import first_state
from oncolattice.abm.vocabulary import RESPONSES

NUMBERS = parameters(
    r=(0.2, "1/h"), slow=(0.01, "1/h"), one=(1.0, "1"), half=(0.5, "1"), low=(0.3, "1"),
    sixth=(1 / 6, "1"), odd=(3.3, "1"), sure=(1.0, "1/h"),
    D=(200.0, "um^2/h"), k=(0.1, "1/h"), tol=(1e-6, "1"), hour=(1.0, "h"), level=(49.0, "nM"),
    minus=(-2.0, "nM"), unit=(1.0, "nM"),
    R=(45.0, "um"), w=(1.0, "1"), many=(25.0, "nM"), quarter=(0.25, "1/h"),
)  # fmt: skip
FIELD = """
[[field]]
name = "F"
unit = "nM"
diffusivity = "D"
decay = "k"
solver = "transient"
update_interval = "hour"
tolerance = "tol"
initial = "level"
"""
SIGNALS = """
[[body_signal]]
name = "P"
unit = "nM"
default = "unit"

[[body_signal]]
name = "N"
unit = "nM"
default = "minus"

[[density]]
name = "crowd"
unit = "1"
radius = "R"
weights = { A = "w" }
update_interval = "hour"
"""


def with_field(model, values, share=1.0, **more):
    """Return a tissue of A cells in a field of given values, shape as theirs."""
    start = scattered(values.shape, share, 1, 0)
    given = Placement(
        occupant=start,
        region=np.zeros(values.shape, np.uint8),
        region_names=("core",),
        report={},
        fields={"F": values},
    )
    return Tissue(model, first_state(model, given, 1), **more)


@pytest.mark.parametrize("level", [49.0, 0.1, 0.3, 7.0 / 3.0, 1e-3])
def test_a_uniform_field_is_at_half_everywhere(level):
    """Relative to its mean it is 1, at which a step response is 1: every cell dies with p = 1."""
    model = tiny_model(
        NUMBERS,
        FIELD + behaviour("A", "die x", "sure")
        + rule("A", "die x", "relative_field F", "drives", "one", response="step"),
        update="per-step probabilities",
    )  # fmt: skip
    tissue = with_field(model, np.full((32, 32), level))
    tissue.step()
    mean = sum([level] * 1024) / 1024
    if level / mean >= 1.0:
        assert tissue.state.number.sum() == 0


@settings(max_examples=40, deadline=None)
@given(
    low=st.floats(1e-6, 1e6),
    spread=st.floats(0.0, 10.0),
    scale=st.floats(-10.0, 10.0),
    power=st.sampled_from([1.0, 2.0, 3.3, 4.0, 0.7, 8.0]),
    half=st.floats(1e-3, 1e3),
    response=st.sampled_from(range(len(RESPONSES))),
    seed=st.integers(0, 999),
)
def test_responses_of_a_range_hold_those_of_what_lies_in_it(low, spread, scale, power, half, response, seed):
    """Also where powers and exponentials of the C library do not rise from one number to the next."""
    values = low * (1.0 + spread * np.random.default_rng(seed).random(300))
    values[:40] = values[40]
    for k in range(1, 40):
        values[k] = np.nextafter(values[k - 1], np.inf)
    signals = values * scale
    found = [sense.respond(response, s, half, power) for s in signals]
    bottom, top = sense.response_range(
        response, *sense.ordered(values.min() * scale, values.max() * scale), half, power
    )
    assert bottom <= min(found)
    assert max(found) <= top
    if not np.isfinite(found).all():
        return
    spare = 64 * 2.0**-53
    assert top <= max(found) + spare * max(1.0, abs(max(found)))
    assert bottom >= min(found) - spare * max(1.0, abs(min(found)))


@settings(max_examples=200, deadline=None)
@given(*[st.floats(-10, 10)] * 4, st.floats(0, 1), st.floats(0, 1))
def test_products_of_ranges_hold_products(a, b, c, d, p, q):
    (a, b), (c, d) = sorted((a, b)), sorted((c, d))
    x, y = min(b, max(a, a + p * (b - a))), min(d, max(c, c + q * (d - c)))
    low, high = sense.times(a, b, c, d)
    assert low <= x * y <= high
    assert {low, high} <= {a * c, a * d, b * c, b * d}


BOUNDED = {
    # behaviour's rules of A, and the truth: the highest size of its rate in units of the base, from the formula
    "a sum below zero": (  # 1 + (0 - 1) * 17: fold 0 and 17 contacts of half 1
        rule("A", "divide", "contact A", "increases", "one", fold="zero_fold", response="linear"),
        16.0,
    ),
    "two sums below zero": (
        rule("A", "divide", "contact A", "increases", "one", fold="zero_fold", response="linear")
        + rule("A", "divide", "crowding", "increases", "half", fold="zero_fold", response="linear"),
        18.0,
    ),
    "a product that overshoots": (
        rule("A", "divide", "crowding", "decreases", "half", response="linear")
        + rule("A", "divide", "contact A", "decreases", "one", response="linear"),
        16.0,
    ),
}


@pytest.mark.parametrize("name", BOUNDED)
def test_bounds_of_what_falls_below_zero(name):
    """Closed forms of the extremes, at which a rate is -16, -18 or 16 times the base."""
    words, truth = BOUNDED[name]
    model = tiny_model(
        NUMBERS + parameters(zero_fold=(0.0, "1")),
        behaviour("A", "divide", "slow", below_zero="die x") + words,
    )
    tissue = tissue_of(model, scattered((12, 12), 0.5, 1, 0))
    view, lattice = tissue.state.view(model), tissue.state.lattice(model)
    assert sense.rate_bound(0, view, lattice, model.tables) == pytest.approx(0.01 * truth, rel=1e-12)


NEGATIVE = (
    rule("A", "die x", "body N", "increases", "unit", fold="low", response="linear")
    + rule("A", "die x", "density crowd", "increases", "odd", fold="odd", power="odd")
    + rule("A", "die x", "relative_field F", "decreases", "one", fold="half", response="exponential")
)


def test_products_of_signals_with_negative_lows_and_fields_of_negative_scale():
    """Every cell against its bound: a body signal of -2 turns the range of what it multiplies around."""
    product = NEGATIVE.replace('signal = "density crowd"', 'signal = ["density crowd", "body N"]')
    product = product.replace('half = "odd"', 'half = "unit"').replace(
        'response = "exponential"', 'response = "linear"'
    )
    values = 0.1 + np.random.default_rng(2).random((16, 16))
    for words in (NEGATIVE, product):
        model = tiny_model(NUMBERS, FIELD + SIGNALS + behaviour("A", "die x", "slow") + words)
        tissue = with_field(model, values, 0.5, audit=True)
        tissue.advance(3)


def test_the_audit_names_what_is_above_its_bound(monkeypatch):
    model = tiny_model(NUMBERS, behaviour("A", "die x", "slow") + behaviour("T", "kill A", "slow"))
    tissue = tissue_of(model, scattered((8, 8), 0.9, 1, 0))
    audit_rates(model, tissue.state, tissue._lattice, tissue._agenda)
    monkeypatch.setattr(audit, "rate_bound", lambda *_: 0.0099)
    with pytest.raises(
        RateBoundError, match=r"A: 'die x' at \(layer, \*site\) \(0, .* 0.01/h, above .* 0.0099/h"
    ):
        Tissue(model, tissue.state, audit=True).step()
    assert [behaviour_name(model, slot) for slot in (0, 2)] == ["die x", "kill A"]


def test_an_audit_changes_nothing():
    model = busy_model()
    states = [first_state(model, placed(busy_start((12, 14), 1)), 1) for _ in range(2)]
    for state, audited in zip(states, (False, True), strict=True):
        Tissue(model, state, audit=audited).advance(4)
    plain, audited = (state.to_arrays() for state in states)
    assert plain.keys() == audited.keys() > {"tissue_occupant"}
    assert all(np.array_equal(plain[key], audited[key]) for key in plain)


@settings(max_examples=300, deadline=None)
@given(st.floats(0.0, 1.0, exclude_max=True), st.integers(-2, 2))
def test_what_draws_below_a_chance_is_listed(chance, off):
    """The threshold is the lowest number of 64 bits from which no draw is below the chance."""
    top = int(draws.threshold(chance))
    for bits in (top + off * 2048, top - 1, top):
        if 0 <= bits < 2**64:
            assert (bits < top) == (draws.uniform(np.uint64(bits)) < chance)


# --- stale candidates -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["nothing", "another cell", "another type", "gone"])
def test_a_candidate_that_is_no_longer_there_is_void(what):
    """All die with p = 1 when they act: after the list is made, cells are exchanged behind its back."""
    model = tiny_model(
        NUMBERS,
        behaviour("A", "die x", "sure") + behaviour("B", "die x", "sure"),
        update="per-step probabilities",
    )
    tissue = tissue_of(model, scattered((20, 20), 0.1, 1, 0))
    state, plan, worker = tissue.state, tissue._plan, tissue._workers[0]
    world = tissue._view, tissue._lattice, model.tables
    number = int((state.occupant == 1).sum())
    draws.fill_keys(np.uint64(1), 0, tissue._keys)
    plan_blocks(tissue._keys[draws.SHIFT], tissue._lattice, plan)
    list_blocks(0, plan.number[0], tissue._keys, *world, plan, tissue._agenda, worker)
    assert tissue._agenda.listed.sum() == number
    there = state.occupant == 1
    if what == "another cell":
        state.uid[there] += np.uint64(1)
    elif what == "another type":
        state.occupant[there] = 2
    elif what == "gone":
        state.occupant[there] = 0
    for colour in range(9):
        act_blocks(0, plan.number[0], colour, tissue._keys, *world, plan, tissue._agenda, worker)
    left = int((state.occupant != 0).sum())
    assert left == {"nothing": 0, "gone": 0}.get(what, number)
    assert worker.tally[1:].any() == (what == "nothing")


# --- steps too long ---------------------------------------------------------------------------------------------------

TOO_LONG = r"events a step of 1 h are too many for one clock .*; a time step of ([0-9.e-]+) h would do"
KNOWN = {
    "body": ("body P", "unit", SIGNALS.replace('default = "unit"', 'default = "many"')),
    "contact": ("contact A", "sixth", ""),
    "crowding": ("crowding", "sixth", ""),
}


@pytest.mark.parametrize("effect", ["drives", "increases"])
@pytest.mark.parametrize("signal", KNOWN)
def test_a_linear_rule_that_is_too_fast_is_refused_at_load(signal, effect):
    name, half, blocks = KNOWN[signal]
    fold = {"fold": "odd"} if effect == "increases" else {}
    words = (
        blocks
        + behaviour("A", "die x", "r")
        + rule("A", "die x", name, effect, half, response="linear", **fold)
    )
    with pytest.raises(InputError, match=TOO_LONG) as caught:
        tiny_model(NUMBERS, words)
    reached = {"body": 25.0, "contact": 17.0 * 6.0, "crowding": 6.0}[signal]
    expected = 0.2 * (reached if effect == "drives" else 1.0 + 2.3 * reached)
    assert f"A: {expected:.3g} events" in str(caught.value)
    assert expected * float(re.search(TOO_LONG, str(caught.value))[1]) <= 0.25


def test_a_linear_rule_that_becomes_too_fast_stops_the_run():
    """A field of 49 and a half of 1 make 0.49 events a step of 0.01: the file alone does not say so."""
    words = (
        FIELD
        + behaviour("A", "die x", "slow")
        + rule("A", "die x", "field F", "drives", "unit", response="linear")
    )
    tissue = with_field(tiny_model(NUMBERS, words), np.full((16, 16), 49.0))
    with pytest.raises(InputError, match=r"A, whose rules reach this at day 0.*: 0.49 " + TOO_LONG):
        tissue.step()
    with_field(tiny_model(NUMBERS, words), np.full((16, 16), 24.0)).step()


@pytest.mark.parametrize("update", ["per-step probabilities", "random attempts"])
def test_a_hop_that_becomes_certain_stops_the_run(update):
    """A field of 120 and a half of 1 lift 0.01 a step to 1.2; one of 90 to 0.9."""
    words = (
        FIELD
        + behaviour("A", "migrate", "slow")
        + rule("A", "migrate", "field F", "drives", "unit", response="linear")
    )
    model = tiny_model(NUMBERS, words, update=update)
    tissue = with_field(model, np.full((16, 16), 120.0))
    with pytest.raises(InputError, match=rf"hops had a probability above 1 in a step of 1 h .*'{update}'"):
        tissue.step()
    with_field(model, np.full((16, 16), 90.0)).step()


@pytest.mark.parametrize("outcome", ["beget B", "die_dividing x"])
def test_outcomes_of_a_division_that_become_more_than_certain_stop_the_run(outcome):
    """Two outcomes of 0.01 that a field of 60 lifts to 0.6 each; one of 45 to 0.45 each."""
    verb = outcome.split()[0]
    other = "beget V" if verb == "beget" else "die_dividing y"
    words = FIELD + behaviour("A", "divide", "often")
    for word in (outcome, other):
        words += behaviour("A", word, "share")
        words += rule("A", word, "field F", "drives", "unit", response="linear")
    numbers = NUMBERS + parameters(often=(0.2, "1/h"), share=(0.01, "1"))
    model = tiny_model(numbers, words)
    tissue = with_field(model, np.full((16, 16), 60.0), share=0.3)
    with pytest.raises(InputError, match="divisions had outcomes whose probabilities sum to more than 1"):
        tissue.step()
    tissue = with_field(model, np.full((16, 16), 45.0), share=0.3)
    tissue.step()
    assert tissue.state.events.sum() > 5


def test_a_pulse_may_kill_as_many_as_it_does():
    """One step of hazard 3 leaves exp(-3); the same level as a lasting signal is refused."""
    blocks = SIGNALS.replace('default = "unit"', 'default = "unit"\npulse = 1')
    words = behaviour("A", "die x", "slow") + rule(
        "A", "die x", "body P", "drives", "unit", response="linear"
    )
    tissue = tissue_of(tiny_model(NUMBERS, blocks + words), scattered((100, 100), 1.0, 1, 0))
    tissue.set_body({"P": 300.0})
    tissue.step()
    left, p = int(tissue.state.number[1]), math.exp(-3.0)
    assert abs(left - 1e4 * p) < 4.5 * math.sqrt(1e4 * p * (1 - p))
    tissue = tissue_of(tiny_model(NUMBERS, SIGNALS + words), scattered((100, 100), 1.0, 1, 0))
    tissue.set_body({"P": 300.0})
    with pytest.raises(InputError, match="3 " + TOO_LONG):
        tissue.step()


def test_cells_are_listed_by_chances_above_those_of_their_bounds():
    """The exponential of the C library may err; the hair is wider by far than its error."""
    assert decide.HAIR > 1.0 + 100 * 2.0**-53


# --- levels and sizes -------------------------------------------------------------------------------------------------


def test_a_normalised_field_in_time_keeps_the_level_it_begins_with():
    """Uniform and decaying: the pattern stays 1 and the mean beside it falls from 49 by 1/(1 + k dt) a step."""
    model = tiny_model(NUMBERS, FIELD + 'normalise = "tissue mean"\n')
    tissue = tissue_of(model, np.zeros((2, 16, 16)))
    for step in range(4):
        stats = tissue.state.view(model).stats[0]
        assert stats["solved_mean"] == pytest.approx(49.0 / 1.1**step, rel=1e-5)
        assert stats["mean"] == pytest.approx(1.0, rel=1e-12)
        assert tissue.state.fields == pytest.approx(np.ones((1, 16, 16)), rel=1e-5)
        tissue.step()


@pytest.mark.parametrize("shape", [(24, 24), (8, 8, 8)])
@pytest.mark.parametrize("boundary", ["periodic", "no-flux"])
def test_a_density_signal_ends_where_the_lattice_does(shape, boundary):
    """One cell in a corner weighs on the opposite corner of a ring as on its diagonal neighbour, else not at all."""
    fields = SIGNALS.replace('radius = "R"', 'radius = "site"')
    model = tiny_model(NUMBERS, fields, boundary=boundary, dimensions=len(shape))
    occupant = np.zeros((2, *shape), np.uint8)
    occupant[(0,) * (1 + len(shape))] = 1
    crowd = tissue_of(model, occupant).state.densities[0]
    assert crowd.sum() == pytest.approx(1.0, rel=1e-12)
    opposite, beside = crowd[(-1,) * len(shape)], crowd[(1,) * len(shape)]
    assert opposite == (pytest.approx(beside, rel=1e-9) if boundary == "periodic" else 0.0)
    assert beside > 0.0


def test_more_types_than_a_byte_tells_apart_are_refused():
    def more(number):
        return "".join(f'\n[[cell_type]]\nname = "t{k}"\nlike = "A"\n' for k in range(number))

    assert len(tiny_model(NUMBERS, more(251)).types) == 255
    with pytest.raises(InputError, match=r"1 to 255 cell types.* 256 .*attribute"):
        tiny_model(NUMBERS, more(252))


def test_a_radius_beyond_any_lattice_is_the_whole_and_an_interval_beyond_whole_numbers_is_refused():
    wide = SIGNALS.replace('radius = "R"', 'radius = "1e12*R"')
    occupant = scattered((12, 12), 0.5, 1, 0)
    crowd = tissue_of(tiny_model(NUMBERS, wide), occupant).state.densities[0]
    assert crowd == pytest.approx(np.full((12, 12), (occupant == 1).sum() / 144), rel=1e-12)
    with pytest.raises(InputError, match="time steps"):
        tiny_model(NUMBERS, SIGNALS.replace('"hour"', '"1e20*hour"'))
