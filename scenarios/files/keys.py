"""The shape of scenario and study files: section -> key -> (kind, required, meaning).

Kinds are those of ``abm/compile/keys.py``, and ``amount``: a number, or an expression over the parameters of the model.
"""

from ...ode_coupling.dosing import ROUTES
from ...ode_coupling.ports import SPLITTINGS
from ...ode_coupling.regimens.body_size import BSA_FORMULAS, SEXES
from ..treatment.companions import COMPANION_KEYS
from ..treatment.controllers import CONTROLLERS
from ..treatment.observe import OBSERVED
from ..treatment.radiation import RADIOTHERAPY_KEYS
from ..treatment.trial_keys import CONTROLLER_KEYS, PROGRESSION_KEYS, TOXICITY_KEYS
from .limits import MOST_DAYS, MOST_RUNS, MOST_SEED

TREATMENTS = ("as scheduled", "until progression")
PATTERNS = ("scattered", "glands", "nests", "disc")
LESIONS = ("primary", "metastasis")
FILLS = ("drawn", "mirror", "density", "none")
TISSUE_KINDS = (
    *("drawn", "scattered", "nodule", "nodule in stroma", "nests", "strip"),
    *("image", "table", "tiles", "snapshot"),
)
SIDES = ("x-", "x+", "y-", "y+", "z-", "z+", "x", "y", "z")
FORKS = ("snapshot", "exact")
# (section, key) -> the words it may hold
WORDS = {
    ("scenario", "treatment"): TREATMENTS,
    ("patient", "sex"): SEXES,
    ("patient", "bsa_formula"): tuple(BSA_FORMULAS),
    ("regimen", "route"): tuple(ROUTES),
    ("controller", "kind"): tuple(CONTROLLERS),
    ("controller", "observe"): OBSERVED,
    ("coupling", "splitting"): SPLITTINGS,
    ("tissue", "kind"): TISSUE_KINDS,
    ("tissue", "pattern"): PATTERNS,
    ("tissue", "side"): SIDES,
    ("tissue", "fork"): FORKS,
    ("tissue", "immune_lesion"): LESIONS,
    ("tissue", "table_fill"): FILLS,
}
LIST_SECTIONS = ("regimen", "companion")
SEVERAL = ("controller",)  # one table, or a list of them
REQUIRED_SECTIONS = ("scenario", "lattice", "tissue", "output")
# What makes no sense without a body, and what a body needs.
BODY_SECTIONS = ("body", "coupling")
BODY_ONLY = ("coupling", "patient", "regimen", "companion", "toxicity")
# section -> keys whose value is a table with keys of its own, which --set reaches as section.key.own
NESTED = {"stop": ("progression",)}

