"""The order of events favours no direction: the centre of a colony stays where it was.

Hash order within blocks and random cuts of blocks: z of the mean displacement over replicates, |z| < 4.5 per
axis (a false alarm in 150,000); the standard error is below a twentieth of a site, so a colony that crept by a
quarter of a site in its life would be seen (an update in memory order moves it by several).
"""

import numpy as np
import pytest
from engine_cases import Z
from tiny import behaviour, parameters, tiny_model, tissue_of

CASES = [
    (shape, boundary, target)
    for shape in ((48, 48), (22, 22, 22))
    for boundary in ("no-flux", "periodic")
    for target in ("random empty neighbour", "random neighbour, abort if occupied")
]


def shifts(
    shape: tuple, boundary: str, words: str, steps: int, seeds: int, update: str = "rates"
) -> np.ndarray:
    """Return the displacement of the centre of a colony, shape (seed, axis)."""
    model = tiny_model(
        parameters(b=(0.2, "1/h"), m=(0.8, "1/h"), k=(0.05, "1/h")), words, dimensions=len(shape), boundary=boundary,
        update=update,
    )  # fmt: skip
    middle = [slice(n // 2 - 2, n // 2 + 2) for n in shape]
    occupant = np.zeros((2, *shape), np.uint8)
    occupant[(0, *middle)] = 1
    centre = np.array([n / 2 - 0.5 for n in shape])
    found = []
    for seed in range(seeds):
        tissue = tissue_of(model, occupant, seed=seed)
        tissue.advance(steps)
        cells = np.argwhere(tissue.state.occupant[0] == 1)
        assert cells.min() > 0  # away from the edges
        assert np.all(cells.max(axis=0) < np.array(shape) - 1)
        found.append(cells.mean(axis=0) - centre)
    return np.array(found)


@pytest.mark.parametrize(("shape", "boundary", "target"), CASES)
def test_a_growing_colony_stays_put(shape, boundary, target):
    words = behaviour("A", "divide", "b", target=target)
    found = shifts(shape, boundary, words, 20 if len(shape) == 2 else 10, 240)
    error = found.std(axis=0, ddof=1) / np.sqrt(len(found))
    assert error.max() < 0.05
    assert np.abs(found.mean(axis=0) / error).max() < Z


@pytest.mark.parametrize("update", ["rates", "random attempts"])
@pytest.mark.parametrize("shape", [(48, 48), (22, 22, 22)])
def test_a_growing_and_moving_colony_stays_put(shape, update):
    """Exclusion among movers: who hops first has the site."""
    words = behaviour("A", "divide", "b") + behaviour("A", "migrate", "m")
    found = shifts(shape, "no-flux", words, 10 if len(shape) == 2 else 5, 150, update)
    error = found.std(axis=0, ddof=1) / np.sqrt(len(found))
    assert error.max() < 0.1
    assert np.abs(found.mean(axis=0) / error).max() < Z


def test_the_edges_of_blocks_leave_no_trace():
    """A full sheet of walkers with a third of the sites free stays even: rows by their place relative to any cut."""
    model = tiny_model(parameters(m=(5.0, "1/h")), behaviour("A", "migrate", "m"), boundary="periodic")
    rows = np.zeros(64)
    for seed in range(30):
        occupant = np.zeros((2, 64, 64), np.uint8)
        occupant[0] = np.random.default_rng(seed).random((64, 64)) < 0.66
        tissue = tissue_of(model, occupant, seed=seed)
        tissue.advance(20)
        rows += (tissue.state.occupant[0] == 1).sum(axis=1) - occupant[0].sum() / 64
    # 30 sheets x 64 sites of a row, binomial scatter reduced by the fixed total
    z = rows / np.sqrt(30 * 64 * 0.66 * 0.34)
    assert np.abs(z).max() < Z
    assert 0.5 < z.var() < 1.8
