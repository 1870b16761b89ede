"""Diffusion into tissue that consumes: slab, cylinder and sphere with a Thiele modulus, barriers, oxygen."""

import math

import numpy as np
import pytest
from scipy.special import iv

from oncolattice.abm.fields.faces import Outside
from oncolattice.tests.helpers.analytic_lattice import (
    advance,
    law_of,
    order_of,
    pinned,
    radius,
    steady,
    terms_of,
)

THIELE = 2.0
# At the centre, at half the radius, and the effectiveness (mean uptake over that at the edge), for modulus 2.
SLAB = (0.2658022288, 0.4101542720, 0.4820137900)
CYLINDER = (0.4386762798, 0.5553930693, 0.6977746580)
SPHERE = (0.5514411295, 0.6480542737, 0.8059720811)


def test_the_expected_numbers_are_those_of_the_closed_forms():
    phi = THIELE
    slab = (1.0 / math.cosh(phi), math.cosh(phi / 2.0) / math.cosh(phi), math.tanh(phi) / phi)
    cylinder = (1.0 / iv(0, phi), iv(0, phi / 2.0) / iv(0, phi), 2.0 * iv(1, phi) / (phi * iv(0, phi)))
    sphere = (
        phi / math.sinh(phi),
        2.0 * math.sinh(phi / 2.0) / math.sinh(phi),
        3.0 * (phi / math.tanh(phi) - 1.0) / phi**2,
    )
    assert slab == pytest.approx(SLAB, abs=1e-10)
    assert cylinder == pytest.approx(CYLINDER, abs=1e-10)
    assert sphere == pytest.approx(SPHERE, abs=1e-10)


def line_shape(n, axis, dimensions):
    """Return a lattice of n sites along one axis and 3 along the others."""
    return tuple(n if k == axis else 3 for k in range(dimensions))


def at_wall(line):
    """Return the value at the face before the first site of a profile that is even there, to fourth order."""
    return (9.0 * line[0] - line[1]) / 8.0


def between(line, k):
    """Return the value at the face before site k, to fourth order."""
    return (9.0 * (line[k - 1] + line[k]) - line[k - 2] - line[k + 1]) / 16.0


