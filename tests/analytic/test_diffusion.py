"""Diffusion and reaction in closed form, with measured orders of convergence."""

import numpy as np
import pytest
from oncolattice.abm.fields.multigrid import CONVERGED, make_workspace, solve
from scipy.special import k0

AT_ONE_LENGTH = 0.0670081205  # K0(1) / (2 pi): S/D times this at r = sqrt(D/k)


def steady(q, s, diffusion, spacing, periodic=False, tol=1e-11):
    c = np.zeros(q.shape)
    status, _, _ = solve(c, q, s, diffusion / spacing**2, periodic, tol, 80, make_workspace(*q.shape))
    assert status == CONVERGED
    return c


def order(errors):
    """Return the slope of log error per halving."""
    return np.log2(np.array(errors[:-1]) / np.array(errors[1:]))


def test_reference_value_of_the_point_source():
    assert k0(1.0) / (2.0 * np.pi) == pytest.approx(AT_ONE_LENGTH, abs=1e-10)


def test_point_source_with_decay_converges_with_order_two():
    """Compared at four distances of at least three sites; walls 12 lengths away add less than 1e-8.

    At three sites the next order still shows (2.35), so the order is asked of the finest pair.
    """
    diffusion, decay, rate, half = 2.0, 0.5, 3.0, 12.0
    length = np.sqrt(diffusion / decay)
    errors = []
    for per_length in (6, 12, 24):
        spacing = length / per_length
        n = 2 * int(half * per_length) + 1
        s = np.zeros((n, n))
        s[n // 2, n // 2] = rate / spacing**2
        c = steady(np.full((n, n), decay), s, diffusion, spacing)
        reached = [c[n // 2, n // 2 + int(x * per_length)] for x in (0.5, 1.0, 2.0, 3.0)]
        exact = rate / diffusion * k0(np.array([0.5, 1.0, 2.0, 3.0])) / (2.0 * np.pi)
        assert exact[1] == pytest.approx(rate / diffusion * AT_ONE_LENGTH, rel=1e-8)
        errors.append(np.abs(np.array(reached) / exact - 1.0))
    assert errors[-1].max() < 1e-3
    assert np.all(np.abs(order(errors)[-1] - 2.0) < 0.15)


@pytest.mark.parametrize("modes", [(1, 0), (0, 2), (2, 3)])
def test_cosine_modes_between_walls_converge_with_order_two(modes):
    """A source 1 + cos(a y) cos(b x) / 2 gives 1/q + cos cos / (2 (q + D (a^2 + b^2)))."""
    diffusion, decay, errors = 1.3, 0.7, []
    for n in (15, 30, 60, 120):
        spacing = 4.0 / n
        at = (np.arange(n) + 0.5) * spacing
        a, b = (np.pi * m / 4.0 for m in modes)
        wave = 0.5 * np.cos(a * at)[:, None] * np.cos(b * at)[None, :]
        c = steady(np.full((n, n), decay), 1.0 + wave, diffusion, spacing)
        exact = 1.0 / decay + wave / (decay + diffusion * (a * a + b * b))
        errors.append(np.abs(c - exact).max())
    assert np.all(np.abs(order(errors) - 2.0) < 0.1)


def test_cosine_modes_on_a_ring_have_the_discrete_eigenvalue():
    """On the lattice itself the mode is exact, with 2 - 2 cos(k) per direction in place of k^2."""
    ny, nx, decay, per_h = 21, 34, 0.3, 5.0
    ky, kx = 2.0 * np.pi * 2 / ny, 2.0 * np.pi * 3 / nx
    wave = np.cos(ky * np.arange(ny))[:, None] * np.cos(kx * np.arange(nx))[None, :]
    c = steady(np.full((ny, nx), decay), 1.0 + wave, per_h, 1.0, periodic=True)
    exact = 1.0 / decay + wave / (decay + per_h * (4.0 - 2.0 * np.cos(ky) - 2.0 * np.cos(kx)))
    assert np.abs(c - exact).max() < 1e-9


@pytest.mark.parametrize("periodic", [False, True])
def test_total_decays_as_the_implicit_step_says(periodic):
    """After n steps the total is (1 + k dt)^-n whatever the tolerance, and tends to exp(-k t)."""
    rng = np.random.default_rng(0)
    decay, diffusion, hours, errors = 0.2, 40.0, 2.0, []
    for steps in (8, 16, 32):
        dt = hours / steps
        c = rng.random((49, 37)) ** 8
        total, work = c.sum(), make_workspace(49, 37)
        q = np.full(c.shape, decay + 1.0 / dt)
        for n in range(1, steps + 1):
            status, _, _ = solve(c, q, c / dt, diffusion, periodic, 1e-4, 20, work)
            assert status == CONVERGED
            assert c.sum() / total == pytest.approx((1.0 + decay * dt) ** -n, rel=1e-10)
        errors.append(abs(c.sum() / total - np.exp(-decay * hours)))
    assert np.all(np.abs(order(errors) - 1.0) < 0.05)


def test_an_instantaneous_point_source_spreads_as_a_gaussian():
    """2-D, D = 1, decay .2, t = .5, r = 1: .0873460847 (without decay .0965323526), first order in time."""
    spacing, errors = 0.05, []
    n = 2 * 100 + 1
    for steps in (50, 100, 200):
        dt = 0.5 / steps
        c = np.zeros((n, n))
        c[n // 2, n // 2] = 1.0 / spacing**2
        work, q = make_workspace(n, n), np.full((n, n), 0.2 + 1.0 / dt)
        for _ in range(steps):
            assert solve(c, q, c / dt, 1.0 / spacing**2, False, 1e-8, 40, work)[0] == CONVERGED
        errors.append(abs(c[n // 2, n // 2 + 20] / 0.0873460847 - 1.0))
    assert errors[-1] < 5e-3
    assert np.all(np.abs(order(errors) - 1.0) < 0.2)
