"""The tissues that are timed."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from oncolattice.abm.advance import Tissue
from oncolattice.abm.compile.model_file import read_model
from oncolattice.abm.compile.parameters import Override
from oncolattice.abm.model import Model, compile_model, load_model
from oncolattice.abm.placement import Placement
from oncolattice.abm.state import first_state

HERE = Path(__file__).resolve().parent
TURNOVER = 0.2  # deaths over divisions, so that a crowded lattice stays busy
SETTLE_STEPS = 40  # steps before the clock starts: the lattice is near its steady state then


def scattered(model: Model, shape: tuple[int, ...], shares: Mapping[str, float], seed: int = 1) -> Placement:
    """Return cells at random sites, each type with a share of the sites of its layer."""
    rng = np.random.default_rng(seed)
    occupant = np.zeros((len(model.layers), *shape), np.uint8)
    luck = rng.random(occupant.shape, dtype=np.float32)
    low = np.zeros(len(model.layers))
    for name, share in shares.items():
        t = model.type_id(name)
        layer = model.layers.index(model.types[t - 1].layer)
        occupant[layer][(luck[layer] >= low[layer]) & (luck[layer] < low[layer] + share)] = t
        low[layer] += share
    return Placement(occupant, np.zeros(shape, np.uint8), ("core",))


def strobl(shape: tuple[int, ...], threads: int = 1, settle: int = SETTLE_STEPS) -> Tissue:
    """Return a crowded lattice of sensitive and resistant cells with turnover, without drug."""
    model = load_model("strobl2022", {"turnover": Override(TURNOVER, None, "user")})
    placed = scattered(model, shape, {"sensitive": 0.8, "resistant": 0.01})
    tissue = Tissue(model, first_state(model, placed, 1), threads)
    tissue.set_body({"drug": 0.0})
    tissue.advance(settle)
    return tissue


def peers(shape: tuple[int, ...], threads: int = 1, settle: int = 5) -> Tissue:
    """Return the lattice of tumour and T cells on which other engines were timed, in 2-D or 3-D."""
    spec = read_model(str(HERE / "peers.toml"))
    spec.model["dimensions"] = len(shape)
    model = compile_model(spec, {}, {})
    placed = scattered(model, shape, {"tumour": 0.6, "T": 0.02})
    tissue = Tissue(model, first_state(model, placed, 1), threads)
    tissue.advance(settle)
    return tissue


def birth_death_move(shape: tuple[int, int], share: float, settle: int = SETTLE_STEPS) -> Tissue:
    """Return a lattice of one type that divides, dies and moves."""
    model = load_model(str(HERE / "birth_death_move.toml"))
    tissue = Tissue(model, first_state(model, scattered(model, shape, {"cell": share}), 1))
    tissue.advance(settle)
    return tissue


def cells_of(tissue: Tissue) -> int:
    """Return the number of cells."""
    return int(tissue.state.number.sum())
