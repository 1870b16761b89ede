"""The stirred lattice is its own mean field.

All sites of a layer are shuffled after every step, so that neighbours are independent, as the mean field says they
are; what is left is chance and the step of 0.05 h, whose share is below 0.4 % here (rates are at most 0.06/h, and
an explicit step of h loses h/2 times the rate from the growth over the 40 to 60 h of a run). For each model 12
replicates are compared with the ODE at two times, every type: mean within t(0.99999; 11) = 6.2 standard errors
plus 0.5 %. A false alarm is rarer than 1 in 1,000 for the whole file. Power: the same lattice must miss the band of
an ODE whose first rate is 10 % off.
"""

import numpy as np
import pytest
from mean_field_cases import ABORT, EMPTY, block, does, senses, write_model

from oncolattice.abm.advance import Tissue
from oncolattice.abm.mean_field import mean_field
from oncolattice.abm.measures.pairs import mean_field_valid, pair_correlations
from oncolattice.abm.model import Model
from oncolattice.abm.placement import Placement
from oncolattice.abm.state import State, first_state
from oncolattice.ode_coupling.system import Body

REPLICATES = 12
STANDARD_ERRORS, ALLOWED = 6.2, 0.005
STEP_H = 0.05

LIFE = does("A", "die age", "0.24*one")
CASES = {  # types, head, blocks, start, hours
    "seeks, Moore": (
        "A@t",
        {"neighbourhood": "moore"},
        does("A", "divide", "0.96*one", target=EMPTY) + LIFE,
        {"A": 0.15},
        60.0,
    ),
    "seeks, von Neumann": (
        "A@t",
        {"neighbourhood": "von Neumann"},
        does("A", "divide", "0.96*one", target=EMPTY) + LIFE,
        {"A": 0.15},
        60.0,
    ),
    "aborts, von Neumann": (
        "A@t",
        {"neighbourhood": "von Neumann"},
        does("A", "divide", "1.2*one", target=ABORT) + LIFE,
        {"A": 0.15},
        60.0,
    ),
    "seeks, 3-D": (
        "A@t",
        {"dimensions": 3, "neighbourhood": "von Neumann"},
        does("A", "divide", "0.96*one", target=EMPTY) + LIFE,
        {"A": 0.15},
        60.0,
    ),
    "contacts and killing": (
        "A@t B@t T@i",
        {"neighbourhood": "moore"},
        does("A", "divide", "1.4*one")
        + senses("A", "divide", "contact A", "increases", "2", power="2", fold="2")
        + senses("A", "divide", "crowding", "decreases", "0.6", power="4")
        + does("B", "divide", "1.2*one")
        + does("B", "become A", "0.24*one")
        + does("T", "kill A", "0.24*one")
        + senses("T", "kill A", "contact A", "decreases", "2"),
        {"A": 0.15, "B": 0.1, "T": 0.1},
        40.0,
    ),
    "counter, drug and remains": (
        "S@t P@t E@t D@t",
        {"neighbourhood": "moore"},
        does("P", "divide", "1.2*one")
        + does("P", "die_dividing drug", "0.2", leaves="D")
        + does("S", "divide", "0.96*one")
        + does("S", "beget P", "0.5")
        + does("D", "die cleared", "0.48*one")
        + block("attribute", name="left", cell="P", kind="count", unit="1", initial="3")
        + block("change", attribute="left", on="divide", add="-1", at_zero="become E"),
        {"S": 0.05, "P": 0.05},
        60.0,
    ),
}


def shuffle(state: State, rng: np.random.Generator) -> None:
    """Give every cell another site of its layer, with all that it carries."""
    for layer in range(len(state.occupant)):
        order = rng.permutation(state.occupant[layer].size)
        for array in (state.occupant[layer], state.uid[layer], *(slot[layer] for slot in state.attributes)):
            flat = array.reshape(-1)
            flat[:] = flat[order]


