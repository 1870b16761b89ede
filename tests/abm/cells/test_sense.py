"""Signals and rates against their plain-Python oracles, and bounds that hold everywhere."""

import numpy as np
import oracles
import pytest
from numba import njit
from tiny import attribute, behaviour, parameters, rule, tiny_model, tissue_of

from oncolattice.abm.cells import sense
from oncolattice.abm.cells.world import world_of

NUMBERS = (
    parameters(
        r=(0.02, "1/h"),
        half=(3.0, "1"),
        n=(2.0, "1"),
        fold=(2.5, "1"),
        low=(0.3, "1"),
        p=(4.0, "nM"),
        p4=(4.0, "1"),
        zero_h=(0.0, "h"),
        spread=(5.0, "h"),
        old=(3.0, "h"),
        s=(1.0, "1/h"),
    )
    + '\ninterval = { value = 1, unit = "h", source = "assumed" }\n'
    + parameters(
        D=(100.0, "um^2/h"),
        k=(0.1, "1/h"),
        tol=(1e-6, "1"),
        level=(2.0, "nM"),
        x=(5.0, "1/h"),
        R=(45.0, "um"),
        w=(1.5, "1"),
    )
)
FIELD = """
[[field]]
name = "F"
unit = "nM"
diffusivity = "D"
decay = "k"
solver = "quasi-steady"
update_interval = "interval"
tolerance = "tol"
vessel_type = "V"
vessel_exchange = "x"
vessel_level = "level"

[[body_signal]]
name = "P"
unit = "nM"
default = "p"

[[density]]
name = "crowd"
unit = "1"
radius = "R"
weights = { A = "w", tumour = "w" }
update_interval = "interval"
"""
RULES = (
    behaviour("A", "die x", "r")
    + rule("A", "die x", "contact T", "increases", "half", fold="fold")
    + rule("A", "die x", "crowding", "decreases", "low", power="n", fold="low")
    + behaviour("A", "divide", "r", below_zero="die crowded")
    + rule("A", "divide", "density crowd", "decreases", "half", response="linear")
    + rule("A", "divide", "relative_field F", "drives", "half", response="exponential")
    + behaviour("A", "become B", "r")
    + rule("A", "become B", "field F", "increases", "p", fold="fold")
    + rule("A", "become B", "body P", "decreases", "p")
    + behaviour("T", "kill tumour", "r")
    + rule("T", "kill tumour", "body P", "increases", "p", fold="low")
    + attribute("age", "tumour", "zero_h", kind="clock", unit="h", spread="spread")
    + attribute("left", "T", "n", spread="low")
    + behaviour("A", "die old", "r")
    + rule("A", "die old", "own age", "drives", "old", response="step")
    + rule("T", "kill tumour", "own left", "drives", "half", power="p4")
)


GEOMETRIES = [
    {"dimensions": dimensions, "neighbourhood": neighbourhood, "boundary": boundary}
    for dimensions in (2, 3)
    for neighbourhood in ("moore", "von Neumann")
    for boundary in ("no-flux", "periodic")
]


@pytest.fixture(scope="module", params=GEOMETRIES, ids=lambda words: "-".join(map(str, words.values())))
def tissue(request):
    rng = np.random.default_rng(3)
    shape = (19, 23) if request.param["dimensions"] == 2 else (5, 7, 9)
    occupant = np.zeros((2, *shape), np.uint8)
    occupant[0] = rng.choice([0, 1, 2, 4], p=[0.4, 0.4, 0.1, 0.1], size=shape)
    occupant[1] = rng.choice([0, 3], p=[0.7, 0.3], size=shape)
    tissue = tissue_of(tiny_model(NUMBERS, FIELD + RULES, **request.param), occupant)
    for _ in range(2):
        tissue.step()  # so that attributes differ between cells
    return tissue


@njit
def all_contacts(members, view, lattice, tables, out):
    w = world_of(view, lattice, tables)
    for place in range(w.places):
        out[place] = sense.contacts(members, place, w)


@njit
def all_crowding(view, lattice, tables, out):
    w = world_of(view, lattice, tables)
    for place in range(w.places):
        out[place] = sense.crowding(place, w)


def test_contacts_and_crowding_equal_their_oracles(tissue):
    state, model = tissue.state, tissue.model
    world = state.view(model), state.lattice(model), model.tables
    found = np.zeros(state.occupant.size)
    for number, members in enumerate(model.tables.sets):
        all_contacts(number, *world, found)
        expected = [
            oracles.contacts(members, p[0], p[1:], state, model) for p in np.ndindex(state.occupant.shape)
        ]
        assert np.array_equal(found, expected)
    all_crowding(*world, found)
    expected = [oracles.crowding(p[0], p[1:], state, model) for p in np.ndindex(state.occupant.shape)]
    assert np.array_equal(found, expected)


def test_rates_equal_the_grammar_and_stay_below_their_bounds(tissue):
    state, model = tissue.state, tissue.model
    view, lattice, tables = state.view(model), state.lattice(model), model.tables
    assert max(row["fate_last"] - row["fate_first"] for row in tables.types[1:]) > 0
    assert max(row["kill_last"] - row["kill_first"] for row in tables.types[1:]) > 0
    for t in range(1, len(model.types) + 1):
        row = tables.types[t]
        slots = [*range(row["fate_first"], row["fate_last"]), *range(row["kill_first"], row["kill_last"])]
        places = np.flatnonzero(view.occupant == t)
        rates = np.zeros(places.size)
        for slot in slots:
            sense.rates_at(slot, places, view, lattice, tables, rates)
            sites = [np.unravel_index(place, state.occupant.shape) for place in places]
            expected = [oracles.rate(slot, p[0], p[1:], state, model) for p in sites]
            assert rates == pytest.approx(expected, rel=1e-6 if state.attributes.size else 1e-12, abs=1e-15)
            bound = sense.rate_bound(slot, view, lattice, tables)
            assert np.abs(rates).max() <= bound * (1 + 1e-12)
            assert bound <= 60 * np.abs(rates).max() + 1e-12  # and the bound is of use


def test_hill_is_safe_at_zero_and_far_out():
    assert sense.respond(0, 0.0, 1.0, 2.0) == 0.0
    assert sense.respond(0, 1e300, 1.0, 4.0) == pytest.approx(1.0)
    assert sense.respond(0, 1e-300, 1.0, 4.0) == pytest.approx(0.0)
