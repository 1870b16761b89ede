"""Bring the fields and density signals up to date with the cells, each no more often than it needs."""

import math

import numpy as np

from ..errors import InputError
from ..lattice import Lattice
from ..model import Model
from ..state import State
from ..tables import View
from ..vocabulary import AUTO, FACES, FIELD_SOLVERS, FIXED, RING, TRANSIENT
from .blood import Blood, step_with_blood
from .choose import check_lengths, choose_solver
from .direct import Sums, find_giving, make_giving, step_direct
from .faces import Faces, Outside, make_faces
from .multigrid import CONVERGED, INVALID
from .smooth import box_smooth
from .sources import fill_crowd, fill_diffusion, fill_sources, mean_over, take_stats
from .step import EULER, Law, Step, StepWork, Terms, step_field

SMOOTHING_PASSES = 3  # three box blurs are close to a Gaussian
WHOLE = 10  # a radius of so many lattices is the whole: the box mean of the reflected map tends to the mean
MOST_CYCLES = 30
FIRST_CYCLES = 200  # the first solve starts cold
# columns of State.field_account, in field unit times sites, of the field that cells sense
ACCOUNT = ("secreted", "delivered", "taken up", "decayed", "through the boundary", "change")


class Fields:
    """The fields and density signals of a lattice, with the scratch memory to solve them.

    Parameters
    ----------
    model : Model
    shape : tuple of int
        (y, x) or (z, y, x).

    Attributes
    ----------
    notes : list of str
        Which solver was chosen and why, and what the lattice cannot show, from time 0.
    blood : dict of int to Blood
        By field, what a field in time exchanges with at vessels in place of its declared level; empty unless
        a body is coupled to it.
    """

    def __init__(self, model: Model, shape: tuple[int, ...]):
        self.model, self.shape = model, shape
        self.notes: list[str] = []
        self.blood: dict[int, Blood] = {}
        used = bool(model.fields or model.densities)
        sites = int(np.prod(shape)) if used else 0
        self._sites = sites
        self._maps: tuple[
            np.ndarray, ...
        ] = ()  # secretion, uptake and exchange by site, while they are needed
        self._spare: tuple[np.ndarray, ...] = ()
        varies = bool((model.tables.diffusion_in >= 0.0).any())
        self._diffusion = np.zeros(sites if varies else 0)
        self._per_type = np.zeros((3, len(model.types) + 1))
        self._giving = make_giving(len(model.layers), len(model.types) + 1, shape[-1])
        self._work = StepWork(shape) if model.fields else None
        self._faces = [self._faces_of(i) for i in range(len(model.fields))]
        self._laws = [self._law_of(i) for i in range(len(model.fields))]
        self._scaled = np.flatnonzero(model.tables.fields["scale"] >= 0).tolist()
        self._every = [int(row["every"]) for row in (*model.tables.fields, *model.tables.densities)]

    def _faces_of(self, i: int) -> Faces:
        """Return what lies beyond the outer faces of a field."""
        row, dimensions = self.model.tables.fields[i], len(self.shape)
        outside = Outside(
            float(row["boundary_level"]), float(row["boundary_permeability"]) * self.model.site_um
        )
        faces = [f for k, f in enumerate(FACES) if row["faces"] >> k & 1 and k < 2 * dimensions]
        open_faces = faces if row["boundary"] == FIXED else []
        where = f"field '{self.model.fields[i].name}'"
        return make_faces(dict.fromkeys(open_faces, outside), self.model.site_um, dimensions, where)

    def next_update(self, step: int) -> int:
        """Return the first step after this one at which anything is due (far off if nothing ever is)."""
        return min((step - step % every + every for every in self._every), default=step + 2**31)

    def refresh(self, state: State, view: View, lattice: Lattice) -> bool:
        """Update what is due at the state's step; return whether anything was.

        Raises
        ------
        InputError
            A field has no solution.
        """
        due = state.step == 0
        for i, row in enumerate(self.model.tables.densities):
            if state.step % row["every"] == 0:
                self._update_density(i, state, view, lattice)
                due = True
        for i, row in enumerate(self.model.tables.fields):
            if state.step % row["every"] == 0:
                self._update_field(i, state, view, lattice)
                due = True
        if state.step == 0:
            self._maps = ()  # most fields need them at time 0 alone
        return due

    def _update_density(self, i: int, state: State, view: View, lattice: Lattice) -> None:
        tables = self.model.tables
        if state.step == 0:
            state.density_reference[i] = self._reference(i, state, view, lattice)
        self._crowd(i, tables.density_weight[i], state, view, lattice)
        state.densities[i] /= state.density_reference[i]
        state.density_max[i] = state.densities[i].max()

    def _crowd(self, i: int, weights: np.ndarray, state: State, view: View, lattice: Lattice) -> None:
        """Write the smoothed weighted number of cells a site into the density signal."""
        crowd, spare = self._scratch()
        fill_crowd(weights, view, lattice, self.model.tables, crowd)
        radius = int(self.model.tables.densities[i]["radius"])
        if radius >= WHOLE * max(self.shape):
            state.densities[i] = crowd.mean()
            return
        source, scratch = crowd.reshape(self.shape), spare.reshape(self.shape)
        box_smooth(source, radius, SMOOTHING_PASSES, state.densities[i], scratch, self.model.periodic)

    def _reference(self, i: int, state: State, view: View, lattice: Lattice) -> float:
        """Return what a density signal is divided by: the mean crowd that the cells of a group see at time 0."""
        normaliser = self.model.tables.densities[i]["normaliser"]
        if normaliser < 0:
            return 1.0
        members = self.model.tables.sets[normaliser]
        self._crowd(i, members.astype(float), state, view, lattice)
        return mean_over(members, view.densities[i], view.occupant) or 1.0

    def _law_of(self, i: int) -> Law:
        """Return what a field does of itself, with a diffusivity that is filled in if it varies."""
        row = self.model.tables.fields[i]
        varies = bool((self.model.tables.diffusion_in[i] >= 0.0).any())
        diffusion = self._diffusion.reshape(self.shape) if varies else float(row["diffusion_per_h"])
        periodic = bool(row["boundary"] == RING)
        return Law(float(row["decay"]), diffusion, float(row["vessel_level"]), self._faces[i], periodic)

    def _update_field(self, i: int, state: State, view: View, lattice: Lattice) -> None:
        """Solve one field and note what happened to it."""
        row = self.model.tables.fields[i]
        first = state.step == 0
        if first:
            self._fill(i, view, lattice)
            self._choose(i, state)
            if state.field_transient[i] and (
                "initial" in self.model.spec.sections["field"][i] or not row["decay"] > 0
            ):
                take_stats(view.fields[i], row["normalise"], view.stats[i])  # it begins as declared
                return
        hours = float(row["every"] * self.model.dt_h)
        length = hours if state.field_transient[i] and not first else np.inf
        if row["normalise"] and not first:  # start from the last solution, not from its pattern
            state.fields[i] *= view.stats[i]["solved_mean"]
        done, sums = self._solve(i, length, state, view, lattice)
        if done.status == INVALID:
            raise InputError(
                f"field '{self.model.fields[i].name}' has no solution at day {state.day(self.model):.3f}: nothing "
                "takes it up, or a source or sink is not finite; give it a decay, or check its parameters"
            )
        state.field_cycles[i] += done.cycles
        state.field_fallbacks[i] += done.status != CONVERGED
        state.field_first_order[i] += done.fell_back
        if sums is None:
            take_stats(view.fields[i], row["normalise"], view.stats[i])
        else:
            self._note(i, sums, state, view)
        rate = np.array(done.account[: len(ACCOUNT)])
        if row["normalise"] and (mean := view.stats[i]["solved_mean"]) > 0.0:
            rate /= mean
        if row["scale"] >= 0:  # what multiplies the pattern changes within an update: see ``pass_time``
            state.field_rate[i] = rate
        elif not first:
            state.field_account[i] += hours * rate

    def pass_time(self, state: State, hours: float) -> None:
        """Enter into the account what scaled fields have had turned over in a time in which nothing changed."""
        for i in self._scaled:
            state.field_account[i] += hours * state.stats[i, 0] * state.field_rate[i]

    def _fill(self, i: int, view: View, lattice: Lattice) -> None:
        """Map what cells and vessels do to a field."""
        if not self._maps:
            self._maps = tuple(np.zeros(self._sites) for _ in range(3))
        source, uptake, exchange = self._maps
        fill_sources(i, view, lattice, self.model.tables, self._per_type, source, uptake, exchange)

    def _scratch(self) -> tuple[np.ndarray, ...]:
        """Return two flat arrays that nothing needs between updates: the solver's, where there is one."""
        if self._work is not None:
            return self._work.q.reshape(-1), self._work.s.reshape(-1)
        if not self._spare:
            self._spare = tuple(np.zeros(self._sites) for _ in range(2))
        return self._spare

    def _solve(
        self, i: int, length_h: float, state: State, view: View, lattice: Lattice
    ) -> tuple[Step, Sums | None]:
        """Take the step of one field, directly from the cells where their rates allow it."""
        tables, c, law = self.model.tables, state.fields[i], self._laws[i]
        row = tables.fields[i]
        order, tolerance = int(row["order"]), float(row["tolerance"])
        assert self._work is not None
        timed = bool(np.isfinite(length_h))
        plain = not isinstance(law.diffusion, np.ndarray) and not law.faces.permeation.any()
        plain = plain and not (timed and (order != EULER or i in self.blood)) and state.step > 0
        if plain and find_giving(i, tables, self._giving):
            background = float(row["background"])
            if row["background_signal"] >= 0:
                background += float(view.body[row["background_signal"]])
            if background >= 0.0:
                return step_direct(
                    c, view.occupant, self._giving, background, law, length_h, self._work, tolerance, MOST_CYCLES
                )  # fmt: skip
        if state.step > 0:
            self._fill(i, view, lattice)
        if isinstance(law.diffusion, np.ndarray):
            fill_diffusion(i, view, lattice, tables, self._diffusion)
        terms = Terms(*(part.reshape(self.shape) for part in self._maps))
        if i in self.blood and timed:
            blood = self.blood[i]
            return step_with_blood(
                c, terms, law, length_h, self._work, order, tolerance, MOST_CYCLES, blood
            ), None
        most = MOST_CYCLES if state.step > 0 else FIRST_CYCLES
        return step_field(c, terms, law, length_h, self._work, order, tolerance, most), None

    def _note(self, i: int, sums: Sums, state: State, view: View) -> None:
        """Note mean and extremes of a field, and scale it to mean 1 where asked for."""
        mean = sums.present / state.fields[i].size
        factor = 1.0 / mean if self.model.tables.fields[i]["normalise"] and mean > 0.0 else 1.0
        if factor != 1.0:
            state.fields[i] *= factor
        stats = view.stats[i]
        stats["mean"], stats["low"], stats["high"] = mean * factor, sums.low * factor, sums.high * factor
        stats["solved_mean"] = mean

    def _choose(self, i: int, state: State) -> None:
        """Settle whether a field is stepped in time, and note the reason and what the lattice cannot show."""
        row, info, model = self.model.tables.fields[i], self.model.fields[i], self.model
        diffusivity = float(row["diffusion_per_h"]) * model.site_um**2
        _, taken, exchanged = self._maps
        uptake, exchange = float(taken.mean()), float(exchanged.mean())
        vessels = int(np.count_nonzero(exchanged))
        dimensions, extent = len(self.shape), min(self.shape) * model.site_um
        spacing = model.site_um * float(exchanged.size / vessels) ** (1 / dimensions) if vessels else math.inf
        word, reason = choose_solver(
            diffusivity, float(row["decay"]), uptake, spacing, float(row["every"] * model.dt_h),
            model.site_um, extent,
        )  # fmt: skip
        if row["transient"] == AUTO:
            state.field_transient[i] = FIELD_SOLVERS.index(word) == TRANSIENT
            self.notes.append(f"field '{info.name}': {reason}")
        else:
            state.field_transient[i] = row["transient"] == TRANSIENT
        self.notes += check_lengths(
            info.name, diffusivity, float(row["decay"]), uptake + exchange, model.site_um, extent
        )
