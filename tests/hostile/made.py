"""Small hostile files, made on the spot: each shows one kind of input that no reader may trip over."""

from pathlib import Path

CHILD = '[scenario]\nextends = "{}"\nname = "h"\ntitle = "t"\n'
STUDY = '[study]\nname = "s"\ntitle = "t"\narms = ["eden"]\npatients = 1\nseed = 1\n'
TUMOUR = CHILD.format("strobl2022_adaptive")
BODY = CHILD.format("mcrc_tas102")
DRUG = (
    '[drug]\nname = "d"\ntitle = "t"\nstructure = "linear"\nroutes = ["iv"]\nsource = "assumed"\n'
    '[parameters.molar_mass]\nvalue = 150\nunit = "kDa"\nsource = "assumed"\n'
    '[parameters.clearance]\nvalue = 1\nunit = "L/d"\nsource = "assumed"\n'
    '[parameters.volume]\nvalue = {}\nunit = "{}"\nsource = "assumed"\n'
)
DOSES = '[[regimen]]\ndrug = "TAS102"\nsource = "assumed"\n'
CYCLE = DOSES + "amount = 1\ndays = {}\ncycle_days = {}\ninfusion_days = {}\nfirst_day = 0\n"
POPULATION = (
    '[population]\nname = "n"\ntitle = "t"\nsource = "assumed"\n[parameters]\n'
    'K1 = {{ min = 1, max = 2, a = 1, b = 1, unit = "{}", source = "assumed" }}\n'
)

REFUSED: dict[str, str | bytes] = {
    "integer": "a = " + "9" * 5000,
    "lists": "a = " + "[" * 1500 + "]" * 1500,
    "tables": "a = " + "{ b = " * 1000 + "1" + " }" * 1000,
    "nan": TUMOUR + "duration_days = nan\n",
    "inf": TUMOUR + "[controller]\non_above = inf\n",
    "latin": b'[scenario]\nname = "\xe9"\n',
    "nul": b"[model]\x00\n",
    "bom": b"\xef\xbb\xbf" + TUMOUR.encode(),
    "surrogate": TUMOUR + 'arm = "\\ud800"\n',
    "escape": TUMOUR + 'arm = "\\u001b[2J"\n',
    "empty_text": TUMOUR + 'arm = ""\n',
    "boolean": TUMOUR + "duration_days = true\n",
    "text": TUMOUR + '[lattice]\nrows = "many"\n',
    "centuries": TUMOUR + "duration_days = 1e15\n",
    "late_snapshot": TUMOUR + "duration_days = 2\n[output]\nsnapshot_days = [3]\n",
    "assessments": BODY + "assessment_days = 1e-9\n",
    "tolerance": BODY + "[body]\ntolerance = 1e10\n",
    "lattice": BODY + "[lattice]\nrows = 1000000\n",
    "threshold": TUMOUR + "[controller]\noff_below = -0.5\n",
    "infusion": BODY + CYCLE.format("[1]", 7, 8),
    "doses": BODY + CYCLE.format("[1]", 1e-9, 0),
    "cells": BODY + DOSES + 'order = "1e8 cells iv once"\n',
    "long_name": TUMOUR.replace('"h"', f'"{"h" * 300}"'),
    "slash": TUMOUR.replace('"h"', '"a/b"'),
    "patients": STUDY.replace("patients = 1", "patients = 1000000000"),
    "points": STUDY + "[[sweep]]\nparameters = { rows = { low = 16, high = 99, n = 1000000000000 } }\n",
    "sobol": STUDY
    + '[[sweep]]\ndesign = "sobol"\nn = 1099511627776\nparameters = { rows = { low = 16, high = 99 } }\n',
    "grid": STUDY
    + '[[sweep]]\ndesign = "grid"\nparameters = {'
    + ", ".join(
        f"{key} = {list(range(16, 116))}"
        for key in ("rows", "columns", "duration_days", "record_every_hours")
    )
    + "}\n",
    "volume": DRUG.format("5e-324", "L"),
    "volume_in_kg": DRUG.format("3", "kg"),
    "law_in_kg": POPULATION.format("kg"),
    "law_in_nothing": POPULATION.format("\U0001f600"),
    "types": '[model]\nname = "m"\n' + "".join(f'[[cell_type]]\nname = "t{k}"\n' for k in range(300)),
}


def make(folder: Path, names: tuple[str, ...] = tuple(REFUSED)) -> Path:
    """Write files ``toml_<name>.toml``; return the folder."""
    for name in names:
        data = REFUSED[name]
        (folder / f"toml_{name}.toml").write_bytes(data if isinstance(data, bytes) else data.encode())
    return folder
