"""Body models behind factors: the same trajectories in other units, exact where nobody writes."""

import numpy as np
import pytest

from oncolattice.abm.compile.quantities import Unit, parse_unit
from oncolattice.abm.errors import InputError
from oncolattice.abm.ode_model import OdeModel, Parameter, Variable
from oncolattice.ode_coupling.dosing import Dose
from oncolattice.ode_coupling.in_units import Wanted, factor_to, in_units, measure_of
from oncolattice.ode_coupling.integrate import OK, Advance
from oncolattice.ode_coupling.system import Body

START = np.array([3.0e3, 7.0])  # cells in 5000 mL; ug


class Exact:
    """An engine of its own for y0' = -p1 y0, y1' = u0 - p1 y1, which remembers how often it was run."""

    def __init__(self):
        self.runs, self.seen, self.left = 0.0, [], []

    def advance(self, t, end, y, p, u, rtol, atol, h):
        self.runs += 1.0
        self.seen.append(y.copy())
        left = np.exp(-p[1] * (end - t))
        y[0] *= left
        y[1] = y[1] * left + u[0] / p[1] * (1.0 - left)
        self.left.append(y.copy())
        return Advance(OK, end, h, 0)

    def memory(self):
        return np.array([self.runs])

    def recall(self, memory):
        self.runs = float(memory[0])

    def entry(self, t, y, p, u, port):
        return np.array([0.0, 1.0])


def rhs(t, y, p, u, dy):
    dy[:] = -p[1] * y
    dy[1] += u[0]


def observe(t, y, p, u, out):
    out[0] = p[1] * y[0] / 24.0  # an hour


def model() -> OdeModel:
    return OdeModel(
        name="own",
        time_unit="d",
        states=(Variable("cells", "cell"), Variable("drug", "ug")),
        inputs=(Variable("dose_rate_drug", "ug/d"),),
        outputs=(Variable("lost", "1 cell/3600 s", measure=Unit(1.0, parse_unit("cell/h").dimension)),),
        parameters=(Parameter("room", 5000.0, "mL", "user"), Parameter("k", 0.3, "1/d", "user")),
        initial=START.copy(),
        rhs=rhs,
        observe=observe,
        engine=Exact,
    )


WANTED = {
    "cells": Wanted("cells/L", "room", -1),
    "drug": Wanted("mg"),
    "dose_rate_drug": Wanted("mg/d"),
    "lost": Wanted("cells/d"),
    "room": Wanted("L"),
}


def test_values_units_and_rates_are_converted():
    found = in_units(model(), WANTED, "own")
    assert found.initial.tolist() == [600.0, 7e-3]  # 3000 cells in 5 L
    assert [v.unit for v in (*found.states, *found.inputs, *found.outputs, *found.parameters)] == [
        "cells/L", "mg", "mg/d", "cells/d", "L", "1/d",
    ]  # fmt: skip
    assert found.parameter_values().tolist() == [5.0, 0.3]
    body = Body(found)
    assert body.output("lost") == pytest.approx(0.3 * 3000.0, rel=1e-14)
    dy = np.zeros(2)
    found.rhs(0.0, body.y, body.p, np.array([2.0]), dy)
    assert dy == pytest.approx([-0.3 * 600.0, 2.0 - 0.3 * 7e-3], rel=1e-14)


def test_a_larger_room_makes_the_same_cells_thinner():
    body = Body(in_units(model(), WANTED, "own"), {"room": 10.0})
    assert body.get("cells") == 600.0  # the model's own initial state is kept ...
    assert body.output("lost") == pytest.approx(0.3 * 6000.0)  # ... in the room that the parameter makes


def test_a_body_in_our_units_is_the_body_in_its_own():
    own = Body(model(), {}, [Dose(1.0, "drug", 500.0), Dose(2.0, "drug", 300.0, 0.5)])
    ours = Body(in_units(model(), WANTED, "own"), {}, [Dose(1.0, "drug", 0.5), Dose(2.0, "drug", 0.3, 0.5)])
    for day in (0.7, 1.0, 1.3, 2.2, 4.0):
        own.advance_to(day)
        ours.advance_to(day)
        assert ours.get("cells") * 5.0 == pytest.approx(own.get("cells"), rel=1e-14)
        assert ours.get("drug") * 1e3 == pytest.approx(own.get("drug"), rel=1e-14)


def test_what_nobody_has_written_goes_back_with_the_bits_it_came_in():
    """No drift by conversions to and fro; what was written is converted."""
    ours = Body(in_units(model(), WANTED, "own"))
    for day in range(1, 40):
        ours.advance_to(float(day))
        if day == 20:
            ours.set("drug", 0.5)
    engine = ours._engine._inner
    seen, left = np.array(engine.seen[1:]), np.array(engine.left[:-1])
    same = seen == left
    assert same[:, 0].all()
    assert np.flatnonzero(~same[:, 1]).tolist() == [19]
    assert seen[19, 1] == pytest.approx(500.0, rel=1e-15)
    scale = ours._engine._by.of_states(ours.p)
    assert (left * scale / scale != left).any()  # conversions alone would have changed bits


def test_a_saved_body_goes_on_bit_for_bit():
    straight, first = (Body(in_units(model(), WANTED, "own")) for _ in range(2))
    for day in (0.3, 0.7, 1.1):
        straight.advance_to(day)
        first.advance_to(day)
    second = Body(in_units(model(), WANTED, "own"))
    second.restore(first.state())
    for day in (1.9, 3.3):
        straight.advance_to(day)
        second.advance_to(day)
    assert np.array_equal(straight.y, second.y)
    assert second._engine.memory()[-1] == 5.0


def test_nothing_wanted_is_the_model_itself():
    plain = in_units(model(), {"nobody": Wanted("L"), "k": Wanted("1/d")}, "own")
    assert plain.engine is Exact
    assert np.array_equal(plain.initial, START)


@pytest.mark.parametrize(
    ("unit", "wanted", "factor"),
    [
        ("mL", "L", 1e-3), ("cells/mL", "cells/L", 1e3), ("1/mL", "cells/L", 1e3), ("1/h", "cells/d", 24.0),
        ("ug", "mg", 1e-3), ("not declared", "L", 1.0), ("L", "L", 1.0),
    ],
)  # fmt: skip
def test_factors(unit, wanted, factor):
    assert factor_to(Variable("x", unit), wanted, "own") == pytest.approx(factor, rel=1e-15)


def test_what_measures_something_else_is_refused():
    with pytest.raises(InputError, match=r"own: 'x' is in nmol/L .* cannot be turned into cells/L"):
        factor_to(Variable("x", "nmol/L"), "cells/L", "own")
    with pytest.raises(InputError, match="compartment 'nowhere' has no size that is constant"):
        in_units(model(), {"cells": Wanted("cells/L", "nowhere", -1)}, "own")


def test_measures():
    assert measure_of(Variable("x", "not declared")) is None
    assert measure_of(Variable("x", "cells/L")) == parse_unit("cells/L")
    assert measure_of(Variable("x", "60 s", measure=parse_unit("min"))) == parse_unit("min")
