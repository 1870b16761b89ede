"""The words of a model file: what a cell can do, what it can sense, and how a rule shapes a rate."""

# --- behaviours: "do = <verb> [object]" -----------------------------------------------------------
DIVIDE, DIE, BECOME, LEAVE, KILL, MIGRATE, SECRETE, TAKE_UP, ADMIT, BEGET, DIE_DIVIDING = range(11)
VERBS = {
    "divide": DIVIDE,
    "die": DIE,  # die <cause>
    "become": BECOME,  # become <cell type>
    "leave": LEAVE,  # back to the body
    "kill": KILL,  # kill <cell type or group>, per contact
    "migrate": MIGRATE,  # hop to a neighbouring site
    "secrete": SECRETE,  # secrete <field>
    "take_up": TAKE_UP,  # take_up <field>
    "admit": ADMIT,  # admit <cell type>: relative weight of this cell as entry point from blood
    "beget": BEGET,  # beget <cell type>: probability that a daughter is of this type
    "die_dividing": DIE_DIVIDING,  # die_dividing <cause>: probability that a division kills the cell instead
}
VERB_OBJECT = {
    "die": "cause",
    "become": "cell type",
    "kill": "cell type or group",
    "secrete": "field",
    "take_up": "field",
    "admit": "cell type",
    "beget": "cell type",
    "die_dividing": "cause",
}

# Behaviours that exclude one another compete on one clock; kill and migrate have clocks of their own.
FATE = (DIVIDE, DIE, BECOME, LEAVE)
PROBABILITIES_OF_DIVISION = (BEGET, DIE_DIVIDING)

# --- signals: "signal = <sense> [object]" -----------------------------------------------------------
FIELD, RELATIVE_FIELD, BODY, CONTACT, CROWDING, DENSITY, OWN, NO_SIGNAL = range(8)
SENSES = {
    "field": FIELD,  # field <name>: local value
    "drug": FIELD,  # drug <field>: the same, of a drug
    "relative_field": RELATIVE_FIELD,  # local value over tissue mean
    "body": BODY,  # body <signal>
    "contact": CONTACT,  # contact <cell type or group>: number of neighbours
    "crowding": CROWDING,  # occupied fraction of the neighbours on the own layer
    "density": DENSITY,  # density <name>: weighted number within a radius
    "own": OWN,  # own <attribute>
}

# --- rules ------------------------------------------------------------------------------------------
INCREASES, DECREASES, DRIVES = range(3)
EFFECTS = {"increases": INCREASES, "decreases": DECREASES, "drives": DRIVES}
HILL, LINEAR, EXPONENTIAL, STEP = range(4)
RESPONSES = {"hill": HILL, "linear": LINEAR, "exponential": EXPONENTIAL, "step": STEP}

# --- attributes -------------------------------------------------------------------------------------
COUNT, CLOCK, TIMER = range(3)
ATTRIBUTE_KINDS = {"count": COUNT, "clock": CLOCK, "timer": TIMER}

# --- options that change the mathematics --------------------------------------------------------------
RATES, PROBABILITIES, ATTEMPTS = range(3)
UPDATES = ("rates", "per-step probabilities", "random attempts")
NEIGHBOURHOODS = ("moore", "von Neumann")
BOUNDARIES = ("no-flux", "periodic")
EMPTY_NEIGHBOUR, ANY_NEIGHBOUR = range(2)
TARGETS = ("random empty neighbour", "random neighbour, abort if occupied")
QUASI_STEADY, TRANSIENT, AUTO = range(3)
FIELD_SOLVERS = ("quasi-steady", "transient", "auto")
CLOSED, RING, FIXED = range(3)
FIELD_BOUNDARIES = ("no-flux", "periodic", "fixed")
FACES = ("x-", "x+", "y-", "y+", "z-", "z+")
NORMALISATIONS = ("none", "tissue mean")
MEASURES = ("sites", "count", "weight")
SOURCE_WORDS = ("assumed", "fitted", "derived", "user", "measured")

