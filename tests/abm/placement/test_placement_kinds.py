"""Scattered cells, nodules, nests and strips: exact numbers and geometry, in 2-D and 3-D."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage, stats

from oncolattice.abm.errors import InputError
from oncolattice.abm.placement import place_nests, place_nodule, place_scattered, place_strip
from oncolattice.abm.placement.lattice import empty_lattice
from oncolattice.abm.placement.numbers import split
from oncolattice.abm.snapshot import CellTypeInfo

LAYERS = ("tissue", "immune")
TYPES = tuple(
    CellTypeInfo(i, name, name, layer, name, "#000000")
    for i, (name, layer) in enumerate(
        [("A", "tissue"), ("B", "tissue"), ("S", "tissue"), ("V", "tissue"), ("T", "immune")], start=1
    )
)
A, B, S, V, T = range(1, 6)
MIX = {"A": 0.9, "B": 0.1}
# Points of the square and cubic lattice within distance n of the origin (OEIS A000328, A000605)
IN_CIRCLE = [1, 5, 13, 29, 49, 81, 113, 149, 197, 253, 317]
IN_SPHERE = [1, 7, 33, 123, 257, 515, 925, 1419, 2109, 3071, 4169]


def made(place, rules, shape=(100, 100), seed=1, **more):
    return place(shape, 20.0, TYPES, LAYERS, rules, seed, **more)


def number(placement):
    return np.bincount(placement.occupant.reshape(-1), minlength=6).tolist()


# --- numbers ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("occupancy", "share", "a", "b"),
    [(0.5, 0.01, 4950, 50), (0.25, 0.1, 2250, 250), (0.75, 0.001, 7492, 8), (0.5, 0.001, 4995, 5)],
)
def test_the_numbers_of_a_published_design(occupancy, share, a, b):
    """n0 * 10^4 cells, of which ceil(fR n) resistant, as in 10.1038/s43856-022-00110-x."""
    rules = {"occupancy": occupancy, "composition": {"A": 1 - share, "B": share}, "ceil": ["B"]}
    assert number(made(place_scattered, rules))[1:3] == [a, b]


@settings(max_examples=200, deadline=None)
@given(
    st.integers(0, 100_000),
    st.lists(st.integers(0, 1000), min_size=2, max_size=4).filter(any),
    st.sets(st.integers(0, 3)),
)
def test_split_numbers_add_up_and_follow_their_shares(total, parts, up):
    names = ["A", "B", "S", "V"][: len(parts)]
    shares = {name: part / sum(parts) for name, part in zip(names, parts, strict=True)}
    ceil = [names[i] for i in up if i < len(names) - 1]
    lattice = empty_lattice((400, 400), 20.0, TYPES, LAYERS, 1)
    exact = {name: Fraction(part * total, sum(parts)) for name, part in zip(names, parts, strict=True)}
    raised = {name: math.ceil(exact[name]) for name in ceil}
    if sum(raised.values()) > total or not sum(p for n, p in zip(names, parts, strict=True) if n not in ceil):
        return
    found = split(total, {"composition": shares, "ceil": ceil}, lattice)
    assert sum(found.values()) == total
    assert {name: found[name] for name in ceil} == raised
    left = total - sum(raised.values())
    others = {name: exact[name] for name in names if name not in ceil}
    for name, value in others.items():
        assert abs(found[name] - left * value / (sum(others.values()) or 1)) < 1


def test_shares_of_sites_are_rounded_each_and_may_lie_on_several_layers():
    rules = {"shares": {"A": 0.5, "B": 0.00011, "S": 0.00011, "T": 0.03004}, "ceil": ["S"]}
    # of 10,000 sites: 1.1 down and up, 300.4
    assert number(made(place_scattered, rules))[1:] == [5000, 1, 2, 0, 300]


def test_counts_come_first_and_the_others_share_the_rest():
    rules = {"occupancy": 0.5, "composition": {"A": 0.6, "S": 0.3, "B": 0.1}, "counts": {"B": 8, "T": 3}}
    # 4,992 divided as 2 to 1
    assert number(made(place_scattered, rules))[1:] == [3328, 8, 1664, 0, 3]
    assert number(made(place_scattered, {"counts": {"A": 7}}, shape=(5, 6, 7)))[1] == 7


def test_scattered_cells_are_uniform_and_mixed():
    tissue = made(place_scattered, {"occupancy": 0.5, "composition": {"A": 0.5, "B": 0.5}}, (256, 256))
    for type_id in (A, B):
        blocks = (tissue.occupant[0] == type_id).reshape(8, 32, 8, 32).sum(axis=(1, 3)).reshape(-1)
        # cells drawn without replacement vary less than Poisson, by 1 - share of sites; two-sided at 1e-6
        p = stats.chi2.sf(stats.chisquare(blocks).statistic / 0.75, 63)
        assert 5e-7 < p < 1 - 5e-7
    a, b = (tissue.occupant[0] == type_id for type_id in (A, B))
    pairs = (a[:, 1:] & b[:, :-1]).sum() + (b[:, 1:] & a[:, :-1]).sum()
    # 65,280 links, each unlike with probability .125; bound 5 SD of independent links
    assert abs(pairs - 65_280 / 8) < 5 * math.sqrt(65_280 * 0.125 * 0.875)


def test_another_type_moves_no_one():
    few, more = (
        made(place_scattered, {"shares": {"A": 0.2, "B": 0.2} | extra}).occupant[0]
        for extra in ({}, {"S": 0.3})
    )
    assert np.array_equal(few, np.where(more == S, 0, more))


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ({"shares": {"A": 1.2}}, "'A' must be a number, 0 to 1, got 1.2"),
        (
            {"shares": {"A": 0.7, "B": 0.4}},
            r"7000 A, 4000 B ask for 11000 sites of layer 'tissue', which has 10000",
        ),
        ({"shares": {"A": 0.7}, "counts": {"B": 1}}, "not both"),
        ({"counts": {"A": 10_001}}, "10001 A ask for 10001 sites"),
        ({"counts": {"A": 1.5}}, "'A' must be a whole number"),
        ({"counts": {"A": -1}}, "0 or more"),
        ({"counts": {"Q": 1}}, "unknown cell type 'Q'"),
        ({"composition": MIX}, "'occupancy' is missing"),
        ({"occupancy": 0.5}, "'composition' is missing"),
        ({"occupancy": 1.5, "composition": MIX}, "'occupancy' must be a number, 0 to 1"),
        ({"occupancy": 0.5, "composition": {"A": 1.5, "B": -0.5}}, "'A' must be a number, 0 to 1"),
        ({"occupancy": 0.1, "composition": MIX, "counts": {"B": 1001}}, "1001 cells of 1000"),
        ({"occupancy": 0.1, "composition": MIX, "ceil": ["C"]}, "unknown cell type 'C'"),
        ({"occupancy": 0.1, "composition": {"A": 1.0}, "counts": {"A": 5}}, "995 of 1000 cells have no type"),
    ],
)
def test_wrong_numbers_are_refused(rules, words):
    with pytest.raises(InputError, match=words):
        made(place_scattered, rules)


# --- nodules ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("radius", range(11))
@pytest.mark.parametrize(("shape", "known"), [((41, 50), IN_CIRCLE), ((23, 22, 30), IN_SPHERE)])
def test_a_nodule_of_a_radius_holds_the_lattice_points_within(shape, known, radius):
    tissue = made(place_nodule, {"radius_um": radius * 20.0, "composition": {"A": 1.0}}, shape)
    assert number(tissue)[A] == known[radius]
    assert tissue.occupant[(0, *(n // 2 for n in shape))] == A
    assert tissue.report["nodule"]["radius_um"] == radius * 20.0


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 900), st.floats(0.3, 1.0), st.integers(0, 99))
def test_a_nodule_of_a_number_is_compact_and_exact(cells, packing, seed):
    rules = {"nodule_cells": cells, "packing": packing, "composition": MIX, "ceil": ["B"]}
    tissue = made(place_nodule, rules, (81, 80), seed)
    mask = tissue.occupant[0] > 0
    assert number(tissue)[1:3] == [cells - math.ceil(Fraction(cells, 10)), math.ceil(Fraction(cells, 10))]
    y, x = np.mgrid[:81, :80]
    distance = np.hypot(y - 40, x - 40)
    sites = math.ceil(cells / packing)
    assert distance[mask].max() <= np.sort(distance, axis=None)[sites - 1] + 1e-9
    if packing == 1.0:
        assert distance[mask].max() <= distance[~mask].min() + 1e-9


def test_one_cell_sits_on_the_middle_site():
    tissue = made(place_nodule, {"nodule_cells": 1, "composition": {"A": 1.0}}, (64, 64))
    assert np.argwhere(tissue.occupant).tolist() == [[0, 32, 32]]


@pytest.mark.parametrize(("shape", "cells"), [((100, 100), 5000), ((40, 44, 42), 9000)])
@pytest.mark.parametrize(("places", "count"), [("random", 1), ("random", 4), ("rim", 5), ("centre", 1)])
def test_clustered_resistance(shape, cells, places, count):
    rules = {
        "nodule_cells": cells,
        "composition": MIX,
        "nest": {"type": "B", "count": count, "places": places},
    }
    tissue = made(place_nodule, rules, shape)
    mask = tissue.occupant[0] == B
    assert mask.sum() == cells // 10
    assert (tissue.occupant[0] > 0).sum() == cells
    labels, found = ndimage.label(mask)
    assert found == count
    assert sorted(np.bincount(labels.reshape(-1))[1:]) == sorted(
        c["cells"] for c in tissue.report["clusters"]
    )
    outside = ndimage.binary_dilation(tissue.occupant[0] == 0)
    touching = [outside[labels == k].any() for k in range(1, count + 1)]
    assert all(touching) if places == "rim" else not any(touching) or places == "random"
    if places == "centre":
        middle = tissue.report["nodule"]["centre_um"]
        assert ndimage.center_of_mass(mask) == pytest.approx([c / 20 - 0.5 for c in middle], abs=0.3)


def test_mixed_resistance_is_not_clustered():
    """Unlike neighbours at random: 10 % B, a neighbour of a B is a B with probability .1."""
    tissue = made(place_nodule, {"nodule_cells": 5000, "composition": MIX}).occupant[0]
    b, cell = tissue == B, tissue > 0
    links = (b[:, 1:] & cell[:, :-1]).sum() + (b[1:] & cell[:-1]).sum()
    pairs = (b[:, 1:] & b[:, :-1]).sum() + (b[1:] & b[:-1]).sum()
    assert abs(pairs / links - 0.1) < 5 * math.sqrt(0.09 / links)  # 5 SD: fails by chance once in 1.7 million


def test_a_nodule_in_stroma():
    rules = {
        "radius_um": 500.0, "composition": MIX, "stroma": {"type": "S", "fraction": 0.3},
        "vessels": {"type": "V", "per_mm2": 40.0}, "immune": {"T": {"core": 100.0, "margin": 300.0}},
    }  # fmt: skip
    tissue = made(place_nodule, rules, surrounded=True)
    inside = tissue.region == 0
    assert inside.sum() == sum(2 * math.isqrt(25**2 - dy**2) + 1 for dy in range(-25, 26))
    assert np.isin(tissue.occupant[0][inside], (A, B)).all()
    assert not np.isin(tissue.occupant[0][~inside], (A, B)).any()
    area = inside.sum() * 4e-4, (~inside).sum() * 4e-4
    assert number(tissue)[S:] == [3000, 160, round(100 * area[0]) + round(300 * area[1])]
    assert tissue.region_names == ("core", "margin")
    # the same nodule, cell by cell, without its surroundings
    alone = made(place_nodule, rules)
    assert np.array_equal(alone.occupant[0], np.where(inside, tissue.occupant[0], 0))


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ({"radius_um": 1000.0}, "of radius 1000 um crosses the edge of the lattice, 1000 um from its centre"),
        ({"nodule_cells": 9000}, r"of 9000 cells \(radius 1\d+\.?\d* um\) crosses the edge"),
        (
            {"nodule_cells": 9000, "packing": 0.5},
            "9000 cells at a packing of 0.5 does not fit on 10000 sites",
        ),
        ({}, "needs 'radius_um' or 'nodule_cells'"),
        ({"radius_um": 100.0, "nodule_cells": 5}, "one of them"),
        ({"nodule_cells": 10, "nest": {"type": "B", "count": 2}}, "2 clusters of 1 B"),
        ({"nodule_cells": 100, "nest": {"type": "B", "count": 2, "places": "centre"}}, "at most 1 can be"),
        ({"nodule_cells": 100, "nest": {"type": "B", "count": 1, "places": "rime"}}, "did you mean 'rim'"),
        (
            {"nodule_cells": 100, "nest": {"type": "B", "count": 1, "cells": 5}},
            "'cells' is for nests outside",
        ),
    ],
)
def test_nodules_that_do_not_fit_are_refused(rules, words):
    with pytest.raises(InputError, match=words):
        made(place_nodule, {"composition": MIX} | rules)


# --- nests ------------------------------------------------------------------------------------------------


def nests_of(tissue, type_id=B):
    labels, found = ndimage.label(tissue.occupant[0] == type_id)
    return [np.argwhere(labels == k) for k in range(1, found + 1)]


@pytest.mark.parametrize("shape", [(100, 120), (30, 34, 38)])
@pytest.mark.parametrize("count", [1, 3, 8])
def test_nests_are_round_apart_and_exact(shape, count):
    """The nests hold as many cells as if scattered; none is within reach of a neighbourhood of another."""
    size = math.prod(shape)
    rules = {"occupancy": 0.4, "composition": MIX, "ceil": ["B"], "nest": {"type": "B", "count": count}}
    for seed in range(5):
        tissue = made(place_nests, rules, shape, seed)
        total, resistant = round(0.4 * size), math.ceil(Fraction(round(0.4 * size), 10))
        assert number(tissue)[1:3] == [total - resistant, resistant]
        nests = nests_of(tissue)
        assert sorted(map(len, nests)) == sorted(nest["cells"] for nest in tissue.report["nests"])
        assert {len(nest) for nest in nests} <= {resistant // count, resistant // count + 1}
        for k, nest in enumerate(nests):
            centre = nest.mean(axis=0)
            reach = np.sqrt(((nest - centre) ** 2).sum(axis=1)).max()
            ball = math.pi * reach**2 if len(shape) == 2 else 4 / 3 * math.pi * reach**3
            assert 0.75 < len(nest) / ball < 1.35
            for other in nests[:k]:
                gap = np.abs(nest[:, None, :] - other[None, :, :]).max(axis=2).min()
                assert gap >= 2


def test_a_regular_grid_by_hand():
    rules = {"occupancy": 0.5, "composition": {"A": 0.992, "B": 0.008}}
    tissue = made(place_nests, rules | {"nest": {"type": "B", "count": 4, "places": "regular"}})
    # 40 cells in four nests of 10; lattice of 100: centres at 24.5 and 74.5
    centres = [(24.5, 24.5), (24.5, 74.5), (74.5, 24.5), (74.5, 74.5)]
    found = [nest["centre_um"] for nest in tissue.report["nests"]]
    assert found == [[(y + 0.5) * 20, (x + 0.5) * 20] for y, x in centres]
    assert [len(n) for n in nests_of(tissue)] == [10] * 4
    for nest, (y, x) in zip(nests_of(tissue), centres, strict=True):
        assert np.abs(nest - [y, x]).max() <= 1.5


def test_two_squares_a_distance_apart():
    """Two nests of 2 x 2 resistant cells, 8 sites between them: columns 44, 45 and 54, 55 of 100."""
    nest = {"type": "B", "count": 2, "places": "row", "distance_um": 10 * 20.0, "cells": 4}
    tissue = made(place_nests, {"occupancy": 0.5, "composition": {"A": 1.0, "B": 0.0}, "nest": nest})
    assert number(tissue)[1:3] == [4992, 8]
    squares = [[49, 44], [49, 45], [50, 44], [50, 45]], [[49, 54], [49, 55], [50, 54], [50, 55]]
    assert sorted(n.tolist() for n in nests_of(tissue)) == sorted(squares)


def test_nests_of_a_radius():
    nest = {"type": "B", "count": 3, "radius_um": 100.0}
    tissue = made(place_nests, {"occupancy": 0.3, "composition": MIX, "nest": nest})
    assert number(tissue)[1:3] == [3000 - 3 * IN_CIRCLE[5], 3 * IN_CIRCLE[5]]


def test_no_nests_are_scattered_cells():
    rules = {"occupancy": 0.5, "composition": MIX, "ceil": ["B"]}
    tissue = made(place_nests, rules | {"nest": {"type": "B", "count": 0}})
    assert np.array_equal(tissue.occupant, made(place_scattered, rules).occupant)


@pytest.mark.parametrize(
    ("nest", "words"),
    [
        (
            {"type": "B", "count": 50, "cells": 100},
            r"50 nests of 100 cells \(radius .* um\).*do not fit: \d+ found a place",
        ),
        ({"type": "B", "count": 2, "places": "row", "distance_um": 20.0}, "overlaps another one"),
        ({"type": "B", "count": 2, "places": "row", "distance_um": 1900.0}, "crosses the edge"),
        ({"type": "B", "count": 1001}, "1001 nests need as many cells, there are 1000"),
        ({"type": "B"}, "write { type, count }"),
        ({"type": "Q", "count": 1}, "unknown cell type 'Q'"),
        ({"type": "B", "count": 1.5}, "'count' must be a whole number"),
        ({"type": "B", "count": 1, "placs": "row"}, "did you mean 'places'"),
        ({"type": "B", "count": 1, "places": "rim"}, "unknown places 'rim'"),
        ({"type": "B", "count": 1, "cells": 5, "radius_um": 30.0}, "not both"),
    ],
)
def test_wrong_nests_are_refused(nest, words):
    with pytest.raises(InputError, match=words):
        made(place_nests, {"occupancy": 1.0, "composition": MIX, "nest": nest})


# --- strips -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("side", "where"),
    [
        ("x-", np.s_[:, :, :3]), ("x+", np.s_[:, :, -3:]), ("y-", np.s_[:, :3]), ("y+", np.s_[:, -3:]),
        ("z-", np.s_[:3]), ("z+", np.s_[-3:]), ("x", np.s_[:, :, 3:6]), ("y", np.s_[:, 2:5]), ("z", np.s_[4:7]),
    ],
)  # fmt: skip
def test_a_strip_fills_its_side_and_nothing_else(side, where):
    shape = (11, 7, 9)
    tissue = made(place_strip, {"side": side, "depth_sites": 3, "composition": {"A": 0.5, "B": 0.5}}, shape)
    wanted = np.zeros(shape, bool)
    wanted[where] = True
    assert np.array_equal(tissue.occupant[0] > 0, wanted)
    assert abs(number(tissue)[A] - wanted.sum() / 2) <= 0.5


def test_a_line_and_a_loose_front():
    line = made(place_strip, {"depth_sites": 1, "composition": {"A": 1.0}}, (40, 60))
    assert np.argwhere(line.occupant[0]).tolist() == [[y, 0] for y in range(40)]
    front = made(place_strip, {"depth_sites": 20, "packing": 0.25, "composition": {"A": 1.0}}, (40, 60))
    assert number(front)[A] == 200
    assert not front.occupant[0][:, 20:].any()


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ({"depth_sites": 101}, "a strip of 101 sites is deeper than the lattice, 100 sites along x"),
        ({}, "'depth_sites' is missing"),
        ({"depth_sites": 0}, "'depth_sites' must be a number, 1 or more"),
        ({"depth_sites": 3, "side": "z-"}, "unknown side 'z-'"),
    ],
)
def test_wrong_strips_are_refused(rules, words):
    with pytest.raises(InputError, match=words):
        made(place_strip, {"composition": {"A": 1.0}} | rules)
