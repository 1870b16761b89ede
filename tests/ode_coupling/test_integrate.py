"""The Runge-Kutta pair: order, exact landing, agreement with another integrator, sign, failure, caching."""

import subprocess
import sys

import numpy as np
import pytest
from numba import njit
from scipy.integrate import solve_ivp

from oncolattice.ode_coupling.immune.qcic.model import qcic
from oncolattice.ode_coupling.integrate import (
    NON_FINITE,
    ODE_SIGNATURE,
    OK,
    STEP_TOO_SMALL,
    advance,
    compiled_ode,
    step,
)
from oncolattice.ode_coupling.pk.two_compartment import exact_amounts
from oncolattice.ode_coupling.pk.two_compartment import rhs as two_compartment

NONE = np.zeros(0)


@njit(ODE_SIGNATURE)
def seasonal_logistic(t, y, p, u, dy):
    dy[0] = np.cos(t) * y[0] * (1.0 - y[0])


@njit(ODE_SIGNATURE)
def lotka_volterra(t, y, p, u, dy):
    dy[0] = p[0] * y[0] - p[1] * y[0] * y[1]
    dy[1] = p[1] * y[0] * y[1] - p[2] * y[1]


@njit(ODE_SIGNATURE)
def explosion(t, y, p, u, dy):
    dy[0] = y[0] * y[0]


@njit(ODE_SIGNATURE)
def square_root_of_time_left(t, y, p, u, dy):
    dy[0] = np.sqrt(1.0 - t)


def fixed_steps(n: int) -> float:
    """Return the largest error up to t = 4 of n equal steps: y = odds / (1 + odds), odds = exp(sin t) / 3."""
    y, y_new, k, h, worst = np.array([0.25]), np.zeros(1), np.zeros((7, 1)), 4.0 / n, 0.0
    for i in range(n):
        seasonal_logistic(i * h, y, NONE, NONE, k[0])
        step(compiled_ode(seasonal_logistic), i * h, h, y, NONE, NONE, y_new, k)
        y[:] = y_new
        odds = np.exp(np.sin((i + 1) * h)) / 3.0
        worst = max(worst, abs(y[0] - odds / (1.0 + odds)))
    return worst


def test_order_of_convergence_is_five():
    errors = np.array([fixed_steps(n) for n in (32, 64, 128)])
    orders = np.log2(errors[:-1] / errors[1:])
    assert np.all(np.abs(orders - 5.0) < 0.2), orders


def test_it_agrees_with_dop853():
    p, y0 = np.array([1.1, 0.4, 0.9]), np.array([3.0, 1.5])

    def rhs(t, y):
        return [p[0] * y[0] - p[1] * y[0] * y[1], p[1] * y[0] * y[1] - p[2] * y[1]]

    other = solve_ivp(rhs, (0.0, 30.0), y0, method="DOP853", rtol=1e-12, atol=1e-13).y[:, -1]
    y = y0.copy()
    assert advance(lotka_volterra, 0.0, 30.0, y, p, NONE, 1e-11, 1e-12).status == OK
    np.testing.assert_allclose(y, other, rtol=1e-8)


@pytest.mark.parametrize("rtol", [1e-4, 1e-6, 1e-8])
def test_the_error_follows_the_tolerance(rtol):
    y = np.array([0.25])
    advance(seasonal_logistic, 0.0, 20.0, y, NONE, NONE, rtol, 0.0)
    odds = np.exp(np.sin(20.0)) / 3.0
    assert abs(y[0] * (1.0 + odds) / odds - 1.0) < 20.0 * rtol


def test_it_lands_exactly_and_carries_the_step_on():
    y, p = np.array([3.0, 1.5]), np.array([1.1, 0.4, 0.9])
    free = advance(lotka_volterra, 0.0, 1.0, y, p, NONE)
    assert free.t == 1.0
    short = advance(lotka_volterra, 1.0, 1.0 + 1e-9, y, p, NONE, h=free.h)
    assert short.t == 1.0 + 1e-9
    assert short.h >= free.h  # a tiny interval does not make the next step tiny
    assert advance(lotka_volterra, 2.0, 2.0, y, p, NONE, h=short.h) == (OK, 2.0, short.h, 0)


def test_a_state_never_turns_negative_and_nothing_is_clipped():
    p, u = np.array([3.64, 5.55, 7.81, 1.0]), np.zeros(1)
    y, k, y_new = np.array([95.0, 1.0, 0.0]), np.zeros((7, 3)), np.zeros(3)
    two_compartment(0.0, y, p, u, k[0])
    step(compiled_ode(two_compartment), 0.0, 0.4, y, p, u, y_new, k)
    assert y_new.min() < 0.0  # what a free step of this size does
    result = advance(two_compartment, 0.0, 0.4, y, p, u, rtol=1.0, atol=1e3, h=0.4)
    assert result.negative > 0
    assert y.min() >= 0.0
    assert y.sum() == pytest.approx(96.0, rel=1e-14)  # clipping would have made drug


def test_long_decay_stays_positive_and_exact_at_loose_tolerance():
    p, y = np.array([3.64, 5.55, 7.81, 1.0]), np.array([95.0, 0.0, 0.0])
    t, h = 0.0, 0.0
    for _ in range(60):
        result = advance(two_compartment, t, t + 1.0, y, p, np.zeros(1), 1e-4, 1e-3, h)
        t, h = result.t, result.h
        assert result.status == OK
        assert y.min() >= 0.0
    assert y[2] == pytest.approx(95.0, rel=1e-12)
    assert exact_amounts(np.array([60.0]), (), *p[:3]).sum() == 0.0


@pytest.mark.parametrize(
    ("rhs", "y0", "end", "statuses"),
    [(explosion, 1.0, 2.0, {NON_FINITE, STEP_TOO_SMALL}), (square_root_of_time_left, 0.0, 2.0, {NON_FINITE})],
)
def test_failure_is_a_status_and_leaves_the_last_good_state(rhs, y0, end, statuses):
    y = np.array([y0])
    result = advance(rhs, 0.0, end, y, NONE, NONE)
    assert result.status in statuses
    assert np.isfinite(y[0])
    assert result.t == pytest.approx(1.0, abs=1e-3)  # where the solution ends


def test_a_slope_that_is_not_finite_fails_at_once():
    y = np.array([0.5])
    assert advance(square_root_of_time_left, 1.5, 2.0, y, NONE, NONE).status == NON_FINITE
    assert y[0] == 0.5


def test_a_second_process_loads_every_kernel_from_the_cache():
    y = qcic().initial.copy()
    advance(qcic().rhs, 0.0, 0.1, y, qcic().parameter_values(), np.zeros(16))  # compiled by now
    code = """
import numpy as np
from oncolattice.ode_coupling import integrate
from oncolattice.ode_coupling.immune.qcic.model import qcic
m = qcic()
y = m.initial.copy()
integrate.advance(m.rhs, 0.0, 0.1, y, m.parameter_values(), np.zeros(16))
for kernel in (m.rhs, m.observe, integrate.step, integrate._advance):
    assert kernel.stats.cache_hits and not kernel.stats.cache_misses, kernel
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