def scattered(model: Model, start: dict[str, float], rng: np.random.Generator) -> Placement:
    """Place exact fractions of every type at random."""
    shape = (100, 100) if model.spec.model["dimensions"] == 2 else (20, 22, 24)
    occupant = np.zeros((len(model.layers), *shape), np.uint8)
    filled = [0] * len(model.layers)
    for info in model.types:
        layer = model.layers.index(info.layer)
        n = round(start.get(info.name, 0.0) * occupant[layer].size)
        occupant[layer].reshape(-1)[filled[layer] : filled[layer] + n] = info.id
        filled[layer] += n
    for sites in occupant:
        sites.reshape(-1)[:] = rng.permutation(sites.reshape(-1))
    return Placement(occupant=occupant, region=np.zeros(shape, np.uint8), region_names=("core",), report={})


def stirred(model: Model, start: dict[str, float], hours: float, seed: int) -> np.ndarray:
    """Return occupied fractions at half time and at the end, shape (2, types), of one shuffled lattice."""
    rng = np.random.default_rng(seed)
    tissue = Tissue(model, first_state(model, scattered(model, start, rng), seed))
    steps, found = round(hours / STEP_H), []
    for step in range(1, steps + 1):
        tissue.step()
        shuffle(tissue.state, rng)
        if step in (steps // 2, steps):
            counts = np.bincount(tissue.state.occupant.reshape(-1), minlength=len(model.types) + 1)[1:]
            found.append(counts / tissue.state.occupant[0].size)
    return np.array(found)


def expected(model: Model, start: dict[str, float], hours: float, factor: float = 1.0) -> np.ndarray:
    """Return what the mean field says, with the first division rate multiplied by a factor."""
    ode = mean_field(model, start).ode
    rate = next(p for p in ode.parameters if p.name.endswith(": divide"))
    body = Body(ode, {rate.name: factor * rate.value}, rtol=1e-8, atol=1e-10)
    found = []
    for part in (0.5, 1.0):
        body.advance_to(part * hours / 24)
        found.append(body.outputs()[: len(model.types)])
    return np.array(found)


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_the_stirred_lattice_is_its_mean_field(case, tmp_path):
    types, head, blocks, start, hours = CASES[case]
    model = write_model(tmp_path / "model.toml", types, blocks, time_step_h=STEP_H, **head)
    runs = np.array([stirred(model, start, hours, seed) for seed in range(1, REPLICATES + 1)])
    mean, error = runs.mean(axis=0), runs.std(axis=0, ddof=1) / np.sqrt(REPLICATES)
    right, wrong = expected(model, start, hours), expected(model, start, hours, 1.1)
    band = STANDARD_ERRORS * error + ALLOWED * right
    assert np.all(np.abs(mean - right) <= band)
    assert np.any(np.abs(mean - wrong) > band)


@pytest.mark.slow
def test_hopping_a_thousand_times_a_birth_stirs_well_enough(tmp_path):
    """Hops 40/h, births 0.04/h, deaths 0.01/h: F within 2 % of 1 (6 standard errors of 4 runs on top of 0.4 %), the
    density within 3 % of the ODE (5 on top of 0.7 %), the flag up; births 10 % off would miss by more.

    Without hops the same model clusters: F above 1.05, the flag down, and the lattice below the band of the ODE.
    """
    life = does("A", "divide", "0.96*one", target=ABORT) + LIFE
    start, hours = {"A": 0.15}, 60.0
    found = {}
    for hops in (40, 0):
        blocks = life + (does("A", "migrate", f"{24 * hops}*one") if hops else "")
        model = write_model(tmp_path / "model.toml", "A@t", blocks, neighbourhood="von Neumann")
        finals, total = [], []
        for seed in range(1, 5):
            rng = np.random.default_rng(seed)
            tissue = Tissue(model, first_state(model, scattered(model, start, rng), seed))
            for _ in range(round(hours / model.dt_h)):
                tissue.step()
            pairs = pair_correlations(tissue.state.occupant, 1, boundary="periodic")
            finals.append(pairs.occupancy[0])
            total.append(pairs.total[0])
        found[hops] = (
            np.mean(finals),
            np.mean(total),
            mean_field_valid(np.array([np.mean(total)]), np.ones(1)),
        )
    ode = expected(model, start, hours)[1, 0]
    assert found[40][0] == pytest.approx(ode, rel=0.03)
    assert found[40][0] != pytest.approx(expected(model, start, hours, 1.1)[1, 0], rel=0.03)
    assert found[40][1] == pytest.approx(1.0, abs=0.02)
    assert found[40][2]
    assert not found[0][2]
    assert found[0][0] < 0.95 * ode
