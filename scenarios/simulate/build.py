"""Assemble a scenario: tissue placed, model compiled, body burnt in and coupled where there is one."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...abm.advance import Tissue
from ...abm.compile.parameters import Override
from ...abm.errors import InputError, unknown_word
from ...abm.model import Model, compile_model, read_types
from ...abm.placement import Placement
from ...abm.state import first_state
from ...abm.vocabulary import ADMIT
from ...ode_coupling.couple import CoupledRun
from ...ode_coupling.dosing import Dose
from ...ode_coupling.system import Body
from ..files.scenario import Scenario
from ..files.systemic import body_model, body_parameters, in_body_unit
from ..files.tissue_keys import lattice_shape
from ..store import to_json
from ..tissue.numbers import resolve_numbers
from ..tissue.place import draw_densities, place_scenario, table_of, tissue_provenance
from ..treatment.companions import systemic_doses, with_companions
from ..treatment.course import Course, TissueAlone, WithBody
from ..treatment.marrow import Marrow
from ..treatment.radiation import Radiation
from ..treatment.trial import Trial
from .body_side import burn_in, density_stream, make_ports, patient_of, schedule_of, set_variant, weigh
from .names import wrong_names

MOST_SEED = 2**63 - 1  # the run file holds seeds as 64-bit integers


@dataclass
class Simulation:
    """A scenario ready to run.

    Attributes
    ----------
    scenario : Scenario
    seed : int
    course : Course
        What advances: the tissue, with its body or alone.
    trial : Trial
        Controllers and stopping rule.
    radiation : Radiation
        Fractions of radiotherapy.
    placement : Placement
    patient : str
        Name of the virtual patient.
    patient_values : dict of str to float
    doses : list of Dose
        As scheduled.
    tissue_provenance : dict
        What identifies a cell table (empty without one).
    """

    scenario: Scenario
    seed: int
    course: Course
    trial: Trial
    radiation: Radiation
    placement: Placement
    patient: str
    patient_values: dict[str, float]
    doses: list[Dose]
    tissue_provenance: dict[str, Any]

    @property
    def tissue(self) -> Tissue:
        """Return the tissue."""
        return self.course.tissue

    @property
    def model(self) -> Model:
        """Return the compiled tissue model."""
        return self.course.tissue.model

    @property
    def coupled(self) -> CoupledRun:
        """Return tissue and body together, of a scenario that has a body."""
        assert isinstance(self.course, WithBody), "a tissue alone has no body"
        return self.course.coupled


class Builder:
    """A scenario of which everything that does not depend on the seed is done, once.

    Parameters
    ----------
    scenario : Scenario

    Raises
    ------
    InputError
        A name that tissue or body do not know, or numbers that neither can be made with.
    """

    def __init__(self, scenario: Scenario):
        self.scenario = scenario
        # keys in sorted order, as the run key sees them: the order in a file must not change a result
        self._tables = json.loads(to_json(scenario.tables))
        self._patient, self._values = patient_of(scenario)
        self._doses = schedule_of(scenario.tables)
        self._body_model = body_model(self._tables) if "body" in self._tables else None
        self._tissue_values, self._body_values = route(scenario, self._values)
        self._burnt = (
            burn_in(self._body_model, self._body_values, self._tables["body"]) if self._body_model else None
        )
        for problem in wrong_names(scenario):
            raise InputError(problem)
        spec = scenario.model_spec
        self._types = read_types(spec)
        # lattice pitch and other numbers that placement needs do not depend on what is placed
        sites = math.prod(lattice_shape(self._tables["lattice"], spec.model["dimensions"]))
        self._measures = any("measured" in entry for entry in spec.parameters.values())
        self._draft = compile_model(spec, self._tissue_values, {"sites": float(sites)}, self._measures)

    def build(self, seed: int, tissue_file: Path | None = None, threads: int = 1) -> Simulation:
        """Assemble a simulation at time 0.

        Parameters
        ----------
        seed : int
            Decides placement, luck of every cell and recruitment; patients and arms may share it. The regional immune
            densities are the patient's.
        tissue_file : Path, optional
            Cell table that replaces the drawn tissue.
        threads : int

        Raises
        ------
        InputError
        """
        if not 0 <= seed <= MOST_SEED:
            raise InputError(f"the seed must be a whole number from 0 to {MOST_SEED}, got {seed}")
        tables, draft = self._tables, self._draft
        table = table_of(tissue_file, tables["tissue"]) if tissue_file else None
        densities = draw_densities(
            resolve_numbers(tables["tissue"], draft), *density_stream(self.scenario, seed)
        )
        placement = place_scenario(tables, self._types, draft, densities, seed, table)
        model = draft
        if self._measures:
            measured = measure(placement, draft)
            if self._burnt:
                measured |= weigh(measured, tables["coupling"], self._burnt)
            model = compile_model(self.scenario.model_spec, self._tissue_values, measured)
        factors = _entry_factors(model, placement, densities)
        course = self._course(Tissue(model, first_state(model, placement, seed, factors), threads))
        provenance = table.provenance if table else tissue_provenance(tables["tissue"])
        return Simulation(
            self.scenario,
            seed,
            course,
            Trial(tables, model, course),
            Radiation(tables, model),
            placement,
            self._patient,
            self._values,
            self._doses,
            provenance,
        )

    def body(self, model: Model | None = None) -> Body:
        """Return the body at day 0, burnt in, with its doses and companions, and no lattice that owns any of it.

        Parameters
        ----------
        model : Model, optional
            Whose parameters the scenario's expressions name; the scenario's, without measured ones, if absent.

        Raises
        ------
        InputError
            The scenario has no body.
        """
        if self._burnt is None or self._body_model is None:
            raise InputError(f"{self.scenario.name}: the scenario has no body; add [body]")
        table = self._tables["body"]
        body = Body(
            self._body_model,
            self._body_values,
            systemic_doses(self._tables, self._doses),
            rtol=table["tolerance"],
        )
        body.take_over(self._burnt)
        set_variant(body, table)
        return with_companions(body, self._tables, self._doses, model or self._draft)

    def _course(self, tissue: Tissue) -> Course:
        if self._body_model is None:
            return TissueAlone(tissue)
        body = self.body(tissue.model)
        coupling = self._tables["coupling"]
        coupled = CoupledRun(tissue, body, make_ports(coupling, tissue.model, body))
        coupled.open()
        marrow = Marrow(self._tables["toxicity"], tissue.model, body) if "toxicity" in self._tables else None
        return WithBody(coupled, coupling, marrow)


def build(scenario: Scenario, seed: int, tissue_file: Path | None = None, threads: int = 1) -> Simulation:
    """Assemble one simulation at time 0; a `Builder` is faster for many seeds.

    Raises
    ------
    InputError
    """
    return Builder(scenario).build(seed, tissue_file, threads)


def route(scenario: Scenario, patient: Mapping[str, float]) -> tuple[dict[str, Override], dict[str, float]]:
    """Send patient, scenario and user values to the tissue, the body or both, by name.

    Raises
    ------
    InputError
        A name that neither has, or a unit that measures something else.
    """
    body_names = body_parameters(scenario.tables)
    tissue: dict[str, Override] = {}
    body: dict[str, float] = {}
    known = scenario.model_spec.parameters
    entries: list[tuple[str, float, str | None, str]] = [
        (name, value, None, "virtual patient") for name, value in patient.items()
    ]
    for name, entry in scenario.tables.get("parameters", {}).items():
        if known.get(name) == entry and name not in body_names:
            continue  # a scenario's own parameter: its value is a default, which the patient may have changed
        entries.append((name, entry["value"], entry.get("unit"), entry["source"]))
    entries += [(name, value, unit, "user") for name, (value, unit) in scenario.user_parameters.items()]
    for name, value, unit, source in entries:
        if name not in known and name not in body_names:
            raise unknown_word("parameter", name, {*known, *body_names}, f"{source} value")
        if name in known:
            tissue[name] = Override(value, unit, source)
        if name in body_names:
            # without a unit it is in the one that the tissue declares, where that has it, too
            given = unit or (known[name]["unit"] if name in known else None)
            body[name] = in_body_unit(body_names[name], value, given)
    return tissue, body


def measure(placement: Placement, draft: Model) -> dict[str, float]:
    """Return what the placed tissue defines: ``sites`` and ``count <type or group>``."""
    counts = np.bincount(placement.occupant.reshape(-1), minlength=len(draft.types) + 1)
    measured = {"sites": float(placement.region.size)}
    for word in {info.name for info in draft.types} | {info.group for info in draft.types}:
        measured[f"count {word}"] = float(sum(counts[i] for i in draft.members(word)))
    return measured


def _entry_factors(
    model: Model, placement: Placement, densities: Mapping[str, Mapping[str, float]]
) -> np.ndarray:
    """Return the relative weight of an entry point by arriving type and region.

    Recruitment keeps up the regional densities that the tissue starts with: drawn tissue uses the densities
    that were drawn; every other tissue uses what was placed, per entry point of the region.
    """
    factor = np.ones((len(model.types) + 1, len(placement.region_names)))
    slots = model.tables.slots
    admitting = [t for t, row in enumerate(model.tables.types) if row["admit_last"] > row["admit_first"]]
    if not admitting:
        return factor
    inside = [placement.occupant[:, placement.region == r] for r in range(len(placement.region_names))]
    for type_id in sorted({int(slot["object"]) for slot in slots if slot["verb"] == ADMIT}):
        name = model.types[type_id - 1].name
        for r, region in enumerate(placement.region_names):
            if placement.report["kind"] not in ("drawn", "nodule in stroma"):
                entries = np.isin(inside[r], admitting).sum()
                factor[type_id, r] = (inside[r] == type_id).sum() / max(entries, 1)
            else:
                factor[type_id, r] = densities.get(name, {}).get(region, 1.0)
        if not factor[type_id].any():
            factor[type_id] = 1.0
    return factor
