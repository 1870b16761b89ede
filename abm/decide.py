"""Find the cells that may act in this step, by thinning.

Every cell of a type draws one hash a clock and compares it with the type's upper-bound probability;
only the few below it are listed, and ``act`` evaluates their rules and confirms or drops the event. That is
exact: the confirmed probability uses the same draw.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from . import draws
from .sense import rate_bound
from .tables import RateTables, Tables, View

STRIP_ROWS = 16  # part of the result: strips are processed in colours, see act.py
FATE_CLOCK, KILL_CLOCK = 0, 1


class Agenda(NamedTuple):
    """Who may act: per strip a list of candidates in random order, and each type's bounds."""

    site: np.ndarray  # int64 (strip, candidate): flat index of (layer, y, x)
    clock: np.ndarray  # uint8
    type: np.ndarray  # uint8
    draw: np.ndarray  # uint64, the hash that made it a candidate
    uid: np.ndarray  # uint64
    listed: np.ndarray  # int64 (strip,)
    fate_bound: np.ndarray  # float64 per type, 1/h
    kill_bound: np.ndarray
    fate_threshold: np.ndarray  # uint64 per type
    kill_threshold: np.ndarray


def make_agenda(layers: int, ny: int, nx: int, n_types: int) -> Agenda:
    """Return an empty agenda for a lattice and a number of types."""
    strips = ny // STRIP_ROWS + 2
    most = 2 * layers * STRIP_ROWS * nx
    return Agenda(
        np.zeros((strips, most), np.int64),
        np.zeros((strips, most), np.uint8),
        np.zeros((strips, most), np.uint8),
        np.zeros((strips, most), np.uint64),
        np.zeros((strips, most), np.uint64),
        np.zeros(strips, np.int64),
        np.zeros(n_types + 1),
        np.zeros(n_types + 1),
        np.zeros(n_types + 1, np.uint64),
        np.zeros(n_types + 1, np.uint64),
    )


@njit(cache=True)
def bound_rates(view: View, tables: Tables, agenda: Agenda) -> None:
    """Set every type's upper-bound rates and thresholds from the present range of each signal."""
    types, dt = tables.types, tables.dt_h
    rates = RateTables(tables.slots, tables.rules, tables.sets)
    most_contacts = 9.0 * view.occupant.shape[0] - 1.0
    for t in range(1, types.size):
        fate = kill = 0.0
        for slot in range(types[t]["fate_first"], types[t]["fate_last"]):
            fate += rate_bound(slot, view, rates)
        for slot in range(types[t]["kill_first"], types[t]["kill_last"]):
            kill += rate_bound(slot, view, rates) * most_contacts
        agenda.fate_bound[t], agenda.kill_bound[t] = fate, kill
        # a hair above the bound, so that round-off in the rules can never exceed it
        agenda.fate_threshold[t] = draws.threshold(-np.expm1(-fate * dt) * (1.0 + 1e-12))
        agenda.kill_threshold[t] = draws.threshold(-np.expm1(-kill * dt) * (1.0 + 1e-12))


@njit(cache=True)
def strip_rows(strip: int, shift: int, ny: int) -> tuple[int, int]:
    """Return the first and last-plus-one row of a strip; strips shift by random rows each step."""
    first = strip * STRIP_ROWS - shift
    return max(0, first), min(ny, first + STRIP_ROWS)


@njit(cache=True)
def list_strip(
    strip: int, shift: int, fate_key: np.uint64, kill_key: np.uint64, view: View, agenda: Agenda
) -> None:
    """List the candidates of one strip, then put them in the order of their draws' hashes."""
    layers, ny, nx = view.occupant.shape
    first, last = strip_rows(strip, shift, ny)
    n = 0
    for layer in range(layers):
        for y in range(first, last):
            for x in range(nx):
                t = view.occupant[layer, y, x]
                if t == 0:
                    continue
                fate_threshold = agenda.fate_threshold[t]
                kill_threshold = agenda.kill_threshold[t]
                if fate_threshold == 0 and kill_threshold == 0:
                    continue
                uid = view.uid[layer, y, x]
                draw = draws.mix(uid ^ fate_key)
                if draw < fate_threshold:
                    agenda.site[strip, n] = (layer * ny + y) * nx + x
                    agenda.clock[strip, n] = FATE_CLOCK
                    agenda.type[strip, n] = t
                    agenda.draw[strip, n] = draw
                    agenda.uid[strip, n] = uid
                    n += 1
                if kill_threshold != 0:
                    draw = draws.mix(uid ^ kill_key)
                    if draw < kill_threshold:
                        agenda.site[strip, n] = (layer * ny + y) * nx + x
                        agenda.clock[strip, n] = KILL_CLOCK
                        agenda.type[strip, n] = t
                        agenda.draw[strip, n] = draw
                        agenda.uid[strip, n] = uid
                        n += 1
    agenda.listed[strip] = n


@njit(cache=True, nogil=True)
def list_strips(
    first: int,
    stop: int,
    stride: int,
    shift: int,
    fate_key: np.uint64,
    kill_key: np.uint64,
    view: View,
    agenda: Agenda,
) -> None:
    """List the candidates of strips first, first + stride, ...; strips are independent of one another."""
    for strip in range(first, stop, stride):
        list_strip(strip, shift, fate_key, kill_key, view, agenda)
