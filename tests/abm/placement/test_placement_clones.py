"""Clones: tumour types in patches of a known correlation, and nothing else moved."""

import numpy as np
import pytest

from oncolattice.abm.placement import place_drawn
from oncolattice.abm.snapshot import CellTypeInfo

LAYERS = ("tissue", "immune")
TYPES = tuple(
    CellTypeInfo(i, name, name, layer, name, "#000000")
    for i, (name, layer) in enumerate(
        [("A", "tissue"), ("B", "tissue"), ("S", "tissue"), ("T", "immune")], start=1
    )
)
A, B = 1, 2
RULES = {
    "occupancy": 0.2,
    "pattern": "glands",
    "composition": {"A": 0.25, "B": 0.75},
    "stroma": {"type": "S", "fraction": 0.12},
    "immune": {"T": {"core": 100.0}},
}


def like_pairs(occupant, apart):
    """Return the share of tumour pairs so many columns apart that are of one type."""
    left, right = occupant[:, :-apart], occupant[:, apart:]
    both = np.isin(left, (A, B)) & np.isin(right, (A, B))
    return float((left == right)[both].mean())


@pytest.mark.parametrize("apart", [4, 8, 16])
def test_clones_are_patches_of_a_gaussian_field(apart):
    """Cut at its median, a field of correlation rho has pairs alike with 1/2 + asin(rho)/pi (Sheppard 1899).

    White noise smoothed by a Gaussian of s sites has rho = exp(-d^2 / (4 s^2)). The sample of 512 x 512 sites
    holds about 500 patches, a standard error of 0.01; s wrong by a fifth moves the share by 0.035 or more.
    """
    rules = {"occupancy": 0.4, "pattern": "scattered", "composition": {"A": 0.5, "B": 0.5}, "clone_um": 120.0}
    tissue = place_drawn((512, 512), 15.0, TYPES, LAYERS, rules, 3)
    rho = np.exp(-(apart**2) / (4 * 8.0**2))
    assert like_pairs(tissue.occupant[0], apart) == pytest.approx(0.5 + np.arcsin(rho) / np.pi, abs=0.03)
    mixed = place_drawn((512, 512), 15.0, TYPES, LAYERS, rules | {"clone_um": 0.0}, 3)
    assert like_pairs(mixed.occupant[0], apart) == pytest.approx(0.5, abs=0.01)


def test_clones_change_who_sits_where_and_nothing_else():
    mixed, patches = (
        place_drawn((128, 128), 15.0, TYPES, LAYERS, RULES | {"clone_um": um}, 1) for um in (0.0, 100.0)
    )
    np.testing.assert_array_equal(mixed.occupant[0] > 0, patches.occupant[0] > 0)
    np.testing.assert_array_equal(mixed.occupant[1], patches.occupant[1])
    assert (
        np.bincount(mixed.occupant[0].ravel()).tolist() == np.bincount(patches.occupant[0].ravel()).tolist()
    )
    assert "tumour types lie in patches in exact numbers" in patches.report["rules"]
