"""One time step of the tissue.

The order of a step:

 1. bound      upper-bound rates of every type from the present range of each signal
 2. enter      arrivals of the first half of the interval
 3. move       migrating cells, in sub-steps
 4. decide     list the few cells that may act
 5. act        confirm, then divide, die, become, leave, kill
 6. enter      arrivals of the second half
 7. refresh    fields, density signals and entry points that are due

Arrivals are split so that a recruit is exposed, on average, to half of the step's hazards.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from . import draws
from .act import EXCESS, act_strips
from .decide import STRIP_ROWS, bound_rates, list_strips, make_agenda
from .errors import InputError
from .fields.grids import make_workspace
from .fields.multigrid import CONVERGED, INVALID
from .fields.update import crowd, mean_crowd, take_stats, update_density, update_field
from .migrate import make_movers, migrate
from .model import Model
from .state import State
from .vessels import arrive, list_entry_points, weigh_entry_points
from .vocabulary import ADMIT

MOST_CYCLES = 30
FIRST_CYCLES = 200  # the first solve starts cold


class RateBoundError(RuntimeError):
    """A rate exceeded its bound: the thinning would lose events."""


class Tissue:
    """The engine: a model, a state and the scratch memory to advance it.

    Parameters
    ----------
    model : Model
    state : State
        Advanced in place; at step 0 its fields are solved for the placed cells first.
    threads : int
        Threads used inside a step; the numbers do not depend on it.
    """

    def __init__(self, model: Model, state: State, threads: int = 1):
        self.model, self.state, self.threads = model, state, threads
        layers, ny, nx = state.occupant.shape
        self._agenda = make_agenda(layers, ny, nx, len(model.types))
        self._movers = make_movers(layers, ny, nx)
        self._work = make_workspace(ny, nx)
        self._source, self._sink = np.zeros((ny, nx)), np.zeros((ny, nx))
        self._tallies = np.zeros((ny // STRIP_ROWS + 2, 1 + len(model.events)), np.int64)
        self._points = np.zeros(layers * ny * nx, np.int64)
        slots = model.tables.slots
        self._admitted = sorted({int(slot["object"]) for slot in slots if slot["verb"] == ADMIT})
        self._pool = ThreadPoolExecutor(threads) if threads > 1 else None
        if state.step == 0:
            self.refresh()

    def set_body(self, signals: Mapping[str, float]) -> None:
        """Set body signals by name; unbound fractions follow from the drug that binds."""
        for i, signal in enumerate(self.model.signals):
            if signal.name in signals:
                self.state.body[i] = signals[signal.name]
        for i, signal in enumerate(self.model.signals):
            if signal.free_of >= 0:
                self.state.body[i] = 1.0 / (1.0 + self.state.body[signal.free_of] / signal.affinity)

    def refresh(self) -> None:
        """Solve the fields, smooth the densities and weigh the entry points that are due at this step."""
        model, state, tables = self.model, self.state, self.model.tables
        view = state.view(model)
        first = due = state.step == 0
        for i in range(len(model.densities)):
            if state.step % tables.densities[i]["every"]:
                continue
            if first:
                state.density_reference[i] = self._reference(i)
            update_density(i, state.density_reference[i], view, tables, self._source, self._sink)
        for i in range(len(model.fields)):
            if state.step % tables.fields[i]["every"]:
                continue
            most = FIRST_CYCLES if first else MOST_CYCLES
            steady = (
                first and "initial" not in model.spec.sections["field"][i] and tables.fields[i]["decay"] > 0
            )
            if first and tables.fields[i]["transient"] and not steady:
                take_stats(state.fields[i], 0, view.stats[i])  # it begins as declared
                continue
            status, cycles = update_field(i, steady, view, tables, self._source, self._sink, most, self._work)
            if status == INVALID:
                raise InputError(
                    f"field '{model.fields[i].name}' has no solution at day {state.day(model):.3f}: "
                    "nothing takes it up, or a source or sink is not finite; give it a decay, or check its parameters"
                )
            state.field_cycles[i] += cycles
            state.field_fallbacks[i] += status != CONVERGED
            due = True
        if due:
            self._weigh_entry_points()

    def _reference(self, density: int) -> float:
        """Return what a density signal is divided by: the mean crowd that the cells of a group see at time 0."""
        normaliser = self.model.tables.densities[density]["normaliser"]
        if normaliser < 0:
            return 1.0
        view, members = self.state.view(self.model), self.model.tables.sets[normaliser]
        crowd(density, view, self.model.tables, members.astype(float), self._source, self._sink)
        return mean_crowd(density, members, view) or 1.0

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
        RateBoundError
        """
        model, state, tables, agenda = self.model, self.state, self.model.tables, self._agenda
        view = state.view(model)
        bound_rates(view, tables, agenda)
        arriving = {t: n for t, n in (arrivals or {}).items() if n}
        entered = dict.fromkeys(arrivals or {}, 0)
        self._enter(arriving, 0, entered)
        seed = np.uint64(state.seed)
        migrate(seed, state.step, view, tables, self._movers)
        ny = state.occupant.shape[1]
        keys = draws.step_keys(seed, state.step)
        shift = int(keys[draws.SHIFT] % np.uint64(STRIP_ROWS))
        n_strips = (ny + shift - 1) // STRIP_ROWS + 1
        self._tallies[:] = 0
        self._spread(list_strips, range(n_strips), shift, keys[draws.FATE], keys[draws.KILL], view, agenda)
        for colour in range(2):
            self._spread(act_strips, range(colour, n_strips, 2), keys, view, tables, agenda, self._tallies)
        tally = self._tallies.sum(axis=0)
        if tally[EXCESS]:
            raise RateBoundError(
                f"{tally[EXCESS]} rates exceeded their bound at day {state.day(model):.3f}; this is a bug, "
                "please report it with the model file"
            )
        state.events += tally[1:]
        self._enter(arriving, 1, entered)
        state.step += 1
        self.refresh()
        return entered

    def _spread(self, kernel: Callable, strips: range, *arguments: object) -> None:
        """Run a kernel over independent strips, on as many threads as asked for."""
        if self._pool is None:
            kernel(strips.start, strips.stop, strips.step, *arguments)
            return
        jobs = []
        for k in range(self.threads):
            share = strips[k * len(strips) // self.threads : (k + 1) * len(strips) // self.threads]
            jobs.append(self._pool.submit(kernel, share.start, share.stop, share.step, *arguments))
        for job in jobs:
            job.result()

    def _weigh_entry_points(self) -> None:
        """List the entry points and weigh them for every type that any of them admits."""
        state, tables = self.state, self.model.tables
        view = state.view(self.model)
        state.entry_points = self._points[: list_entry_points(view, tables, self._points)].copy()
        state.entry_weights = np.zeros((len(self.model.types) + 1, state.entry_points.size))
        for t in self._admitted:
            weigh_entry_points(
                t,
                state.entry_points,
                state.entry_factor[t],
                state.region,
                view,
                tables,
                state.entry_weights[t],
            )

    def _enter(self, arriving: Mapping[int, int], late: int, entered: dict[int, int]) -> None:
        state, tables = self.state, self.model.tables
        view, seed = state.view(self.model), np.uint64(state.seed)
        for t, number in arriving.items():
            points, weights = state.entry_points, state.entry_weights[t]
            entered[t] += arrive(number, late, t, seed, state.step, points, weights, view, tables)
