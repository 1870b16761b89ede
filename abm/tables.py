"""The tables that kernels read: a compiled model (fixed) and a view of the state (changing).

Rows are records (structured arrays), so that a kernel is handed few arrays: every array that is passed to a
function costs time. Type id 0 is the empty site; per-type tables have one row more than there are types.
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
        ("divide_first", np.int32),  # beget and die_dividing: what a division can turn out to be
        ("divide_last", np.int32),
    ]
)
SLOT = np.dtype(
    [
        ("base", np.float64),  # 1/h (secrete: field unit/h; admit: 1; beget, die_dividing: probability)
        ("bias", np.float64),  # migrate: share of hops that climb
        ("slope", np.float64),  # migrate: +1 climbs, -1 descends
        ("persistence", np.float64),  # migrate: h that a random direction is kept, 0 for none
        ("verb", np.int32),
        ("object", np.int32),  # type, set or field
        ("rule_first", np.int32),
        ("rule_last", np.int32),
        ("change_first", np.int32),
        ("change_last", np.int32),
        ("event", np.int32),  # row of the event counter, -1 if the behaviour is not counted
        ("below", np.int32),  # event of a negative division rate, -1 where none may occur
        ("blocked", np.int32),  # event of a division without a free site
        ("rings", np.int32),
        ("target", np.int32),  # EMPTY_NEIGHBOUR or ANY_NEIGHBOUR
        ("leaves", np.int32),  # type that remains of a cell that dies or is killed, 0 for none
        ("climbs", np.int32),  # field that migration climbs, -1
        ("pulsed", np.int32),  # 1 if a rule senses a body signal that comes in pulses
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
CHANGE = np.dtype(
    [
        ("amount", np.float64),
        ("attribute", np.int32),
        ("sets", np.int32),  # 1: set to the amount, 0: add it
        ("at_zero", np.int32),  # BECOME, DIE or -1
        ("object", np.int32),  # type it becomes, or that remains
        ("event", np.int32),
    ]
)
CARRIES = np.dtype(
    [
        ("initial", np.float64),
        ("spread", np.float64),
        ("carried", np.int32),
        ("kind", np.int32),
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
        ("boundary_level", np.float64),
        ("boundary_permeability", np.float64),  # sites/h; infinite for a fixed level
        ("every", np.int64),  # steps between updates
        ("transient", np.int32),
        ("order", np.int32),  # of the time step: 1 or 2
        ("boundary", np.int32),  # CLOSED, PERIODIC or FIXED
        ("faces", np.int32),  # bits of FACES where the level is fixed
        ("vessels", np.int32),  # set of the types that exchange with blood, -1
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

# A step is refused when a cell would expect more than this many events of one clock in it, or a probability above 1.
MOST_EVENTS_A_STEP, MOST_PROBABILITY = 0.25, 1.0


class Tables(NamedTuple):
    """Everything a kernel needs to know about a model."""

    types: np.ndarray  # TYPE
    slots: np.ndarray  # SLOT, one row a behaviour of a type
    rules: np.ndarray  # RULE
    changes: np.ndarray  # CHANGE
    carries: np.ndarray  # CARRIES, shape (types + 1, attributes)
    sets: np.ndarray  # uint8, shape (sets, types + 1): members of a type or group
    victim_event: np.ndarray  # int32, shape (slots, types + 1): event of a kill by victim, -1
    fields: np.ndarray  # FIELD_ROW
    densities: np.ndarray  # DENSITY_ROW
    density_weight: np.ndarray  # float64, shape (densities, types + 1)
    diffusion_in: np.ndarray  # float64, shape (fields, types + 1): D / site^2 where a type sits, -1 elsewhere
    stirred: np.ndarray  # uint8 (layer,): 1 if its cells are put on random sites each step
    dt_h: float
    update: int  # RATES, PROBABILITIES or ATTEMPTS
    events: int  # number of event counters


class View(NamedTuple):
    """The changing arrays, as kernels see them: places are flat."""

    occupant: np.ndarray  # uint8 (layer * site)
    uid: np.ndarray  # uint64 (layer * site)
    attributes: np.ndarray  # float32 (attribute, layer * site)
    fields: np.ndarray  # float64 (field, site)
    stats: np.ndarray  # STATS (field,)
    densities: np.ndarray  # float64 (density, site)
    density_max: np.ndarray  # float64 (density,)
    body: np.ndarray  # float64 (signal,)
    clock: np.ndarray  # float64 (1,): time, h


def record(rows: list[tuple], dtype: np.dtype) -> np.ndarray:
    """Return rows as a record array (of length zero where there are none)."""
    return np.array([tuple(row) for row in rows], dtype=dtype)
