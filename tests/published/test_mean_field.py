"""The mean field against published densities, carrying capacities and times to progression."""

import functools
import math

import pytest
from mean_field_cases import ABORT, EMPTY, block, does, senses, write_model

from oncolattice.abm.mean_field import mean_field
from oncolattice.abm.model import Model
from oncolattice.ode_coupling.system import Body


@pytest.fixture
def write(tmp_path):
    """Return ``write_model`` for a file of this test."""
    return functools.partial(write_model, tmp_path / "model.toml")


@pytest.mark.parametrize(("rp", "share"), [(0.5, {2.02: 0.22793, 5.05: 0.47274, 8.08: 0.49861})])
def test_the_mean_field_curve_of_nardini(write, rp, share):
    """Birth rp, death rp/2, from C = 0.05: the published mean field densities (10.1098/rsif.2020.0987)."""
    blocks = does("C", "divide", f"{rp}*one", target=ABORT) + does("C", "die x", f"{rp / 2}*one")
    body = Body(mean_field(write("C@t", blocks), {"C": 0.05}).ode, rtol=1e-8, atol=1e-10)
    for scaled, expected in share.items():
        body.advance_to(scaled / (rp / 2))
        assert body.get("C") == pytest.approx(expected, abs=6e-4)  # the stored times are rounded
        exact = 0.5 / (1 + (0.5 / 0.05 - 1) * math.exp(-scaled))
        assert body.get("C") == pytest.approx(exact, rel=1e-6)


def strobl(target: str, cost: float, turnover: float) -> str:
    """Return the sensitive and resistant cells of 10.1038/s43856-022-00110-x, times in d, drug on = 1."""
    blocks = block("body_signal", name="drug", unit="1", default="0")
    blocks += does("S", "die_dividing drug", "0.75")
    blocks += senses("S", "die_dividing drug", "body drug", "drives", "1", response="linear")
    for cell, rate in (("S", 0.027), ("R", (1 - cost) * 0.027)):
        blocks += does(cell, "divide", f"{rate!r}*one", target=target)
        blocks += does(cell, "die turnover", f"{turnover * 0.027!r}*one")
    return blocks


@pytest.mark.parametrize(
    ("turnover", "cost", "seeking", "aborting"),
    [(0.1, 0, 0.9740, 0.9), (0.3, 0, 0.9147, 0.7), (0.1, 0.5, 0.9457, 0.8), (0.3, 0.5, 0.7953, 0.4)],
)
def test_the_carrying_capacities_of_either_division_rule(write, turnover, cost, seeking, aborting):
    """Resistant cells alone, K = (1 - tau/(1-c))^(1/4) and 1 - tau/(1-c)."""
    for target, expected in ((EMPTY, seeking), (ABORT, aborting)):
        field = mean_field(write("S@t R@t", strobl(target, cost, turnover)), {"R": 0.5})
        body = Body(field.ode, rtol=1e-9, atol=1e-12)
        body.advance_to(20000.0)
        assert body.get("R") == pytest.approx(expected, abs=5e-5)
        assert body.get("R") == pytest.approx(
            (1 - turnover / (1 - cost)) ** (0.25 if target == EMPTY else 1), abs=1e-7
        )


def time_to_progression(model: Model, adaptive: bool, filled: float = 0.5, resistant: float = 0.01) -> int:
    """Return the first of two days in a row above 1.2 N0; adaptive: off below N0/2, on above N0, seen daily."""
    body = Body(
        mean_field(model, {"S": filled * (1 - resistant), "R": filled * resistant}).ode, rtol=1e-8, atol=1e-10
    )
    drug = body.model.index("parameters", "body drug")
    body.p[drug] = 1.0
    above = 0
    for day in range(1, 3000):
        body.advance_to(float(day))
        total = body.get("S") + body.get("R")
        above = above + 1 if total > 1.2 * filled else 0
        if above == 2:
            return day - 1
        if adaptive and total < 0.5 * filled:
            body.p[drug] = 0.0
        elif adaptive and total > filled:
            body.p[drug] = 1.0
    raise AssertionError("no progression")


@pytest.mark.parametrize(
    ("target", "turnover", "continuous", "adaptive"),
    [(EMPTY, 0.0, 178, 173), (ABORT, 0.0, 258, 285), (EMPTY, 0.3, 257, 260), (ABORT, 0.3, 397, 591)],
)
def test_times_to_progression_of_either_mean_field(write, target, turnover, continuous, adaptive):
    """Strobl 2022 (n0 .5, fR .01, no cost): the mean fields are off by a factor 2 from the lattice, as published."""
    model = write("S@t R@t", strobl(target, 0.0, turnover))
    assert time_to_progression(model, adaptive=False) == continuous
    assert time_to_progression(model, adaptive=True) == adaptive
