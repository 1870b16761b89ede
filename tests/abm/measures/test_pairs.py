"""Pair correlations against patterns that can be counted by hand, a brute-force oracle and the law of chance."""

import itertools

import numpy as np
import pytest

from oncolattice.abm.errors import InputError
from oncolattice.abm.measures.pairs import mean_field_valid, pair_correlations


def halves(n: int) -> np.ndarray:
    """Type 1 on the left half, type 2 on the right one."""
    return np.repeat((1 + (np.arange(n) >= n // 2)).astype(np.uint8)[None], n, axis=0)[None]


def test_half_planes_and_square_on_ten_by_ten():
    """Join counts of spatial statistics: halves 85, 85 and 10 of 180 links, a 4 x 4 square 24 of 180."""
    found = pair_correlations(halves(10), 2)
    assert found.links[0] == 180
    assert found.by_type[0, 0] == found.by_type[1, 1] == pytest.approx(85 / 180 / 0.25)
    assert found.by_type[0, 1] == found.by_type[1, 0] == pytest.approx(10 / 180 / 2 / 0.25)
    assert found.total[0] == pytest.approx(1.0)
    assert found.occupancy[0] == 1.0
    square = np.zeros((1, 10, 10), np.uint8)
    square[0, 3:7, 2:6] = 1
    assert pair_correlations(square, 1).total[0] == pytest.approx(24 / 180 / 0.16**2)


@pytest.mark.parametrize("shape", [(8, 8), (4, 6, 8)])
@pytest.mark.parametrize("boundary", ["no-flux", "periodic"])
def test_a_checkerboard_has_unlike_neighbours_alone(shape, boundary):
    board = (np.indices(shape).sum(axis=0) % 2).astype(np.uint8)[None]
    two = pair_correlations(board + 1, 2, boundary=boundary).by_type
    assert np.array_equal(two, [[0.0, 2.0], [2.0, 0.0]])
    one = pair_correlations(board, 1, boundary=boundary)
    assert (one.by_type[0, 0], one.total[0], one.occupancy[0]) == (0.0, 0.0, 0.5)


def test_halves_with_periodic_boundary_meet_twice():
    """n x n: 2 n^2 links; n (n/2 - 1) like ones in x and n^2 / 2 in y of each type, 2 n unlike ones."""
    n = 12
    found = pair_correlations(halves(n), 2, boundary="periodic").by_type
    assert found[0, 0] == pytest.approx((n * (n / 2 - 1) + n * n / 2) / (2 * n * n) / 0.25)
    assert found[0, 1] == pytest.approx(2 * n / (2 * n * n) / 2 / 0.25)


def oracle(layer: np.ndarray, types: int, links: str, periodic: bool) -> np.ndarray:
    """Count ordered pairs over all sites and all their neighbours, in plain Python."""
    seen, pairs = np.zeros((types + 1, types + 1)), 0
    offsets = [
        d
        for d in itertools.product((-1, 0, 1), repeat=layer.ndim)
        if any(d) and (links == "moore" or sum(map(abs, d)) == 1)
    ]
    for site in np.ndindex(layer.shape):
        for offset in offsets:
            to = tuple(i + d for i, d in zip(site, offset, strict=True))
            if periodic:
                to = tuple(i % n for i, n in zip(to, layer.shape, strict=True))
            elif not all(0 <= i < n for i, n in zip(to, layer.shape, strict=True)):
                continue
            seen[layer[site], layer[to]] += 1
            pairs += 1
    share = np.array([(layer == t).mean() for t in range(types + 1)])
    return (seen / pairs)[1:, 1:] / np.outer(share, share)[1:, 1:]


@pytest.mark.parametrize("shape", [(7, 13), (5, 6, 9), (3, 3)])
@pytest.mark.parametrize("links", ["von Neumann", "moore"])
@pytest.mark.parametrize("boundary", ["no-flux", "periodic"])
def test_agrees_with_the_oracle(shape, links, boundary):
    layer = (
        np.random.default_rng(3).permutation(np.arange(np.prod(shape)) % 4).astype(np.uint8).reshape(shape)
    )
    found = pair_correlations(layer[None], 3, links, boundary)
    assert found.by_type == pytest.approx(oracle(layer, 3, links, boundary == "periodic"))
    lumped = oracle((layer > 0).astype(int), 1, links, boundary == "periodic")
    assert found.total[0] == pytest.approx(lumped[0, 0])


def test_layers_are_apart_and_nothing_undefined_is_nan():
    """Types on different layers, types without cells and empty layers read 1, as without correlation."""
    occupant = np.zeros((3, 6, 6), np.uint8)
    occupant[0, :, :3] = 1
    occupant[1, ::2, ::2] = 3
    found = pair_correlations(occupant, 4)
    assert found.by_type[0, 2] == found.by_type[2, 0] == 1.0
    assert np.all(found.by_type[3] == 1.0)
    assert np.all(found.by_type[1] == 1.0)
    assert found.by_type[2, 2] == 0.0
    assert found.by_type[0, 0] > 1.5
    assert found.total[2] == 1.0
    assert found.occupancy[2] == 0.0
    assert np.isfinite(found.by_type).all()


def test_scattered_cells_follow_the_law_of_chance():
    """n cells on N sites at random: mean F = N (n - 1) / (n (N - 1)), SD (1 - C) / (C sqrt(links)).

    300 patterns; mean within 4.5 standard errors (false alarm 7 in a million), SD within 20 % (5 of its
    standard errors of 4 %). A definition off by one link in 50 would miss the mean by 10 standard errors.
    """
    rng = np.random.default_rng(11)
    sites, n = 60 * 50, 900
    cells = np.zeros(sites, np.uint8)
    cells[:n] = 1
    values, links = [], 0
    for _ in range(300):
        found = pair_correlations(rng.permutation(cells).reshape(1, 60, 50), 1)
        values.append(found.total[0])
        links = found.links[0]
    share = n / sites
    sd = (1 - share) / (share * np.sqrt(links))
    expected = sites * (n - 1) / (n * (sites - 1))
    assert abs(np.mean(values) - expected) < 4.5 * sd / np.sqrt(300)
    assert np.std(values) == pytest.approx(sd, rel=0.2)
    assert 0.02 * expected > 10 * sd / np.sqrt(300)


def test_the_flag_follows_the_layers_that_hold_cells():
    assert mean_field_valid(np.array([1.049, 0.951]), np.array([0.1, 0.2]))
    assert not mean_field_valid(np.array([1.051, 1.0]), np.array([0.1, 0.2]))
    assert not mean_field_valid(np.array([1.0, 0.949]), np.array([0.1, 0.2]))
    assert mean_field_valid(np.array([1.0, 3.0]), np.array([0.1, 0.0]))


def test_wrong_words_are_named():
    for words in ({"links": "queen"}, {"boundary": "open"}):
        with pytest.raises(InputError, match=next(iter(words.values()))):
            pair_correlations(np.zeros((1, 4, 4), np.uint8), 1, **words)
