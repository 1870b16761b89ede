"""Single precision: used where it reaches the tolerance, as double precision and a sparse matrix see it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles_fields import operator

from oncolattice.abm.fields.multigrid import CONVERGED, make_workspace, solve
from oncolattice.abm.fields.precision import mean_of, suffices
from oncolattice.abm.fields.step import StepWork, solve_even

SHAPES = [(40, 50), (33, 29), (9, 10, 11)]


def problem(shape, seed, log_diffusion):
    """Return q, s and D/h^2: strong and weak sinks, few sources."""
    rng = np.random.default_rng(seed)
    q = 10.0 ** rng.uniform(-2.0, 1.0, shape)
    s = rng.random(shape) * (rng.random(shape) < 0.1)
    s[tuple(n // 2 for n in shape)] = 1.0
    return q, s, 10.0**log_diffusion


def residual(c, q, s, diffusion, periodic):
    """Return |s - A c| / |s| in double precision, by a sparse matrix."""
    return np.linalg.norm(s.ravel() - operator(q, diffusion, periodic) @ c.ravel()) / np.linalg.norm(s)


def test_the_mean_absorption_is_the_mean():
    q = np.random.default_rng(1).random((7, 9))
    assert mean_of(q, np.zeros(9)) == pytest.approx(q.mean(), rel=1e-14)


@pytest.mark.parametrize(
    ("length_sites", "tolerance", "expected"),
    [(10.0, 1e-3, True), (30.0, 1e-3, True), (40.0, 1e-3, False), (10.0, 1e-4, True), (11.0, 1e-4, False),
     (1.0, 1e-7, False)],
)  # fmt: skip
def test_the_longer_a_field_reaches_the_sooner_single_precision_ends(length_sites, tolerance, expected):
    """Worked by hand: 2^-24 (1 + 4 L^2) against a quarter of the tolerance, in two dimensions."""
    assert suffices(0.7, 4.0 * 0.7 * length_sites**2, tolerance) is expected


@pytest.mark.parametrize("absorption", [0.0, np.nan])
def test_what_cannot_be_judged_is_left_to_double_precision(absorption):
    assert not suffices(absorption, 1.0, 1e-3)


@settings(max_examples=60, deadline=None)
@given(
    shape=st.sampled_from(SHAPES),
    seed=st.integers(0, 2**32 - 1),
    log_diffusion=st.floats(-3.0, 4.0),
    log_tolerance=st.floats(-5.0, -1.5),
    periodic=st.booleans(),
)
def test_the_tolerance_is_met_whatever_the_precision(shape, seed, log_diffusion, log_tolerance, periodic):
    """By an independent residual; half as much again is left to what round-off hides from the solver's own."""
    q, s, diffusion = problem(shape, seed, log_diffusion)
    work, c = StepWork(shape), np.zeros(shape)
    work.q[:], work.s[:] = q, s
    tolerance = 10.0**log_tolerance
    status, _ = solve_even(c, diffusion, periodic, tolerance, 60, work)
    assert status == CONVERGED
    assert c.min() >= 0.0
    assert residual(c, q, s, diffusion, periodic) <= 1.5 * tolerance
    assert (q * c).sum() == pytest.approx(s.sum(), rel=1e-12)  # the books know no single precision


def test_both_precisions_agree_and_single_precision_is_what_was_used():
    q, s, diffusion = problem((40, 50), 3, 1.0)
    work, c = StepWork((40, 50)), np.zeros((40, 50))
    work.q[:], work.s[:] = q, s
    solve_even(c, diffusion, False, 1e-4, 60, work)
    assert "single" in vars(work)
    assert "double" not in vars(work)
    exact = np.zeros_like(c)
    assert solve(exact, q, s, diffusion, False, 1e-12, 60, make_workspace(c.shape))[0] == CONVERGED
    assert np.linalg.norm(c - exact) <= 1e-3 * np.linalg.norm(exact)
    assert not np.array_equal(c, exact)


def test_where_it_gets_stuck_double_precision_goes_on():
    """Sink and source lie at either end: what is in between is far more than the mean sink lets expect."""
    shape = (24, 600)
    work, c = StepWork(shape), np.zeros(shape)
    work.q[:, 0] = 600.0
    work.s[:, -5:] = 1.0
    assert suffices(1.0, 4.0 * 1000.0, 2e-3)
    status, cycles = solve_even(c, 1000.0, False, 2e-3, 20, work)
    assert (status, cycles > 20) == (CONVERGED, True)
    assert residual(c, work.q, work.s, 1000.0, False) <= 2e-3


@pytest.mark.parametrize("shape", SHAPES)
def test_single_precision_converges_as_double_does_until_round_off(shape):
    q, s, diffusion = problem(shape, 5, 0.5)
    left = []
    for single in (False, True):
        work = make_workspace(shape, single=single)
        left.append([solve(np.zeros(shape), q, s, diffusion, False, 0.0, n, work)[2] for n in (1, 2, 3)])
    assert left[0] == pytest.approx(left[1], rel=0.02)
    assert left[0][2] > 1e-5  # and so all above round-off
