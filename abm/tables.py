"""The tables that kernels read: a compiled model (fixed) and a view of the state (changing).

Rows are records (structured arrays), so that a kernel is handed few arrays: every array that is passed to a
function costs reference counting. Type id 0 is the empty site; per-type tables have one row more than
there are types.
"""

from typing import NamedTuple

import numpy as np

TYPE = np.dtype(
    [
        ("layer", np.int32),
        ("fate_first", np.int32),  # divide, die, become and leave compete on one clock
        ("fate_last", np.int32),
        ("kill_first", np.int32),
        ("kill_last", np.int32),
        ("move_first", np.int32),
        ("move_last", np.int32),
        ("exchange_first", np.int32),  # secrete and take_up
        ("exchange_last", np.int32),
        ("admit_first", np.int32),
        ("admit_last", np.int32),
    ]
)
SLOT = np.dtype(
    [
        ("base", np.float64),  # 1/h (secrete: field unit/h; admit: 1)
        ("bias", np.float64),  # migrate: share of hops that climb
        ("verb", np.int32),
        ("object", np.int32),  # type, set or field
        ("rule_first", np.int32),
        ("rule_last", np.int32),
        ("event", np.int32),  # row of the event counter, -1 if the behaviour is not counted
        ("below", np.int32),  # event of a negative division rate, -1 where none may occur
        ("blocked", np.int32),  # event of a division without a free site
        ("rings", np.int32),
        ("up", np.int32),  # field that migration climbs, -1
    ]
)
RULE = np.dtype(
    [
        ("half", np.float64),
        ("power", np.float64),
        ("fold", np.float64),
        ("effect", np.int32),
        ("response", np.int32),
        ("sense", np.int32),
        ("subject", np.int32),
        ("sense2", np.int32),  # the second factor of a product, NO_SIGNAL if there is none
        ("subject2", np.int32),
    ]
)
FIELD_ROW = np.dtype(
    [
        ("diffusion_per_h", np.float64),  # D / site^2
        ("decay", np.float64),  # 1/h
        ("tolerance", np.float64),
        ("initial", np.float64),
        ("background", np.float64),
        ("vessel_exchange", np.float64),  # 1/h
        ("vessel_level", np.float64),
        ("every", np.int64),  # steps between updates
        ("transient", np.int32),
        ("vessel_type", np.int32),  # 0 = none
        ("normalise", np.int32),
        ("scale", np.int32),  # body signal, -1
        ("background_signal", np.int32),  # body signal, -1
    ]
)
DENSITY_ROW = np.dtype(
    [
        ("every", np.int64),  # steps between updates
        ("radius", np.int32),  # sites
        ("normaliser", np.int32),  # set, -1
    ]
)
STATS = np.dtype(
    [
        ("scale", np.float64),  # what the stored field is multiplied with when sensed
        ("mean", np.float64),  # of the stored field, as its extremes
        ("low", np.float64),
        ("high", np.float64),
        ("solved_mean", np.float64),  # mean of the solution before a normalisation
    ]
)


class Tables(NamedTuple):
    """Everything a kernel needs to know about a model."""

    types: np.ndarray  # TYPE
    slots: np.ndarray  # SLOT, one row a behaviour of a type
    rules: np.ndarray  # RULE
    sets: np.ndarray  # uint8, shape (sets, types + 1): members of a type or group
    victim_event: np.ndarray  # int32, shape (slots, types + 1): event of a kill by victim, -1
    fields: np.ndarray  # FIELD_ROW
    densities: np.ndarray  # DENSITY_ROW
    density_weight: np.ndarray  # float64, shape (densities, types + 1)
    dt_h: float


class RateTables(NamedTuple):
    """The part of the tables that a rate needs."""

    slots: np.ndarray
    rules: np.ndarray
    sets: np.ndarray


class View(NamedTuple):
    """The changing arrays, as kernels see them."""

    occupant: np.ndarray  # uint8 (layer, y, x)
    uid: np.ndarray  # uint64 (layer, y, x)
    fields: np.ndarray  # float64 (field, y, x)
    stats: np.ndarray  # STATS (field,)
    densities: np.ndarray  # float64 (density, y, x)
    density_max: np.ndarray  # float64 (density,)
    body: np.ndarray  # float64 (signal,)


class Senses(NamedTuple):
    """The part of the view that a rate needs."""

    occupant: np.ndarray
    fields: np.ndarray
    stats: np.ndarray
    densities: np.ndarray
    body: np.ndarray


def record(rows: list[tuple], dtype: np.dtype) -> np.ndarray:
    """Return rows as a record array (of length zero where there are none)."""
    return np.array([tuple(row) for row in rows], dtype=dtype)
