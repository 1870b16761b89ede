"""What the analytic tests of fields share: a lattice around a centre, steady solutions, orders of convergence."""

import math

import numpy as np

from oncolattice.abm.fields.faces import make_faces
from oncolattice.abm.fields.multigrid import CONVERGED
from oncolattice.abm.fields.step import Law, StepWork, Terms, step_field

HOLD = 1e3  # rate, in D/h^2, that pins a site to a level


def law_of(decay, diffusion_per_h, dimensions, outside=None, site_um=1.0, periodic=False):
    """Return the law of a field with the given open faces."""
    return Law(decay, diffusion_per_h, 0.0, make_faces(outside or {}, site_um, dimensions, "test"), periodic)


def terms_of(shape, source=0.0, uptake=0.0, exchange=0.0):
    """Return terms from arrays or numbers."""
    return Terms(*(np.array(np.broadcast_to(term, shape), float) for term in (source, uptake, exchange)))


def steady(terms, law, tolerance=1e-11, start=None):
    """Return the steady field and its account."""
    c = np.zeros(terms.source.shape) if start is None else start
    result = step_field(c, terms, law, math.inf, StepWork(c.shape), 1, tolerance, 80)
    assert result.status == CONVERGED
    assert result.account.imbalance <= 1e-10
    return c, result.account


def advance(c, terms, law, hours, steps, order, tolerance=1e-8):
    """Step c in place; return how many steps fell back to first order."""
    work, fallen = StepWork(c.shape), 0
    for _ in range(steps):
        result = step_field(c, terms, law, hours / steps, work, order, tolerance, 60)
        assert result.status == CONVERGED
        assert result.account.imbalance <= 1e-10
        fallen += result.fell_back
    return fallen


def order_of(errors):
    """Return the slopes of log error per halving."""
    errors = np.array(errors)
    return np.log2(errors[:-1] / errors[1:])


def radius(size, dimensions, spacing):
    """Return the distance of every site from the middle one."""
    offsets = (np.arange(size) - size // 2) * spacing
    return np.sqrt(sum(axis**2 for axis in np.meshgrid(*[offsets] * dimensions, indexing="ij")))


def pinned(inside, outside_level, diffusion_per_h, consumption):
    """Return terms that consume everywhere and hold the sites that are not inside at a level."""
    hold = np.where(inside, 0.0, HOLD * diffusion_per_h)
    return terms_of(inside.shape, source=hold * outside_level, uptake=hold + consumption)
