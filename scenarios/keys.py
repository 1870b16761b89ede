"""The shape of scenario and study files: section -> key -> (kind, required, meaning)."""

TREATMENTS = ("as scheduled", "until progression")
PATTERNS = ("scattered", "glands", "nests", "disc")
LESIONS = ("primary", "metastasis")
FILLS = ("drawn", "mirror", "density", "none")
# (section, key) -> the words it may hold
WORDS = {
    ("scenario", "treatment"): TREATMENTS,
    ("tissue", "pattern"): PATTERNS,
    ("tissue", "immune_lesion"): LESIONS,
    ("tissue", "table_fill"): FILLS,
}
LIST_SECTIONS = ("regimen",)

SCENARIO_KEYS: dict[str, dict[str, tuple[str, bool, str]]] = {
    "scenario": {
        "name": ("text", True, "name; part of the name of the run file"),
        "title": ("text", True, "one line for figures and reports"),
        "extends": ("text", False, "scenario whose settings hold where this one is silent"),
        "arm": ("text", True, "treatment arm"),
        "model": ("text", True, "tissue model: library name or path"),
        "duration_days": ("number", True, "simulated time"),
        "treatment": ("text", False, "as scheduled, or until progression (checked at assessments)"),
        "assessment_days": ("number", False, "days between assessments; 56 if absent"),
    },
    "lattice": {
        "rows": ("whole", True, "sites along y"),
        "columns": ("whole", True, "sites along x"),
    },
    "tissue": {
        "occupancy": ("number", True, "starting share of tumour sites"),
        "pattern": ("text", True, "scattered, glands, nests or disc"),
        "scale_um": ("number", False, "size of glands or nests"),
        "composition": ("table", True, "tumour cell type = share"),
        "stroma": ("table", False, "type and share of sites: { type, fraction }"),
        "vessels": ("table", False, "type and density: { type, per_mm2 }"),
        "margin_um": ("number", False, "width of the invasive margin along one side; 0 for none"),
        "immune": ("table", False, "cell type = marker of the density table"),
        "immune_lesion": ("text", False, "lesion of the density table: primary or metastasis"),
        "least_immune": ("whole", False, "fewest cells of an immune type that are placed"),
        "table_mapping": (
            "table",
            False,
            "phenotype of a cell table = cell type, composition table or ignore",
        ),
        "table_fill": ("text", False, "what surrounds a cell table: drawn tissue, mirror, density or none"),
    },
    "body": {
        "model": ("text", True, "systemic model: qcic"),
        "variant": ("text", True, "variant of its equations: conservative"),
        "burn_in_days": ("number", True, "days before time 0 with the tumour frozen"),
        "tolerance": ("number", True, "relative tolerance of the ODE solver"),
    },
    "patient": {
        "population": ("text", False, "population file: library name or path"),
        "number": ("whole", False, "which patient of the population"),
        "population_seed": ("whole", False, "seed of the population"),
        "values": ("table", False, "parameter = value, in place of a population"),
    },
    "regimen": {
        "drug": ("text", True, "drug of the body model"),
        "amount": ("number", True, "amount a dose, in the unit of the body model"),
        "days": ("list", True, "days of a cycle, 1 is the first"),
        "cycle_days": ("number", True, "length of a cycle"),
        "cycles": ("whole", False, "number of cycles; until the end of the run if absent"),
        "infusion_days": ("number", True, "duration of a dose; 0 is a bolus"),
        "first_day": ("number", True, "day on which cycle day 1 of the first cycle falls"),
        "source": ("text", True, "source of the schedule"),
    },
    "output": {
        "record_every_hours": ("number", True, "time between rows of the series"),
        "snapshot_days": ("list", True, "days of the snapshots; the end is always one"),
        "checkpoint_every_days": ("number", True, "simulated time between checkpoints on disk"),
    },
    "coupling": {
        "blood_volume": ("text", True, "body parameter (L)"),
        "tissue_volume": ("text", True, "body parameter (L)"),
        "cells": ("list", True, "{ type, tissue, weight, blood, arrival }"),
        "signals": ("list", True, "{ signal, body, factor, unit }"),
        "releases": ("list", True, "{ type, events, amount }"),
        "drugs": ("list", True, "{ drug, states }"),
        "plasma": ("list", False, "{ drug, body, factor }: plasma level in nM"),
    },
    "parameters": {},
}

# One entry of [parameters], and of each list in [coupling].
ENTRY_KEYS: dict[str, dict[str, tuple[str, bool, str]]] = {
    "parameters": {
        "value": ("number", True, "the number"),
        "unit": ("text", False, "unit; the declared one if absent"),
        "source": ("text", True, "DOI, PMID nnn, fitted or assumed"),
    },
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
    },
    "plasma": {
        "drug": ("text", True, "name in figures"),
        "body": ("text", True, "body state"),
        "factor": ("expression", True, "nM per unit of the body state"),
    },
}

STUDY_KEYS: dict[str, dict[str, tuple[str, bool, str]]] = {
    "study": {
        "name": ("text", True, "name of the study"),
        "title": ("text", True, "one line for reports"),
        "arms": ("list", True, "scenarios, one an arm"),
        "patients": ("whole", True, "patients an arm; patients and seeds are shared by all arms"),
        "seed": ("whole", True, "seed of patient 1; patient k runs with seed + k - 1"),
        "settings": ("table", False, "scenario or parameter = value, as --set"),
        "ode_only_patients": ("whole", False, "patients an arm of the ODE-only comparison; 0 for none"),
    },
}
