"""Counters, clocks and timers: how they start, pass on, change, and what happens at zero.

Most are exact laws (a sum that every division conserves, a clone of 2^9, a timetable of certain events). The
one statistical law is the start: a Kolmogorov-Smirnov test with p > 1e-6, which sees a mean or a spread 5 % off.
"""

import numpy as np
import pytest
from engine_cases import ALPHA, EXHAUSTED, events_of
from scipy import stats
from tiny import attribute, behaviour, change, parameters, rule, same_state, scattered, tiny_model, tissue_of

from oncolattice.abm.advance import Tissue
from oncolattice.abm.state import State

CERTAIN = {"update": "per-step probabilities"}
NUMBERS = parameters(
    b=(0.2, "1/h"), d=(0.05, "1/h"), hop=(2.0, "1/h"), sure=(1.0, "1/h"), lose=(-1.0, "1"), lots=(-3.0, "1"),
    four=(4.0, "1"), five=(5.0, "1"), nine=(9.0, "1"), now=(0.0, "h"), rest=(3.0, "h"), age=(5.0, "h"),
    half=(0.5, "h"), wide=(1.5, "1"), k=(0.1, "1/h"), share=(0.3, "1"), rings=(4.0, "1"), mean=(6.0, "h"),
    spread=(4.0, "h"), seven=(7.0, "1"),
)  # fmt: skip


def value_of(tissue: Tissue, name: str, type_id: int) -> np.ndarray:
    """Return an attribute as rules see it, for all cells of a type."""
    info = next(i for i, a in enumerate(tissue.model.attributes) if a.name == name)
    stored = tissue.state.attributes[info][tissue.state.occupant == type_id].astype(float)
    now = tissue.state.step * tissue.model.dt_h
    kind = tissue.model.attributes[info].kind
    return {"count": stored, "clock": now - stored, "timer": np.maximum(0.0, stored - now)}[kind]


def by_uid(tissue: Tissue, name: str) -> dict[int, float]:
    """Return what is stored for an attribute, by the identity of the cell."""
    info = next(i for i, a in enumerate(tissue.model.attributes) if a.name == name)
    here = tissue.state.uid != 0
    return dict(
        zip(tissue.state.uid[here].tolist(), tissue.state.attributes[info][here].tolist(), strict=True)
    )


@pytest.mark.parametrize("kind", ["count", "clock", "timer"])
def test_cells_start_with_the_initial_value(kind):
    unit = "1" if kind == "count" else "h"
    start = "seven" if kind == "count" else "mean"
    model = tiny_model(NUMBERS, attribute("x", "A", start, kind=kind, unit=unit))
    tissue = tissue_of(model, scattered((30, 30), 0.4, 1, 0))
    assert np.all(value_of(tissue, "x", 1) == (7.0 if kind == "count" else 6.0))
    assert np.all(tissue.state.attributes[0][tissue.state.occupant != 1] == 0.0)
    tissue.advance(4)
    later = {"count": 7.0, "clock": 10.0, "timer": 2.0}[kind]
    assert np.all(value_of(tissue, "x", 1) == later)
    tissue.advance(4)
    assert np.all(value_of(tissue, "x", 1) == {"count": 7.0, "clock": 14.0, "timer": 0.0}[kind])


@pytest.mark.parametrize(("mean", "spread"), [(6.0, 4.0), (0.0, 4.0), (10.0, 1.5)])
def test_a_spread_start_is_a_normal_cut_off_at_zero(mean, spread):
    model = tiny_model(
        parameters(m=(mean, "h"), s=(spread, "h")),
        attribute("life", "A", "m", spread="s", kind="timer", unit="h"),
    )
    tissue = tissue_of(model, scattered((180, 180), 0.6, 1, 0))
    values = value_of(tissue, "life", 1)
    law = stats.truncnorm(-mean / spread, np.inf, loc=mean, scale=spread)
    assert values.size > 15_000
    assert values.min() >= 0
    assert stats.kstest(values, law.cdf).pvalue > ALPHA
    assert stats.kstest(values * 1.05, law.cdf).pvalue < ALPHA
    neighbours = np.corrcoef(values[:-1], values[1:])[0, 1]
    assert abs(neighbours) * np.sqrt(values.size) < 4.5  # one cell's start says nothing about the next one's


def test_what_a_cell_starts_with_in_one_attribute_says_nothing_about_another():
    numbers = parameters(m=(10.0, "h"), s=(2.0, "h"))
    blocks = "".join(attribute(name, "A", "m", spread="s", kind="timer", unit="h") for name in "xy")
    tissue = tissue_of(tiny_model(numbers, blocks), scattered((180, 180), 0.6, 1, 0))
    x, y = value_of(tissue, "x", 1), value_of(tissue, "y", 1)
    assert abs(np.corrcoef(x, y)[0, 1]) * np.sqrt(x.size) < 4.5