SCENARIO_KEYS: dict[str, dict[str, tuple[str, bool, str]]] = {
    "scenario": {
        "name": ("text", True, "name; part of the name of the run file"),
        "title": ("text", True, "one line for figures and reports"),
        "extends": ("text", False, "scenario whose settings hold where this one is silent"),
        "arm": ("text", True, "treatment arm"),
        "model": ("text", True, "tissue model: library name or path"),
        "include": ("texts", False, "further parts of the model, such as drugs/anti_pd1.toml"),
        "duration_days": (f"number > 0 <= {MOST_DAYS}", True, "simulated time"),
        "treatment": ("text", False, "as scheduled, or until progression (checked at assessments)"),
        "assessment_days": (f"number > 0 <= {MOST_DAYS}", False, "days between assessments; 56 if absent"),
    },
    "lattice": {
        "rows": ("whole >= 16 <= 8192", True, "sites along y"),
        "columns": ("whole >= 16 <= 8192", True, "sites along x"),
        "planes": ("whole >= 2 <= 1024", False, "sites along z, for a model of 3 dimensions"),
    },
    "tissue": {
        "kind": ("text", False, "how tissue is made: drawn if absent"),
        "occupancy": ("amount >= 0 <= 1", False, "starting share of tumour sites"),
        "pattern": ("text", False, "drawn: scattered, glands, nests or disc"),
        "scale_um": ("amount > 0", False, "drawn: size of glands or nests"),
        "composition": ("table", False, "tumour cell type = share"),
        "clone_um": (
            "amount >= 0",
            False,
            "drawn: size of patches of one tumour type; mixed at random if absent",
        ),
        "stroma": ("table", False, "type and share of sites: { type, fraction }"),
        "vessels": ("table", False, "type and density: { type, per_mm2 }"),
        "margin_um": ("amount >= 0", False, "drawn: width of the invasive margin along one side; 0 for none"),
        "immune": ("table", False, "cell type = marker of the density table"),
        "immune_lesion": ("text", False, "lesion of the density table: primary or metastasis"),
        "least_immune": ("whole >= 0", False, "fewest cells of an immune type that are placed"),
        "counts": ("table", False, "cell type = exact number of cells"),
        "ceil": ("texts", False, "cell types whose number is rounded up"),
        "shares": ("table", False, "scattered: cell type = share of all sites, in place of occupancy"),
        "nest": (
            "table",
            False,
            "nests, nodule: { type, count, places, distance_um, cells, radius_um }, cells of one type together",
        ),
        "radius_um": ("amount > 0", False, "nodule: radius"),
        "nodule_cells": (
            "amount > 0",
            False,
            "nodule: number of cells, in place of a radius; 1 is a seed cell",
        ),
        "packing": (
            "amount > 0 <= 1",
            False,
            "nodule, strip: share of its sites that hold a cell; 1 if absent",
        ),
        "side": ("text", False, "strip: x- is the first columns, x the middle ones"),
        "depth_sites": ("amount > 0", False, "strip: depth; 1 is a line"),
        "file": ("text", False, "image, table, tiles, snapshot: path of the file"),
        "pixel_um": (
            "amount > 0",
            False,
            "image: size of a pixel; table: the same, where positions are in pixels",
        ),
        "page_um": ("amount > 0", False, "image: distance of the pages of a TIFF; pixel_um if absent"),
        "label_mapping": (
            "table",
            False,
            "image: grey value, palette index or #RRGGBB = cell type, composition table or ignore",
        ),
        "table_columns": ("table", False, "table: x, y, z and phenotype = name of the column"),
        "table_mapping": (
            "table",
            False,
            "phenotype of a cell table = cell type, composition table or ignore",
        ),
        "image_column": (
            "text",
            False,
            "table: column, or columns joined by commas, that tell images apart; none if all lie in one plane",
        ),
        "image": ("text", False, "table: which image of the table"),
        "table_fill": ("text", False, "what surrounds a cell table: drawn tissue, mirror, density or none"),
        "slide": ("text", False, "tiles: which slide of the file"),
        "tile_um": ("amount > 0", False, "tiles: side of a tile; 112 if absent"),
        "tile_corner": (
            "numbers >= 0",
            False,
            "tiles: row and column of the tile in the corner of the lattice",
        ),
        "tile_classes": ("table", False, "tiles: tissue class = { cell type = cells per mm2 } or ignore"),
        "day": ("amount >= 0", False, "snapshot: day of the earlier run; the last if absent"),
        "fork": ("text", False, "snapshot: snapshot, or exact (the final state, every bit)"),
    },
    "body": {
        "model": ("text", True, "systemic model: qcic, or an SBML file (.xml)"),
        "variant": ("text", False, "qcic: variant of its equations, conservative; has to be given"),
        "burn_in_days": (
            f"number >= 0 <= {MOST_DAYS}",
            False,
            "days before time 0 with the tumour frozen; has to be given for qcic, 0 if absent for a file",
        ),
        "doses": ("table", False, "file: drug = species that its doses enter"),
        "tolerance": ("number >= 1e-13 <= 1e-3", True, "relative tolerance of the ODE solver"),
    },
    "patient": {
        "population": ("text", False, "population file: library name or path"),
        "number": (
            "whole >= 1 <= 10000",
            False,
            "which patient of the population; further ones come with another population_seed",
        ),
        "population_seed": ("whole >= 0", False, "seed of the population"),
        "values": ("named", False, "parameter = value, in place of a population"),
        "weight_kg": ("number > 0 <= 1000", False, "body weight, for orders in mg/kg and mg/m2"),
        "height_cm": ("number > 0 <= 300", False, "height, for orders in mg/m2"),
        "sex": ("text", False, "female or male"),
        "age_years": ("number > 0 < 140", False, "age"),
        "gfr_mL_per_min": ("number > 0 <= 1000", False, "filtration of the kidneys, for orders by AUC"),
        "creatinine_mg_per_dL": ("number > 0 <= 100", False, "in serum, in place of the filtration"),
        "bsa_formula": ("text", False, "formula of the body surface: mosteller or dubois"),
    },
    "regimen": {
        "drug": ("text", True, "drug of the body model"),
        "order": (
            "text",
            False,
            "the order in words (docs/regimens.md), in place of amount to infusion_days",
        ),
        "amount": ("number >= 0", False, "amount a dose, in the unit of the body model"),
        "days": (f"numbers >= 1 <= {MOST_DAYS}", False, "days of a cycle, 1 is the first"),
        "cycle_days": (f"number > 0 <= {MOST_DAYS}", False, "length of a cycle"),
        "cycles": (
            f"whole >= 0 <= {MOST_DAYS}",
            False,
            "number of cycles; until the end of the run if absent",
        ),
        "infusion_days": (f"number >= 0 <= {MOST_DAYS}", False, "duration of a dose; 0 is a bolus"),
        "route": ("text", False, "iv, po, sc or im; iv if absent"),
        "first_day": (
            f"number >= 0 <= {MOST_DAYS}",
            False,
            "day on which cycle day 1 of the first cycle falls",
        ),
        "source": ("text", True, "source of the schedule"),
    },
    "controller": CONTROLLER_KEYS,
    "toxicity": TOXICITY_KEYS,
    "radiotherapy": RADIOTHERAPY_KEYS,
    "stop": {
        "progression": ("table", True, "the run ends when a tumour has outgrown its baseline, or is gone"),
    },
    "output": {
        "record_every_hours": ("number > 0", True, "time between rows of the series"),
        "snapshot_days": (
            f"numbers >= 0 <= {MOST_DAYS}",
            True,
            "days of the snapshots; the end is always one",
        ),
        "checkpoint_every_days": ("number > 0", True, "simulated time between checkpoints on disk"),
    },
    "coupling": {
        "blood_volume": ("text", True, "body parameter (L)"),
        "tissue_volume": ("text", True, "body parameter (L)"),
        "cells": ("list", True, "{ type, tissue, weight, blood, arrival }"),
        "left_out": (
            "texts",
            False,
            "tumour types that the body has no state for: they are not in the volume; all are named in cells if absent",
        ),
        "signals": ("list", True, "{ signal, body, factor, unit }"),
        "releases": ("list", True, "{ type, events, amount }"),
        "drugs": ("list", True, "{ drug, states, exchange, field, central, volume, molar_mass, ... }"),
        "plasma": ("list", False, "{ drug, body, factor }: plasma level in nM"),
        "splitting": ("text", False, "strang (second order; if absent) or lie (first)"),
        "antigen_buffer_days": (
            f"number > 0 <= {MOST_DAYS}",
            False,
            "time constant with which antigen passes; 1 if absent",
        ),
        "antigen_output": (
            "text",
            False,
            "body output: antigen at time 0; the buffer starts empty if absent",
        ),
        "antigen_input": (
            "text",
            False,
            "body input that antigen goes to (cells/L/d); antigen_rate if absent",
        ),
        "cell_volume": (
            "expression",
            False,
            "volume of a tumour cell (um^3); if absent v_tumor of the body, or 2.572e-9 cm3 where that has none",
        ),
        "cell_share": (
            "expression",
            False,
            "share of the tumour that is tumour cells; if absent V_e of the body, or 0.37 where that has none",
        ),
        "antigen_turnover": ("text", False, "body parameter: its turnover (1/d), to go with antigen_output"),
    },
    "companion": COMPANION_KEYS,
    "parameters": {},
}

