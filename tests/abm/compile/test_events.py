"""Counts before, and what the events say, are the counts after: for every type, step, update and random model."""

import numpy as np
import pytest
from tiny import attribute, behaviour, change, parameters, scattered, tiny_model, tissue_of

from oncolattice.abm.compile.events import TO_BODY
from oncolattice.abm.errors import InputError
from oncolattice.abm.model import Model
from oncolattice.abm.vocabulary import TARGETS, UPDATES

NUMBERS = parameters(
    fast=(0.06, "1/h"), slow=(0.02, "1/h"), quick=(1.0, "1/h"), some=(0.3, "1"), one=(1.0, "1"), two=(2.0, "1"),
    less=(-1.0, "1"), none=(0.0, "1"),
)  # fmt: skip
TISSUE = ("A", "B", "V")


def random_model(seed: int, update: str) -> Model:
    """Return a model whose cells do a random choice of everything that changes their number or type."""
    rng = np.random.default_rng(seed)
    carrier = str(rng.choice(["A", "B", "T"]))
    carried = {"lives": carrier, "turns": "AB"}  # B is like A, so that it carries what A does
    blocks = attribute("lives", carrier, "two") + attribute("turns", "tumour", "one")
    blocks += (
        behaviour("V", "admit T", "one")
        + behaviour("T", "leave", "slow")
        + behaviour("T", "migrate", "quick")
    )
    victims, changing = str(rng.choice(["tumour", "A", "T"])), [("T", "kill")]
    blocks += behaviour(
        "T", f"kill {victims}", "slow", **({"leaves": "V"} if victims != "T" and seed % 2 else {})
    )
    for cell in TISSUE:
        other, remains = str(rng.choice([t for t in TISSUE if t != cell])), "A" if cell == "V" else "V"
        left = {"leaves": remains} if rng.random() < 0.5 else {}
        blocks += behaviour(cell, "divide", "fast", target=TARGETS[rng.integers(2)])
        blocks += behaviour(cell, f"die cause{rng.integers(2)}", "slow", **left)
        changing.append((cell, "divide"))
        if rng.random() < 0.7:
            blocks += behaviour(cell, f"become {other}", "slow")
            changing.append((other, f"{cell} become"))
        blocks += behaviour(cell, f"beget {other}", "some") if rng.random() < 0.5 else ""
        blocks += behaviour(cell, "die_dividing mitosis", "some", **left) if rng.random() < 0.5 else ""
        blocks += behaviour(cell, "leave", "slow") if rng.random() < 0.3 else ""
    for name, cells in carried.items():
        for holder, does in changing:
            if holder in cells or (holder == "B" and "A" in cells):
                who, _, verb = does.rpartition(" ")
                on = {"divide": "divide", "become": f"become {holder}", "kill": f"kill {victims}"}[verb]
                end = "die worn" if holder == "T" or rng.random() < 0.5 else f"become {rng.choice(TISSUE)}"
                step = {"add": "less"} if rng.random() < 0.5 else {"set": "none"}
                blocks += change(name, on, cell=who or holder, at_zero=end, **step)
    return tiny_model(NUMBERS, blocks, update=update)


@pytest.mark.parametrize("update", UPDATES)
@pytest.mark.parametrize("seed", range(12))
def test_counts_and_events_agree_at_every_step(seed, update):
    model = random_model(seed, update)
    occupant = scattered((24, 24), 0.5, 1, 0, seed)
    occupant[0][scattered((24, 24), 0.4, 1, 0, seed + 50)[0] > 0] = 2
    occupant[0, ::5, ::5] = 4
    occupant[1] = scattered((24, 24), 0.2, 3, 1, seed)[1]
    tissue = tissue_of(model, occupant, seed)
    before, after = (np.maximum(model.event_cells[:, k], 0) for k in (0, 1))
    counted, events = np.bincount(tissue.state.occupant.ravel(), minlength=5), tissue.state.events.copy()
    for _ in range(40):
        entered = tissue.step({3: 4})
        happened = tissue.state.events - events
        booked = np.bincount(after, happened, 5) - np.bincount(before, happened, 5)
        booked[3] += entered[3]
        now = np.bincount(tissue.state.occupant.ravel(), minlength=5)
        assert (counted + booked)[1:].tolist() == now[1:].tolist()
        counted, events = now, tissue.state.events.copy()
    assert np.count_nonzero(events) >= 8


def test_one_event_leaves_one_thing():
    """A death by the same name that leaves a dead cell here and nothing there could not be booked."""
    ageing = attribute("age", "A", "one") + behaviour("A", "divide", "slow")
    ageing += change("age", "divide", set="none", at_zero="die worn")
    with pytest.raises(InputError, match="'A: die worn' leaves nothing in the site, and V where"):
        tiny_model(NUMBERS, behaviour("A", "die worn", "slow", leaves="V") + ageing)
    with pytest.raises(InputError, match="'A: killed by T' leaves nothing in the site, and V where"):
        tiny_model(
            NUMBERS, behaviour("T", "kill A", "slow", leaves="V") + behaviour("T", "kill tumour", "slow")
        )
    alike = behaviour("T", "kill A", "slow", leaves="V") + behaviour("T", "kill tumour", "slow", leaves="V")
    model = tiny_model(NUMBERS, alike + behaviour("T", "leave", "slow"))
    assert dict(zip(model.events, model.event_cells.tolist(), strict=True)) == {
        "A: killed by T": [1, 4], "B: killed by T": [2, 4], "T: leave": [3, TO_BODY],
    }  # fmt: skip
