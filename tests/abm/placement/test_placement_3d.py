"""Drawn tissue in three dimensions: exact numbers, covariance, spacing."""

import numpy as np
import pytest

from oncolattice.abm.placement import place_drawn
from oncolattice.abm.placement.luck import generator
from oncolattice.abm.placement.spacing import spaced_sites
from oncolattice.abm.placement.texture import texture
from oncolattice.abm.snapshot import CellTypeInfo

LAYERS = ("tissue", "immune")
TYPES = tuple(
    CellTypeInfo(i, name, name, layer, name, "#000000")
    for i, (name, layer) in enumerate(
        [("A", "tissue"), ("B", "tissue"), ("S", "tissue"), ("V", "tissue"), ("T", "immune")], start=1
    )
)
A, B, S, V, T = range(1, 6)


def number(placement):
    return np.bincount(placement.occupant.reshape(-1), minlength=6).tolist()


@pytest.mark.parametrize("pattern", ["glands", "nests", "scattered", "disc"])
def test_drawn_tissue_in_3d_counted_by_hand(pattern):
    rules = {
        "occupancy": 0.2, "pattern": pattern, "scale_um": 40.0, "composition": {"A": 0.25, "B": 0.75},
        "stroma": {"type": "S", "fraction": 0.12}, "vessels": {"type": "V", "per_mm2": 80.0},
        "margin_um": 100.0, "immune": {"T": {"core": 100.0, "margin": 300.0}},
    }  # fmt: skip
    tissue = place_drawn((20, 30, 40), 20.0, TYPES, LAYERS, rules, 3)
    # 24,000 sites of 4e-4 mm2: .2 and .12 of them, 80 per mm2 of 9.6 mm2; margin 5 of 40 columns
    assert number(tissue)[1:] == [1200, 3600, 2880, 768, round(100 * 8.4) + round(300 * 1.2)]
    assert np.array_equal(np.flatnonzero(tissue.region[7, 11]), np.arange(5))
    assert tissue.report["regions"]["margin"]["volume_mm3"] == pytest.approx(20 * 30 * 5 * 8e-6)


def test_texture_in_3d_has_the_covariance_of_a_smoothed_field():
    sigma, values = 2.0, {0: [], 2: [], 4: []}
    for seed in range(10):
        field = texture((40, 36, 44), sigma, generator(seed, "test"))
        for lag, products in values.items():
            for axis in range(3):
                moved = np.moveaxis(field, axis, 0)
                products.append(np.mean(moved[lag:] * moved[: len(moved) - lag]))
    for lag, products in values.items():
        # some 1,400 independent patches a field: a mean of 10 fields has an SE near .009; bound 5 SE
        assert np.mean(products) == pytest.approx(np.exp(-((lag / sigma) ** 2) / 4), abs=0.045)


@pytest.mark.parametrize("share", [0.01, 0.2, 1.0])
def test_spaced_sites_in_3d(share):
    free = np.random.default_rng(3).random((12, 14, 13)) < 0.7
    wanted = int(share * free.sum())
    sites, spacing = spaced_sites(free, free, wanted, 5)
    assert sites.sum() == wanted
    assert not (sites & ~free).any()
    points = np.argwhere(sites)
    distance = np.sqrt(((points[:, None, :] - points[None, :, :]) ** 2).sum(axis=2))
    np.fill_diagonal(distance, np.inf)
    assert distance.min() >= spacing
    if share == 0.01:
        assert spacing == pytest.approx(0.6 * (free.size / wanted) ** (1 / 3))
