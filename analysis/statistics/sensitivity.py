"""Which inputs of a table of runs matter: partial (rank) correlations, and disease control by fifths."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from ...abm.errors import InputError
from ..columns import Table, binary, chance, choice, column, labels, numbers, same_length
from ..series import Row

KINDS = ("correlation", "partial", "partial rank")
CUTS = ("equal counts", "equal widths")


@dataclass(frozen=True)
class ReplicateMeans:
    """Means over the replicates of each point of a design.

    Attributes
    ----------
    inputs : dict of ndarray, each shape (points,)
    mean, standard_error : ndarray, shape (points,)
        Standard error NaN for a point of one run.
    runs : ndarray of int, shape (points,)
    noise_share : float
        Share of the variance of the means that is the replicates' chance: no input explains it.
    """

    inputs: dict[str, np.ndarray]
    mean: np.ndarray
    standard_error: np.ndarray
    runs: np.ndarray
    noise_share: float


def replicate_means(table: Table, point: str, inputs: Sequence[str], output: str) -> ReplicateMeans:
    """Average an output over the runs of each point of a design, points in the order of their first run.

    Parameters
    ----------
    table : mapping of columns or pandas.DataFrame
        One row a run.
    point : str
        Column that names the point (a patient, a row of the design).
    inputs : list of str
        Columns of the inputs, each with one value a point.
    output : str

    Raises
    ------
    InputError
        For a missing column or value, or an input that differs within a point.
    """
    names, first, place = np.unique(
        labels(column(table, point), point).astype(str), return_index=True, return_inverse=True
    )
    order = np.argsort(first)
    place, first = np.argsort(order)[place], first[order]
    values = numbers(column(table, output), output)
    same_length(**{point: place, output: values})
    found = {}
    for name in inputs:
        given = numbers(column(table, name), name)
        differs = given != given[first][place]
        if differs.any():
            raise InputError(
                f"input '{name}' differs between the runs of {point} '{names[order][place[np.argmax(differs)]]}'; "
                "a point of a design has one value of each input"
            )
        found[name] = given[first]
    runs = np.bincount(place)
    mean = np.bincount(place, values) / runs
    square = np.bincount(place, (values - mean[place]) ** 2)
    with np.errstate(invalid="ignore", divide="ignore"):
        error = np.sqrt(square / (runs - 1) / runs)
    several = runs > 1
    spread = float(np.var(mean, ddof=1)) if mean.size > 1 else 0.0
    noise = float(np.mean(error[several] ** 2)) / spread if several.any() and spread > 0.0 else math.nan
    return ReplicateMeans(found, mean, np.where(several, error, math.nan), runs, noise)


def correlations(inputs: Table, output: Any, kind: str = "partial rank", level: float = 0.95) -> list[Row]:
    """Return the correlation of an output with each input.

    Parameters
    ----------
    inputs : mapping of columns or pandas.DataFrame, each shape (n,)
    output : array_like, shape (n,)
        Replicate means, so that the runs' chance does not water the correlations down.
    kind : str
        correlation (Pearson's); partial (PCC: what is left when the other inputs are accounted for
        linearly); partial rank (PRCC: the same on ranks, for monotonic effects,
        10.1016/j.jtbi.2008.04.011).
    level : float
        Confidence level; Fisher's z, with the variance of 10.1007/BF02294183 for ranks.

    Returns
    -------
    list of dict
        input, correlation, low, high, p; the strongest first.

    Raises
    ------
    InputError
        For a constant input or output, inputs that determine one another, or no more than k + 3 points for
        k inputs.
    """
    choice("kind", kind, KINDS, "correlations")
    names = [str(key) for key in inputs.keys()]  # noqa: SIM118 (a DataFrame iterates alike)
    columns = {name: numbers(inputs[name], name) for name in names} | {"output": numbers(output, "output")}
    if not names or "output" in names:
        raise InputError("correlations need at least one input, none of them called 'output'")
    same_length(**columns)
    for name, values in columns.items():
        if np.ptp(values) == 0.0:
            raise InputError(f"'{name}' is {values[0]:g} at every point; leave it out")
    matrix = np.column_stack(list(columns.values()))
    if kind == "partial rank":
        matrix = stats.rankdata(matrix, axis=0)
    others = len(names) - 1 if kind != "correlation" else 0
    freedom = len(matrix) - 2 - others
    if freedom < 2:
        raise InputError(f"{len(names)} inputs need at least {others + 4} points, not {len(matrix)}")
    r = np.corrcoef(matrix, rowvar=False)
    if kind != "correlation":
        if np.linalg.matrix_rank(r[:-1, :-1], tol=1e-10) < len(names):
            raise InputError("the inputs determine one another; leave one out")
        # an output that the inputs give exactly makes r singular: the ridge is far below rounding of r
        inverse = np.linalg.inv(r + 1e-14 * np.eye(len(r)))
        r = -inverse / np.sqrt(np.outer(np.diag(inverse), np.diag(inverse)))
    found = np.clip(r[:-1, -1], -1.0, 1.0)
    z = stats.norm.ppf(0.5 + chance(level, "level") / 2.0)
    spread = np.sqrt((1.0 + found**2 / 2.0 if kind == "partial rank" else 1.0) / (freedom - 1))
    middle = np.arctanh(np.clip(found, -1.0 + 1e-15, 1.0 - 1e-15))
    t = found * np.sqrt(freedom / np.maximum(1.0 - found**2, 1e-300))
    rows: list[Row] = [
        {"input": name, "correlation": float(v), "low": float(a), "high": float(b), "p": float(p)}
        for name, v, a, b, p in zip(
            names,
            found,
            np.tanh(middle - z * spread),
            np.tanh(middle + z * spread),
            2.0 * stats.t.sf(np.abs(t), freedom),
            strict=True,
        )
    ]
    return sorted(rows, key=lambda row: -abs(row["correlation"]))


@dataclass(frozen=True)
class BinnedRate:
    """Disease control by bins of a parameter.

    Attributes
    ----------
    rows : list of dict
        bin, low, high (smallest and largest value), patients, controlled, rate, rate_low, rate_high (Wilson).
    range : float
        Largest less smallest rate.
    trend, p : float
        Chi-squared of the Cochran-Armitage test for a trend over the bins, 1 degree of freedom, and its p.
    """

    rows: list[Row]
    range: float
    trend: float
    p: float


def control_by_bins(
    parameter: Any, controlled: Any, bins: int = 5, cut: str = "equal counts", level: float = 0.95
) -> BinnedRate:
    """Return the rate of disease control in bins of a parameter, five as in 10.1038/s41540-025-00513-1.

    Parameters
    ----------
    parameter : array_like, shape (n,)
    controlled : array_like of 0 and 1, shape (n,)
        1 for CR, PR or SD.
    bins : int
    cut : str
        equal counts (patients sorted and divided, equal values in the order of the table) or equal widths.
    level : float

    Raises
    ------
    InputError
        For a constant parameter, or a bin without patients.
    """
    choice("cut", cut, CUTS, "control_by_bins")
    value, good = numbers(parameter, "parameter"), binary(controlled, "controlled")
    same_length(parameter=value, controlled=good)
    chance(level, "level")
    if bins < 2 or value.size < bins or np.ptp(value) == 0.0:
        raise InputError(
            f"bins must be 2 or more, not more than the patients, of a parameter that varies; not {bins} bins of "
            f"{value.size} patients with {np.unique(value).size} values"
        )
    if cut == "equal counts":
        parts = np.array_split(np.argsort(value, kind="stable"), bins)
    else:
        place = np.minimum(((value - value.min()) / np.ptp(value) * bins).astype(int), bins - 1)
        parts = [np.flatnonzero(place == k) for k in range(bins)]
    if not all(part.size for part in parts):
        empty = 1 + next(k for k, part in enumerate(parts) if not part.size)
        raise InputError(f"bin {empty} of {bins} has no patient; use fewer bins or cut = 'equal counts'")
    rows: list[Row] = []
    for k, part in enumerate(parts, 1):
        count = int(good[part].sum())
        ci = stats.binomtest(count, part.size).proportion_ci(level, method="wilson")
        rows.append(
            {
                "bin": k,
                "low": float(value[part].min()),
                "high": float(value[part].max()),
                "patients": part.size,
                "controlled": count,
                "rate": count / part.size,
                "rate_low": float(ci.low),
                "rate_high": float(ci.high),
            }
        )
    rates = [row["rate"] for row in rows]
    trend = _trend(np.array([p.size for p in parts]), np.array([r["controlled"] for r in rows]))
    return BinnedRate(rows, max(rates) - min(rates), trend, float(stats.chi2.sf(trend, 1)))


def _trend(size: np.ndarray, count: np.ndarray) -> float:
    """Cochran-Armitage chi-squared for scores 1, 2, ... (10.2307/3001775); NaN if all or none are controlled."""
    rate = float(count.sum()) / float(size.sum())
    if rate in (0.0, 1.0):
        return math.nan
    score = np.arange(size.size) - float((np.arange(size.size) * size).sum()) / size.sum()
    return float((score @ count) ** 2 / (rate * (1.0 - rate) * (size * score**2).sum()))
