"""Blocks cover every site once, and those of one colour keep their distance at every shift."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncolattice.abm.cells import draws
from oncolattice.abm.cells.blocks import make_plan, plan_blocks, sites_of
from oncolattice.abm.cells.migrate import SUBSTEPS_OF_SECTION, SUBSTEPS_OF_VOLUME
from oncolattice.abm.lattice import MOORE, make_lattice


def blocks(shape: tuple[int, ...], periodic: bool, key: int) -> tuple[list[np.ndarray], list[int]]:
    """Return the sites and colours of the blocks at a shift."""
    lattice = make_lattice(1, shape, MOORE, periodic)
    nz, ny, _ = (1, *shape)[-3:]
    plan = make_plan(nz, ny)
    plan_blocks(np.uint64(draws.mix(np.uint64(key))), lattice, plan)
    n = int(plan.number[0])
    return [sites_of(plan, b, lattice) for b in range(n)], [int(c) for c in plan.colour[:n]]


@given(
    st.one_of(st.tuples(st.integers(5, 90)), st.tuples(st.integers(5, 40), st.integers(5, 40))),
    st.booleans(),
    st.integers(0, 2**32),
)
def test_blocks_cover_every_site_once(rows, periodic, key):
    shape = (*rows, 3)
    sites, _ = blocks(shape, periodic, key)
    assert np.array_equal(np.sort(np.concatenate(sites)), np.arange(np.prod(shape)))


@pytest.mark.parametrize("shape", [(16, 1), (33, 1), (48, 1), (95, 1), (24, 25, 1), (40, 17, 1)])
@pytest.mark.parametrize("periodic", [False, True])
def test_blocks_of_one_colour_are_further_apart_than_anything_reaches(shape, periodic):
    """A moving cell ends at most ``reach`` sites outside its block and looks one further."""
    reach = SUBSTEPS_OF_SECTION if len(shape) == 2 else SUBSTEPS_OF_VOLUME
    for key in range(40):
        sites, colours = blocks(shape, periodic, key)
        where = [np.stack(np.unravel_index(s, shape)[:-1], axis=1) for s in sites]
        for a in range(len(sites)):
            for b in range(a):
                if colours[a] != colours[b]:
                    continue
                steps = np.abs(where[a][:, None] - where[b][None])
                if periodic:
                    steps = np.minimum(steps, np.array(shape[:-1]) - steps)
                assert steps.max(axis=2).min() > 2 * reach + 1
