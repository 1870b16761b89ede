"""Migration: mean-squared displacement of the exclusion walk, exclusion, and the climb of a gradient."""

import numpy as np
from tiny import behaviour, parameters, tiny_model, tissue_of


def test_mean_squared_displacement_is_four_d_t():
    """D = 3/8 rate site^2 for the eight-neighbour walk; z < 4.5, and a rate 10 % off is seen."""
    rate, hours = 3.0, 20
    model = tiny_model(parameters(h=(rate, "1/h")), behaviour("T", "migrate", "h"))
    squared = []
    for seed in range(14):
        occupant = np.zeros((2, 400, 400), np.uint8)
        occupant[1, 60:340:14, 60:340:14] = 3
        tissue = tissue_of(model, occupant, seed=seed)
        uid0 = tissue.state.uid[1].copy()
        for _ in range(hours):
            tissue.step()
        start = {uid0[y, x]: (y, x) for y, x in np.argwhere(uid0)}
        for y, x in np.argwhere(tissue.state.uid[1]):
            y0, x0 = start[tissue.state.uid[1, y, x]]
            squared.append((y - y0) ** 2 + (x - x0) ** 2)
    expected = 4 * (3 / 8 * rate) * hours
    error = np.std(squared, ddof=1) / np.sqrt(len(squared))
    z = (np.mean(squared) - expected) / error
    assert abs(z) < 4.5
    assert abs((np.mean(squared) - 1.1 * expected) / error) > 4.5


def test_cells_exclude_one_another_and_none_is_lost():
    model = tiny_model(parameters(h=(5.0, "1/h")), behaviour("T", "migrate", "h"))
    occupant = np.zeros((2, 30, 30), np.uint8)
    occupant[1, :25] = 3
    tissue = tissue_of(model, occupant)
    before = np.sort(tissue.state.uid[tissue.state.uid != 0])
    for _ in range(10):
        tissue.step()
    after = np.sort(tissue.state.uid[tissue.state.uid != 0])
    assert np.array_equal(before, after)
    assert np.array_equal(tissue.state.occupant[1] == 3, tissue.state.uid[1] != 0)
    assert tissue.state.occupant[1, 25:].any()


def test_a_biased_cell_climbs_the_gradient():
    numbers = parameters(
        h=(2.0, "1/h"),
        bias=(0.5, "1"),
        D=(1e4, "um^2/h"),
        k=(0.2, "1/h"),
        tol=(1e-6, "1"),
        x=(50.0, "1/h"),
        level=(1.0, "nM"),
    )
    numbers += '\ninterval = { value = 1, unit = "h", source = "assumed" }\n'
    field = """
[[field]]
name = "F"
unit = "nM"
diffusivity = "D"
decay = "k"
solver = "quasi-steady"
update_interval = "interval"
tolerance = "tol"
vessel_type = "V"
vessel_exchange = "x"
vessel_level = "level"
"""
    model = tiny_model(numbers, field + behaviour("T", "migrate", "h", up="F", bias="bias"))
    occupant = np.zeros((2, 60, 60), np.uint8)
    occupant[0, :, 0] = 4
    occupant[1, 5:55:6, 30] = 3
    tissue = tissue_of(model, occupant)
    for _ in range(20):
        tissue.step()
    moved = 30 - np.argwhere(tissue.state.occupant[1])[:, 1].mean()
    # half of 40 hops climb at least one column's worth of gradient; a blind walker stays within 4 standard errors (7)
    assert moved > 12