@pytest.mark.parametrize("dimensions", [2, 3])
def test_every_division_conserves_the_sum_of_two_to_the_divisions_left(dimensions):
    """A division turns one cell with n left into two with n - 1: sum 2^n never changes, and 9 give 512 cells."""
    model = tiny_model(
        NUMBERS,
        attribute("left", "A", "nine")
        + change("left", "divide", add="lose", at_zero="become V", cell="A")
        + behaviour("A", "divide", "b", rings="rings")
        + behaviour("A", "migrate", "hop")
        + behaviour("V", "migrate", "hop"),
        dimensions=dimensions,
    )
    shape = (64, 64) if dimensions == 2 else (16, 16, 16)
    founders = 4
    occupant = np.zeros((2, *shape), np.uint8)
    rng = np.random.default_rng(1)
    occupant[0].reshape(-1)[rng.choice(np.prod(shape), founders, replace=False)] = 1
    tissue = tissue_of(model, occupant)
    for _ in range(30):
        tissue.advance(10)
        left = value_of(tissue, "left", 1)
        assert np.all((left >= 1) & (left <= 9))
        finished = int(tissue.state.counts(model)[3])
        assert np.sum(2.0**left) + finished == founders * 2**9
        if left.size == 0:
            break
    assert tissue.state.counts(model).tolist() == [0, 0, 0, founders * 512]
    assert events_of(tissue)["A: divide"] == founders * 511


def test_a_blocked_division_changes_nothing():
    model = tiny_model(
        NUMBERS,
        attribute("left", "A", "nine") + change("left", "divide", add="lose") + behaviour("A", "divide", "b"),
    )
    occupant = np.zeros((2, 20, 20), np.uint8)
    occupant[0] = 1
    tissue = tissue_of(model, occupant)
    tissue.advance(10)
    assert events_of(tissue)["A: division blocked"] > 500
    assert np.all(value_of(tissue, "left", 1) == 9)


def test_nothing_falls_below_zero():
    """4 - 3 - 3 is 0, and stays there; a change without at_zero has no other consequence."""
    model = tiny_model(
        NUMBERS,
        attribute("n", "A", "four") + change("n", "divide", add="lots") + behaviour("A", "divide", "b"),
    )
    tissue = tissue_of(model, scattered((60, 60), 0.02, 1, 0))
    tissue.advance(25)
    values = set(value_of(tissue, "n", 1).tolist())
    assert {1.0, 0.0} <= values <= {4.0, 1.0, 0.0}


def test_dying_at_zero_takes_mother_and_daughter():
    """A counter of 1: the first division is the last of both."""
    model = tiny_model(
        NUMBERS + parameters(single=(1.0, "1")),
        attribute("n", "A", "single")
        + change("n", "divide", add="lose", at_zero="die worn")
        + behaviour("A", "divide", "b"),
    )
    tissue = tissue_of(model, scattered((60, 60), 0.1, 1, 0))
    start = int(tissue.state.counts(model)[0])
    tissue.advance(10)
    events = events_of(tissue)
    assert events["A: divide"] > 100
    assert events["A: die worn"] == 2 * events["A: divide"]
    assert tissue.state.counts(model)[0] == start - events["A: divide"]


def test_daughters_inherit_and_other_types_begin_anew():
    """A begets V: V carries its own counter and begins it, A's daughters inherit A's; B, like A, carries A's."""
    model = tiny_model(
        NUMBERS,
        attribute("mine", "A", "nine")
        + attribute("both", "A", "four")
        + attribute("theirs", "V", "five")
        + change("mine", "divide", add="lose")
        + behaviour("A", "divide", "b")
        + behaviour("A", "beget V", "share")
        + behaviour("A", "become B", "d"),
    )
    tissue = tissue_of(model, scattered((60, 60), 0.1, 1, 0))
    tissue.advance(6)
    assert value_of(tissue, "theirs", 4).size > 20
    assert np.all(value_of(tissue, "theirs", 4) == 5)
    assert np.all(value_of(tissue, "mine", 4) == 0)
    assert np.all(value_of(tissue, "theirs", 1) == 0)
    for cells in (1, 2):
        assert np.all(value_of(tissue, "both", cells) == 4)
    assert value_of(tissue, "mine", 2).min() < 9  # a cell that becomes another carrier keeps its count
    assert value_of(tissue, "mine", 1).min() < 9


