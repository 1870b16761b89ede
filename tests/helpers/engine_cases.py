"""A model that uses every part of the engine, and what its proofs share."""

import itertools

import numpy as np
from tiny import attribute, behaviour, change, parameters, rule, tiny_model

from oncolattice.abm.advance import Tissue
from oncolattice.abm.model import Model

# |z| < 4.5: a false alarm in 150,000; p > 1e-6 for chi-square.
Z, ALPHA = 4.5, 1e-6

EXHAUSTED = """
[[cell_type]]
name = "E"
display = "E"
layer = "immune"
colour = "#444444"
"""
FIELD = """
[[field]]
name = "F"
unit = "nM"
diffusivity = "D"
decay = "k_F"
solver = "quasi-steady"
update_interval = "interval"
tolerance = "tolerance"
vessel_type = "V"
vessel_exchange = "x"
vessel_level = "level"
"""
BODY = """
[[body_signal]]
name = "P"
unit = "nM"
default = "level"
"""
DENSITY = """
[[density]]
name = "crowd"
unit = "1"
radius = "R"
weights = { A = "one" }
update_interval = "interval"
"""
BUSY_NUMBERS = parameters(
        b=(0.08, "1/h"), d=(0.01, "1/h"), k=(0.03, "1/h"), hop=(2.5, "1/h"), creep=(0.1, "1/h"), lost=(0.02, "1/h"),
        few=(3.0, "1"), lose=(-1.0, "1"), one=(1.0, "1"), two=(2.0, "1"), fifth=(0.2, "1"), bias=(0.3, "1"),
        now=(0.0, "h"), rest=(2.0, "h"), wide=(0.5, "h"), keep=(1.5, "h"), D=(2000.0, "um^2/h"), k_F=(0.5, "1/h"),
        x=(20.0, "1/h"), level=(2.0, "nM"), tolerance=(1e-6, "1"), interval=(2.0, "h"), R=(45.0, "um"),
        sip=(0.5, "1/h"), weight=(1.0, "1"),
)  # fmt: skip
BUSY = (
    EXHAUSTED
    + BODY
    + attribute("left", "A", "few", spread="one")
    + attribute("age", "tumour", "now", kind="clock", unit="h")
    + attribute("shots", "T", "few")
    + attribute("engaged", "T", "now", kind="timer", unit="h", spread="wide")
    + change("left", "divide", add="lose", at_zero="become B")
    + change("age", "divide", set="now")
    + change("shots", "kill tumour", add="lose", at_zero="become E")
    + change("engaged", "kill tumour", set="rest")
    + behaviour("A", "divide", "b", rings="two")
    + behaviour("A", "beget B", "fifth")
    + behaviour("A", "die_dividing mitosis", "fifth")
    + rule("A", "die_dividing mitosis", "body P", "drives", "level")
    + behaviour("A", "die x", "d", leaves="V")
    + rule("A", "die x", "own age", "increases", "rest", response="step", fold="two")
    + behaviour("B", "die x", "d")
    + behaviour("B", "become A", "lost")
    + change("age", "become A", set="now", cell="B")
    + behaviour("A", "migrate", "creep")
    + rule("A", "migrate", "crowding", "decreases", "fifth")
    + behaviour("T", "migrate", "hop", persistence="keep")
    + behaviour("E", "migrate", "hop")
    + behaviour("T", "kill tumour", "k")
    + rule("T", "kill tumour", "own engaged", "decreases", "wide", response="step")
    + behaviour("T", "leave", "lost")
    + behaviour("V", "admit T", "weight")
)
SENSING = (
    FIELD
    + DENSITY
    + behaviour("tumour", "take_up F", "sip")
    + rule("A", "divide", "field F", "drives", "level")
    + rule("A", "divide", "density crowd", "decreases", "two")
)


def busy_model(update: str = "rates", fields: bool = True, **head: str | int) -> Model:
    """Return the model that divides, mutates, kills, tires, rests, moves, leaves, admits and senses."""
    blocks = BUSY
    numbers = BUSY_NUMBERS
    if fields:
        blocks += SENSING
        blocks = blocks.replace('persistence = "keep"', 'persistence = "keep"\nup = "F"\nbias = "bias"')
    if update != "rates":
        numbers = numbers.replace("hop = { value = 2.5", "hop = { value = 0.9")
    return tiny_model(numbers, blocks, update=update, **head)


def busy_start(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    """Return tumour cells, vessels and T cells scattered over a lattice, shape (2, *shape)."""
    rng = np.random.default_rng(seed)
    occupant = np.zeros((2, *shape), np.uint8)
    occupant[0] = rng.choice([0, 1, 2, 4], size=shape, p=[0.57, 0.3, 0.1, 0.03])
    occupant[1][rng.random(shape) < 0.15] = 3
    return occupant


def events_of(tissue: Tissue) -> dict[str, int]:
    """Return how often each event has happened, by name."""
    return dict(zip(tissue.model.events, tissue.state.events.tolist(), strict=True))


def z_binomial(hits: int, n: int, p: float) -> float:
    """Return by how many standard deviations a number of hits differs from n p."""
    return float((hits - n * p) / np.sqrt(n * p * (1 - p)))


def z_mean(values: np.ndarray, expected: float) -> float:
    """Return by how many standard errors a mean differs from what is expected."""
    values = np.asarray(values, float)
    return float((values.mean() - expected) / (values.std(ddof=1) / np.sqrt(values.size)))


def ring_sites(
    site: tuple[int, ...], shape: tuple[int, ...], ring: int, moore: bool, periodic: bool
) -> list[tuple[int, ...]]:
    """Return the sites at a distance of exactly ``ring`` (largest or summed offset) inside the lattice."""
    found = []
    for step in itertools.product(range(-ring, ring + 1), repeat=len(shape)):
        size = [abs(s) for s in step]
        if (max(size) if moore else sum(size)) != ring:
            continue
        other = tuple(a + s for a, s in zip(site, step, strict=True))
        if periodic:
            other = tuple(a % n for a, n in zip(other, shape, strict=True))
        if all(0 <= a < n for a, n in zip(other, shape, strict=True)):
            found.append(other)
    return found


def grid(shape: tuple[int, ...], first: int, pitch: int) -> list[tuple[int, ...]]:
    """Return the sites of a coarse grid."""
    return list(itertools.product(*(range(first, n, pitch) for n in shape)))
