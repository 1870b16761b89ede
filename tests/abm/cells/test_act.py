"""Decisions: exact laws of death, birth and competing fates, exact thinning, threads, no drift."""

import numpy as np
from scipy import stats
from tiny import behaviour, parameters, rule, same_state, scattered, tiny_model, tissue_of

from oncolattice.abm.cells import decide

# Tests compare with the discrete-time law of the engine and accept |z| < 4.5: a false alarm in 150,000.
Z = 4.5
BLIND = parameters(r=(0.02, "1/h"), d=(0.01, "1/h"), b=(0.03, "1/h"), k=(0.02, "1/h"), h=(3.0, "1/h"))


def z_binomial(hits: int, n: int, p: float) -> float:
    return (hits - n * p) / np.sqrt(n * p * (1 - p))


def test_pure_death_is_binomial_and_a_rate_wrong_by_ten_percent_fails():
    model = tiny_model(BLIND, behaviour("A", "die x", "r"))
    tissue = tissue_of(model, scattered((200, 200), 0.6, 1, 0))
    start = int(tissue.state.counts(model)[0])
    for _ in range(40):
        tissue.step()
    dead = start - int(tissue.state.counts(model)[0])
    assert abs(z_binomial(dead, start, 1 - np.exp(-0.02 * 40))) < Z
    assert abs(z_binomial(dead, start, 1 - np.exp(-0.022 * 40))) > Z
    assert tissue.state.events[model.events.index("A: die x")] == dead


def test_every_type_of_a_layer_acts_at_its_own_rate():
    """Three types side by side on one layer, the first and the last of them at different rates."""
    rates = {"A": "d", "B": "r", "V": "b"}  # 0.01, 0.02 and 0.03 an hour
    model = tiny_model(BLIND, "".join(behaviour(name, "die x", rate) for name, rate in rates.items()))
    occupant = np.zeros((2, 210, 210), np.uint8)
    for k, name in enumerate(rates):
        occupant[0, k::3] = model.type_id(name, "test")
    tissue = tissue_of(model, occupant)
    for _ in range(10):
        tissue.step()
    events = dict(zip(model.events, tissue.state.events.tolist(), strict=True))
    for name, rate in zip(rates, (0.01, 0.02, 0.03), strict=True):
        assert abs(z_binomial(events[f"{name}: die x"], 70 * 210, 1 - np.exp(-10 * rate))) < Z, name


def test_competing_fates_share_events_by_their_rates():
    model = tiny_model(
        BLIND, behaviour("A", "die x", "r") + behaviour("A", "become B", "d") + behaviour("A", "leave", "b")
    )
    tissue = tissue_of(model, scattered((200, 200), 0.6, 1, 0))
    start = int(tissue.state.counts(model)[0])
    tissue.step()
    events = dict(zip(model.events, tissue.state.events, strict=True))
    total = sum(events.values())
    assert abs(z_binomial(total, start, 1 - np.exp(-0.06))) < Z
    expected = np.array([2, 1, 3]) / 6 * total
    observed = [events["A: die x"], events["A: become B"], events["A: leave"]]
    assert stats.chisquare(observed, expected).pvalue > 1e-6


def test_birth_fills_free_sites_and_uids_are_unique():
    model = tiny_model(BLIND, behaviour("A", "divide", "b"))
    tissue = tissue_of(model, scattered((150, 150), 0.02, 1, 0))
    start = int(tissue.state.counts(model)[0])
    for _ in range(30):
        tissue.step()
    n = int(tissue.state.counts(model)[0])
    events = dict(zip(model.events, tissue.state.events, strict=True))
    assert n - start == events["A: divide"]
    uids = tissue.state.uid[tissue.state.uid != 0]
    assert uids.size == n == np.unique(uids).size
    attempts = events["A: divide"] + events["A: division blocked"]
    assert attempts > 300


def test_blocked_division_is_counted():
    model = tiny_model(BLIND, behaviour("A", "divide", "b"))
    occupant = np.zeros((2, 40, 40), np.uint8)
    occupant[0] = 1
    tissue = tissue_of(model, occupant)
    for _ in range(5):
        tissue.step()
    events = dict(zip(model.events, tissue.state.events, strict=True))
    assert events["A: divide"] == 0
    assert events["A: division blocked"] > 0


def test_killing_needs_contact_and_follows_its_rate():
    model = tiny_model(BLIND, behaviour("T", "kill tumour", "k"))
    occupant = np.zeros((2, 480, 480), np.uint8)
    occupant[0, 1::6, 1::6] = 1  # one tumour cell under every T cell, no other contact
    occupant[1, 1::6, 1::6] = 3
    occupant[1, 4::6, 4::6] = 3  # and T cells that touch nothing
    tissue = tissue_of(model, occupant)
    start = int(tissue.state.counts(model)[0])
    tissue.step()
    killed = start - int(tissue.state.counts(model)[0])
    assert killed == tissue.state.events[model.events.index("A: killed by T")]
    assert abs(z_binomial(killed, start, 1 - np.exp(-0.02))) < Z
    for _ in range(20):
        tissue.step()
    killed = start - int(tissue.state.counts(model)[0])
    assert abs(z_binomial(killed, start, 1 - np.exp(-0.02 * 21))) < Z
    assert abs(z_binomial(killed, start, 1 - np.exp(-0.024 * 21))) > Z  # and one 20 % off is seen


