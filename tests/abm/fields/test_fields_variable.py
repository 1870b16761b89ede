"""Diffusivity that varies in space: direct solution, slabs, order of convergence, contrast, sign and balance."""

import numpy as np
import oracles_fields
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oncolattice.abm.fields.multigrid import (
    CONVERGED,
    INVALID,
    MAX_CYCLES,
    make_workspace,
    solve,
    solve_varying,
)

SIZES = [(3, 3), (5, 3), (9, 12), (3, 21), (17, 14), (3, 3, 3), (5, 4, 3), (8, 8, 8), (7, 9, 6), (3, 4, 13)]


def problem(shape, length, contrast, seed=0):
    """Return q, s and a diffusivity between 1 and `contrast` that differs from site to site."""
    rng = np.random.default_rng(seed)
    q = (0.4 + (rng.random(shape) < 0.6)) / length**2
    s = rng.random(shape) * (rng.random(shape) < 0.1)
    s[tuple(n // 2 for n in shape)] = 1.0
    return q, s, contrast ** rng.random(shape)


@pytest.mark.parametrize("periodic", [False, True])
@pytest.mark.parametrize("contrast", [1.0, 10.0, 100.0])
@pytest.mark.parametrize("shape", SIZES)
def test_equals_the_direct_solution(shape, contrast, periodic):
    q, s, diffusion = problem(shape, 10.0, contrast)
    c = np.zeros(shape)
    work = make_workspace(shape, varying=True)
    status, _, residual = solve_varying(c, q, s, diffusion, periodic, 1e-11, 200, work)
    assert status == CONVERGED
    assert residual <= 1e-11
    exact = oracles_fields.direct(q, s, diffusion, periodic)
    assert np.abs(c - exact).max() <= 1e-8 * exact.max()


@pytest.mark.parametrize("periodic", [False, True])
@pytest.mark.parametrize("shape", [(33, 20), (9, 12, 7)])
def test_reported_residual_is_that_of_the_returned_field(shape, periodic):
    q, s, diffusion = problem(shape, 5.0, 30.0)
    c = np.random.default_rng(1).random(shape)
    work = make_workspace(shape, varying=True)
    status, done, residual = solve_varying(c, q, s, diffusion, periodic, 0.0, 2, work)
    r = s.ravel() - oracles_fields.operator(q, diffusion, periodic) @ c.ravel()
    assert (status, done) == (MAX_CYCLES, 2)
    assert residual == pytest.approx(np.linalg.norm(r) / np.linalg.norm(s), rel=1e-8)


@pytest.mark.parametrize("shape", [(24, 31), (9, 12, 10)])
def test_a_constant_diffusivity_gives_what_the_solver_of_one_gives(shape):
    q, s, _ = problem(shape, 6.0, 1.0)
    a, b = np.zeros(shape), np.zeros(shape)
    first = solve(a, q, s, 2.5, False, 0.0, 4, make_workspace(shape))
    again = solve_varying(b, q, s, np.full(shape, 2.5), False, 0.0, 4, make_workspace(shape, varying=True))
    assert np.abs(a - b).max() < 1e-12 * a.max()
    assert first[2] == pytest.approx(again[2], rel=1e-6)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_two_slabs_have_the_exact_profile(axis):
    """Between levels held in the end sites the flux is theirs over resistances in series, straight in each slab.

    A sink k with source k x level holds an end site at that level but for flux / k, which the exact value includes.
    """
    n, cut, hold, low, high = 21, 8, 50.0, 1.0, 3.0
    d = np.where(np.arange(n) < cut, 4.0, 0.05)
    resistance = np.concatenate(([1.0 / hold], 0.5 / d[:-1] + 0.5 / d[1:], [1.0 / hold]))
    at = low + (high - low) * np.cumsum(resistance)[:-1] / resistance.sum()
    shape = [4, 4, 4]
    shape[axis] = n
    along = [1, 1, 1]
    along[axis] = n
    q, s = np.zeros(n), np.zeros(n)
    q[[0, -1]], s[0], s[-1] = hold, hold * low, hold * high
    q, s, diffusion = (np.ascontiguousarray(np.broadcast_to(a.reshape(along), shape)) for a in (q, s, d))
    c = np.zeros(shape)
    work = make_workspace(tuple(shape), varying=True)
    assert solve_varying(c, q, s, diffusion, False, 1e-12, 200, work)[0] == CONVERGED
    assert np.abs(c - at.reshape(along)).max() < 1e-8


@pytest.mark.parametrize("dimensions", [2, 3])
def test_smooth_diffusivity_converges_with_order_two(dimensions):
    """c = 2 + product of cosines is the answer where s = q c - div(D grad c), D = 1 + x(4 - x) z(4 - z) / 8 (or y)."""
    errors = []
    for n in {2: (16, 32, 64), 3: (8, 16, 32)}[dimensions]:
        h = 4.0 / n
        x = (np.indices((n,) * dimensions) + 0.5) * h
        w = np.pi / 4.0
        wave = np.prod(np.cos(w * x), axis=0)
        diffusion = 1.0 + x[0] * (4.0 - x[0]) * x[-1] * (4.0 - x[-1]) / 8.0
        flux_terms = -dimensions * w * w * diffusion * wave
        for a, b in ((0, -1), (-1, 0)):
            slope = (4.0 - 2.0 * x[a]) * x[b] * (4.0 - x[b]) / 8.0
            flux_terms -= slope * w * wave * np.tan(w * x[a])
        q = np.full(wave.shape, 0.7)
        c, work = np.zeros(wave.shape), make_workspace(wave.shape, varying=True)
        s = q * (2.0 + wave) - flux_terms
        s_low = min(s.min(), 0.0)  # a constant more in s is a constant more / q in c
        assert solve_varying(c, q, s - s_low, diffusion / h**2, False, 1e-11, 60, work)[0] == CONVERGED
        errors.append(np.abs(c + s_low / 0.7 - 2.0 - wave).max())
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    assert abs(orders[-1] - 2.0) < 0.15


@pytest.mark.parametrize("shape", [(61, 64), (27, 30, 24)])
@pytest.mark.parametrize(
    ("kind", "contrast", "most"),
    [
        ("smooth", 100.0, 0.45),
        ("disc", 10.0, 0.45),
        ("disc", 100.0, 0.5),
        ("sites", 10.0, 0.5),
        ("sites", 100.0, 0.87),
        ("sites", 1e4, 0.96),
    ],
)
def test_a_cycle_leaves_less_of_the_residual_whatever_the_contrast(shape, kind, contrast, most):
    rng = np.random.default_rng(0)
    at = np.indices(shape)
    if kind == "smooth":
        wave = np.prod([np.cos(2.0 * np.pi * at[a] / 25.0) for a in range(len(shape))], axis=0)
        diffusion = contrast ** (0.5 * wave)
    elif kind == "disc":
        away = sum((at[a] - n / 2) ** 2 for a, n in enumerate(shape))
        diffusion = np.where(away < (min(shape) / 4) ** 2, 1.0 / contrast, 1.0)
    else:
        diffusion = np.where(rng.random(shape) < 0.3, contrast, 1.0)
    work = make_workspace(shape, varying=True)
    for length in (3.0, 30.0):
        q, s, _ = problem(shape, length, 1.0)
        left = []
        for cycles in (3, 9):
            c = np.zeros(shape)
            left.append(solve_varying(c, q, s, diffusion, False, 0.0, cycles, work)[2])
        assert (left[1] / left[0]) ** (1 / 6) <= most


@settings(max_examples=50, deadline=None)
@given(
    shape=st.one_of(
        st.tuples(st.integers(3, 20), st.integers(3, 20)),
        st.tuples(st.integers(3, 9), st.integers(3, 9), st.integers(3, 9)),
    ),
    seed=st.integers(0, 2**32 - 1),
    cycles=st.integers(0, 4),
    periodic=st.booleans(),
)
def test_never_negative_and_balanced_after_any_number_of_cycles(shape, seed, cycles, periodic):
    rng = np.random.default_rng(seed)
    q = 10.0 ** rng.uniform(-4, 2, shape) * (rng.random(shape) < 0.7)
    q.flat[0] = 1.0
    s, fed = np.zeros(shape), tuple(rng.integers(shape))
    s[fed] = 10.0 ** rng.uniform(-3, 3)
    q[fed] = max(q[fed], 1e-4)  # shut in by walls and without a sink, what is fed would have nowhere to go
    diffusion = 10.0 ** rng.uniform(-3, 3, shape) * (rng.random(shape) < 0.9)
    c = rng.normal(size=shape)
    work = make_workspace(shape, varying=True)
    status, _, _ = solve_varying(c, q, s, diffusion, periodic, 1e-8, cycles, work)
    assert status in (CONVERGED, MAX_CYCLES)
    assert c.min() >= 0.0
    assert np.sum(q * c) == pytest.approx(s.sum(), rel=1e-12)


def test_nothing_passes_a_wall_of_sites_without_diffusion():
    """Corrections interpolate across the wall; what they leave behind it falls with the tolerance."""
    shape = (12, 15)
    diffusion, q, s = np.ones(shape), np.full(shape, 0.1), np.zeros(shape)
    diffusion[:, 7] = 0.0
    s[4, 2] = 1.0
    c = np.zeros(shape)
    work = make_workspace(shape, varying=True)
    assert solve_varying(c, q, s, diffusion, False, 1e-11, 60, work)[0] == CONVERGED
    assert c[:, 7:].max() < 1e-9
    assert c[:, :7].min() > 1e-3


@pytest.mark.parametrize("which", ["negative", "nan", "infinite", "shape", "workspace"])
def test_invalid_diffusivity_has_a_status_and_leaves_the_field(which):
    c, one, diffusion, varying = np.full((8, 9), 2.0), np.ones((8, 9)), np.ones((8, 9)), True
    if which == "shape":
        diffusion = np.ones((9, 8))
    elif which == "workspace":
        varying = False
    else:
        diffusion[3, 4] = {"negative": -1e-9, "nan": np.nan, "infinite": np.inf}[which]
    work = make_workspace((8, 9), varying=varying)
    assert solve_varying(c, one, one, diffusion, False, 1e-4, 5, work)[0] == INVALID
    assert (c == 2.0).all()
