"""Run a folder in the layout of the SBML test suite: python -m tests.ode_coupling.sbml.suite FOLDER; 1 on a failure."""

import csv
import sys
from collections import Counter
from pathlib import Path

import numpy as np

from oncolattice.abm.errors import InputError
from oncolattice.ode_coupling.sbml import simulate
from oncolattice.ode_coupling.system import BodyError


def settings_of(path: Path) -> dict[str, str]:
    pairs = (line.partition(":") for line in path.read_text().splitlines() if ":" in line)
    return {key.strip().lower(): value.strip() for key, _, value in pairs}


def verdict(model: Path, settings: dict[str, str], results: Path) -> str:
    """Return pass, fail or refused, with the reason."""
    with results.open() as stream:
        head, *rows = [row for row in csv.reader(stream) if row]
    names = [name.strip() for name in head[1:]]
    table = np.array(rows, dtype=float)
    kinds = dict.fromkeys(names, "symbol")
    for kind in ("amount", "concentration"):
        kinds |= {n.strip(): kind for n in settings.get(kind, "").split(",") if n.strip() in kinds}
    try:
        found = simulate(model, table[:, 0], kinds)
    except InputError as error:
        return f"refused: {error}"
    except BodyError as error:
        return f"fail: {error}"
    absolute, relative = float(settings["absolute"]), float(settings["relative"])
    good = np.isclose(found, table[:, 1:], rtol=relative, atol=absolute, equal_nan=True).all(axis=0)
    return (
        "pass" if good.all() else f"fail: {', '.join(n for n, g in zip(names, good, strict=True) if not g)}"
    )


def main(folder: Path) -> int:
    counts: Counter[str] = Counter()
    for path in sorted(folder.rglob("*-settings.txt")):
        case = path.name.removesuffix("-settings.txt")
        for model in sorted(path.parent.glob(f"{case}-sbml-l*v*.xml")):
            said = verdict(model, settings_of(path), path.with_name(f"{case}-results.csv"))
            counts[said.partition(":")[0]] += 1
            if said != "pass":
                print(f"{model.name}: {said}", flush=True)
    print(", ".join(f"{number} {word}" for word, number in counts.items()))
    return int(counts["fail"] > 0)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
