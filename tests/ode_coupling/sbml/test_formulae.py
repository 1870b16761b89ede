"""Files that are solved by hand show their closed forms, run in one go and as a body from exchange to exchange."""

import numpy as np
import pytest

pytest.importorskip("roadrunner", reason="the extra oncolattice[sbml] is not installed")

from oncolattice.ode_coupling.sbml import read_sbml, simulate
from oncolattice.ode_coupling.system import Body
from oncolattice.tests.ode_coupling.sbml.shapes import Shape
from oncolattice.tests.ode_coupling.sbml.shapes_leaps import LEAPS
from oncolattice.tests.ode_coupling.sbml.shapes_smooth import SMOOTH

SHAPES = [*SMOOTH, *LEAPS]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("shapes")


def written(folder, shape: Shape):
    path = folder / f"{SHAPES.index(shape)}.xml"
    path.write_text(shape.text, encoding="utf-8")
    return path


def expected(shape: Shape) -> np.ndarray:
    return np.array([[form(t) for form in shape.exact.values()] for t in shape.times])


def shown(body: Body, name: str) -> float:
    return body.get(name) if name in {v.name for v in body.model.states} else body.output(name)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_file_shows_its_closed_form(folder, shape):
    found = simulate(written(folder, shape), shape.times, list(shape.exact))
    np.testing.assert_allclose(found, expected(shape), rtol=shape.rtol, atol=shape.atol)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_body_shows_it_through_many_uneven_exchanges(folder, shape):
    body = Body(read_sbml(written(folder, shape)))
    between = np.random.default_rng(7).uniform(0.0, shape.times[-1], 30)
    found = []
    for time in np.unique([*between, *shape.times]):
        body.advance_to(time / shape.per_day)
        if time in shape.times:
            found.append([shown(body, name) for name in shape.exact])
    np.testing.assert_allclose(found, expected(shape), rtol=shape.rtol, atol=shape.atol)
