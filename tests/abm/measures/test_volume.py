"""Tumour volume against the published baseline and the published trajectories."""

import csv
import math

import numpy as np
import pytest
from shared import beside

from oncolattice.abm.errors import InputError
from oncolattice.abm.measures.volume import feret_diameter_mm, lesion_size, tumour_volume_cm3


def test_baseline_is_the_published_volume():
    # 10.1038/s41540-025-00513-1: 2.572e-9 * 4e8 * 0.8 / 0.37 by hand
    assert tumour_volume_cm3(4e8) == pytest.approx(2.224432432432432, rel=1e-14)


def test_volume_is_linear_in_cells_and_in_tissue_and_inverse_in_their_share():
    density = np.array([0.0, 1e8, 3e8])
    assert tumour_volume_cm3(density).tolist() == pytest.approx([0.0, 0.5561081081, 1.6683243243], rel=1e-9)
    assert tumour_volume_cm3(1e8, tissue_volume_L=1.6, cell_fraction=0.74) == pytest.approx(
        0.5561081081, rel=1e-9
    )


@pytest.mark.parametrize(("arm", "patient"), [("placebo", 1), ("tas102", 35), ("tas102bev", 24)])
def test_volume_of_the_published_states_gives_the_published_response(arm, patient):
    with beside(f"reference/qcic/reference_{arm}_VP{patient}.csv").open() as file:
        by_day = {float(row["day"]): row for row in csv.DictReader(file)}
    with beside("reference/qcic/tri_day56.csv").open() as file:
        published = {
            (row["arm"], int(row["vp"])): float(row["tri56_accurate"]) for row in csv.DictReader(file)
        }
    start, end = (
        tumour_volume_cm3(math.fsum(float(by_day[day][f"X{k}_C"]) for k in (1, 2, 3))) for day in (0.0, 56.0)
    )
    assert end / start - 1 == pytest.approx(published[arm, patient], abs=2e-7)


def test_a_disc_gives_the_sphere_of_its_diameter():
    # 1,000 sites of 20 um: 0.4 mm2, d = 2 sqrt(.4 / pi) by hand
    found = lesion_size("section area", 1000, 20.0)
    assert found.diameter_mm == pytest.approx(0.713649646, rel=1e-8)
    assert found.volume_cm3 == pytest.approx(math.pi / 6 * 0.713649646**3 * 1e-3, rel=1e-8)


def test_twice_the_cells_by_every_rule():
    # volume doubles, but by the area of a section it grows with the power 3/2
    for rule, dimensions, grown in (
        ("section area", 2, 2**1.5), ("sphere equivalent", 2, 2.0), ("3-D direct", 3, 2.0),
    ):  # fmt: skip
        found = lesion_size(rule, np.array([500, 1000]), 20.0, dimensions)
        assert found.volume_cm3[1] / found.volume_cm3[0] == pytest.approx(grown, rel=1e-12)
        assert found.diameter_mm[1] / found.diameter_mm[0] == pytest.approx(grown ** (1 / 3), rel=1e-12)
    weighted = lesion_size("weighted count", 0, 20.0, density=np.array([4e8, 8e8]))
    assert weighted.volume_cm3.tolist() == pytest.approx([2.2244324, 4.4488649], rel=1e-7)


def test_a_block_of_sites_has_their_volume():
    found = lesion_size("3-D direct", 10**6, 10.0, 3)  # 1 mm3
    assert found.volume_cm3 == pytest.approx(1e-3, rel=1e-14)
    assert found.diameter_mm == pytest.approx((6 / math.pi) ** (1 / 3), rel=1e-12)


def test_longest_caliper_of_shapes_known_by_hand():
    mask = np.zeros((8, 9), dtype=bool)
    assert feret_diameter_mm(mask, 100.0) == 0.0
    mask[2, 3] = True
    assert feret_diameter_mm(mask, 100.0) == pytest.approx(0.1 * math.sqrt(2), rel=1e-12)
    mask[4:7, 1:5] = True  # with the corner of site (2, 3): from (2, 4) to (7, 1)
    assert feret_diameter_mm(mask, 100.0) == pytest.approx(0.1 * math.hypot(5, 3), rel=1e-12)


def test_longest_caliper_is_that_of_all_corners():
    rng = np.random.default_rng(3)
    for _ in range(20):
        mask = rng.random((12, 15)) < 0.1
        y, x = np.nonzero(mask)
        corners = np.array(
            [(a + i, b + j) for a, b in zip(y, x, strict=True) for i in (0, 1) for j in (0, 1)]
        )
        every = np.sqrt(((corners[:, None] - corners[None]) ** 2).sum(axis=2)).max()
        assert feret_diameter_mm(mask, 1000.0) == pytest.approx(every, rel=1e-12)


@pytest.mark.parametrize(
    ("rule", "dimensions", "words"),
    [
        ("area", 2, "unknown rule of volume 'area'"),
        ("3-D direct", 2, "choose 'weighted count' or 'section area' or 'sphere equivalent'"),
        ("section area", 3, "choose 'weighted count' or '3-D direct'"),
        ("weighted count", 2, "needs the density"),
    ],
)
def test_a_rule_for_another_lattice_is_refused(rule, dimensions, words):
    with pytest.raises(InputError, match=words):
        lesion_size(rule, 10, 20.0, dimensions)