def test_a_type_that_carries_it_anew_starts_it():
    """V carries a timer that A does not: it begins when A becomes V."""
    model = tiny_model(
        NUMBERS,
        attribute("t", "V", "mean", kind="timer", unit="h") + behaviour("A", "become V", "sure"),
        **CERTAIN,
    )
    tissue = tissue_of(model, scattered((30, 30), 0.3, 1, 0))
    tissue.step()
    assert np.all(value_of(tissue, "t", 4) == 5.0)  # 6 h from time 0, at which the step's behaviours act


def test_a_clock_is_set_by_becoming_and_read_by_a_rule():
    """A becomes B in the step from 0 h, which sets B's clock; B dies in the step that begins 5 h later."""
    model = tiny_model(
        NUMBERS,
        attribute("since", "tumour", "mean", kind="clock", unit="h")
        + change("since", "become B", set="now")
        + behaviour("A", "become B", "sure")
        + behaviour("B", "die old", "sure")
        + rule("B", "die old", "own since", "drives", "age", response="step"),
        **CERTAIN,
    )
    tissue = tissue_of(model, scattered((30, 30), 0.3, 1, 0))
    start = int(tissue.state.counts(model)[0])
    left = []
    for _ in range(8):
        tissue.step()
        left.append(int(tissue.state.counts(model)[1]))
    assert left == [start] * 5 + [0] * 3
    assert events_of(tissue)["B: die old"] == start


def killers(more: str) -> Tissue:
    """Return T cells over a full tumour whose victims leave V behind."""
    model = tiny_model(
        NUMBERS,
        EXHAUSTED + more + behaviour("T", "kill tumour", "k", leaves="V") + behaviour("T", "migrate", "hop"),
    )
    occupant = np.zeros((2, 90, 90), np.uint8)
    occupant[0] = 1
    occupant[1, 2::6, 2::6] = 3
    return tissue_of(model, occupant)


def test_after_its_last_kill_a_killer_is_exhausted():
    """Kills = 5 for every exhausted cell + 5 - left for every other one, after every step; the rest goes on."""
    tissue = killers(
        attribute("shots", "T", "five") + change("shots", "kill tumour", add="lose", at_zero="become E")
    )
    for _ in range(12):
        tissue.advance(2)
        _, _, active, _, exhausted = tissue.state.counts(tissue.model)
        left = value_of(tissue, "shots", 3)
        assert np.all(left >= 1)
        assert events_of(tissue)["A: killed by T"] == 5 * exhausted + np.sum(5 - left)
        assert active + exhausted == 225
    assert exhausted > 150
    assert events_of(tissue)["T: become E"] == exhausted


def test_an_engaged_killer_does_not_kill_again():
    """The timer that a kill sets to 3 h forbids kills while it runs: never two within 3 h, and some exactly 3 h
    apart; each kill sets one timer, so kills are counted by the timers that change."""
    tissue = killers(
        attribute("engaged", "T", "now", kind="timer", unit="h")
        + change("engaged", "kill tumour", set="rest")
        + rule("T", "kill tumour", "own engaged", "decreases", "half", response="step")
    )
    before, gaps, kills = by_uid(tissue, "engaged"), [], 0
    last: dict[int, int] = {}
    for step in range(25):
        tissue.step()
        after = by_uid(tissue, "engaged")
        for uid in (u for u in after if after[u] != before[u]):
            kills += 1
            if uid in last:
                gaps.append(step - last[uid])
            last[uid] = step
        before = after
    assert kills == events_of(tissue)["A: killed by T"]
    assert min(gaps) == 3
    assert gaps.count(3) > 50


def test_what_a_cell_carries_moves_with_it():
    model = tiny_model(
        NUMBERS,
        attribute("tag", "T", "mean", spread="spread", kind="timer", unit="h")
        + behaviour("T", "migrate", "hop"),
    )
    tissue = tissue_of(model, scattered((40, 40), 0.3, 3, 1))
    before = by_uid(tissue, "tag")
    tissue.advance(15)
    assert by_uid(tissue, "tag") == before
    assert np.all(tissue.state.attributes[0][tissue.state.occupant == 0] == 0)


@pytest.mark.parametrize("update", ["rates", "random attempts"])
def test_a_checkpoint_keeps_them(update):
    model = tiny_model(
        NUMBERS,
        attribute("left", "A", "nine", spread="wide")
        + attribute("age", "A", "now", kind="clock", unit="h")
        + change("left", "divide", add="lose", at_zero="die worn")
        + change("age", "divide", set="now")
        + behaviour("A", "divide", "d")
        + behaviour("A", "die old", "d")
        + rule("A", "die old", "own age", "increases", "age", fold="four"),
        update=update,
    )
    straight, first = (tissue_of(model, scattered((50, 50), 0.1, 1, 0)) for _ in range(2))
    straight.advance(20)
    first.advance(9)
    again = Tissue(model, State.from_arrays(first.state.to_arrays()))
    again.advance(11)
    assert same_state(straight.state, again.state)
