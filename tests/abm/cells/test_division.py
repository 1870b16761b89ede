"""Where daughters go: every free neighbour alike, ring by ring, or one drawn neighbour that must be empty.

Uniformity is a chi-square over offsets with p > 1e-6 (the false-alarm rate); with at least 1500 daughters an
offset that is never drawn, or drawn twice as often, gives p < 1e-12. Counts accept |z| < 4.5 (a false alarm in
150,000).
"""

import numpy as np
import pytest
from engine_cases import ALPHA, Z, events_of, grid, ring_sites, z_binomial
from scipy import stats
from tiny import behaviour, parameters, tiny_model, tissue_of

from oncolattice.abm.vocabulary import NEIGHBOURHOODS

ABORT = "random neighbour, abort if occupied"
CERTAIN = {"update": "per-step probabilities"}  # p = r dt = 1: every mother divides in the one step of a test
CASES = [
    (shape, neighbourhood, boundary)
    for shape in ((120, 136), (24, 32, 40))
    for neighbourhood in NEIGHBOURHOODS
    for boundary in ("no-flux", "periodic")
]


def start(shape: tuple, blocked: float, seed: int, pitch: int = 8) -> tuple[np.ndarray, list]:
    """Return mothers (A) on a coarse grid that begins at the edge, among obstacles (V), and their sites."""
    rng = np.random.default_rng(seed)
    occupant = np.zeros((2, *shape), np.uint8)
    occupant[0][rng.random(shape) < blocked] = 4
    mothers = grid(shape, 0, pitch)
    for site in mothers:
        occupant[(0, *site)] = 1
    return occupant, mothers


def daughters_around(after: np.ndarray, before: np.ndarray, sites: list[tuple]) -> list[int]:
    """Return which of the given sites are newly taken by A."""
    return [i for i, s in enumerate(sites) if after[(0, *s)] == 1 and before[(0, *s)] == 0]


