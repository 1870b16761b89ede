"""One time step of the tissue.

The order of a step:

 1. stir       layers that the model wants well mixed
 2. enter      arrivals of the first half of the interval
 3. move       migrating cells, in sub-steps
 4. decide     list the few cells that may act
 5. act        confirm, then divide, die, become, leave, kill
 6. enter      arrivals of the second half
 7. refresh    fields, density signals, entry points and upper bounds of rates that are due

Arrivals are split so that a recruit is exposed, on average, to half of the step's hazards.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numba import njit

from .cells import draws
from .cells.act import act_blocks
from .cells.attempts import attempt_acts, attempt_moves
from .cells.audit import RateBoundError, audit_rates
from .cells.blocks import COLOURS, Plan, make_plan, most_block_sites, plan_blocks
from .cells.decide import (
    EXCESS,
    FATE_CLOCK,
    KILL_CLOCK,
    SURE,
    SURE_HOPS,
    SURE_OUTCOMES,
    Agenda,
    Worker,
    bound_rates,
    list_blocks,
    make_agenda,
    make_worker,
)
from .cells.migrate import move_blocks, rounds_of
from .cells.sense import most_contacts
from .cells.stir import stir_layers
from .cells.vessels import Entries, arrive_types, list_entry_points, weigh_entry_points
from .compile.rules import check_step
from .errors import InputError
from .fields.blood import Blood
from .fields.update import Fields
from .lattice import LAYERS, NX, NY, NZ, Lattice
from .model import Model
from .state import State
from .tables import Tables, View
from .vocabulary import ADMIT, ATTEMPTS, UPDATES

DONE, AGENDA_FULL = 0, 1
FROM_START, FROM_DECIDE = 0, 1
ENTRY_INTERVAL_H = (
    24.0  # entry points are listed and weighed at least so often, and with every field and density
)


@njit(cache=True, nogil=True)
def run_steps(
    seed: np.uint64,
    step: int,
    stop: int,
    begin_at: int,
    keys: np.ndarray,
    view: View,
    lattice: Lattice,
    tables: Tables,
    plan: Plan,
    agenda: Agenda,
    worker: Worker,
    cells: np.ndarray,
    wanted: np.ndarray,
    entered: np.ndarray,
    entries: Entries,
) -> tuple[int, int]:
    """Let cells in, move, decide and act for a number of steps on one thread; return the step reached and a status.

    The arrivals of a step are spread over it: half of them before and half after all else. When a list is full
    the step stops before anything acts, and goes on with ``begin_at`` FROM_DECIDE.
    """
    persist_key = draws.step_key(seed, draws.NO_STEP, draws.PERSIST)
    while step < stop:
        draws.fill_keys(seed, step, keys)
        view.clock[0] = step * tables.dt_h
        if begin_at == FROM_START:
            stir_layers(keys, view, lattice, tables)
            arrive_types(wanted, 0, seed, step, entries, view, lattice, tables, entered)
        if tables.update == ATTEMPTS:
            attempt_moves(keys, persist_key, view, lattice, tables, cells, worker)
            attempt_acts(FATE_CLOCK, keys, view, lattice, tables, agenda, cells, worker)
            attempt_acts(KILL_CLOCK, keys, view, lattice, tables, agenda, cells, worker)
            view.clock[0] = (step + 1) * tables.dt_h
            arrive_types(wanted, 1, seed, step, entries, view, lattice, tables, entered)
            step += 1
            continue
        if begin_at == FROM_START:
            turns = rounds_of(view, lattice, tables)
            for turn in range(turns):
                plan_blocks(draws.mix(keys[draws.SHIFT] + np.uint64(1 + turn)), lattice, plan)
                plan.moved[:] = 0
                for colour in range(COLOURS):
                    move_blocks(
                        0, plan.number[0], colour, turn, turns, keys, persist_key,
                        view, lattice, tables, plan, worker,
                    )  # fmt: skip
        begin_at = FROM_START
        plan_blocks(keys[draws.SHIFT], lattice, plan)
        most = list_blocks(0, plan.number[0], keys, view, lattice, tables, plan, agenda, worker)
        if most > agenda.rank.shape[1]:
            return step, AGENDA_FULL
        for colour in range(COLOURS):
            act_blocks(0, plan.number[0], colour, keys, view, lattice, tables, plan, agenda, worker)
        view.clock[0] = (step + 1) * tables.dt_h
        arrive_types(wanted, 1, seed, step, entries, view, lattice, tables, entered)
        step += 1
    return step, DONE


class Tissue:
    """The engine: a model, a state and the scratch memory to advance it.

    Parameters
    ----------
    model : Model
    state : State
        Advanced in place; at step 0 its fields are solved for the placed cells first.
    threads : int
        Threads used inside a step; the numbers do not depend on it.
    audit : bool
        Hold every cell against the bounds of its rates before and after each step (slow; see `audit_rates`).
    """

    def __init__(self, model: Model, state: State, threads: int = 1, audit: bool = False):
        self.model, self.threads, self.audit = model, threads, audit
        self._lattice = state.lattice(model)
        size = self._lattice.size
        types = model.tables.types
        moves = bool(np.any(types["move_last"] > types["move_first"]))
        self._plan = make_plan(size[NZ], size[NY], state.occupant.size if moves else 0)
        self._keys = np.zeros(draws.PURPOSES, np.uint64)
        self._fields = Fields(model, state.shape)
        self._entry_every = max(1, round(ENTRY_INTERVAL_H / model.dt_h))
        self._make_room()
        attempts = model.tables.update == ATTEMPTS
        self._cells = np.zeros(state.occupant.size if attempts else 0, np.int64)
        slots = model.tables.slots
        self._admitted = sorted({int(slot["object"]) for slot in slots if slot["verb"] == ADMIT})
        self._pool = ThreadPoolExecutor(threads) if threads > 1 and not attempts else None
        self._scales = [
            (i, int(row["scale"])) for i, row in enumerate(model.tables.fields) if row["scale"] >= 0
        ]
        self._wanted, self._entered = (np.zeros(len(model.types) + 1, np.int64) for _ in range(2))
        self.state = state
        if state.step == 0:
            self.refresh()

    @property
    def notes(self) -> list[str]:
        """Return what was settled or is doubtful about the fields at time 0, one line each."""
        return self._fields.notes

    @property
    def blood(self) -> dict[int, Blood]:
        """Return what fields exchange with at vessels, by number of the field; a body that is coupled fills it."""
        return self._fields.blood

    @property
    def state(self) -> State:
        """Return the state; it may be replaced by another one of the same model and lattice."""
        return self._state

    @state.setter
    def state(self, state: State) -> None:
        self._state = state
        self._view = state.view(self.model)
        self._bound()

    def _make_room(self, capacity: int = 0) -> None:
        """Make the lists and every thread's scratch; lists of candidates grow when they must."""
        model, size = self.model, self._lattice.size
        self._agenda = make_agenda(self._lattice, len(model.types), self._plan.box.shape[0], capacity)
        candidates = self._agenda.rank.shape[1]
        block = most_block_sites(size[NZ], size[NY], size[NX]) * int(size[LAYERS])
        movers = block if self._plan.moved.size else 0
        columns = 1 + len(model.events) + len(model.types) + 1 + SURE
        self._workers = [
            make_worker(self._lattice, len(model.tables.slots), columns, candidates, movers)
            for _ in range(self.threads)
        ]

    def set_body(self, signals: Mapping[str, float]) -> None:
        """Set body signals by name; unbound fractions follow from the drug that binds."""
        for i, signal in enumerate(self.model.signals):
            if signal.name in signals:
                self.state.body[i] = signals[signal.name]
        for i, signal in enumerate(self.model.signals):
            if signal.free_of >= 0:
                self.state.body[i] = 1.0 / (1.0 + self.state.body[signal.free_of] / signal.affinity)
        for i, scale in self._scales:
            self.state.stats[i, 0] = self.state.body[scale]
        self._stale = True

    def _bound(self) -> None:
        """Bring the upper bounds of all rates up to date with what cells can sense."""
        bound_rates(self._view, self._lattice, self.model.tables, self._agenda)
        self._stale = False

    def refresh(self) -> None:
        """Solve the fields, smooth the densities and weigh the entry points that are due at this step."""
        due = self._fields.refresh(self.state, self._view, self._lattice)
        self._stale = self._stale or due
        if due or self.state.step % self._entry_every == 0:
            self._weigh_entry_points()

    def _next_update(self) -> int:
        """Return the first step after this one at which fields, densities or entry points are due."""
        step, every = self.state.step, self._entry_every
        due = self._fields.next_update(step)
        return min(due, step - step % every + every) if self._admitted else due

    def step(self, arrivals: Mapping[int, int] | None = None) -> dict[int, int]:
        """Advance by one time step.

        Parameters
        ----------
        arrivals : mapping of type id to int, optional
            Cells that reach the entry points in this step.

        Returns
        -------
        dict of int to int
            How many of each arriving type found a site.

        Raises
        ------
        InputError
            The step is too long for a rate.
        RateBoundError
        """
        wanted = arrivals or {}
        for t, number in wanted.items():
            self._wanted[t] = number
        self._run(1)
        self._wanted[:] = 0
        self.refresh()
        return {t: int(self._entered[t]) for t in wanted}

    def advance(self, steps: int) -> None:
        """Advance by a number of steps without arrivals, in as few compiled calls as updates allow.

        Raises
        ------
        InputError
            The step is too long for a rate.
        RateBoundError
        """
        stop = self.state.step + steps
        while self.state.step < stop:
            due = self.state.step + 1 if self.audit else self._next_update()
            self._run(min(stop, due) - self.state.step)
            self.refresh()

    def _run(self, steps: int) -> None:
        """Let in, move, decide and act for a number of steps, and count what happened."""
        state, stop = self.state, self.state.step + steps
        entries = Entries(state.entry_points, state.entry_weights)
        if self._stale:
            self._bound()
        if self.audit:
            audit_rates(self.model, state, self._lattice, self._agenda)
        self._entered[:] = 0
        for worker in self._workers:
            worker.tally[:] = 0
        begin_at = FROM_START
        while state.step < stop:
            if self._pool is None:
                state.step, status = run_steps(
                    np.uint64(state.seed), state.step, stop, begin_at, self._keys, self._view,
                    self._lattice, self.model.tables, self._plan, self._agenda, self._workers[0], self._cells,
                    self._wanted, self._entered, entries,
                )  # fmt: skip
            else:
                status = self._threaded_step(begin_at, entries)
            begin_at = FROM_START
            if status == AGENDA_FULL:
                self._grow()
                begin_at = FROM_DECIDE
        tally = self._workers[0].tally
        for worker in self._workers[1:]:
            tally = tally + worker.tally
        if tally[EXCESS]:
            self._refuse(int(tally[EXCESS]))
        if tally[-SURE:].any():
            self._refuse_certainty(tally[-SURE:])
        if self.audit:
            audit_rates(self.model, state, self._lattice, self._agenda)
        self._fields.pass_time(state, steps * self.model.dt_h)
        state.events += tally[1 : 1 + state.events.size]
        state.number += tally[1 + state.events.size : -SURE] + self._entered

    def _refuse(self, number: int) -> None:
        """Say what a rate above what is allowed means: a step too long for it, or else a bound that is wrong."""
        agenda, tables = self._agenda, self.model.tables
        for info in self.model.types:
            for clock, share in ((FATE_CLOCK, 1), (KILL_CLOCK, most_contacts(self._lattice))):
                bound = float(agenda.bound[clock, info.id])
                if agenda.allowed[clock, info.id] < bound:
                    check_step(
                        bound * tables.dt_h / share,
                        f"{info.name}, whose rules reach this at day {self.state.day(self.model):.3f}",
                        tables.dt_h,
                        UPDATES[tables.update],
                    )
        raise RateBoundError(
            f"{number} rates exceeded their bound before day {self.state.day(self.model):.3f}; this is a "
            "bug, please report it with the model file"
        )

    def _refuse_certainty(self, number: np.ndarray) -> None:
        """Say that a probability rose above 1, and what to do."""
        model, when = self.model, f"before day {self.state.day(self.model):.3f}"
        if number[SURE_HOPS]:
            raise InputError(
                f"{int(number[SURE_HOPS]):,} hops had a probability above 1 in a step of {model.dt_h:g} h {when} "
                f"(update = '{UPDATES[model.tables.update]}'); take a shorter time_step, or cap the rule of "
                "'migrate'"
            )
        raise InputError(
            f"{int(number[SURE_OUTCOMES]):,} divisions had outcomes whose probabilities sum to more than 1 {when}; let "
            "the rules of 'beget' and 'die_dividing' saturate (response = \"hill\"), or lower their rates"
        )

    def _grow(self) -> None:
        """Make longer lists; what was tallied so far is kept."""
        tallies = [worker.tally for worker in self._workers]
        self._make_room(2 * int(self._agenda.listed.max()))
        for worker, tally in zip(self._workers, tallies, strict=True):
            worker.tally[:] = tally
        self._bound()

    def _threaded_step(self, begin_at: int, entries: Entries) -> int:
        """Do what ``run_steps`` does for one step, with blocks shared between threads."""
        state, view, lattice, tables = self.state, self._view, self._lattice, self.model.tables
        keys, plan, agenda, seed = self._keys, self._plan, self._agenda, np.uint64(self.state.seed)
        persist_key = np.uint64(draws.step_key(seed, draws.NO_STEP, draws.PERSIST))
        draws.fill_keys(seed, state.step, keys)
        view.clock[0] = state.step * tables.dt_h
        if begin_at == FROM_START:
            stir_layers(keys, view, lattice, tables)
            arrive_types(self._wanted, 0, seed, state.step, entries, view, lattice, tables, self._entered)
            turns = rounds_of(view, lattice, tables)
            for turn in range(turns):
                plan_blocks(np.uint64(draws.mix(keys[draws.SHIFT] + np.uint64(1 + turn))), lattice, plan)
                plan.moved[:] = 0
                for colour in self._colours():
                    self._spread(
                        move_blocks, colour, turn, turns, keys, persist_key, view, lattice, tables, plan
                    )
        plan_blocks(keys[draws.SHIFT], lattice, plan)
        if max(self._spread(list_blocks, keys, view, lattice, tables, plan, agenda)) > agenda.rank.shape[1]:
            return AGENDA_FULL
        for colour in self._colours():
            self._spread(act_blocks, colour, keys, view, lattice, tables, plan, agenda)
        view.clock[0] = (state.step + 1) * tables.dt_h
        arrive_types(self._wanted, 1, seed, state.step, entries, view, lattice, tables, self._entered)
        state.step += 1
        return DONE

    def _colours(self) -> list[int]:
        return sorted({int(colour) for colour in self._plan.colour[: self._plan.number[0]]})

    def _spread(self, kernel: Callable, *arguments: object) -> list:
        """Run a kernel over all blocks, each thread with a share of them and scratch of its own."""
        assert self._pool is not None
        n, threads = int(self._plan.number[0]), self.threads
        jobs = [
            self._pool.submit(kernel, k * n // threads, (k + 1) * n // threads, *arguments, self._workers[k])
            for k in range(threads)
        ]
        return [job.result() for job in jobs]

    def _weigh_entry_points(self) -> None:
        """List the entry points and weigh them for every type that any of them admits."""
        if not self._admitted:
            return
        state, tables = self.state, self.model.tables
        found = list_entry_points(self._view, self._lattice, tables, state.entry_points)
        if found != state.entry_points.size:
            state.entry_points = np.zeros(found, np.int64)
            list_entry_points(self._view, self._lattice, tables, state.entry_points)
        if state.entry_weights.shape[1] != found:
            state.entry_weights = np.zeros((len(self.model.types) + 1, found))
        for t in self._admitted:
            weigh_entry_points(
                t,
                state.entry_points,
                state.entry_factor[t],
                state.region.reshape(-1),
                self._view,
                self._lattice,
                tables,
                state.entry_weights[t],
            )