# One entry of [parameters], of each list in [coupling], and of each nested table.
ENTRY_KEYS: dict[str, dict[str, tuple[str, bool, str]]] = {
    "parameters": {
        "value": ("number", True, "the number"),
        "unit": ("text", False, "unit; the declared one if absent"),
        "source": ("text", True, "DOI, PMID nnn, fitted or assumed"),
        "description": ("text", False, "what it is; needed for a parameter that the model does not have"),
    },
    "progression": PROGRESSION_KEYS,
    "cells": {
        "type": ("text", True, "cell type that the lattice owns"),
        "tissue": ("text", True, "body state it replaces"),
        "weight": ("expression", True, "body cells that one lattice cell stands for"),
        "blood": ("text", False, "body state of its blood pool"),
        "arrival": ("text", False, "body output: cells leaving blood for tissue (cells/d)"),
    },
    "signals": {
        "signal": ("text", True, "body signal of the tissue model"),
        "body": ("text", True, "body state or output that supplies it"),
        "factor": ("expression", False, "number it is multiplied by"),
        "unit": ("text", False, "unit of the factor"),
    },
    "releases": {
        "type": ("text", True, "cell type"),
        "events": ("words", True, "what happened to it: die <cause>, killed by <type>"),
        "amount": ("text", True, "body parameter: antigen a cell releases"),
    },
    "drugs": {
        "drug": ("text", True, "drug of the body model"),
        "states": ("words", True, "body states that hold what was given"),
        "exchange": (
            "text",
            False,
            "pattern (no amount crosses; if absent), exchanged (by amounts) or dirichlet (one-way, creates drug)",
        ),
        "field": (
            "text",
            False,
            "field that it crosses into: nM, transient, with vessels and an initial level",
        ),
        "central": ("text", False, "body state that is debited: amount in the central compartment"),
        "volume": ("expression", False, "volume of that compartment: body parameter, or expression (L)"),
        "molar_mass": ("expression", False, "molar mass (Da)"),
        "partition": ("expression", False, "tissue over plasma at equilibrium, unbound drug; 1 if absent"),
        "scale": ("expression", False, "lattice volumes it stands for; lesion over lattice if absent"),
        "mg_per_unit": ("number > 0", False, "mg in a unit of the body state; 1 if absent"),
    },
    "plasma": {
        "drug": ("text", True, "name in figures"),
        "body": ("text", True, "body state"),
        "factor": ("expression", True, "nM per unit of the body state"),
    },
}