def test_a_negative_division_rate_is_death_by_competition():
    numbers = (
        BLIND
        + '\ninterval = { value = 1, unit = "h", source = "assumed" }\n'
        + parameters(R=(45.0, "um"), w=(1.0, "1"), half=(0.2, "1"))
    )
    density = '\n[[density]]\nname = "crowd"\nunit = "1"\nradius = "R"\nweights = { A = "w" }\n'
    density += 'update_interval = "interval"\n'
    model = tiny_model(
        numbers,
        density
        + behaviour("A", "divide", "b", below_zero="die crowded")
        + rule("A", "divide", "density crowd", "decreases", "half", response="linear"),
    )
    occupant = np.zeros((2, 100, 100), np.uint8)
    occupant[0] = 1  # full: rate 0.03 * (1 - 1/0.2) = -0.12 everywhere
    tissue = tissue_of(model, occupant)
    tissue.step()
    died = int(tissue.state.events[model.events.index("A: die crowded")])
    assert abs(z_binomial(died, 10_000, 1 - np.exp(-0.12))) < Z


MIXED = (
    behaviour("A", "divide", "b")
    + behaviour("A", "die x", "d")
    + rule("A", "die x", "contact T", "increases", "two", fold="five")
    + behaviour("A", "become B", "d")
    + rule("A", "become B", "crowding", "drives", "one")
    + behaviour("T", "kill tumour", "k")
    + behaviour("T", "migrate", "h")
    + behaviour("T", "leave", "d")
)
MIXED_NUMBERS = BLIND + parameters(two=(2.0, "1"), five=(5.0, "1"), one=(0.5, "1"))


def mixed_start() -> np.ndarray:
    occupant = scattered((70, 90), 0.5, 1, 0)
    occupant[1] = scattered((70, 90), 0.2, 3, 1, seed=5)[1]
    return occupant


def test_thinning_is_exact(monkeypatch):
    """Looser bounds list more candidates and change nothing else, to the last bit."""
    model = tiny_model(MIXED_NUMBERS, MIXED)
    tight, loose = tissue_of(model, mixed_start()), tissue_of(model, mixed_start())
    listed = np.zeros(2, np.int64)
    for _ in range(10):
        tight.step()
        listed[0] += tight._agenda.listed.sum()
    original = decide.bound_rates

    def everyone(view, lattice, tables, agenda):
        original(view, lattice, tables, agenda)
        agenda.threshold[:, 1:] = np.where(agenda.bound[:, 1:] > 0, np.uint64(2**64 - 1), np.uint64(0))
        agenda.most[:] = agenda.threshold.max()

    monkeypatch.setattr("oncolattice.abm.advance.bound_rates", everyone)
    loose._bound()
    for _ in range(10):
        loose.step()
        listed[1] += loose._agenda.listed.sum()
    assert same_state(tight.state, loose.state)
    assert listed[1] > 5 * listed[0]


def test_two_threads_give_the_same_bits():
    model = tiny_model(MIXED_NUMBERS, MIXED)
    one, two = tissue_of(model, mixed_start(), threads=1), tissue_of(model, mixed_start(), threads=2)
    for _ in range(15):
        one.step()
        two.step()
    assert same_state(one.state, two.state)


def test_a_state_goes_on_from_its_arrays():
    model = tiny_model(MIXED_NUMBERS, MIXED)
    straight, broken = tissue_of(model, mixed_start()), tissue_of(model, mixed_start())
    for _ in range(12):
        straight.step()
    for _ in range(5):
        broken.step()
    arrays = {key: value.copy() for key, value in broken.state.to_arrays().items()}
    from oncolattice.abm.advance import Tissue
    from oncolattice.abm.state import State

    again = Tissue(model, State.from_arrays(arrays))
    for _ in range(7):
        again.step()
    assert same_state(straight.state, again.state)


def test_growth_has_no_drift():
    """The centre of a growing colony stays put: z of its mean displacement over replicates, both axes."""
    model = tiny_model(parameters(b=(0.2, "1/h")), behaviour("A", "divide", "b"))
    shifts = []
    for seed in range(60):
        occupant = np.zeros((2, 48, 48), np.uint8)
        occupant[0, 22:26, 22:26] = 1
        tissue = tissue_of(model, occupant, seed=seed)
        for _ in range(25):
            tissue.step()
        shifts.append(np.argwhere(tissue.state.occupant[0]).mean(axis=0) - 23.5)
    z = np.mean(shifts, axis=0) / (np.std(shifts, axis=0, ddof=1) / np.sqrt(len(shifts)))
    assert np.abs(z).max() < Z
