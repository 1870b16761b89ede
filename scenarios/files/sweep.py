"""Sweeps of a study: lists, grids, Latin hypercubes, Sobol points and tables of parameter values."""

import csv
import io
import itertools
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...abm.compile.model_file import check_keys
from ...abm.compile.toml_text import read_text
from ...abm.errors import InputError, unknown_word
from ..store.outcomes import FIRST, HEAD
from .keys import DESIGNS, RANGE_KEYS, STUDY_KEYS
from .limits import MOST_RUNS

Point = tuple[tuple[str, str], ...]  # (parameter or key, value as --set takes it)
_DRAWN = ("latin hypercube", "sobol")
_SCALES = ("linear", "log")
MOST_TABLE_BYTES = 256 * 2**20
_DIGITS = ".12g"


def read_sweeps(entries: Any, path: Path) -> list[list[Point]]:
    """Return the points of every [[sweep]] of a study; the study crosses the sweeps.

    Parameters
    ----------
    entries : list of dict
        As in the file.
    path : Path
        The study file; tables are looked for beside it.

    Raises
    ------
    InputError
        A key, design, range, list or table that is wrong, or a parameter that is swept twice.
    """
    sweeps, swept = [], set()
    for number, entry in enumerate(entries, start=1):
        where = f"{path.name} [[sweep]] {number}"
        check_keys(entry, STUDY_KEYS["sweep"], where)
        points = _points(entry, path.parent, where)
        for name, _ in points[0]:
            if name in swept:
                raise InputError(f"{where}: '{name}' is swept twice; name it in one sweep")
            if name in (*HEAD, *FIRST):
                raise InputError(f"{where}: '{name}' is a column of outcomes.csv already; it cannot be swept")
            swept.add(name)
        sweeps.append(points)
    _check_total(math.prod(map(len, sweeps)), path.name)
    return sweeps


def _check_total(points: int, where: str) -> None:
    if points > MOST_RUNS:
        raise InputError(f"{where}: the sweeps make {points:,} points, at most {MOST_RUNS:,}; take fewer")


def cross(sweeps: Sequence[Sequence[Point]]) -> list[Point]:
    """Return every combination of one point of each sweep, the last sweep changing fastest."""
    return [tuple(itertools.chain.from_iterable(parts)) for parts in itertools.product(*sweeps)]


