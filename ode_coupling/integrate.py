"""An explicit Runge-Kutta pair of order 5(4) for any compiled right-hand side, one function for all models.

Coefficients: Dormand and Prince 1980 (10.1016/0771-050X(80)90013-3). States are amounts or densities: a step
that would turn one negative is halved, never clipped. The pair's stability polynomial is positive on the
whole negative real axis, so a lone decaying state never meets this rule.
"""

import functools
from typing import Any, NamedTuple

import numpy as np
from numba import njit, types

VECTOR, MATRIX = types.float64[::1], types.float64[:, ::1]
ODE_SIGNATURE = types.void(types.float64, VECTOR, VECTOR, VECTOR, VECTOR)  # (t, y, p, u, out)
ODE_FUNCTION = types.FunctionType(ODE_SIGNATURE)

OK, NON_FINITE, STEP_TOO_SMALL, TOO_MANY_STEPS = range(4)
MAX_STEPS = 1_000_000
# An explicit pair follows time constants down to seconds in so many steps; what is stiffer must end, not spin.
STEPS_A_CALL, STEPS_A_UNIT = 1_000, 20_000
SHRINK, GROW, SAFETY, CREEP = 0.2, 5.0, 0.9, 1.1

NODES = (0.0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1.0, 1.0)
STAGES = np.zeros((7, 7))
STAGES[1, :1] = (1 / 5,)
STAGES[2, :2] = (3 / 40, 9 / 40)
STAGES[3, :3] = (44 / 45, -56 / 15, 32 / 9)
STAGES[4, :4] = (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729)
STAGES[5, :5] = (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656)
STAGES[6, :6] = (35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84)
ERROR = np.array([71 / 57600, 0.0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40])


class CompiledOde:
    """A right-hand side by its address, which a kernel takes nine times faster than a dispatcher."""

    _numba_type_ = ODE_FUNCTION  # what Numba's dispatcher looks at first

    def __init__(self, rhs: Any):
        self._keep = rhs
        compiled = rhs.get_compile_result(ODE_SIGNATURE)
        self._address = compiled.library.get_pointer_to_function(compiled.fndesc.llvm_cfunc_wrapper_name)

    def __wrapper_address__(self) -> int:
        return self._address


compiled_ode = functools.cache(CompiledOde)


class Advance(NamedTuple):
    """What ``advance`` returns: status, time reached, next step size, halvings for the sake of sign."""

    status: int
    t: float
    h: float
    negative: int


@njit(types.void(ODE_FUNCTION, types.float64, types.float64, *[VECTOR] * 4, MATRIX), cache=True)
def step(rhs, t, h, y, p, u, y_new, k) -> None:
    """Take one step of size h from (t, y) to ``y_new``; ``k[0]`` must hold rhs(t, y), ``k[6]`` gets the next.

    Parameters
    ----------
    rhs : compiled ``rhs(t, y, p, u, dy)``
    y, y_new : ndarray, shape (states,)
    k : ndarray, shape (7, states)
        Slopes at the seven stages.
    """
    # One pass a stage over constant weights: a loop over stages inside would triple the time.
    a, n = STAGES, y.size
    for i in range(n):
        y_new[i] = y[i] + h * (a[1, 0] * k[0, i])
    rhs(t + NODES[1] * h, y_new, p, u, k[1])
    for i in range(n):
        y_new[i] = y[i] + h * (a[2, 0] * k[0, i] + a[2, 1] * k[1, i])
    rhs(t + NODES[2] * h, y_new, p, u, k[2])
    for i in range(n):
        y_new[i] = y[i] + h * (a[3, 0] * k[0, i] + a[3, 1] * k[1, i] + a[3, 2] * k[2, i])
    rhs(t + NODES[3] * h, y_new, p, u, k[3])
    for i in range(n):
        slope = a[4, 0] * k[0, i] + a[4, 1] * k[1, i] + a[4, 2] * k[2, i] + a[4, 3] * k[3, i]
        y_new[i] = y[i] + h * slope
    rhs(t + NODES[4] * h, y_new, p, u, k[4])
    for i in range(n):
        slope = a[5, 0] * k[0, i] + a[5, 1] * k[1, i] + a[5, 2] * k[2, i] + a[5, 3] * k[3, i]
        y_new[i] = y[i] + h * (slope + a[5, 4] * k[4, i])
    rhs(t + NODES[5] * h, y_new, p, u, k[5])
    for i in range(n):
        slope = a[6, 0] * k[0, i] + a[6, 2] * k[2, i] + a[6, 3] * k[3, i] + a[6, 4] * k[4, i]
        y_new[i] = y[i] + h * (slope + a[6, 5] * k[5, i])
    rhs(t + NODES[6] * h, y_new, p, u, k[6])


