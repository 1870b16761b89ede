"""Multigrid solver against direct solution, and what it promises: sign, balance, convergence, bits."""

import os
import subprocess
import sys

import numpy as np
import oracles_fields
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oncolattice.abm.errors import InputError
from oncolattice.abm.fields import account as accounts
from oncolattice.abm.fields import multigrid, operator, relax, smooth, split, transfer, varying, visit
from oncolattice.abm.fields.multigrid import CONVERGED, INVALID, MAX_CYCLES, make_workspace, solve

SIZES = [(3, 3), (3, 4), (5, 3), (7, 9), (16, 16), (3, 60), (61, 3), (33, 20), (49, 37)]


def problem(ny, nx, length, seed=0):
    """Return q and s with screening length near `length` sites, patchy uptake and sparse sources."""
    rng = np.random.default_rng(seed)
    q = (0.4 + (rng.random((ny, nx)) < 0.6)) / length**2
    s = rng.random((ny, nx)) * (rng.random((ny, nx)) < 0.1)
    s[ny // 2, nx // 3] = 1.0
    return q, s


@pytest.mark.parametrize("periodic", [False, True])
@pytest.mark.parametrize("length", [1.0, 10.0])
@pytest.mark.parametrize("shape", SIZES)
def test_equals_the_direct_solution(shape, length, periodic):
    q, s = problem(*shape, length)
    c = np.zeros(shape)
    status, _, residual = solve(c, q, s, 1.0, periodic, 1e-11, 60, make_workspace(shape))
    assert status == CONVERGED
    assert residual <= 1e-11
    exact = oracles_fields.direct(q, s, 1.0, periodic)
    assert np.abs(c - exact).max() <= 1e-8 * exact.max()


@pytest.mark.parametrize("periodic", [False, True])
@pytest.mark.parametrize("cycles", [0, 1, 3])
def test_reported_residual_is_that_of_the_returned_field(cycles, periodic):
    q, s = problem(33, 20, 5.0)
    c = np.random.default_rng(1).random(q.shape)
    status, done, residual = solve(c, q, s, 2.0, periodic, 0.0, cycles, make_workspace(q.shape))
    r = s.ravel() - oracles_fields.operator(q, 2.0, periodic) @ c.ravel()
    assert (status, done) == (MAX_CYCLES, cycles)
    assert residual == pytest.approx(np.linalg.norm(r) / np.linalg.norm(s), rel=1e-8)


@pytest.mark.parametrize("periodic", [False, True])
@pytest.mark.parametrize("length", [1.0, 3.0, 10.0, 30.0, 100.0])
@pytest.mark.parametrize(
    "shape", [(100, 100), (49, 37), (127, 127), (129, 65), (127, 31), (9, 100), (64, 64)]
)
def test_a_cycle_leaves_little_of_the_residual(shape, length, periodic):
    q, s = problem(*shape, length)
    work = make_workspace(shape)
    left = []
    for cycles in (2, 6):
        c = np.zeros(shape)
        left.append(solve(c, q, s, 1.0, periodic, 0.0, cycles, work)[2])
    assert (left[1] / left[0]) ** 0.25 <= (0.35 if periodic else 0.22)


@pytest.mark.parametrize("strength", [1.0, 10.0, 100.0, 1e4])
def test_sparse_strong_sinks_leave_at_most_half_of_the_residual(strength):
    """Vessels: 1 % of the sites exchange strongly, the rest takes up weakly."""
    rng = np.random.default_rng(0)
    vessel = rng.random((128, 128)) < 0.01
    q, s = 1e-3 + strength * vessel, strength * vessel
    work, left = make_workspace((128, 128)), []
    for cycles in (2, 7):
        c = np.zeros(q.shape)
        left.append(solve(c, q, s, 1.0, False, 0.0, cycles, work)[2])
    assert (left[1] / left[0]) ** 0.2 <= 0.5


@pytest.mark.parametrize("absorption", [1e2, 1e4, 1e6])
def test_strong_absorption_everywhere_is_solved_at_once(absorption):
    rng = np.random.default_rng(0)
    q, s, c = absorption * rng.random((40, 50)), rng.random((40, 50)), np.zeros((40, 50))
    status, cycles, _ = solve(c, q, s, 1.0, False, 1e-8, 10, make_workspace((40, 50)))
    assert status == CONVERGED
    assert cycles <= 8


def test_a_warm_start_needs_few_cycles():
    q, s = problem(256, 256, 8.0)
    work, c = make_workspace((256, 256)), np.zeros((256, 256))
    solve(c, q, s, 1.0, False, 1e-4, 50, work)
    rng = np.random.default_rng(3)
    turned = rng.random(q.shape) < 0.02
    status, cycles, _ = solve(c, np.where(turned, q[::-1, ::-1], q), s, 1.0, False, 1e-4, 50, work)
    assert status == CONVERGED
    assert 1 <= cycles <= 8
    assert solve(c, np.where(turned, q[::-1, ::-1], q), s, 1.0, False, 1e-4, 50, work)[1] == 0


@settings(max_examples=60, deadline=None)
@given(
    shape=st.tuples(st.integers(3, 24), st.integers(3, 24)),
    seed=st.integers(0, 2**32 - 1),
    log_diffusion=st.floats(-3, 4),
    cycles=st.integers(0, 4),
    periodic=st.booleans(),
)
def test_never_negative_and_balanced_after_any_number_of_cycles(shape, seed, log_diffusion, cycles, periodic):
    rng = np.random.default_rng(seed)
    q = 10.0 ** rng.uniform(-4, 2, shape) * (rng.random(shape) < 0.7)
    q[0, 0] = 1.0
    s = np.zeros(shape)
    s[rng.integers(shape[0]), rng.integers(shape[1])] = 10.0 ** rng.uniform(-3, 3)
    c = rng.normal(size=shape)
    status, _, _ = solve(c, q, s, 10.0**log_diffusion, periodic, 1e-8, cycles, make_workspace(shape))
    assert status in (CONVERGED, MAX_CYCLES)
    assert c.min() >= 0.0
    assert np.sum(q * c) == pytest.approx(s.sum(), rel=1e-12)


def test_corrections_that_would_cross_zero_are_stopped_and_counted():
    """A point source with a short screening length: interpolation undershoots beside it."""
    q, s = np.full((32, 32), 1.0), np.zeros((32, 32))
    s[10, 11] = 1.0
    c, work = np.zeros((32, 32)), make_workspace((32, 32))
    c[20:, 20:] = 5.0
    solve(c, q, s, 1.0, False, 1e-10, 40, work)
    assert work.counters[0] > 0
    assert np.abs(c - oracles_fields.direct(q, s, 1.0, False)).max() < 1e-9


def test_no_diffusion_is_division():
    q, s = problem(12, 17, 1.0)
    c = np.zeros(q.shape)
    assert solve(c, q, s, 0.0, False, 1e-12, 5, make_workspace((12, 17)))[0] == CONVERGED
    assert np.allclose(c, s / q, rtol=1e-13, atol=0.0)


def test_no_source_gives_zero():
    c = np.ones((8, 9))
    assert solve(c, np.ones((8, 9)), np.zeros((8, 9)), 1.0, False, 1e-4, 5, make_workspace((8, 9))) == (
        0,
        0,
        0.0,
    )
    assert not c.any()


@pytest.mark.parametrize(
    "which", ["negative q", "negative s", "nan s", "nan q", "no sink", "shape", "diffusion"]
)
def test_invalid_input_has_a_status_and_leaves_the_field(which):
    c, q, s, diffusion = np.full((8, 9), 2.0), np.ones((8, 9)), np.ones((8, 9)), 1.0
    shape = (9, 8) if which == "shape" else (8, 9)
    if which == "negative q":
        q[3, 4] = -1e-9
    elif which == "negative s":
        s[3, 4] = -1e-9
    elif which == "nan s":
        s[3, 4] = np.nan
    elif which == "nan q":
        q[3, 4] = np.nan
    elif which == "no sink":
        q[:] = 0.0
    elif which == "diffusion":
        diffusion = -1.0
    assert solve(c, q, s, diffusion, False, 1e-4, 5, make_workspace(shape))[0] == INVALID
    assert (c == 2.0).all()


def test_a_lattice_below_three_sites_is_refused():
    with pytest.raises(InputError, match="2 or 3 axes of at least 3 sites, not 2 x 40"):
        make_workspace((2, 40))


@pytest.mark.parametrize("shape", [(32, 32), (21, 21)])
def test_mirrored_and_transposed_problems_have_mirrored_and_transposed_answers(shape):
    q, s = problem(*shape, 6.0)
    work = make_workspace(shape)

    def answer(change):
        c = np.zeros(shape)
        solve(
            c, np.ascontiguousarray(change(q)), np.ascontiguousarray(change(s)), 1.0, False, 1e-10, 60, work
        )
        return change(c)

    plain = answer(lambda a: a)
    for change in (np.flipud, np.fliplr, np.transpose):
        assert np.abs(answer(change) - plain).max() < 1e-8 * plain.max()


def test_the_answer_depends_on_its_arguments_only():
    """Leftovers of another field in the shared workspace change no bit."""
    q, s = problem(25, 31, 4.0)
    used, start = make_workspace((25, 31)), np.ones((25, 31))
    solve(start.copy(), q[::-1].copy(), s[::-1].copy(), 9.0, True, 1e-6, 20, used)
    a, b = start.copy(), start.copy()
    for c, work in ((a, used), (b, make_workspace((25, 31)))):
        solve(c, q, s, 1.0, False, 1e-6, 20, work)
    assert a.tobytes() == b.tobytes()


def test_account_closes():
    rng = np.random.default_rng(5)
    shape, decay, level, per_h = (40, 33), 0.2, 3.0, 0.5
    uptake, exchange = rng.random(shape), 2.0 * (rng.random(shape) < 0.05)
    work, c = make_workspace(shape), rng.random(shape)
    for _ in range(10):
        before, source = c.copy(), 4.0 * (rng.random(shape) < 0.1)
        s = source + exchange * level + per_h * before
        solve(c, decay + uptake + exchange + per_h, s, 30.0, False, 1e-4, 30, work)
        book = accounts.account(c, before, source, uptake, exchange, decay, level, per_h)
        gained, lost = book.secreted + book.delivered, book.taken_up + book.decayed + book.change
        assert abs(gained - lost) <= 1e-12 * max(book.secreted, book.taken_up)
        assert book.secreted == pytest.approx(source.sum())
        assert book.taken_up == pytest.approx((uptake * c).sum())
        assert book.decayed == pytest.approx(decay * c.sum())
        assert book.change == pytest.approx(per_h * (c - before).sum())


BITS = """
import hashlib, numpy as np
from oncolattice.abm.fields.multigrid import make_workspace, solve, solve_varying
from oncolattice.abm.fields.smooth import box_smooth
digest = hashlib.sha256()
for shape, periodic in (((9, 12), False), ((7, 11), True), ((5, 4, 7), False), ((3, 5, 4), True)):
    rng = np.random.default_rng(2)
    q, s, c, d = rng.random(shape), rng.random(shape), rng.random(shape), rng.random(shape)
    result = solve(c, q, s, 3.0, periodic, 1e-9, 3, make_workspace(shape))
    digest.update(c.tobytes() + np.array(result).tobytes())
    result = solve_varying(c, q, s, d, periodic, 1e-9, 1, make_workspace(shape, True))
    out, scratch = np.zeros(shape), np.zeros(shape)
    box_smooth(s, 2, 3, out, scratch, False)
    digest.update(c.tobytes() + out.tobytes() + np.array(result).tobytes())
print(digest.hexdigest())
"""


def test_compiled_equals_uncompiled_bit_for_bit():
    digests = set()
    for flag in ("0", "1"):
        environment = {**os.environ, "NUMBA_DISABLE_JIT": flag}
        run = subprocess.run(
            [sys.executable, "-c", BITS], env=environment, capture_output=True, text=True, check=True
        )
        digests.add(run.stdout)
    assert len(digests) == 1


def test_every_kernel_compiled_once_a_precision_and_its_interface_once_a_dimension():
    for shape in ((9, 12), (4, 5, 6)):
        one = np.ones(shape)
        for single in (False, True):
            work = make_workspace(shape, single=single)
            assert solve(one.copy(), one, one, 1.0, True, 1e-4, 5, work)[0] == CONVERGED
        smooth.box_smooth(one, 2, 3, one.copy(), one.copy(), False)
    for kernel in (
        multigrid._start,
        multigrid._iterate,
        visit.visit,
        relax.relax,
        transfer.prolong,
        transfer.restrict,
        operator.prepare,
        split.take_in,
        varying.relax_varying,
    ):
        assert len(kernel.signatures) <= 2, kernel
    assert len(smooth._along_columns.signatures) <= 1
    assert len(smooth.box_smooth.signatures) <= 2