@pytest.mark.parametrize(("shape", "neighbourhood", "boundary"), CASES)
def test_every_free_neighbour_is_equally_likely(shape, neighbourhood, boundary):
    """Obstacles take a third of the sites; expected counts are 1 / (free neighbours) of every mother."""
    model = tiny_model(
        parameters(b=(1.0, "1/h")), behaviour("A", "divide", "b"), dimensions=len(shape),
        neighbourhood=neighbourhood, boundary=boundary, **CERTAIN,
    )  # fmt: skip
    moore, periodic = neighbourhood == "moore", boundary == "periodic"
    drawn: dict[tuple, float] = {}
    expected: dict[tuple, float] = {}
    total = blocked = 0
    for seed in range(8 if len(shape) == 2 else 10):
        occupant, mothers = start(shape, 0.35, seed, pitch=8 if len(shape) == 2 else 4)
        tissue = tissue_of(model, occupant, seed=seed)
        tissue.step()
        for mother in mothers:
            free = [s for s in ring_sites(mother, shape, 1, moore, periodic) if occupant[(0, *s)] == 0]
            offsets = [
                tuple((b - a + n // 2) % n - n // 2 for a, b, n in zip(mother, s, shape, strict=True))
                for s in free
            ]
            for offset in offsets:
                expected[offset] = expected.get(offset, 0.0) + 1 / len(free)
            taken = daughters_around(tissue.state.occupant, occupant, free)
            assert len(taken) == (1 if free else 0)
            blocked += not free
            for i in taken:
                drawn[offsets[i]] = drawn.get(offsets[i], 0) + 1
        total += events_of(tissue)["A: divide"]
        blocked -= events_of(tissue)["A: division blocked"]
    assert total >= 1500
    assert sum(drawn.values()) == total
    assert blocked == 0
    keys = sorted(expected)
    chi2 = sum((drawn.get(k, 0) - expected[k]) ** 2 / expected[k] for k in keys)
    assert stats.chi2.sf(chi2, len(keys) - 1) > ALPHA


@pytest.mark.parametrize("neighbourhood", NEIGHBOURHOODS)
@pytest.mark.parametrize("shape", [(132, 132), (33, 33, 33)])
def test_a_daughter_takes_the_nearest_ring_with_room(shape, neighbourhood):
    """Ring 1 is full, ring 2 has free sites: the daughter is in ring 2, every site of it alike; with two rings
    full and rings = 2 nothing is born."""
    moore = neighbourhood == "moore"
    model = tiny_model(
        parameters(b=(1.0, "1/h"), rings=(2.0, "1")), behaviour("A", "divide", "b", rings="rings"),
        dimensions=len(shape), neighbourhood=neighbourhood, **CERTAIN,
    )  # fmt: skip
    counts: dict[tuple, int] = {}
    for seed in range(8):
        occupant = np.zeros((2, *shape), np.uint8)
        mothers = grid(shape, 5, 11)
        for m in mothers:
            occupant[(0, *m)] = 1
            for s in ring_sites(m, shape, 1, moore, False):
                occupant[(0, *s)] = 4
        closed = mothers[0]
        for s in ring_sites(closed, shape, 2, moore, False):
            occupant[(0, *s)] = 4
        tissue = tissue_of(model, occupant, seed=seed)
        tissue.step()
        assert events_of(tissue)["A: division blocked"] == 1
        for m in mothers[1:]:
            sites = ring_sites(m, shape, 2, moore, False)
            (i,) = daughters_around(tissue.state.occupant, occupant, sites)
            offset = tuple(b - a for a, b in zip(m, sites[i], strict=True))
            counts[offset] = counts.get(offset, 0) + 1
    observed = [counts.get(o, 0) for o in ring_sites((0,) * len(shape), (9**9,) * len(shape), 2, moore, True)]
    observed = list(counts.values()) + [0] * (len(observed) - len(counts))
    assert stats.chisquare(observed).pvalue > ALPHA


@pytest.mark.parametrize(("shape", "neighbourhood", "boundary"), CASES)
def test_abort_if_occupied_succeeds_with_the_free_share(shape, neighbourhood, boundary):
    """P(success) = free neighbours / all neighbours, those beyond a closed edge counted as taken."""
    model = tiny_model(
        parameters(b=(1.0, "1/h")), behaviour("A", "divide", "b", target=ABORT), dimensions=len(shape),
        neighbourhood=neighbourhood, boundary=boundary, **CERTAIN,
    )  # fmt: skip
    moore, periodic = neighbourhood == "moore", boundary == "periodic"
    everyone = (3 ** len(shape) - 1) if moore else 2 * len(shape)
    found = mean = variance = 0.0
    per_offset: dict[tuple, list[float]] = {}
    for seed in range(6):
        occupant, mothers = start(shape, 0.5, seed)
        tissue = tissue_of(model, occupant, seed=seed)
        tissue.step()
        for m in mothers:
            sites = ring_sites(m, shape, 1, moore, periodic)
            free = [s for s in sites if occupant[(0, *s)] == 0]
            p = len(free) / everyone
            taken = daughters_around(tissue.state.occupant, occupant, free)
            assert len(taken) <= 1
            found, mean, variance = found + len(taken), mean + p, variance + p * (1 - p)
            for i, s in enumerate(free):
                key = tuple((b - a + n // 2) % n - n // 2 for a, b, n in zip(m, s, shape, strict=True))
                cell = per_offset.setdefault(key, [0, 0.0])
                cell[0] += i in taken
                cell[1] += 1 / everyone
        events = events_of(tissue)
        assert events["A: divide"] + events["A: division blocked"] == len(mothers)
        assert events["A: divide"] == tissue.state.counts(model)[0] - len(mothers)
    assert abs(found - mean) < Z * np.sqrt(variance)
    assert abs(found - 1.1 * mean) > Z * np.sqrt(variance) or found < 3000  # a share 10 % off is seen
    chi2 = sum((n - e) ** 2 / e for n, e in per_offset.values())
    assert stats.chi2.sf(chi2, len(per_offset)) > ALPHA


@pytest.mark.parametrize("update", ["rates", "per-step probabilities", "random attempts"])
def test_a_division_attempt_that_has_found_its_site_may_kill(update):
    """Share killed = the probability; the site of a mother who dies is empty and no daughter stands anywhere."""
    model = tiny_model(
        parameters(b=(0.2, "1/h"), q=(0.3, "1")),
        behaviour("A", "divide", "b") + behaviour("A", "die_dividing mitosis", "q"),
        update=update,
    )
    killed = divided = 0
    for seed in range(6):
        occupant, _ = start((240, 240), 0.0, seed, pitch=4)
        tissue = tissue_of(model, occupant, seed=seed)
        tissue.step()
        events = events_of(tissue)
        killed, divided = killed + events["A: die_dividing mitosis"], divided + events["A: divide"]
        change = int(tissue.state.counts(model)[0]) - int((occupant == 1).sum())
        assert change == events["A: divide"] - events["A: die_dividing mitosis"]
        assert events["A: division blocked"] == 0
    assert abs(z_binomial(killed, killed + divided, 0.3)) < Z
    assert abs(z_binomial(killed, killed + divided, 0.33)) > Z or killed + divided < 9000


def test_a_blocked_attempt_does_not_kill():
    model = tiny_model(
        parameters(b=(0.2, "1/h"), q=(1.0, "1")),
        behaviour("A", "divide", "b") + behaviour("A", "die_dividing mitosis", "q"),
    )
    occupant = np.zeros((2, 40, 40), np.uint8)
    occupant[0] = 1
    tissue = tissue_of(model, occupant)
    tissue.advance(5)
    events = events_of(tissue)
    assert events["A: die_dividing mitosis"] == 0
    assert events["A: division blocked"] > 1000
    occupant[0, ::2, ::2] = 0  # and with room every attempt kills
    tissue = tissue_of(model, occupant)
    tissue.step()
    events = events_of(tissue)
    assert events["A: divide"] == 0
    assert events["A: die_dividing mitosis"] > 100


def test_a_drug_from_the_body_decides_how_many_attempts_kill():
    """A rule on a body signal: Hill with half 2 nM at 2 nM halves the probability, at 0 none dies."""
    signal = '\n[[body_signal]]\nname = "P"\nunit = "nM"\ndefault = "none"\n'
    model = tiny_model(
        parameters(b=(0.2, "1/h"), q=(0.8, "1"), half=(2.0, "nM"), none=(0.0, "nM")),
        signal
        + behaviour("A", "divide", "b")
        + behaviour("A", "die_dividing mitosis", "q")
        + '\n[[rule]]\ncell = "A"\nbehaviour = "die_dividing mitosis"\nsignal = "body P"\neffect = "drives"\n'
        'half = "half"\n',
    )
    for level, share in ((0.0, 0.0), (2.0, 0.4), (6.0, 0.6)):
        killed = attempts = 0
        for seed in range(4):
            occupant, _ = start((240, 240), 0.0, seed, pitch=4)
            tissue = tissue_of(model, occupant, seed=seed)
            tissue.set_body({"P": level})
            tissue.step()
            events = events_of(tissue)
            killed += events["A: die_dividing mitosis"]
            attempts += events["A: die_dividing mitosis"] + events["A: divide"]
        assert attempts > 2000
        assert killed == 0 if share == 0 else abs(z_binomial(killed, attempts, share)) < Z


def test_begotten_types_take_their_shares_and_are_counted_where_they_stand():
    """Two daughters' types with shares .2 and .3; also when a part of the attempts kills."""
    words = behaviour("A", "divide", "b") + behaviour("A", "beget B", "p") + behaviour("A", "beget V", "s")
    words += behaviour("A", "die_dividing mitosis", "q")
    # B inherits from A, and would beget itself
    words += behaviour("B", "divide", "b") + behaviour("B", "beget V", "none")
    model = tiny_model(
        parameters(b=(0.2, "1/h"), p=(0.2, "1"), s=(0.3, "1"), q=(0.25, "1"), none=(0.0, "1")), words
    )
    totals: dict[str, int] = {}
    for seed in range(6):
        occupant, _ = start((240, 240), 0.0, seed, pitch=4)
        tissue = tissue_of(model, occupant, seed=seed)
        tissue.step()
        events = events_of(tissue)
        _, b, _, v = tissue.state.counts(model)
        assert (events["A: beget B"], events["A: beget V"]) == (b, v)
        totals = {k: totals.get(k, 0) + n for k, n in events.items()}
    divided = totals["A: divide"]
    assert abs(z_binomial(totals["A: beget B"], divided, 0.2)) < Z
    assert abs(z_binomial(totals["A: beget V"], divided, 0.3)) < Z
    assert (
        abs(z_binomial(totals["A: die_dividing mitosis"], divided + totals["A: die_dividing mitosis"], 0.25))
        < Z
    )


@pytest.mark.parametrize("verb", ["die x", "kill tumour"])
def test_what_a_cell_leaves_stands_in_its_site(verb):
    if verb == "die x":
        words = behaviour("A", "die x", "d", leaves="V")
    else:
        words = behaviour("T", "kill tumour", "d", leaves="V")
    model = tiny_model(parameters(d=(0.1, "1/h")), words)
    occupant = np.zeros((2, 60, 60), np.uint8)
    occupant[0, ::3, ::3] = 1
    occupant[1, ::3, ::3] = 3
    tissue = tissue_of(model, occupant)
    tissue.advance(5)
    before, after = occupant[0], tissue.state.occupant[0]
    gone = (before == 1) & (after != 1)
    assert gone.sum() > 50
    assert np.all(after[gone] == 4)
    assert np.all(after[before == 0] == 0)
    assert int(tissue.state.counts(model)[3]) == gone.sum()
    assert np.array_equal(tissue.state.uid[0] != 0, after != 0)