@njit(
    types.float64(types.float64, VECTOR, VECTOR, MATRIX, types.float64, types.float64),
    cache=True,
    error_model="numpy",
)
def error_norm(h, y, y_new, k, rtol, atol) -> float:
    """Return the root mean square of the error estimate over atol + rtol |y| (1 = just tolerable).

    The slopes ``k[1]``, which no estimate needs, are overwritten.
    """
    w, n = ERROR, y.size
    for i in range(n):
        error = w[0] * k[0, i] + w[2] * k[2, i] + w[3] * k[3, i] + w[4] * k[4, i] + w[5] * k[5, i]
        scale = atol + rtol * max(abs(y[i]), abs(y_new[i]))
        k[1, i] = h * (error + w[6] * k[6, i]) / scale
    even, odd = 0.0, 0.0  # two sums, so that one need not wait for the other
    for i in range(0, n - 1, 2):
        even += k[1, i] * k[1, i]
        odd += k[1, i + 1] * k[1, i + 1]
    if n % 2:
        even += k[1, n - 1] * k[1, n - 1]
    return np.sqrt((even + odd) / n)


@njit(cache=True, error_model="numpy")
def count_negative(y, y_new) -> int:
    """Return how many states that were not negative have become so."""
    count = 0
    for i in range(y.size):
        if y_new[i] < 0.0 and y[i] >= 0.0:
            count += 1
    return count


@njit(
    types.Tuple((types.int64, types.float64, types.float64, types.int64, types.float64))(
        ODE_FUNCTION, types.float64, types.float64, *[VECTOR] * 3, *[types.float64] * 3
    ),
    cache=True,
    error_model="numpy",
)
def _advance(rhs, t0, t1, y, p, u, rtol, atol, h):
    t, negative, ceiling, first = t0, 0, np.inf, 0.0
    k = np.empty((7, y.size))
    y_new = np.empty(y.size)
    if t1 <= t0:
        return OK, t, h, negative, first
    rhs(t, y, p, u, k[0])
    if not np.isfinite(k[0].sum()):
        return NON_FINITE, t, h, negative, first
    if not h > 0.0:
        h = 1e-3 * (t1 - t0)
    most = int(min(STEPS_A_CALL + STEPS_A_UNIT * (t1 - t0), MAX_STEPS))
    for _ in range(most):
        remaining = t1 - t
        last = h >= 0.999 * remaining
        tried = remaining if last else min(h, 0.5 * remaining)  # two even steps rather than one and a rest
        if t + 0.01 * tried == t:
            return STEP_TOO_SMALL, t, h, negative, first
        step(rhs, t, tried, y, p, u, y_new, k)
        norm = error_norm(tried, y, y_new, k, rtol, atol)  # not finite if any slope, the next one included
        if not np.isfinite(norm):
            h = SHRINK * tried
            if t + 0.01 * h == t:
                return NON_FINITE, t, h, negative, first
            continue
        factor = SAFETY * norm**-0.2 if norm > 0.0 else GROW
        if norm > 1.0:
            h = tried * max(SHRINK, factor)
            continue
        if count_negative(y, y_new) > 0:
            negative += 1
            h = ceiling = 0.5 * tried
            continue
        y[:] = y_new
        k[0, :] = k[6]
        if first == 0.0:
            first = tried
        proposed = tried * min(GROW, max(SHRINK, factor))
        # A step cut short by t1 is no reason to slow down; one halved for sign is a reason to grow slowly.
        h = min(max(h, proposed) if tried < h else proposed, ceiling)
        ceiling *= CREEP
        if last:
            return OK, t1, h, negative, first
        t += tried
    return TOO_MANY_STEPS, t, h, negative, first


def advance(
    rhs,
    t0: float,
    t1: float,
    y: np.ndarray,
    p: np.ndarray,
    u: np.ndarray,
    rtol: float = 1e-6,
    atol: float = 1e-4,
    h: float = 0.0,
) -> Advance:
    """Integrate y in place from t0 to exactly t1 with local error control.

    Parameters
    ----------
    rhs : compiled ``rhs(t, y, p, u, dy)`` with signature ``ODE_SIGNATURE``
    t0, t1 : float
        In the model's time unit. Nothing happens if t1 <= t0.
    y : ndarray, shape (states,)
        Changed in place; after a failure it holds the last accepted state, always finite.
    p, u : ndarray
        Parameters and inputs, constant over the interval.
    rtol, atol : float
        A step passes if the root mean square of error / (atol + rtol |y|) is at most 1.
    h : float
        Step size to begin with, as an earlier call returned it; 0 picks one.

    Returns
    -------
    Advance
        ``status`` (OK, NON_FINITE, STEP_TOO_SMALL, or TOO_MANY_STEPS: above 1,000 and 20,000 a unit of time), time
        reached, step size to carry on with, and how many steps were halved because a state would have turned negative.
    """
    return Advance(*_advance(compiled_ode(rhs), t0, t1, y, p, u, rtol, atol, h)[:4])
