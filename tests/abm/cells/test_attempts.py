"""Random attempts against a plain-Python version, and against their binomial laws (|z| < 4.5, 1 in 150,000)."""

import numpy as np
import pytest
from engine_cases import Z, events_of, z_binomial, z_mean
from oracles import mix
from tiny import behaviour, parameters, rule, same_state, scattered, tiny_model, tissue_of

from oncolattice.abm.advance import Tissue
from oncolattice.abm.cells import draws
from oncolattice.abm.errors import InputError

ATTEMPTS = {"update": "random attempts"}
ABORT = "random neighbour, abort if occupied"
P_MOVE, P_DIVIDE = 0.9, 0.35


def uniform(bits: int) -> float:
    return (bits >> 11) * 2.0**-53


def key_of(seed: int, step: int, purpose: int) -> int:
    return mix(mix(mix(seed) ^ step) ^ purpose)


def slow_step(
    cells: np.ndarray, uid: np.ndarray, seed: int, step: int, offsets: np.ndarray, ring: bool
) -> tuple:
    """N attempts to hop, then N to divide into a drawn neighbour, one after another; return (born, blocked)."""
    shape = cells.shape

    def at(site: tuple, k: int) -> tuple | None:
        other = tuple(int(a + b) for a, b in zip(site, offsets[k], strict=True))
        if ring:
            return tuple(a % n for a, n in zip(other, shape, strict=True))
        return other if all(0 <= a < n for a, n in zip(other, shape, strict=True)) else None

    def attempts(purpose: int) -> list[int]:
        key = mix(key_of(seed, step, draws.ATTEMPT) ^ key_of(seed, step, purpose))
        return [mix((key + k) % 2**64) for k in range(n)]

    where = [tuple(map(int, site)) for site in np.argwhere(cells)]
    n = len(where)
    for bits in attempts(draws.MOVE):
        i = int(uniform(bits) * n)
        luck = uniform(mix(bits))
        if luck < P_MOVE:
            target = at(where[i], int(luck / P_MOVE * len(offsets)))
            if target is not None and not cells[target]:
                cells[target], cells[where[i]] = cells[where[i]], 0
                uid[target], uid[where[i]] = uid[where[i]], 0
                where[i] = target
    where = [tuple(map(int, site)) for site in np.argwhere(cells)]
    born = blocked = 0
    for bits in attempts(draws.FATE):
        mother = where[int(uniform(bits) * len(where))]
        luck = mix(bits)
        if uniform(luck) >= P_DIVIDE:
            continue
        k = int(uniform(mix(luck ^ key_of(seed, step, draws.PLACE))) * len(offsets))
        target = at(mother, k)
        if target is None or cells[target]:
            blocked += 1
            continue
        cells[target] = 1
        uid[target] = mix(int(uid[mother]) ^ mix(luck ^ key_of(seed, step, draws.DAUGHTER)))
        where.append(target)  # a newborn may be drawn by what is left of the N attempts
        born += 1
    return born, blocked


@pytest.mark.parametrize("boundary", ["no-flux", "periodic"])
@pytest.mark.parametrize("neighbourhood", ["moore", "von Neumann"])
@pytest.mark.parametrize("shape", [(14, 17), (6, 7, 8)])
def test_the_exclusion_process_is_that_of_the_slow_version(shape, neighbourhood, boundary):
    model = tiny_model(
        parameters(m=(P_MOVE, "1/h"), b=(P_DIVIDE, "1/h")),
        behaviour("A", "divide", "b", target=ABORT) + behaviour("A", "migrate", "m"),
        dimensions=len(shape), neighbourhood=neighbourhood, boundary=boundary, **ATTEMPTS,
    )  # fmt: skip
    tissue = tissue_of(model, scattered(shape, 0.2, 1, 0), seed=3)
    lattice = tissue.state.lattice(model)
    offsets = lattice.offset[: lattice.size[5], 3 - len(shape) :]
    cells, uid = tissue.state.occupant[0].copy(), tissue.state.uid[0].copy()
    born = blocked = 0
    for step in range(6):
        tissue.step()
        more = slow_step(cells, uid, 3, step, offsets, boundary == "periodic")
        born, blocked = born + more[0], blocked + more[1]
        assert np.array_equal(cells, tissue.state.occupant[0])
        assert np.array_equal(uid, tissue.state.uid[0])
    events = events_of(tissue)
    assert (events["A: divide"], events["A: division blocked"]) == (born, blocked)
    assert born > 20


