"""A small tissue without a body for tests: sensitive and resistant cells, and a drug that kills the former."""

from pathlib import Path

MODEL = """
[model]
name = "race"
title = "Sensitive and resistant cells on a section"
dimensions = 2
layers = ["tissue"]
site = "pitch"
time_step = "step"
update = "rates"
neighbourhood = "moore"
boundary = "no-flux"

[parameters]
pitch = { value = 20, unit = "um", source = "assumed", description = "lattice pitch" }
step = { value = 6, unit = "h", source = "assumed", description = "time step" }
growth = { value = 0.2, unit = "1/d", source = "assumed", description = "division rate" }
death = { value = 0.01, unit = "1/d", source = "assumed", description = "death rate" }
kill = { value = 0.5, unit = "1/d", source = "assumed", description = "death rate at full dose" }
one = { value = 1, unit = "1", source = "assumed", description = "full dose" }

[[body_signal]]
name = "drug"
unit = "1"
default = "0"
description = "dose"

[[cell_type]]
name = "S"
display = "Sensitive"
layer = "tissue"
group = "tumour"
colour = "#1f77b4"

[[cell_type]]
name = "R"
display = "Resistant"
layer = "tissue"
group = "tumour"
colour = "#d62728"

[[behaviour]]
cell = "tumour"
do = "divide"
rate = "growth"

[[behaviour]]
cell = "tumour"
do = "die age"
rate = "death"

[[behaviour]]
cell = "S"
do = "die drug"
rate = "kill"

[[rule]]
cell = "S"
behaviour = "die drug"
signal = "body drug"
effect = "drives"
response = "linear"
half = "one"
"""

SCENARIO = """
[scenario]
name = "race_{arm}"
title = "Race, {arm}"
arm = "{arm}"
model = "race_model.toml"
duration_days = 60

[lattice]
rows = 32
columns = 32

[tissue]
occupancy = 0.3
pattern = "scattered"
composition = {{ S = 0.97, R = 0.03 }}

[output]
record_every_hours = 24
snapshot_days = [0, 10]
checkpoint_every_days = 5
"""

CONTROLLER = """
[controller]
kind = "{kind}"
signal = "drug"
off_below = 0.5
on_above = 1.0
"""

STOP = """
[stop]
progression = { above = 1.2, consecutive = 2 }
"""

STUDY = """
[study]
name = "race"
title = "Continuous against adaptive"
arms = ["continuous.toml", "adaptive.toml"]
patients = 1
seed = 3
"""


def write_race(folder: Path) -> Path:
    """Write model, scenarios (untreated, continuous, adaptive) and study; return the folder."""
    (folder / "race_model.toml").write_text(MODEL)
    (folder / "untreated.toml").write_text(SCENARIO.format(arm="untreated"))
    for kind in ("continuous", "adaptive"):
        text = SCENARIO.format(arm=kind) + CONTROLLER.format(kind=kind) + STOP
        (folder / f"{kind}.toml").write_text(text)
    (folder / "race.toml").write_text(STUDY)
    return folder