def _points(entry: Mapping[str, Any], folder: Path, where: str) -> list[Point]:
    design = entry.get("design", "table" if "table" in entry else "values")
    if design not in DESIGNS:
        raise unknown_word("design", design, DESIGNS, where)
    wanted = {"table"} if design == "table" else {"parameters"}
    wanted |= {"n", "seed"} if design in _DRAWN else set()
    for key in entry:
        if key not in wanted | {"design"}:
            raise InputError(
                f"{where}: '{key}' does not go with design '{design}' ({', '.join(sorted(wanted))} do)"
            )
    for key in wanted - set(entry) - {"seed"}:
        raise InputError(f"{where}: '{key}' is missing; design '{design}' needs it")
    if design == "table":
        return _table(folder / entry["table"], where)
    parameters = entry["parameters"]
    if not parameters:
        raise InputError(f"{where}: 'parameters' is empty; name what is swept")
    flat = dict(_flat(parameters, ""))
    if design in _DRAWN:
        return _drawn(design, flat, entry["n"], entry.get("seed", 1), where)
    columns = {name: _values(value, f"{where} {name}") for name, value in flat.items()}
    if design == "grid":
        _check_total(math.prod(map(len, columns.values())), where)
        return [tuple(zip(columns, row, strict=True)) for row in itertools.product(*columns.values())]
    if len({len(values) for values in columns.values()}) > 1:
        sizes = ", ".join(f"{name} {len(values)}" for name, values in columns.items())
        raise InputError(f"{where}: lists of design 'values' go together and need one length, got {sizes}")
    return [tuple(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _flat(table: Mapping[str, Any], prefix: str):
    """Yield (name, list or range); a dotted key of TOML, such as lattice.rows, is a nested table."""
    for name, value in table.items():
        if isinstance(value, dict) and not value.keys() & RANGE_KEYS.keys():
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def _values(value: Any, where: str) -> list[str]:
    """Return the values of a list, or of a range with a number of steps."""
    if isinstance(value, dict):
        low, high, log, unit = _range(value, where)
        n = value.get("n", 0)
        if not n:
            raise InputError(f"{where}: a range of a list or grid needs 'n', the number of values, 2 or more")
        numbers = np.geomspace(low, high, n) if log else np.linspace(low, high, n)
        return [f"{number:{_DIGITS}}{unit}" for number in numbers]
    if not isinstance(value, list) or not value:
        raise InputError(f"{where}: give a list of one or more values, or {{ low, high, n }}, got {value!r}")
    for part in value:
        if isinstance(part, bool) or not isinstance(part, int | float | str):
            raise InputError(f"{where}: a value must be a number or text such as '0.2/d', got {part!r}")
    values = [part.strip() if isinstance(part, str) else f"{part:{_DIGITS}}" for part in value]
    if len(set(values)) < len(values):
        raise InputError(f"{where}: a value is listed twice in {value!r}; the same runs would be made twice")
    return values


def _range(value: Any, where: str) -> tuple[float, float, bool, str]:
    if not isinstance(value, dict):
        raise InputError(
            f"{where}: give a range, {{ low, high }} with scale and unit if need be, got {value!r}"
        )
    check_keys(value, RANGE_KEYS, where)
    low, high, scale = float(value["low"]), float(value["high"]), value.get("scale", "linear")
    if scale not in _SCALES:
        raise unknown_word("scale", scale, _SCALES, where)
    if not -np.inf < low < high < np.inf:
        raise InputError(f"{where}: 'high' must exceed 'low', got {low:g} and {high:g}")
    if scale == "log" and low <= 0:
        raise InputError(f"{where}: a log scale needs 'low' above 0, got {low:g}")
    return low, high, scale == "log", value.get("unit", "")


def _drawn(design: str, ranges: Mapping[str, Any], n: int, seed: int, where: str) -> list[Point]:
    """Return points that fill the box of the ranges evenly.

    Latin hypercube: McKay et al. 1979, 10.1080/00401706.1979.10489755; Sobol: scrambled after Owen 1998,
    10.1006/jcom.1998.0487.
    """
    from scipy.stats import qmc

    if design == "sobol" and n & (n - 1):
        more = 1 << n.bit_length()
        raise InputError(f"{where}: Sobol points are even for powers of 2 only; take n = {more}, not {n}")
    bounds = [_range(value, f"{where} {name}") for name, value in ranges.items()]
    for name, value in ranges.items():
        if "n" in value:
            raise InputError(f"{where} {name}: 'n' stands beside the design, once for all ranges")
    engine = qmc.LatinHypercube if design == "latin hypercube" else qmc.Sobol
    shares = engine(len(bounds), seed=seed).random(n)
    columns = []
    for (low, high, log, unit), share in zip(bounds, shares.T, strict=True):
        numbers = low * (high / low) ** share if log else low + (high - low) * share
        columns.append([f"{number:{_DIGITS}}{unit}" for number in numbers])
    return [tuple(zip(ranges, row, strict=True)) for row in zip(*columns, strict=True)]


def _table(path: Path, where: str) -> list[Point]:
    """Return the rows of a CSV file: one column a parameter."""
    try:
        lines = io.StringIO(read_text(path, MOST_TABLE_BYTES).removeprefix("\ufeff"), newline="")
        names, *rows = [[cell.strip() for cell in row] for row in csv.reader(lines) if any(row)] or [[]]
    except (InputError, csv.Error) as error:
        raise InputError(f"{where}: {error}; name a CSV file with 'table'") from None
    if not rows or not all(names) or len(set(names)) < len(names):
        raise InputError(f"{where}: {path} needs a row of different names and one or more rows of values")
    for number, row in enumerate(rows, start=2):
        if len(row) != len(names) or not all(row):
            raise InputError(f"{where}: {path} row {number} must hold a value for each of {', '.join(names)}")
    if len({tuple(row) for row in rows}) < len(rows):
        raise InputError(f"{where}: {path} holds a row twice; the same runs would be made twice")
    return [tuple(zip(names, row, strict=True)) for row in rows]