def test_successful_attempts_are_binomial():
    """A full lattice: N attempts a step, every success blocked. Mean and variance of 400 steps, chi-square for
    the variance; Poisson numbers (variance larger by 1 / (1 - p) = 1.43) would be seen."""
    p, n = 0.3, 900
    model = tiny_model(parameters(b=(p, "1/h")), behaviour("A", "divide", "b"), **ATTEMPTS)
    occupant = np.zeros((2, 30, 30), np.uint8)
    occupant[0] = 1
    tissue = tissue_of(model, occupant)
    counts = []
    for _ in range(400):
        before = events_of(tissue)["A: division blocked"]
        tissue.step()
        counts.append(events_of(tissue)["A: division blocked"] - before)
    assert abs(z_binomial(sum(counts), 400 * n, p)) < Z
    assert abs(z_binomial(sum(counts), 400 * n, 1.1 * p)) > Z
    spread = np.sqrt(2 / 399)
    assert abs(np.var(counts, ddof=1) / (n * p * (1 - p)) - 1) < Z * spread
    assert abs(np.var(counts, ddof=1) / (n * p) - 1) > Z * spread
    assert abs(np.corrcoef(counts[1:], counts[:-1])[0, 1]) * np.sqrt(399) < Z


def test_a_cell_that_has_died_wastes_its_further_attempts():
    """Drawn with replacement, a cell survives a step with (1 - p / N)^N, not with 1 - p."""
    p, shape = 0.6, (150, 150)
    model = tiny_model(parameters(d=(p, "1/h")), behaviour("A", "die x", "d"), **ATTEMPTS)
    occupant = np.zeros((2, *shape), np.uint8)
    occupant[0] = 1
    n, dead = shape[0] * shape[1], []
    for seed in range(20):
        tissue = tissue_of(model, occupant, seed=seed)
        tissue.step()
        dead.append(events_of(tissue)["A: die x"])
    expected = n * (1 - (1 - p / n) ** n)
    assert abs(z_mean(np.array(dead), expected)) < Z
    assert abs(z_mean(np.array(dead), 1.1 * expected)) > Z
    assert abs(z_mean(np.array(dead), n * p)) > Z


def test_all_moves_come_before_all_fates():
    """A stands beside V and dies only beside V. It hops first (walk of a binomial number of attempts on the free
    sites around V), so fewer die than of cells that stood still; the other order would kill (1 - 1/N)^N of all."""
    model = tiny_model(
        parameters(m=(1.0, "1/h"), d=(1.0, "1/h"), one=(1.0, "1")),
        behaviour("A", "migrate", "m")
        + behaviour("A", "die x", "d")
        + rule("A", "die x", "contact V", "drives", "one", response="step"),
        neighbourhood="von Neumann", **ATTEMPTS,
    )  # fmt: skip
    pitch, shape = 12, (360, 360)
    occupant = np.zeros((2, *shape), np.uint8)
    occupant[0, 6::pitch, 6::pitch] = 4
    occupant[0, 6::pitch, 7::pitch] = 1
    mobile, everyone = 900, 1800
    # probability to be beside V after k hops, then over the binomial number of attempts
    size, centre = 25, 12
    beside = np.zeros((size, size))
    beside[centre, [centre - 1, centre + 1]] = 1
    beside[[centre - 1, centre + 1], centre] = 1
    here = np.zeros((size, size))
    here[centre, centre + 1] = 1
    contact, weight = 0.0, (1 - 1 / everyone) ** everyone
    for k in range(12):
        contact += weight * (here * beside).sum()
        weight *= (everyone - k) / (k + 1) / (everyone - 1)
        moved = sum(np.roll(here, s, axis) for s in (-1, 1) for axis in (0, 1)) / 4
        moved += here * beside / 4  # the hop onto V is aborted
        moved[centre, centre] = 0
        here = moved
    drawn = 1 - (1 - 1 / everyone) ** everyone
    dead = 0
    for seed in range(6):
        tissue = tissue_of(model, occupant, seed=seed)
        tissue.step()
        dead += events_of(tissue)["A: die x"]
    assert abs(z_binomial(dead, 6 * mobile, drawn * contact)) < Z
    assert abs(z_binomial(dead, 6 * mobile, drawn)) > Z


def test_threads_change_nothing():
    model = tiny_model(
        parameters(m=(0.5, "1/h"), b=(0.2, "1/h")),
        behaviour("A", "divide", "b") + behaviour("A", "migrate", "m"),
        **ATTEMPTS,
    )
    states = []
    for threads in (1, 2):
        tissue = Tissue(model, tissue_of(model, scattered((40, 40), 0.1, 1, 0)).state, threads)
        tissue.advance(10)
        states.append(tissue.state)
    assert same_state(*states)
    assert states[0].counts(model)[0] > 200


@pytest.mark.parametrize("update", ["random attempts", "per-step probabilities"])
def test_a_hop_above_one_a_step_is_refused(update):
    """A probability above 1 has no meaning (and would shorten the draw of the direction)."""
    with pytest.raises(InputError, match=r"T: .*2 .*time step"):
        tiny_model(parameters(h=(2.0, "1/h")), behaviour("T", "migrate", "h"), update=update)
