"""Open faces of the lattice against dense matrices, steady profiles and the words of the model file."""

import itertools
import math

import numpy as np
import pytest

from oncolattice.abm.errors import InputError
from oncolattice.abm.fields.faces import FACES, Outside, add_faces, face_flow, make_faces
from oncolattice.abm.fields.step import NOWHERE

SITE = 20.0


def plane(face, shape):
    """Return the index of the sites along a face of a 3-D block."""
    index = [slice(None)] * 3
    index[2 - FACES.index(face) // 2] = 0 if face.endswith("-") else shape[2 - FACES.index(face) // 2] - 1
    return tuple(index)


@pytest.mark.parametrize("shape", [(1, 4, 5), (3, 4, 5)])
@pytest.mark.parametrize("permeability", [math.inf, 50.0])
@pytest.mark.parametrize("uneven", [False, True])
def test_sites_along_open_faces_gain_series_of_barrier_and_half_a_site(shape, permeability, uneven):
    rng = np.random.default_rng(0)
    diffusivity = rng.uniform(100.0, 900.0, shape) if uneven else np.full(shape, 300.0)
    words = FACES[:4] if shape[0] == 1 else FACES
    levels = dict(zip(words, (1.0, 2.0, 0.0, 4.0, 5.0, 0.5), strict=False))
    faces = make_faces(
        {word: Outside(level, permeability) for word, level in levels.items()}, SITE, len(words) // 2, "test"
    )
    varying = diffusivity / SITE**2 if uneven else NOWHERE
    q, s, c = np.ones(shape), np.zeros(shape), rng.random(shape)
    add_faces(q, s, faces, 300.0 / SITE**2, varying)
    more_q, more_s = np.ones(shape), np.zeros(shape)
    for k, word in enumerate(FACES):
        flow = out = 0.0
        if word in words:
            where = plane(word, shape)
            # Resistances in h/um: half a site of tissue, then the barrier; a flux per h of a site of width h.
            resistance = 0.5 * SITE / diffusivity[where] + 1.0 / permeability
            more_q[where] += 1.0 / resistance / SITE
            more_s[where] += levels[word] / resistance / SITE
            flow = np.sum((levels[word] - c[where]) / resistance / SITE)
            out = np.sum(c[where] / resistance / SITE)
        both = face_flow(c, k, faces, 300.0 / SITE**2, varying)
        assert both == pytest.approx((flow, out), rel=1e-12, abs=1e-12)
    assert q == pytest.approx(more_q, rel=1e-13)
    assert s == pytest.approx(more_s, rel=1e-13)


def test_closed_faces_and_still_tissue_let_nothing_through():
    faces = make_faces({}, SITE, 3, "test")
    barred = make_faces({"x-": Outside(5.0, 0.0)}, SITE, 3, "test")
    still = make_faces({"x-": Outside(5.0), "z+": Outside(5.0, 3.0)}, SITE, 3, "test")
    for condition, diffusion in ((faces, 1.0), (barred, 1.0), (still, 0.0)):
        q, s = np.ones((3, 3, 3)), np.ones((3, 3, 3))
        add_faces(q, s, condition, diffusion, NOWHERE)
        assert (q == 1.0).all()
        assert (s == 1.0).all()
        assert all(face_flow(q, k, condition, diffusion, NOWHERE) == (0.0, 0.0) for k in range(6))


@pytest.mark.parametrize(
    ("conditions", "dimensions", "message"),
    [
        ({"z-": Outside(1.0)}, 2, r"unknown face of a 2-D lattice 'z-'.*x\+, x-, y\+, y-"),
        ({"left": Outside(1.0)}, 3, "unknown face of a 3-D lattice 'left'"),
        ({"x-": Outside(-1.0)}, 2, "level outside face 'x-' must be a number of 0 or more, not -1 nM"),
        ({"x-": Outside(math.nan)}, 2, "not nan nM"),
        ({"x-": Outside(math.inf)}, 2, "not inf nM"),
        ({"y+": Outside(1.0, -2.0)}, 2, "permeability of face 'y\\+' must be 0 um/h or more, not -2"),
        ({"y+": Outside(1.0, math.nan)}, 2, "not nan"),
    ],
)
def test_wrong_faces_are_refused_with_the_reason(conditions, dimensions, message):
    with pytest.raises(InputError, match=message):
        make_faces(conditions, SITE, dimensions, "model.toml: field 'oxygen'")


@pytest.mark.parametrize("count", [1, 2])
def test_every_pair_of_faces_has_its_own_level(count):
    """A level is read from its own face alone."""
    for words in itertools.combinations(FACES, count):
        faces = make_faces({word: Outside(1.0 + FACES.index(word)) for word in words}, SITE, 3, "test")
        assert [k for k in range(6) if faces.permeation[k] > 0] == [FACES.index(word) for word in words]
        assert [faces.level[FACES.index(word)] for word in words] == [
            1.0 + FACES.index(word) for word in words
        ]
