"""Waves and totals: the parts of a field with a closed form on the lattice itself; orders in space and time."""

import math

import numpy as np
import pytest

from oncolattice.tests.helpers.analytic_lattice import advance, law_of, order_of, steady, terms_of

SHAPES = [(18, 21), (7, 9, 11)]


def wave_of(shape, modes, periodic=False):
    """Return a product of cosines, as cell values, and minus its eigenvalue of the lattice Laplacian."""
    wave, eigenvalue = np.ones(shape), 0.0
    for axis, (size, mode) in enumerate(zip(shape, modes, strict=True)):
        angle = (2.0 if periodic else 1.0) * math.pi * mode / size
        line = np.cos(angle * (np.arange(size) + 0.5))
        wave = wave * line.reshape([-1 if k == axis else 1 for k in range(len(shape))])
        eigenvalue += 2.0 - 2.0 * math.cos(angle)
    return wave, eigenvalue


@pytest.mark.parametrize("modes", [(1, 0), (0, 2), (2, 3), (1, 0, 2), (2, 1, 1)])
def test_steady_waves_between_walls_converge_with_order_two(modes):
    """A source 1 + w / 2, w a product of cosines, gives 1/k + w / (2 (k + D |a|^2))."""
    diffusion, decay, errors = 1.3, 0.7, []
    for n in (15, 30, 60, 120) if len(modes) == 2 else (8, 16, 32):
        spacing = 4.0 / n
        wave, _ = wave_of((n,) * len(modes), modes)
        squared = sum((math.pi * mode / 4.0) ** 2 for mode in modes)
        c, _ = steady(
            terms_of(wave.shape, 1.0 + 0.5 * wave), law_of(decay, diffusion / spacing**2, len(modes))
        )
        exact = 1.0 / decay + 0.5 * wave / (decay + diffusion * squared)
        errors.append(np.abs(c - exact).max())
    assert abs(order_of(errors)[-1] - 2.0) < 0.1


@pytest.mark.parametrize("periodic", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
def test_steady_waves_have_the_eigenvalue_of_the_lattice(shape, periodic):
    decay, per_h = 0.3, 5.0
    wave, eigenvalue = wave_of(shape, (2, 3, 1)[: len(shape)], periodic)
    c, _ = steady(terms_of(shape, 1.0 + wave), law_of(decay, per_h, len(shape), periodic=periodic))
    assert np.abs(c - 1.0 / decay - wave / (decay + per_h * eigenvalue)).max() < 1e-9


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_wave_fades_with_the_stated_order_in_time(shape, order):
    """1 + w / 2 becomes exp(-k t) (1 + exp(-D e t) w / 2): backward Euler is of order 1, the other step of 2."""
    decay, hours, errors = 0.5, 1.0, []
    wave, eigenvalue = wave_of(shape, (2, 1, 1)[: len(shape)])
    per_h = 1.5 / eigenvalue
    exact = math.exp(-decay * hours) * (1.0 + 0.5 * math.exp(-per_h * eigenvalue * hours) * wave)
    for steps in (8, 16, 32, 64):
        c = 1.0 + 0.5 * wave
        assert advance(c, terms_of(shape), law_of(decay, per_h, len(shape)), hours, steps, order, 1e-11) == 0
        errors.append(np.abs(c - exact).max())
    assert np.all(np.abs(order_of(errors) - order) < 0.1)
    assert errors[-1] < (1e-2 if order == 1 else 1e-4)


@pytest.mark.parametrize("order", [1, 2])
def test_a_field_fills_up_with_the_stated_order_in_time(order):
    """From nothing, a source 1 + w / 2 gives (1 - exp(-k t)) / k + w (1 - exp(-a t)) / (2 a), a = k + D e."""
    decay, per_h, hours, errors = 0.5, 3.0, 2.0, []
    wave, eigenvalue = wave_of((18, 21), (2, 1))
    rate = decay + per_h * eigenvalue
    exact = (1.0 - math.exp(-decay * hours)) / decay + 0.5 * wave * (1.0 - math.exp(-rate * hours)) / rate
    for steps in (8, 16, 32, 64):
        c = np.zeros(wave.shape)
        advance(
            c, terms_of(wave.shape, 1.0 + 0.5 * wave), law_of(decay, per_h, 2), hours, steps, order, 1e-11
        )
        errors.append(np.abs(c - exact).max())
    assert np.all(np.abs(order_of(errors) - order) < 0.1)


@pytest.mark.parametrize("periodic", [False, True])
@pytest.mark.parametrize("shape", [(49, 37), (9, 12, 7)])
def test_the_total_decays_as_the_implicit_step_says(shape, periodic):
    """After n steps of first order the total is (1 + k dt)^-n to 1e-10, however loose the tolerance."""
    decay, hours, errors = 0.2, 2.0, []
    for steps in (8, 16, 32):
        c = np.random.default_rng(0).random(shape) ** 8
        total = c.sum()
        advance(c, terms_of(shape), law_of(decay, 40.0, len(shape), periodic=periodic), hours, steps, 1, 1e-4)
        assert c.sum() / total == pytest.approx((1.0 + decay * hours / steps) ** -steps, rel=1e-10)
        errors.append(abs(c.sum() / total - math.exp(-decay * hours)))
    assert np.all(np.abs(order_of(errors) - 1.0) < 0.05)


@pytest.mark.parametrize("shape", [(6, 7), (3, 4, 5)])
def test_the_total_follows_the_exponential_to_ten_digits(shape):
    """exp(-k t) to 1e-10 by the second-order step; its error falls with dt^2 all the way down."""
    decay, hours, errors = 0.2, 0.5, []
    for steps in (200, 400, 800):
        c = 1.0 + np.random.default_rng(0).random(shape)
        total = c.sum()
        assert advance(c, terms_of(shape), law_of(decay, 3.0, len(shape)), hours, steps, 2, 1e-6) == 0
        errors.append(abs(c.sum() / total / math.exp(-decay * hours) - 1.0))
    assert errors[-1] < 1e-10
    assert np.all(np.abs(order_of(errors) - 2.0) < 0.1)