@pytest.mark.parametrize(
    ("dimensions", "axis", "face"), [(2, 1, "x+"), (2, 0, "y-"), (3, 0, "z+"), (3, 1, "y+")]
)
def test_a_slab_with_a_held_face_converges_with_order_two(dimensions, axis, face):
    errors = []
    for n in (16, 32, 64):
        shape = line_shape(n, axis, dimensions)
        law = law_of(0.0, float(n * n), dimensions, {face: Outside(1.0)}, 1.0 / n)
        c, book = steady(terms_of(shape, uptake=THIELE**2), law)
        line = np.moveaxis(c, axis, -1).reshape(-1, n)[0]
        line = line[::-1] if face.endswith("-") else line
        found = (at_wall(line), between(line, n // 2), book.taken_up / (THIELE**2 * c.size))
        assert book.boundary == pytest.approx(book.taken_up, rel=1e-10)
        errors.append(np.abs(np.array(found) / SLAB - 1.0))
    assert errors[-1].max() < 2e-4
    assert np.all(np.abs(order_of(errors)[-1] - 2.0) < 0.1)


@pytest.mark.parametrize("permeability", [0.3, 5.0])
def test_a_slab_behind_a_barrier_converges_with_order_two(permeability):
    """P (1 - c) = D c' at the face: c = cosh(phi x) / (cosh phi + phi D/P sinh phi)."""
    errors = []
    for n in (16, 32, 64):
        law = law_of(0.0, float(n * n), 2, {"x+": Outside(1.0, permeability)}, 1.0 / n)
        c, _ = steady(terms_of((3, n), uptake=THIELE**2), law)
        x = (np.arange(n) + 0.5) / n
        exact = np.cosh(THIELE * x) / (math.cosh(THIELE) + THIELE / permeability * math.sinh(THIELE))
        errors.append(np.abs(c[1] / exact - 1.0).max())
    assert np.all(np.abs(order_of(errors) - 2.0) < 0.1)


@pytest.mark.parametrize(("half_um", "expected"), [(250.0, 0.969544), (500.0, 0.886819), (1000.0, 0.648054)])
def test_a_slab_between_two_held_faces(half_um, expected):
    """D 1e5 um2/min and decay .1/min, in hours; sites of 2 half widths / 201, so that one is in the middle."""
    n = 201
    site = 2.0 * half_um / n
    law = law_of(6.0, 6e6 / site**2, 2, {"x-": Outside(1.0), "x+": Outside(1.0)}, site)
    c, _ = steady(terms_of((3, n)), law)
    assert c[1, n // 2] == pytest.approx(expected, rel=1e-5)


def test_without_loss_the_profile_between_two_levels_is_a_line():
    """Two barriers and the tissue in series, exactly: a line and the same flow everywhere."""
    n, diffusivity = 20, 3.0
    outside = {"y-": Outside(2.0, 0.5), "y+": Outside(0.5)}
    c, book = steady(terms_of((n, 3)), law_of(0.0, diffusivity, 2, outside), 1e-11)
    flux = (2.0 - 0.5) / (1.0 / 0.5 + n / diffusivity)
    at = np.arange(n) + 0.5
    assert c[:, 1] == pytest.approx(2.0 - flux * (1.0 / 0.5 + at / diffusivity), rel=1e-9)
    assert abs(book.boundary) < 1e-10 * flux


@pytest.mark.parametrize("order", [1, 2])
def test_a_slab_fills_through_a_held_face_with_the_stated_order_in_time(order):
    """c = 1 - sin(w x) exp(-D w^2 t), w = pi/2, x from the face: a sine of the lattice, so time alone errs."""
    n, hours, errors = 16, 0.4, []
    angle = 0.5 * math.pi / n
    wave = np.sin(angle * (np.arange(n) + 0.5)) * np.ones((3, 1))
    rate = n * n * (2.0 - 2.0 * math.cos(angle))
    for steps in (8, 16, 32):
        c = 1.0 - 0.9 * wave
        law = law_of(0.0, float(n * n), 2, {"x-": Outside(1.0)}, 1.0 / n)
        advance(c, terms_of(c.shape), law, hours, steps, order, 1e-11)
        errors.append(np.abs(c - (1.0 - 0.9 * math.exp(-rate * hours) * wave)).max())
    assert np.all(np.abs(order_of(errors) - order) < 0.1)


def round_body(dimensions, sites, continued):
    """Return centre, half radius and effectiveness of a disc or ball of modulus 2, `sites` in radius.

    The sites outside are held at the closed form continued there, so that the staircase of the edge does not
    count, or at 1.
    """
    r = radius(2 * sites + 5, dimensions, 1.0 / sites)
    if not continued:
        outside = 1.0
    elif dimensions == 2:
        outside = iv(0, THIELE * r) / iv(0, THIELE)
    else:
        outside = np.sinh(THIELE * r) / (np.maximum(r, 1e-9) * math.sinh(THIELE))
    inside = r < 1.0
    per_h = float(sites * sites)
    c, _ = steady(pinned(inside, outside, per_h, THIELE**2), law_of(0.0, per_h, dimensions), 1e-11)
    middle = (sites + 2,) * dimensions
    return np.array([c[middle], c[middle[:-1]][sites + 2 + sites // 2], c[inside].mean()])


@pytest.mark.parametrize(("dimensions", "expected", "finest"), [(2, CYLINDER, 64), (3, SPHERE, 24)])
def test_a_disc_and_a_ball_converge_with_order_two(dimensions, expected, finest):
    errors = [np.abs(round_body(dimensions, finest // k, True) / expected - 1.0)[:2] for k in (4, 2, 1)]
    assert errors[-1].max() < 3e-4
    assert np.all(np.abs(order_of(errors)[-1] - 2.0) < 0.1)
    assert round_body(dimensions, finest, True)[2] == pytest.approx(expected[2], rel=0.01)


@pytest.mark.parametrize(("dimensions", "expected", "sites"), [(2, CYLINDER, 64), (3, SPHERE, 24)])
def test_a_disc_and_a_ball_of_whole_sites_are_near_their_closed_forms(dimensions, expected, sites):
    """The staircase edge costs accuracy of first order: within a site of the radius."""
    assert round_body(dimensions, sites, False) == pytest.approx(np.array(expected), rel=1.0 / sites)


OXYGEN_D, OXYGEN_EDGE, OXYGEN_USE = 2e-9 * 1e12 * 3600.0, 0.15e6, 0.02e6 * 3600.0  # um2/h, nM, nM/h
CRITICAL_UM = {1: 173.205, 2: 244.949, 3: 300.0}


def used_up_at(dimensions, sites):
    """Return the radius at which oxygen just reaches the centre, from a body of 0.9 of that size.

    Consumption does not depend on the level: uptake = use / level is iterated to its fixed point. As
    c(0) = edge (1 - (R / R_crit)^2), the centre gives R_crit.
    """
    size = 0.9 * math.sqrt(2.0 * dimensions * OXYGEN_D * OXYGEN_EDGE / OXYGEN_USE)
    if dimensions == 1:
        site = size / sites
        law = law_of(0.0, OXYGEN_D / site**2, 2, {"x+": Outside(OXYGEN_EDGE)}, site)
        inside = np.ones((3, sites), bool)
        outside = 0.0
    else:
        site = size / sites
        r = radius(2 * sites + 5, dimensions, site)
        law = law_of(0.0, OXYGEN_D / site**2, dimensions)
        inside = r < size
        outside = OXYGEN_EDGE + OXYGEN_USE * (r**2 - size**2) / (2.0 * dimensions * OXYGEN_D)
    c = np.full(inside.shape, OXYGEN_EDGE)
    for _ in range(60):
        terms = pinned(inside, outside, law.diffusion, OXYGEN_USE / c)
        before = c.copy()
        steady(terms, law, 1e-10, c)
        if np.abs(c / before - 1.0).max() < 1e-8:
            break
    centre = at_wall(c[1]) if dimensions == 1 else c[(sites + 2,) * dimensions]
    return size / math.sqrt(1.0 - centre / OXYGEN_EDGE)


def test_oxygen_reaches_the_centre_of_a_slab_up_to_the_critical_half_width():
    errors = [abs(used_up_at(1, sites) / CRITICAL_UM[1] - 1.0) for sites in (8, 16, 32)]
    assert errors[-1] < 2e-4
    assert np.all(np.abs(order_of(errors) - 2.0) < 0.2)


@pytest.mark.parametrize(("dimensions", "sites"), [(2, 20), (3, 12)])
def test_oxygen_reaches_the_centre_of_a_disc_and_a_ball_up_to_the_critical_radius(dimensions, sites):
    """The profile is a parabola, which the lattice holds exactly."""
    assert used_up_at(dimensions, sites) == pytest.approx(CRITICAL_UM[dimensions], rel=3e-6)
