"""Walks in sections and blocks: motility at any rate, edges, exclusion, one turn a cell, climbing up and down.

Mean squared displacements accept |z| < 4.5 (a false alarm in 150,000); with 3000 or more walkers a rate 10 % off
is rejected in the same test.
"""

import itertools

import numpy as np
import pytest
from engine_cases import FIELD, Z, grid, z_mean
from numba import njit
from oracles import neighbours
from tiny import behaviour, parameters, placed, tiny_model, tissue_of

from oncolattice.abm.advance import Tissue
from oncolattice.abm.cells import hop
from oncolattice.abm.cells.world import world_of
from oncolattice.abm.state import first_state


def walkers(shape: tuple, pitch: int, rate: float, seed: int, **head: str | int) -> Tissue:
    """Return T cells on a coarse grid of a lattice."""
    head = {"dimensions": len(shape)} | head
    model = tiny_model(parameters(h=(rate, "1/h")), behaviour("T", "migrate", "h"), **head)
    occupant = np.zeros((2, *shape), np.uint8)
    for site in grid(shape, pitch // 2, pitch):
        occupant[(1, *site)] = 3
    return tissue_of(model, occupant, seed=seed)


def places(tissue: Tissue) -> np.ndarray:
    """Return the sites of the T cells in the order of their uids."""
    sites = np.argwhere(tissue.state.uid[1])
    return sites[np.argsort(tissue.state.uid[1][tuple(sites.T)])]


def offsets_squared(dimensions: int, moore: bool) -> float:
    steps = [s for s in itertools.product((-1, 0, 1), repeat=dimensions) if any(s)]
    squares = [sum(map(abs, s)) for s in steps if moore or sum(map(abs, s)) == 1]
    return float(np.mean(squares))


@pytest.mark.parametrize("rate", [0.5, 9.7])
@pytest.mark.parametrize("neighbourhood", ["moore", "von Neumann"])
@pytest.mark.parametrize("shape", [(448, 448), (96, 96, 96)])
def test_mean_squared_displacement_is_two_d_times_t(shape, neighbourhood, rate):
    """2 dim D t = rate <offset^2> t, also at ten hops a step, which take several rounds of sub-steps."""
    hours = 6
    squared = []
    for seed in range(2):
        tissue = walkers(shape, 8, rate, seed, neighbourhood=neighbourhood, boundary="periodic")
        before = places(tissue)
        tissue.advance(hours)
        step = places(tissue) - before
        half = np.array(shape) // 2
        step = (step + half) % shape - half  # the shorter way around
        squared.append((step**2).sum(axis=1))
        drift = step.mean(axis=0) / (step.std(axis=0, ddof=1) / np.sqrt(len(step)))
        assert np.abs(drift).max() < Z
    squared = np.concatenate(squared)
    expected = rate * offsets_squared(len(shape), neighbourhood == "moore") * hours
    assert abs(z_mean(squared, expected)) < Z
    if rate > 1:  # at three hops the squares spread too much to tell
        assert abs(z_mean(squared, 1.1 * expected)) > Z


@pytest.mark.parametrize("boundary", ["no-flux", "periodic"])
@pytest.mark.parametrize("shape", [(50, 40), (18, 17, 16)])
def test_no_cell_is_lost_doubled_or_moved_twice(shape, boundary):
    """At .79 hops a step there is one sub-step, so no cell of a crowd gets further than one site."""
    tissue = walkers(shape, 2, 0.79, 1, boundary=boundary)
    uids = np.sort(tissue.state.uid[tissue.state.uid != 0])
    moved = 0
    for _ in range(20):
        before = places(tissue)
        tissue.advance(1)
        step = np.abs(places(tissue) - before)
        if boundary == "periodic":
            step = np.minimum(step, np.array(shape) - step)
        assert step.max() <= 1
        moved += int((step.max(axis=1) > 0).sum())
        assert np.array_equal(np.sort(tissue.state.uid[tissue.state.uid != 0]), uids)
        assert np.array_equal(tissue.state.occupant[1] == 3, tissue.state.uid[1] != 0)
        assert not tissue.state.occupant[0].any()
    assert moved > 5 * len(uids)


@pytest.mark.parametrize("shape", [(48, 52), (24, 21, 20)])
def test_a_fast_cell_stays_within_its_sub_steps(shape):
    """20 hops an hour: rounds times sub-steps is the furthest that a cell can get."""
    tissue = walkers(shape, 4, 20.0, 2, boundary="periodic")
    most = 28 if len(shape) == 2 else 27  # 4 rounds of 7, or 9 rounds of 3
    before = places(tissue)
    tissue.advance(1)
    half = np.array(shape) // 2
    step = np.abs((places(tissue) - before + half) % shape - half)
    assert len(step) == len(before)
    assert step.max() <= most
    assert step.max() > 5


@pytest.mark.parametrize("neighbourhood", ["moore", "von Neumann"])
@pytest.mark.parametrize("shape", [(14, 11), (8, 7, 9)])
def test_closed_edges_neither_attract_nor_repel(shape, neighbourhood):
    """Hops that would leave are aborted, so every site is occupied alike: edges have their share of the cells.

    300 samples 4 h (20 hops) apart; an edge that keeps 10 % more cells is seen.
    """
    tissue = walkers(shape, 2, 5.0, 3, neighbourhood=neighbourhood)
    interior = np.zeros(shape, bool)
    interior[tuple(slice(1, -1) for _ in shape)] = True
    corner = tuple(0 for _ in shape)
    share, first, low = [], [], []
    for _ in range(300):
        tissue.advance(4)
        here = tissue.state.occupant[1] == 3
        share.append(here[~interior].sum() / here.sum())
        first.append(here[corner])
        low.append(np.argwhere(here).mean(axis=0))
    expected = (~interior).mean()
    assert abs(z_mean(np.array(share), expected)) < Z
    assert abs(z_mean(np.array(share), 1.1 * expected)) > Z
    assert abs(z_mean(np.array(first), here.mean())) < Z
    for axis, n in enumerate(shape):
        assert abs(z_mean(np.array(low)[:, axis], (n - 1) / 2)) < Z


def test_a_closed_edge_is_not_crossed_and_a_ring_is():
    """One fast cell beside the edge: in a closed lattice it never shows up across it within a sub-step's reach."""
    for boundary in ("no-flux", "periodic"):
        crossed = 0
        for seed in range(40):
            model = tiny_model(
                parameters(h=(0.79, "1/h")), behaviour("T", "migrate", "h"), dimensions=3, boundary=boundary
            )
            occupant = np.zeros((2, 9, 9, 9), np.uint8)
            occupant[1, 0, 0, 0] = 3
            tissue = tissue_of(model, occupant, seed=seed)
            tissue.advance(1)
            crossed += bool((places(tissue) == 8).any())
        assert crossed == 0 if boundary == "no-flux" else crossed > 10


@pytest.mark.parametrize("shape", [(16, 17), (18, 17, 16)])
def test_a_full_lattice_does_not_move(shape):
    tissue = walkers(shape, 1, 6.0, 1)
    before = tissue.state.uid.copy()
    tissue.advance(3)
    assert np.array_equal(tissue.state.uid, before)


@pytest.mark.parametrize("neighbourhood", ["moore", "von Neumann"])
@pytest.mark.parametrize("shape", [(9, 11), (5, 6, 7)])
@pytest.mark.parametrize("way", ["up", "down"])
def test_a_climb_goes_to_the_best_free_neighbour(shape, neighbourhood, way):
    """Against a plain-Python search: the free neighbour with the highest (lowest) value if it beats the own one."""
    numbers = parameters(
        h=(1.0, "1/h"), D=(1e4, "um^2/h"), k_F=(0.2, "1/h"), x=(50.0, "1/h"), level=(1.0, "nM"),
        tolerance=(1e-6, "1"), interval=(1.0, "h"), bias=(0.5, "1"),
    )  # fmt: skip
    model = tiny_model(
        numbers, FIELD + behaviour("T", "migrate", "h", bias="bias", **{way: "F"}),
        dimensions=len(shape), neighbourhood=neighbourhood,
    )  # fmt: skip
    rng = np.random.default_rng(5)
    occupant = np.zeros((2, *shape), np.uint8)
    occupant[1][rng.random(shape) < 0.5] = 3
    state = first_state(model, placed(occupant), 1)
    state.fields[0] = rng.random(shape)
    slope = float(model.tables.slots[model.tables.types[3]["move_first"]]["slope"])
    assert slope == {"up": 1.0, "down": -1.0}[way]
    stayed = 0
    for site in np.argwhere(occupant[1] == 3):
        site = tuple(int(a) for a in site)
        free = [s for s in neighbours(site, shape, neighbourhood == "moore", False) if occupant[(1, *s)] == 0]
        best = max(free, key=lambda s: slope * state.fields[(0, *s)], default=None)
        if best is None or slope * state.fields[(0, *best)] <= slope * state.fields[(0, *site)]:
            expected, stayed = -1, stayed + 1
        else:
            expected = int(np.ravel_multi_index((1, *best), occupant.shape))
        place = int(np.ravel_multi_index((1, *site), occupant.shape))
        found = climb_at(place, 0, slope, state.view(model), state.lattice(model), model.tables)
        assert found == expected
    assert stayed > 3


@njit
def climb_at(place, field, slope, view, lattice, tables):
    w = world_of(view, lattice, tables)
    return hop.climb(place, place % w.sites, field, slope, hop.ground_of(w))


@pytest.mark.parametrize("dimensions", [2, 3])
def test_cells_climb_up_and_down(dimensions):
    """A vessel wall at x = 0 feeds a decaying field: half of the hops climb it, or go the other way, by one site
    each; the mean displacement is bias x rate x t within 4.5 standard errors, blind hops adding none."""
    numbers = parameters(
        h=(2.0, "1/h"), D=(1e4, "um^2/h"), k_F=(0.2, "1/h"), x=(50.0, "1/h"), level=(1.0, "nM"),
        tolerance=(1e-9, "1"), interval=(24.0, "h"), bias=(0.25, "1"),
    )  # fmt: skip
    for way, sign in (("up", -1), ("down", 1)):
        model = tiny_model(
            numbers, FIELD + behaviour("T", "migrate", "h", bias="bias", **{way: "F"}),
            dimensions=dimensions, neighbourhood="von Neumann",
        )  # fmt: skip
        shape = (64, 60) if dimensions == 2 else (16, 16, 60)
        occupant = np.zeros((2, *shape), np.uint8)
        occupant[0, ..., 0] = 4
        occupant[1][(*[slice(0, None, 8)] * (dimensions - 1), 30)] = 3
        moved = []
        for seed in range(20):
            tissue = tissue_of(model, occupant, seed=seed)
            before = places(tissue)
            tissue.advance(10)
            moved.append((places(tissue) - before)[:, -1])
        assert abs(z_mean(np.concatenate(moved), sign * 0.25 * 2.0 * 10)) < Z
