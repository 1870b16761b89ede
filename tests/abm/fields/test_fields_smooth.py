"""Box blur against explicit sums over the mirrored map, its total, sign and width."""

import itertools

import numpy as np
import oracles_fields
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oncolattice.abm.fields.smooth import box_smooth


def smoothed(values, radius, passes, periodic=False):
    out, scratch = np.empty_like(values), np.empty_like(values)
    box_smooth(values, radius, passes, out, scratch, periodic)
    return out


@settings(max_examples=60, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 14), st.integers(1, 14)),
    radius=st.integers(0, 40),
    passes=st.integers(1, 3),
    seed=st.integers(0, 2**32 - 1),
)
def test_equals_explicit_sums_keeps_total_and_sign(shape, radius, passes, seed):
    rng = np.random.default_rng(seed)
    values = rng.random(shape) * (rng.random(shape) < 0.3)
    out = smoothed(values, radius, passes)
    assert np.allclose(out, oracles_fields.box_mean(values, radius, passes), rtol=0.0, atol=1e-13)
    assert out.sum() == pytest.approx(values.sum(), rel=1e-13, abs=0.0)
    assert out.min() >= 0.0


@settings(max_examples=25, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 7), st.integers(1, 7), st.integers(1, 7)),
    radius=st.integers(0, 4),
    passes=st.integers(1, 3),
    seed=st.integers(0, 2**32 - 1),
)
def test_three_dimensions_equal_explicit_sums_too(shape, radius, passes, seed):
    rng = np.random.default_rng(seed)
    values = rng.random(shape) * (rng.random(shape) < 0.3)
    out = smoothed(values, radius, passes)
    assert np.allclose(out, oracles_fields.box_mean(values, radius, passes), rtol=0.0, atol=1e-13)
    assert out.sum() == pytest.approx(values.sum(), rel=1e-13, abs=0.0)
    assert out.min() >= 0.0


def test_sites_out_of_reach_stay_exactly_zero():
    values = np.zeros((30, 40))
    values[15, 20] = 0.1
    out = smoothed(values, 2, 3)
    assert np.count_nonzero(out) == 13 * 13
    assert out[15, 20] == out.max()


def test_sites_out_of_reach_in_space_stay_exactly_zero():
    values = np.zeros((15, 17, 16))
    values[7, 8, 8] = 0.1
    out = smoothed(values, 1, 3)
    assert np.count_nonzero(out) == 7**3
    assert out[7, 8, 8] == out.max()


@pytest.mark.parametrize("radius", [1, 4, 9])
def test_three_passes_have_the_stated_variance(radius):
    values = np.zeros((101, 101))
    values[50, 50] = 1.0
    out = smoothed(values, radius, 3)
    offset = np.arange(101) - 50
    assert (out.sum(axis=0) * offset**2).sum() == pytest.approx(radius * (radius + 1), rel=1e-12)


def test_the_map_may_be_its_own_result():
    values = np.random.default_rng(0).random((21, 17))
    apart = smoothed(values, 3, 3)
    box_smooth(values, 3, 3, values, np.empty_like(values), False)
    assert values.tobytes() == apart.tobytes()


@settings(max_examples=60, deadline=None)
@given(
    shape=st.one_of(
        st.tuples(st.integers(1, 12), st.integers(1, 12)),
        st.tuples(st.integers(1, 6), st.integers(1, 6), st.integers(1, 6)),
    ),
    radius=st.integers(0, 5),
    passes=st.integers(1, 3),
    seed=st.integers(0, 2**32 - 1),
)
def test_a_ring_equals_the_mean_over_shifted_maps(shape, radius, passes, seed):
    """Each site's box, gone round the lattice as often as it reaches, site by site."""
    rng = np.random.default_rng(seed)
    values = rng.random(shape) * (rng.random(shape) < 0.3)
    expected = values
    for _ in range(passes):
        shifts = itertools.product(range(-radius, radius + 1), repeat=len(shape))
        boxes = [np.roll(expected, shift, axis=tuple(range(len(shape)))) for shift in shifts]
        expected = np.mean(boxes, axis=0)
    out = smoothed(values, radius, passes, periodic=True)
    assert np.allclose(out, expected, rtol=0.0, atol=1e-13)
    assert out.sum() == pytest.approx(values.sum(), rel=1e-12, abs=0.0)
    assert out.min() >= 0.0
