"""Tumour volume against the published baseline and the published trajectories."""

import csv
import math
import pathlib

import numpy as np
import pytest
from oncolattice.abm.volume import tumour_volume_cm3

REFERENCE = pathlib.Path(__file__).resolve().parents[2] / "../shared/reference/qcic"


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
    states = REFERENCE / f"reference_{arm}_VP{patient}.csv"
    if not states.exists():
        pytest.skip("the published QCIC trajectories are not beside the repository")
    with states.open() as file:
        by_day = {float(row["day"]): row for row in csv.DictReader(file)}
    with (REFERENCE / "tri_day56.csv").open() as file:
        published = {
            (row["arm"], int(row["vp"])): float(row["tri56_accurate"]) for row in csv.DictReader(file)
        }
    start, end = (
        tumour_volume_cm3(math.fsum(float(by_day[day][f"X{k}_C"]) for k in (1, 2, 3))) for day in (0.0, 56.0)
    )
    assert end / start - 1 == pytest.approx(published[arm, patient], abs=2e-7)
