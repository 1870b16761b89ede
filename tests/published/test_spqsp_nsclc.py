"""The stem, progenitor and senescent cells of spQSP settle to the fractions that its authors start from.

Formula of ``VoxelContentGen::setup`` in the code of Gong et al. 2021 (10.3390/cancers13153751), with r = rs (1 - k).
The blocks are so large that hardly a division is blocked. With p = r dt a step the expected numbers follow an
explicit Euler step of the hierarchy, whose stationary vector is exactly that of the rates, while the growth of
0.01/d reads ln(1 + 0.01 dt)/dt, 0.1 % less.
"""

import math

import numpy as np
import pytest

from oncolattice.abm.advance import Tissue
from oncolattice.abm.compile.model_file import read_model
from oncolattice.abm.compile.parameters import Override
from oncolattice.abm.model import Model, compile_model, load_model
from oncolattice.abm.placement import place_scattered
from oncolattice.abm.state import first_state

SIDE, RUNS = 96, 6
TYPES = ("stem", "progenitor", "senescent")


def hierarchy(**values: float) -> Model:
    """Return the library model without T cells and cytokines, with some parameters changed."""
    spec = read_model("spqsp_nsclc")
    spec.model["layers"] = ["tissue"]
    sections = spec.sections
    sections["field"] = []
    sections["cell_type"] = [entry for entry in sections["cell_type"] if entry["name"] in TYPES]
    for name in ("behaviour", "rule", "attribute", "change"):
        sections[name] = [
            entry
            for entry in sections[name]
            if entry["cell"] in (*TYPES, "tumour")
            and not entry.get("do", "").startswith(("take_up", "admit"))
        ]
    return compile_model(spec, {name: Override(value, None, "user") for name, value in values.items()}, {})


def grown(model: Model, stems: int, days: list[int], seed: int) -> tuple[np.ndarray, dict[str, int]]:
    """Return the numbers of every type at some days of a block with scattered stem cells, and the events."""
    counts, shape = {"counts": {"stem": stems}}, (SIDE, SIDE, SIDE)
    placement = place_scattered(shape, model.site_um, model.types, model.layers, counts, seed)
    tissue, found = Tissue(model, first_state(model, placement, seed)), []
    for day in days:
        tissue.advance(round(24 * day / model.dt_h) - tissue.state.step)
        found.append(tissue.state.number[1:].copy())
    return np.array(found), dict(zip(model.events, tissue.state.events.tolist(), strict=True))


def published_fractions(rs: float, k: float, rp: float, mu: float, d: int) -> np.ndarray:
    """Return the stationary shares of stem, progenitor and senescent cells."""
    r = rs * (1 - k)
    l0, l1, l2 = k * rs / (r + rp), 2 * rp / (r + rp), 2 * rp / (r + mu)
    progenitors = l0 * (l1**d - 1) / (l1 - 1)
    senescent = l0 * l2 * l1 ** (d - 1)
    return np.array([1, progenitors, senescent]) / (1 + progenitors + senescent)


def test_the_formula_gives_the_published_shares():
    shares = published_fractions(0.2, 0.95, 0.5, 1.0, 9)
    assert shares == pytest.approx([0.00404, 0.67010, 0.32586], abs=5e-6)


@pytest.mark.slow
def test_the_hierarchy_settles_to_the_published_shares():
    """Six blocks of 150 stem cells, days 60, 80 and 100; a mean of six within t(0.9999; 5) = 9.7 standard errors.

    False alarm: 2e-4 a number, and the band is no wider than 2 % of progenitors, 4 % of senescent and 25 % of stem
    cells. Power: a senescent death rate 10 % higher (shares 0.6905 and 0.3053) is outside.
    """
    model, shares, blocked, divided = hierarchy(), [], 0, 0
    for seed in range(RUNS):
        numbers, events = grown(model, 150, [60, 80, 100], seed)
        shares.append((numbers / numbers.sum(axis=1, keepdims=True)).mean(axis=0))
        blocked += sum(n for name, n in events.items() if name.endswith("division blocked"))
        divided += events["progenitor: divide"]
    assert blocked < 1e-3 * divided
    mean, band = np.mean(shares, axis=0), 9.7 * np.std(shares, axis=0, ddof=1) / math.sqrt(RUNS)
    right = published_fractions(0.2, 0.95, 0.5, 1.0, 9)
    assert np.all(np.abs(mean - right) < band), (mean, right, band)
    assert np.all(band < np.array([0.25, 0.02, 0.04]) * right)
    wrong = published_fractions(0.2, 0.95, 0.5, 1.1, 9)
    assert np.any(np.abs(mean - wrong) > band)


@pytest.mark.slow
def test_the_stem_cells_grow_by_one_percent_a_day():
    """Births of stem cells over the days they lived, progenitors with a single division so that 6,000 stem cells fit.

    About 10,000 births in 100 days: the standard error is 1 % of the rate, the band 4 of them: false alarm 6e-5. A rate
    10 % off is 10 standard errors away. The single-division shares, another case of the formula, are met as well.
    """
    model = hierarchy(progenitor_divisions=1.0)
    days = list(range(0, 101, 2))
    numbers, events = grown(model, 6000, days, 1)
    stems = numbers[:, 0].astype(float)
    births = stems[-1] - stems[0]
    lived = np.trapezoid(stems, days)
    blocked = events["stem: division blocked"] + events["progenitor: division blocked"]
    assert blocked < 1e-2 * (events["stem: divide"] + events["progenitor: divide"])
    assert births / lived == pytest.approx(0.01, rel=4 / math.sqrt(births))
    asymmetric = events["stem: beget progenitor"] / events["stem: divide"]
    assert asymmetric == pytest.approx(0.95, abs=4 * math.sqrt(0.95 * 0.05 / events["stem: divide"]))
    last = numbers[-20:] / numbers[-20:].sum(axis=1, keepdims=True)
    assert last.mean(axis=0) == pytest.approx(published_fractions(0.2, 0.95, 0.5, 1.0, 1), rel=0.01)


def test_t_cells_live_as_long_as_published():
    """Effector T cells alone: mean life 10 d and standard deviation 1.5 d (with the wait for death, 1.6 d).

    4,000 cells: standard error 0.026 d, band 4.5 of them plus half a step of rounding: false alarm below 1e-5.
    A life of 9 or 11 d is far outside.
    """
    model, shape = load_model("spqsp_nsclc"), (20, 20, 20)
    counts = {"counts": {"effector": 4000}}
    placement = place_scattered(shape, model.site_um, model.types, model.layers, counts, 1)
    tissue, alive = Tissue(model, first_state(model, placement, 1)), [4000]
    while alive[-1]:
        tissue.advance(1)
        alive.append(int(tissue.state.number.sum()))
    day = np.arange(len(alive) - 1) * model.dt_h / 24 + model.dt_h / 48
    died = -np.diff(alive)
    mean = (died * day).sum() / 4000
    assert mean == pytest.approx(10.0, abs=4.5 * 1.64 / math.sqrt(4000) + model.dt_h / 48)
    assert math.sqrt((died * (day - mean) ** 2).sum() / 4000) == pytest.approx(1.64, abs=0.15)