# --- the shape of a model file: section -> key -> (kind, required, meaning) -----------------------------
# kinds are those of keys.py
MODEL_KEYS: dict[str, dict[str, tuple[str, bool, str]]] = {
    "model": {
        "name": ("text", True, "name of the model"),
        "title": ("text", True, "one line for figures and reports"),
        "reference": ("text", False, "where the model is described"),
        "dimensions": ("whole", True, "2 (a section) or 3 (a block)"),
        "layers": ("texts", True, "names of the layers; one cell a site and layer"),
        "site": ("expression", True, "lattice pitch (um)"),
        "time_step": ("expression", True, "time step (h)"),
        "update": ("text", True, "rates, per-step probabilities or random attempts: how rates become events"),
        "neighbourhood": ("text", True, "moore or von Neumann"),
        "boundary": ("text", True, "no-flux or periodic"),
        "stirred": ("table", False, "layer = 1 if its cells are put on random sites each step, 0 if not"),
        "include": ("texts", False, "further model files, such as drugs/<name>.toml"),
    },
    "parameter": {
        "value": ("number", False, "the number (or give expr)"),
        "expr": ("text", False, "an expression over other parameters"),
        "measured": (
            "text",
            False,
            "taken from the placed tissue: sites, count <type or group>, weight <type>",
        ),
        "unit": ("text", True, "unit; 1 for none"),
        "source": ("text", False, "DOI, PMID nnn, code owner/name@commit, assumed or fitted"),
        "description": ("text", False, "what it is"),
        "range": ("numbers", False, "[lowest, highest] believable value"),
        "distribution": ("text", False, "how it varies between patients"),
    },
    "cell_type": {
        "name": ("text", True, "name of the type"),
        "like": ("text", False, "inherit look, behaviours and rules of this type"),
        "display": ("text", False, "name in figures"),
        "layer": ("text", False, "layer it sits on"),
        "group": ("text", False, "group name that rules may use for several types"),
        "colour": ("text", False, "#rrggbb"),
    },
    "field": {
        "name": ("text", True, "name of the field"),
        "display": ("text", False, "name in figures"),
        "unit": ("text", True, "unit of its values"),
        "diffusivity": ("expression", True, "diffusion coefficient (um^2/h)"),
        "decay": ("expression", True, "decay rate (1/h)"),
        "diffusivity_in": ("table", False, "cell type = diffusivity where it sits"),
        "solver": ("text", True, "quasi-steady, transient, or auto (chosen from the time scales at load)"),
        "time_order": ("whole", False, "order of a transient step: 1 or 2; 1 if absent"),
        "boundary": ("text", False, "no-flux, periodic or fixed; as the lattice if absent"),
        "boundary_level": ("expression", False, "fixed: the level outside"),
        "boundary_permeability": (
            "expression",
            False,
            "fixed: permeability of the faces (um/h); the level itself holds there if absent",
        ),
        "faces": ("texts", False, "fixed: which faces, of x-, x+, y-, y+, z-, z+; all if absent"),
        "update_interval": ("expression", True, "time between updates (h), a multiple of the time step"),
        "tolerance": ("expression", True, "relative residual of a solve"),
        "initial": ("expression", False, "starting value; the steady state of the placed cells if absent"),
        "background": ("expression", False, "uniform source (unit/h)"),
        "vessel_type": ("text", False, "cell type or group through which blood exchanges with tissue"),
        "vessel_exchange": ("expression", False, "exchange rate at a vessel site (1/h)"),
        "vessel_level": ("expression", False, "level in blood"),
        "normalise": ("text", False, "none, or tissue mean (the solved pattern is scaled to mean 1)"),
        "scale": ("text", False, "body signal that multiplies the solved pattern"),
        "background_signal": ("text", False, "body signal (unit/h) that adds a uniform source"),
    },
    "body_signal": {
        "name": ("text", True, "name of the signal"),
        "unit": ("text", True, "unit"),
        "default": ("expression", True, "value when no body is attached"),
        "description": ("text", False, "what it is"),
        "free_of": (
            "text",
            False,
            "drug signal that binds it: the value is the unbound fraction 1/(1 + C/affinity)",
        ),
        "affinity": ("expression", False, "dissociation constant, in the unit of that drug signal"),
        "pulse": (
            "whole",
            False,
            "1 if it is above 0 for single steps only, whose events it decides; 0 if absent",
        ),
    },
    "density": {
        "name": ("text", True, "name of the signal"),
        "unit": ("text", True, "unit"),
        "radius": ("expression", True, "radius of the neighbourhood (um)"),
        "weights": ("table", True, "cell type or group = weight of one cell"),
        "normalise_over": ("text", False, "group: weights are per mean crowd that its cells see at time 0"),
        "update_interval": ("expression", True, "time between updates (h), a multiple of the time step"),
    },
    "attribute": {
        "name": ("text", True, "name of the attribute"),
        "cell": ("words", True, "cell type(s) or group(s) that carry it"),
        "kind": ("text", False, "count (default), clock (h since it was set) or timer (h left)"),
        "unit": ("text", True, "unit: 1 for a count, h for a clock or timer"),
        "initial": ("expression", True, "value that a new carrier starts with"),
        "spread": ("expression", False, "standard deviation of a normal start, cut off at 0"),
        "description": ("text", False, "what it is"),
    },
    "change": {
        "attribute": ("text", True, "the attribute"),
        "cell": ("words", False, "cell type(s) or group(s); every carrier with this behaviour if absent"),
        "on": ("text", True, "the behaviour that changes it, as in do"),
        "add": ("expression", False, "what is added (or give set)"),
        "set": ("expression", False, "what it is set to"),
        "at_zero": (
            "text",
            False,
            "become <cell type> or die <cause>, at once when the value has fallen to 0",
        ),
    },
    "behaviour": {
        "cell": ("words", True, "cell type(s) or group(s)"),
        "do": ("text", True, "verb and object"),
        "rate": (
            "expression",
            True,
            "base rate: 1/h, for kill per contact, for secrete unit/h; for beget and die_dividing a probability",
        ),
        "target": ("text", False, "divide: random empty neighbour, or random neighbour, abort if occupied"),
        "rings": ("expression", False, "divide: how far the daughter may look for a free site"),
        "leaves": ("text", False, "die, kill: cell type that remains in the site"),
        "below_zero": ("text", False, "divide: 'die <cause>' where rules turn the rate negative"),
        "up": ("text", False, "migrate: field whose gradient is climbed"),
        "down": ("text", False, "migrate: field whose gradient is descended"),
        "bias": ("expression", False, "migrate: share of hops that climb or descend"),
        "persistence": ("expression", False, "migrate: time (h) that a cell keeps its random direction"),
    },
    "rule": {
        "cell": ("words", True, "cell type(s) or group(s)"),
        "behaviour": ("text", True, "the behaviour, as in do"),
        "signal": ("words", True, "one signal, or a list whose product is sensed"),
        "effect": ("text", True, "increases, decreases or drives"),
        "response": ("text", False, "hill (default), linear, exponential or step"),
        "half": (
            "expression",
            True,
            "signal at half effect (hill), at the step, or scale (linear, exponential)",
        ),
        "power": ("expression", False, "Hill power, 1 if absent"),
        "fold": ("expression", False, "rate at full effect over base rate; 0 if absent"),
    },
}
