"""The solver in three dimensions: direct solution, closed forms, convergence, sign, balance, memory."""

import numpy as np
import oracles_fields
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba.core.runtime import _nrt_python, rtsys

from oncolattice.abm.fields.multigrid import (
    CONVERGED,
    INVALID,
    MAX_CYCLES,
    make_workspace,
    solve,
    solve_varying,
)

SIZES = [
    (3, 3, 3),
    (3, 4, 5),
    (5, 3, 4),
    (8, 8, 8),
    (9, 7, 11),
    (3, 20, 6),
    (17, 3, 5),
    (4, 5, 21),
    (13, 10, 12),
]


def problem(shape, length, seed=0):
    """Return q and s with screening length near `length` sites, patchy uptake and sparse sources."""
    rng = np.random.default_rng(seed)
    q = (0.4 + (rng.random(shape) < 0.6)) / length**2
    s = rng.random(shape) * (rng.random(shape) < 0.1)
    s[tuple(n // 2 for n in shape)] = 1.0
    return q, s


@pytest.mark.parametrize("periodic", [False, True])
@pytest.mark.parametrize("length", [1.0, 10.0])
@pytest.mark.parametrize("shape", SIZES)
def test_equals_the_direct_solution(shape, length, periodic):
    q, s = problem(shape, length)
    c = np.zeros(shape)
    status, _, residual = solve(c, q, s, 1.0, periodic, 1e-11, 60, make_workspace(shape))
    assert status == CONVERGED
    assert residual <= 1e-11
    exact = oracles_fields.direct(q, s, 1.0, periodic)
    assert np.abs(c - exact).max() <= 1e-8 * exact.max()


@pytest.mark.parametrize("periodic", [False, True])
@pytest.mark.parametrize("cycles", [0, 1, 3])
def test_reported_residual_is_that_of_the_returned_field(cycles, periodic):
    q, s = problem((9, 12, 7), 5.0)
    c = np.random.default_rng(1).random(q.shape)
    status, done, residual = solve(c, q, s, 2.0, periodic, 0.0, cycles, make_workspace(q.shape))
    r = s.ravel() - oracles_fields.operator(q, 2.0, periodic) @ c.ravel()
    assert (status, done) == (MAX_CYCLES, cycles)
    assert residual == pytest.approx(np.linalg.norm(r) / np.linalg.norm(s), rel=1e-8)


@pytest.mark.parametrize("length", [1.0, 3.0, 10.0, 30.0, 100.0])
@pytest.mark.parametrize(
    ("shape", "most", "most_on_a_ring"),
    [
        ((32, 32, 32), 0.22, 0.25),
        ((31, 31, 31), 0.25, 0.3),
        ((33, 33, 33), 0.3, 0.4),  # a ring of 2^n + 1 is the worst: 0.35
        ((25, 35, 29), 0.3, 0.35),
        ((10, 40, 40), 0.25, 0.3),
        ((40, 9, 40), 0.25, 0.35),
        ((40, 3, 40), 0.25, 0.3),
        ((3, 40, 40), 0.25, 0.3),
    ],
)
def test_a_cycle_leaves_little_of_the_residual(shape, most, most_on_a_ring, length):
    q, s = problem(shape, length)
    work = make_workspace(shape)
    for periodic, bound in ((False, most), (True, most_on_a_ring)):
        left = []
        for cycles in (3, 8):
            c = np.zeros(shape)
            left.append(solve(c, q, s, 1.0, periodic, 0.0, cycles, work)[2])
        assert (left[1] / left[0]) ** 0.2 <= bound


@settings(max_examples=40, deadline=None)
@given(
    shape=st.tuples(st.integers(3, 11), st.integers(3, 11), st.integers(3, 11)),
    seed=st.integers(0, 2**32 - 1),
    log_diffusion=st.floats(-3, 4),
    cycles=st.integers(0, 4),
    periodic=st.booleans(),
)
def test_never_negative_and_balanced_after_any_number_of_cycles(shape, seed, log_diffusion, cycles, periodic):
    rng = np.random.default_rng(seed)
    q = 10.0 ** rng.uniform(-4, 2, shape) * (rng.random(shape) < 0.7)
    q[0, 0, 0] = 1.0
    s = np.zeros(shape)
    s[tuple(rng.integers(shape))] = 10.0 ** rng.uniform(-3, 3)
    c = rng.normal(size=shape)
    status, _, _ = solve(c, q, s, 10.0**log_diffusion, periodic, 1e-8, cycles, make_workspace(shape))
    assert status in (CONVERGED, MAX_CYCLES)
    assert c.min() >= 0.0
    assert np.sum(q * c) == pytest.approx(s.sum(), rel=1e-12)


@pytest.mark.parametrize("modes", [(1, 0, 0), (0, 2, 0), (1, 0, 2), (2, 1, 3)])
def test_cosine_modes_between_walls_converge_with_order_two(modes):
    diffusion, decay, errors = 1.3, 0.7, []
    for n in (12, 24, 48):
        spacing = 4.0 / n
        at = (np.arange(n) + 0.5) * spacing
        z, y, x = (np.cos(np.pi * m / 4.0 * at) for m in modes)
        wave = 0.5 * z[:, None, None] * y[None, :, None] * x[None, None, :]
        c, q = np.zeros((n, n, n)), np.full((n, n, n), decay)
        status, _, _ = solve(
            c, q, 1.0 + wave, diffusion / spacing**2, False, 1e-11, 60, make_workspace(c.shape)
        )
        assert status == CONVERGED
        squares = sum((np.pi * m / 4.0) ** 2 for m in modes)
        errors.append(np.abs(c - 1.0 / decay - wave / (decay + diffusion * squares)).max())
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    assert np.all(np.abs(orders - 2.0) < 0.15)


def test_a_layered_problem_equals_the_plane_one():
    """Constant along one axis, the field solves the two-dimensional problem, whichever axis that is."""
    q, s = problem((12, 15), 4.0)
    plane = oracles_fields.direct(q, s, 1.0, False)
    for axis in range(3):
        stack = [np.ascontiguousarray(np.repeat(np.expand_dims(a, axis), 7, axis)) for a in (q, s)]
        c = np.zeros(stack[0].shape)
        assert solve(c, *stack, 1.0, False, 1e-11, 60, make_workspace(c.shape))[0] == CONVERGED
        assert np.abs(c - np.expand_dims(plane, axis)).max() < 1e-8 * plane.max()


@pytest.mark.parametrize("varying", [False, True])
@pytest.mark.parametrize("shape", [(40, 50), (16, 15, 17)])
def test_a_solve_allocates_nothing(shape, varying):
    """Nothing but the header that each array argument gets on its way from Python into compiled code."""
    q, s = problem(shape, 5.0)
    c, work = np.zeros(shape), make_workspace(shape, varying)
    solver, diffusion = (solve_varying, np.ones(shape)) if varying else (solve, 1.0)
    solver(c, q, s, diffusion, False, 1e-8, 20, work)
    _nrt_python.memsys_enable_stats()
    try:
        counts = []
        for cycles in (1, 1, 30):
            before = rtsys.get_allocation_stats().alloc
            solver(c, q, s, diffusion, False, 0.0, cycles, work)
            counts.append(rtsys.get_allocation_stats().alloc - before)
    finally:
        _nrt_python.memsys_disable_stats()
    first, second = len(work) + (4 if varying else 3), len(work) + 2  # two calls from Python
    assert counts == [first + second] * 3


def test_a_workspace_of_another_shape_is_refused():
    one = np.ones((6, 6, 6))
    for shape in ((6, 6), (6, 6, 7), (6, 7, 6), (7, 6, 6)):
        assert solve(one.copy(), one, one, 1.0, False, 1e-4, 5, make_workspace(shape))[0] == INVALID
    assert solve(one.copy(), one, one, 1.0, False, 1e-4, 5, make_workspace((6, 6, 6), True))[0] == INVALID
    assert solve(one.copy(), one, -one, 1.0, False, 1e-4, 5, make_workspace((6, 6, 6)))[0] == INVALID