DESIGNS = ("values", "grid", "latin hypercube", "sobol", "table")

STUDY_KEYS: dict[str, dict[str, tuple[str, bool, str]]] = {
    "study": {
        "name": ("text", True, "name of the study"),
        "title": ("text", True, "one line for reports"),
        "arms": ("texts", True, "scenarios, one an arm"),
        "patients": (
            f"whole >= 1 <= {MOST_RUNS}",
            True,
            "patients an arm; patients and seeds are shared by all arms",
        ),
        "seed": (f"whole >= 0 <= {MOST_SEED}", True, "seed of patient 1; patient k runs with seed + k - 1"),
        "replicates": (
            f"whole >= 1 <= {MOST_RUNS}",
            False,
            "seeds a patient, as --replicates; one if absent",
        ),
        "settings": ("table", False, "scenario or parameter = value, as --set"),
        "ode_only_patients": (
            "whole >= 0 <= 100000",
            False,
            "patients an arm of the ODE-only comparison; 0 for none",
        ),
    },
    "sweep": {
        "design": ("text", False, "values, grid, latin hypercube, sobol or table; values if absent"),
        "parameters": (
            "table",
            False,
            "parameter or key = list of values, or range { low, high, scale, unit, n }",
        ),
        "n": (f"whole >= 1 <= {MOST_RUNS}", False, "latin hypercube, sobol: number of points"),
        "seed": (
            f"whole >= 0 <= {MOST_SEED}",
            False,
            "latin hypercube, sobol: seed of the points; 1 if absent",
        ),
        "table": ("text", False, "table: CSV file beside the study, one column a parameter, one row a point"),
    },
}
# One range of a sweep.
RANGE_KEYS: dict[str, tuple[str, bool, str]] = {
    "low": ("number", True, "lowest value"),
    "high": ("number", True, "highest value"),
    "scale": ("text", False, "linear or log; linear if absent"),
    "unit": ("text", False, "unit of both; the declared one if absent"),
    "n": (f"whole >= 2 <= {MOST_RUNS}", False, "values, grid: number of values, the ends included"),
}
