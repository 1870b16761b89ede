"""One step of a field: dense linear algebra, Runge-Kutta by hand, books, sign, fallback, memory and bits."""

import math
import os
import subprocess
import sys
import tracemalloc

import numpy as np
import oracles_fields
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba.core.runtime import _nrt_python, rtsys

from oncolattice.abm.errors import InputError
from oncolattice.abm.fields import account, faces, stage
from oncolattice.abm.fields.faces import Outside, make_faces
from oncolattice.abm.fields.multigrid import CONVERGED, INVALID, MAX_CYCLES
from oncolattice.abm.fields.step import NOWHERE, Law, StepWork, Terms, step_field

SHAPES = [(9, 13), (6, 5, 7)]


def setting(shape, seed=0, diffusion=4.0, periodic=False, open_faces=True):
    """Return a start, terms and a law with everything in it."""
    rng = np.random.default_rng(seed)
    terms = Terms(
        4.0 * (rng.random(shape) < 0.1), 0.5 * (rng.random(shape) < 0.5), 2.0 * (rng.random(shape) < 0.1)
    )
    outside = {"x-": Outside(2.0), "y+": Outside(0.5, 30.0)} if open_faces and not periodic else {}
    if len(shape) == 3 and outside:
        outside["z-"] = Outside(1.0)
    law = Law(0.2, diffusion, 3.0, make_faces(outside, 20.0, len(shape), "test"), periodic)
    return rng.random(shape), terms, law


def dense(shape, terms, law):
    """Return matrix A and vector b of dc/dt = b - A c, written out site by site."""
    n = math.prod(shape)
    diffusion = np.broadcast_to(law.diffusion, shape).ravel()
    matrix = np.diag((law.decay + terms.uptake + terms.exchange).ravel())
    b = (terms.source + terms.exchange * law.level).ravel()
    number = np.arange(n).reshape(shape)
    for axis in range(len(shape)):
        for k, site in enumerate(number.ravel()):
            for move in (-1, 1):
                at = np.unravel_index(k, shape)[axis] + move
                if law.periodic or 0 <= at < shape[axis]:
                    neighbour = np.roll(number, -move, axis).ravel()[k]
                    link = 2.0 / (1.0 / diffusion[site] + 1.0 / diffusion[neighbour])
                    matrix[site, site] += link
                    matrix[site, neighbour] -= link
                    continue
                face = 2 * (len(shape) - 1 - axis) + (move > 0)
                barrier = law.faces.permeation[face]
                rate = 1.0 / (1.0 / barrier + 0.5 / diffusion[site]) if barrier > 0.0 else 0.0
                matrix[site, site] += rate
                b[site] += rate * law.faces.level[face]
    return matrix, b


def stepped(matrix, b, c, dt, order):
    """Return what the step should give, by direct solution."""
    one = np.eye(b.size)
    if math.isinf(dt):
        return np.linalg.solve(matrix, b)
    if order == 1:
        return np.linalg.solve(one + dt * matrix, c + dt * b)
    gamma = 1.0 - 1.0 / math.sqrt(2.0)
    first = np.linalg.solve(one + gamma * dt * matrix, c + gamma * dt * b)
    slope = b - matrix @ first
    return np.linalg.solve(one + gamma * dt * matrix, c + (1.0 - gamma) * dt * slope + gamma * dt * b)


@pytest.mark.parametrize("periodic", [False, True])
@pytest.mark.parametrize(("dt", "order"), [(math.inf, 1), (0.7, 1), (0.05, 1), (0.05, 2)])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_step_is_that_of_the_dense_matrices(shape, dt, order, periodic):
    c, terms, law = setting(shape, periodic=periodic)
    matrix, b = dense(shape, terms, law)
    # Smooth enough for the second stage to stay positive.
    c = 1.0 + 0.1 * c
    expected = stepped(matrix, b, c.ravel(), dt, order).reshape(shape)
    result = step_field(c, terms, law, dt, StepWork(shape), order, 1e-11, 80)
    assert (result.status, result.fell_back) == (CONVERGED, False)
    assert c == pytest.approx(expected, rel=1e-7, abs=1e-9)


