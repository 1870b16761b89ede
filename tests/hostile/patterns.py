"""Which commands a hostile file is tried with, by the pattern of its name, and the exit codes that are right."""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

REFUSED, EITHER = (2,), (0, 2)
BIN = Path(sys.executable).parent
PROGRAM = (str(BIN / "oncolattice"),)
READ_SBML = """
import sys
from oncolattice.abm.errors import InputError
from oncolattice.ode_coupling.sbml import read_sbml
try:
    read_sbml(sys.argv[1])
except InputError as error:
    print(error)
    sys.exit(2)
"""
SCRIPT = """
import runpy, sys
from oncolattice.abm.errors import InputError
from oncolattice.ode_coupling.system import BodyError
try:
    runpy.run_path(sys.argv[1])
except (InputError, BodyError) as error:
    print(error)
    sys.exit(2)
"""
SMALL = ("--set", "rows=64", "--set", "columns=64", "--set", "margin_um=0", "--set", "duration_days=0.25")
TABLE = ("run", "mcrc_tas102", "--set", "duration_days=1", "--map", "T=DSTC", "--map", "C=CTL", "--tissue")
POPULATION = ("run", "mcrc_placebo", *SMALL, "--set")
# what stands in these scripts must be refused; in others some commands may succeed
ALL_REFUSED = ("set_values*", "sweeps*", "long_name*", "out_is_root*", "stdout_full*")


@dataclass(frozen=True)
class Trial:
    """One command for one file: its words, the exit codes that are right, and whether it is a shell script."""

    file: Path
    label: str
    words: tuple[str, ...]
    right: tuple[int, ...] = REFUSED
    script: bool = False


def trials(folder: Path) -> Iterator[Trial]:
    """Yield what is to be tried of a folder with ``hostile/`` and ``inputs/``, or of hostile files alone."""
    hostile = folder / "hostile" if (folder / "hostile").is_dir() else folder
    for file in sorted(path for path in hostile.iterdir() if path.is_file()):
        yield from of_file(file)
    for file in sorted(folder.glob("inputs/*/try.*")):
        if file.suffix == ".sh":
            yield Trial(file, "bash", ("bash", str(file)), EITHER, script=True)
        else:
            yield Trial(file, "python", (sys.executable, "-c", SCRIPT, str(file)), EITHER)


def of_file(file: Path) -> Iterator[Trial]:
    """Yield the trials of one file; of one that only belongs to another, none."""
    name, path = file.name, str(file)

    def call(label: str, *words: str, right: tuple[int, ...] = REFUSED) -> Trial:
        return Trial(file, label, (*PROGRAM, *words), right)

    match name.partition("_")[0], file.suffix:
        case "toml", ".toml":
            yield call("check", "check", path)
            yield call("run", "run", path, *SMALL)
            yield call("batch", "batch", path, "--dry-run")
            yield call("describe", "describe", path, right=EITHER)
            yield call("pk", "pk", path, "--regimen", "5 mg iv once")
        case (("check" | "run"), ".toml"):
            yield call("check", "check", path)
            yield call("run", "run", path, *SMALL)
        case "population", ".toml":
            yield call("check", "check", path, right=EITHER)
            yield call("run", *POPULATION, f"population={path}", right=EITHER)
        case (("csv" | "h5ad"), _):
            yield call("run --tissue", *TABLE, path)
        case (("img" | "tiles"), ".toml"):
            yield call("run", "run", path)
        case "sbml", ".xml":
            right = REFUSED if re.search("ACCEPTED|inf|nan", name) else EITHER
            yield call("describe", "describe", path, right=right)
            yield Trial(file, "read_sbml", (sys.executable, "-c", READ_SBML, path), right)
        case _, ".sh":
            right = REFUSED if any(fnmatch(name, pattern) for pattern in ALL_REFUSED) else EITHER
            yield Trial(file, "bash", ("bash", path), right, script=True)
