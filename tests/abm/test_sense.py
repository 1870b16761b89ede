"""Signals and rates against their plain-Python oracles, and bounds that hold everywhere."""

import numpy as np
import oracles
import pytest
from oncolattice.abm import sense
from oncolattice.abm.tables import RateTables, Tables
from tiny import behaviour, parameters, rule, tiny_model, tissue_of

NUMBERS = (
    parameters(
        r=(0.02, "1/h"),
        half=(3.0, "1"),
        n=(2.0, "1"),
        fold=(2.5, "1"),
        low=(0.3, "1"),
        p=(4.0, "nM"),
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
)


@pytest.fixture(scope="module")
def tissue():
    rng = np.random.default_rng(3)
    occupant = np.zeros((2, 19, 23), np.uint8)
    occupant[0] = rng.choice([0, 1, 2, 4], p=[0.4, 0.4, 0.1, 0.1], size=(19, 23))
    occupant[1] = rng.choice([0, 3], p=[0.7, 0.3], size=(19, 23))
    model = tiny_model(NUMBERS, FIELD + RULES)
    tissue = tissue_of(model, occupant)
    return tissue


def rates_of(tables: Tables) -> RateTables:
    return RateTables(tables.slots, tables.rules, tables.sets)


def test_contacts_and_crowding_equal_their_oracles(tissue):
    view, tables = tissue.state.view(tissue.model), tissue.model.tables
    for members in tables.sets:
        for layer, y, x in np.ndindex(view.occupant.shape):
            assert sense.contacts(members, layer, y, x, view.occupant) == oracles.contacts(
                members, layer, y, x, view.occupant
            )
    for layer, y, x in np.ndindex(view.occupant.shape):
        assert sense.crowding(layer, y, x, view.occupant) == oracles.crowding(layer, y, x, view.occupant)


def test_rates_equal_the_grammar_and_stay_below_their_bounds(tissue):
    view, tables = tissue.state.view(tissue.model), tissue.model.tables
    for t in range(1, len(tissue.model.types) + 1):
        row = tables.types[t]
        slots = [*range(row["fate_first"], row["fate_last"]), *range(row["kill_first"], row["kill_last"])]
        for slot in slots:
            bound = sense.rate_bound(slot, view, rates_of(tables))
            rates = []
            for layer, y, x in np.argwhere(view.occupant == t):
                fast = sense.rate(slot, layer, y, x, sense.senses_of(view), rates_of(tables))
                assert fast == pytest.approx(
                    oracles.rate(slot, layer, y, x, view, tables), rel=1e-12, abs=1e-15
                )
                rates.append(abs(fast))
            assert max(rates) <= bound * (1 + 1e-12)
            assert bound <= 40 * max(rates) + 1e-12  # and the bound is of use


def test_hill_is_safe_at_zero_and_far_out():
    assert sense.respond(0, 0.0, 1.0, 2.0) == 0.0
    assert sense.respond(0, 1e300, 1.0, 4.0) == pytest.approx(1.0)
    assert sense.respond(0, 1e-300, 1.0, 4.0) == pytest.approx(0.0)