@pytest.mark.parametrize(("dt", "order"), [(math.inf, 1), (0.05, 1), (0.02, 2)])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_step_with_uneven_diffusivity_is_that_of_the_dense_matrices(shape, dt, order):
    """Harmonic means between sites; a site at an open face counts with its own diffusivity."""
    c, terms, law = setting(shape)
    law = law._replace(diffusion=np.random.default_rng(1).uniform(0.5, 9.0, shape))
    matrix, b = dense(shape, terms, law)
    c = 1.0 + 0.1 * c
    expected = stepped(matrix, b, c.ravel(), dt, order).reshape(shape)
    result = step_field(c, terms, law, dt, StepWork(shape), order, 1e-11, 80)
    assert (result.status, result.fell_back) == (CONVERGED, False)
    assert result.account.imbalance <= 1e-10
    assert c == pytest.approx(expected, rel=1e-7, abs=1e-9)


def test_the_dense_matrices_are_those_of_the_sparse_oracle():
    _, terms, law = setting((9, 13), open_faces=False)
    matrix, _ = dense((9, 13), terms, law)
    q = law.decay + terms.uptake + terms.exchange
    assert matrix == pytest.approx(oracles_fields.operator(q, law.diffusion, False).toarray(), abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(
    shape=st.tuples(st.integers(3, 12), st.integers(3, 12))
    | st.tuples(st.integers(3, 7), st.integers(3, 7), st.integers(3, 7)),
    seed=st.integers(0, 2**32 - 1),
    log_dt=st.floats(-4, 4) | st.just(math.inf),
    log_diffusion=st.floats(-3, 4),
    order=st.sampled_from([1, 2]),
    periodic=st.booleans(),
    cycles=st.integers(0, 4),
)
def test_never_negative_and_the_books_close(shape, seed, log_dt, log_diffusion, order, periodic, cycles):
    """Whatever the data, the step and the number of cycles; point-like starts included."""
    rng = np.random.default_rng(seed)
    _, terms, law = setting(shape, seed, 10.0**log_diffusion, periodic, bool(rng.random() < 0.7))
    c = 10.0 ** rng.uniform(-6, 3, shape) * (rng.random(shape) < rng.random())
    dt, before = 10.0**log_dt if log_dt < math.inf else math.inf, c.copy()
    result = step_field(c, terms, law, dt, StepWork(shape), order, 1e-6, cycles)
    assert result.status in (CONVERGED, MAX_CYCLES)
    assert c.min() >= 0.0
    book = result.account
    assert book.imbalance <= 1e-10
    assert book.secreted == pytest.approx(terms.source.sum(), rel=1e-12)
    if dt < math.inf:
        assert book.change * dt == pytest.approx(c.sum() - before.sum(), rel=1e-9, abs=1e-9 * before.sum())


def test_each_entry_of_the_books_is_what_its_site_did():
    """Steady and first order: each flow is its rate times the level reached."""
    shape = (6, 5, 7)
    for dt in (math.inf, 0.5):
        c, terms, law = setting(shape)
        book = step_field(c, terms, law, dt, StepWork(shape), 1, 1e-8).account
        assert book.taken_up == pytest.approx((terms.uptake * c).sum(), rel=1e-12)
        assert book.decayed == pytest.approx(0.2 * c.sum(), rel=1e-12)
        assert book.delivered == pytest.approx((terms.exchange * (3.0 - c)).sum(), rel=1e-12)
        barrier = 1.0 / (20.0 / 30.0 + 1.0 / 8.0)
        inflow = 8.0 * (2.0 - c[..., 0]).sum() + barrier * (0.5 - c[:, -1]).sum() + 8.0 * (1.0 - c[0]).sum()
        assert book.boundary == pytest.approx(inflow, rel=1e-12)


def test_the_books_of_second_order_weigh_the_two_stages():
    """A field that is the same everywhere is one number y: y' = s - k y, whose stages are written out here."""
    k, s, y, dt = 0.3, 2.0, 5.0, 0.8
    gamma = 1.0 - 1.0 / math.sqrt(2.0)
    first = (y + gamma * dt * s) / (1.0 + gamma * dt * k)
    last = (y + (1.0 - gamma) * dt * (s - k * first) + gamma * dt * s) / (1.0 + gamma * dt * k)
    shape = (5, 6)
    c, zero = np.full(shape, y), np.zeros(shape)
    law = Law(k, 3.0, 0.0, make_faces({}, 20.0, 2, "test"), False)
    result = step_field(c, Terms(np.full(shape, s), zero, zero), law, dt, StepWork(shape), 2, 1e-12)
    assert c == pytest.approx(np.full(shape, last), rel=1e-12)
    assert result.account.decayed / 30 == pytest.approx(k * ((1.0 - gamma) * first + gamma * last), rel=1e-12)
    assert result.account.change / 30 == pytest.approx((last - y) / dt, rel=1e-11)


def test_a_point_start_falls_back_to_first_order_and_says_so():
    """Within the step the peak falls to less than 0.59 of its height: the second stage would be negative."""
    shape = (15, 15)
    zero = np.zeros(shape)
    law = Law(0.1, 5.0, 0.0, make_faces({}, 20.0, 2, "test"), False)
    results = []
    for order in (1, 2):
        c = np.zeros(shape)
        c[7, 7] = 100.0
        results.append((step_field(c, Terms(zero, zero, zero), law, 1.0, StepWork(shape), order), c))
    assert [step.fell_back for step, _ in results] == [False, True]
    assert results[0][1].tobytes() == results[1][1].tobytes()
    assert results[1][0].account == results[0][0].account
    c = 1.0 + np.random.default_rng(0).random(shape) * 0.01
    assert not step_field(c, Terms(zero, zero, zero), law, 1.0, StepWork(shape), 2).fell_back


def test_negative_amounts_within_the_tolerance_are_borne_by_the_other_sites():
    s = np.array([[4.0, -1e-5, 2.0], [0.0, 2.0, 2.0]])
    line = np.zeros(3)
    kept, total = s.copy(), s.sum()
    assert not stage.mend(s, 1e-5, 1e-6, line)
    assert (s == kept).all()
    assert stage.mend(s, 1e-5, 1e-5, line)
    assert s.sum() == pytest.approx(total, rel=1e-15)
    assert s.min() == 0.0
    assert s == pytest.approx(np.maximum(kept, 0.0), rel=2e-6)


def test_short_steps_follow_slow_flows_at_a_loose_tolerance():
    """A solver content with 1e-4 of c/dt hardly moves a slow field: 0.8 % off after 200 steps, now 0.02 %."""
    shape, rng = (40, 40), np.random.default_rng(0)
    terms = Terms(0.02 * (rng.random(shape) < 0.1), 0.01 * rng.random(shape), np.zeros(shape))
    law = Law(0.001, 0.05, 0.0, make_faces({}, 20.0, 2, "test"), False)
    work, steady = StepWork(shape), np.zeros(shape)
    step_field(steady, terms, law, math.inf, work, 1, 1e-9)
    loose = steady[::-1, ::-1].copy()
    strict = loose.copy()
    for _ in range(200):
        step_field(loose, terms, law, 1.0, work, 1, 1e-4)
        step_field(strict, terms, law, 1.0, work, 1, 1e-11)
    assert np.abs(loose / strict - 1.0).max() < 1e-3


def test_levels_held_at_the_faces_do_not_blur_the_inside_at_a_loose_tolerance():
    """Oxygen: 1e-4 of what passes between face and first site is 0.2 % of the inside, now below 0.01 %."""
    shape, rng = (96, 96), np.random.default_rng(0)
    zero = np.zeros(shape)
    held = make_faces({word: Outside(1.0) for word in ("x-", "x+", "y-", "y+")}, 20.0, 2, "test")
    terms, law = Terms(zero, 6.0 * (rng.random(shape) < 0.6), zero), Law(0.0, 15000.0, 0.0, held, False)
    loose, strict = zero.copy(), zero.copy()
    assert step_field(loose, terms, law, math.inf, StepWork(shape), 1, 1e-4).status == CONVERGED
    assert step_field(strict, terms, law, math.inf, StepWork(shape), 1, 1e-11, 80).status == CONVERGED
    assert np.abs(loose / strict - 1.0).max() < 2e-4


def test_an_empty_unfed_field_stays_empty_even_without_a_sink():
    for dt in (1.0, math.inf):
        c, zero = np.zeros((4, 5)), np.zeros((4, 5))
        law = Law(0.0, 1.0, 0.0, make_faces({}, 20.0, 2, "test"), False)
        result = step_field(c, Terms(zero, zero, zero), law, dt, StepWork((4, 5)))
        assert result.status == CONVERGED
        assert not c.any()
        assert not any(result.account)


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize(
    "which", ["source", "uptake", "exchange", "start", "decay", "level", "nan", "infinite", "no sink"]
)
def test_invalid_terms_have_a_status_and_leave_the_field(which, order):
    shape = (5, 6)
    c, terms, law = setting(shape, open_faces=False)
    terms, dt = Terms(*(term + 1.0 for term in terms)), 1.0
    if which in Terms._fields:
        getattr(terms, which)[2, 3] = -1e-9
    elif which == "start":
        c[1, 1] = -1e-9
    elif which in ("decay", "level"):
        law = law._replace(**{which: -1e-9})
    elif which == "nan":
        terms.uptake[4, 5] = math.nan
    elif which == "infinite":
        terms.source[4, 5] = math.inf
    else:
        zero = np.zeros(shape)
        terms, law, dt = Terms(zero + 1.0, zero, zero), law._replace(decay=0.0), math.inf
    kept = c.copy()
    result = step_field(c, terms, law, dt, StepWork(shape), order)
    assert result.status == INVALID
    assert math.isnan(result.account.imbalance)
    assert (c == kept).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"dt_h": 0.0}, "a step above 0 h, not 0"),
        ({"dt_h": math.nan}, "a step above 0 h, not nan"),
        ({"order": 3}, "order 1 or 2 in time, not 3"),
        ({"work": StepWork((6, 5))}, r"shape \(5, 6\) of the field, not \(6, 5\)"),
        ({"periodic": True}, "choose either 'periodic' or the open faces"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(change, message):
    c, terms, law = setting((5, 6))
    law = law._replace(periodic=change.pop("periodic", False))
    arguments = {"dt_h": 1.0, "work": StepWork((5, 6)), **change}
    with pytest.raises(InputError, match=message):
        step_field(c, terms, law, **arguments)


def test_a_step_allocates_no_array():
    """Python's side is traced; a kernel makes one handle for each array it is given, and nothing else."""
    shape = (60, 70)
    c, terms, law = setting(shape)
    work = StepWork(shape)
    step_field(c, terms, law, 0.1, work, 2)
    tracemalloc.start()
    for dt in (0.1, math.inf):
        step_field(c, terms, law, dt, work, 2)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < c.nbytes
    _nrt_python.memsys_enable_stats()
    field = np.stack([c] * 2)
    calls = [
        (stage.assemble, (c, *terms, 0.2, 3.0, 1.0, 8.0, 2.0, work.q, work.s, work.line), 7),
        (stage.square, (c, work.line), 2),
        (stage.extrapolate, (c, work.before, 0.0, work.s, work.line), 4),
        (stage.mend, (work.s, 0.0, 1.0, work.line), 2),
        (account.account, (c, work.before, *terms, 0.2, 3.0, 1.0), 5),
        (faces.add_faces, (field, field, law.faces, 1.0, NOWHERE), 5),
        (faces.face_flow, (field, 0, law.faces, 1.0, NOWHERE), 4),
    ]
    for kernel, arguments, arrays in calls:
        kernel(*arguments)
        before = rtsys.get_allocation_stats().alloc
        kernel(*arguments)
        assert rtsys.get_allocation_stats().alloc - before == arrays, kernel
    _nrt_python.memsys_disable_stats()


BITS = """
import hashlib, numpy as np
from oncolattice.abm.fields.faces import Outside, make_faces
from oncolattice.abm.fields.step import NOWHERE, Law, StepWork, Terms, step_field
digest = hashlib.sha256()
for shape in ((6, 7), (3, 4, 5)):
    rng = np.random.default_rng(2)
    c, terms = 1 + rng.random(shape), Terms(rng.random(shape), rng.random(shape), rng.random(shape))
    law = Law(0.1, 2.0, 3.0, make_faces({"x-": Outside(2.0), "y+": Outside(1.0, 9.0)}, 20.0, len(shape), ""), False)
    for dt, order in ((0.05, 2), (0.5, 1)):
        result = step_field(c, terms, law, dt, StepWork(shape), order, 1e-8, 3)
        digest.update(c.tobytes() + np.array(result.account).tobytes())
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


def test_every_kernel_compiled_once():
    for shape in SHAPES:
        c, terms, law = setting(shape)
        step_field(c, terms, law, 0.1, StepWork(shape), 2)
    stage.mend(np.ones((2, 3)), 0.0, 1.0, np.zeros(3))
    kernels = (
        stage.assemble,
        stage.square,
        stage.extrapolate,
        stage.mend,
        faces.add_faces,
        faces.face_flow,
        account.account,
    )
    for kernel in kernels:
        assert len(kernel.signatures) == 1, kernel
