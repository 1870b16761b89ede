"""Designed global sensitivity by SALib: Morris screening and Sobol indices, on replicate means."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..abm.errors import InputError
from .columns import Table, chance, column, need, numbers, same_length
from .series import Row

Bounds = Mapping[str, tuple[float, float]]


def _problem(bounds: Bounds) -> dict[str, Any]:
    if len(bounds) < 2:
        raise InputError(f"a sensitivity design needs at least two inputs, not {len(bounds)}")
    for name, (low, high) in bounds.items():
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise InputError(f"input '{name}': bounds must be finite and rise, not {low:g} to {high:g}")
    return {
        "num_vars": len(bounds),
        "names": list(bounds),
        "bounds": [list(pair) for pair in bounds.values()],
    }


def sobol_design(bounds: Bounds, points: int, seed: int = 0) -> dict[str, np.ndarray]:
    """Return the design of a Sobol analysis (10.1016/j.cpc.2009.09.018).

    Parameters
    ----------
    bounds : mapping of name to (low, high)
    points : int
        Base sample, a power of 2.
    seed : int
        Of the scrambling.

    Returns
    -------
    dict of ndarray, each shape (points * (inputs + 2),)
        Run each row, average its replicates, and hand the means to `sobol_indices` in the same order.

    Raises
    ------
    InputError
        Without SALib; for bounds that do not rise, fewer than two inputs, or no power of 2.
    """
    problem = _problem(bounds)
    if points < 2 or points & (points - 1):
        raise InputError(f"points must be a power of 2, not {points}")
    sampler = need("SALib.sample.sobol", "a Sobol design")
    matrix = sampler.sample(problem, points, calc_second_order=False, scramble=True, seed=seed)
    return dict(zip(bounds, np.ascontiguousarray(matrix.T), strict=True))


def sobol_indices(
    bounds: Bounds, output: Any, level: float = 0.95, draws: int = 100, seed: int = 0
) -> list[Row]:
    """Return Sobol indices of the outputs of a `sobol_design`.

    Returns
    -------
    list of dict
        input, first (share of the variance by this input alone), first_low, first_high, total (with its
        interactions), total_low, total_high; bootstrap limits; largest total first.
    """
    problem = _problem(bounds)
    values = numbers(output, "output")
    if values.size % (len(bounds) + 2):
        raise InputError(
            f"{values.size} outputs are no whole Sobol design of {len(bounds)} inputs: it has a multiple of "
            f"{len(bounds) + 2}, in the order of sobol_design"
        )
    if np.ptp(values) == 0.0:
        raise InputError(f"the output is {values[0]:g} at every point: it has no variance to divide")
    analyser = need("SALib.analyze.sobol", "a Sobol analysis")
    found = analyser.analyze(
        problem,
        values,
        calc_second_order=False,
        num_resamples=draws,
        conf_level=chance(level, "level"),
        seed=seed + 1,  # SALib takes 0 for no seed
    )
    rows: list[Row] = []
    for k, name in enumerate(bounds):
        row: Row = {"input": name}
        for label, key in (("first", "S1"), ("total", "ST")):
            value, half = float(found[key][k]), float(found[f"{key}_conf"][k])
            row |= {label: value, f"{label}_low": value - half, f"{label}_high": value + half}
        rows.append(row)
    return sorted(rows, key=lambda row: -row["total"])


def morris_design(bounds: Bounds, trajectories: int, levels: int = 4, seed: int = 0) -> dict[str, np.ndarray]:
    """Return the design of a Morris screening (10.1080/00401706.1991.10484804).

    Parameters
    ----------
    bounds : mapping of name to (low, high)
    trajectories : int
        Each changes every input once: trajectories * (inputs + 1) rows.
    levels : int
        Even number of grid levels.
    seed : int

    Raises
    ------
    InputError
        Without SALib; for wrong bounds, fewer than two trajectories or an odd number of levels.
    """
    problem = _problem(bounds)
    if trajectories < 2 or levels < 2 or levels % 2:
        raise InputError(
            "a Morris design needs 2 trajectories or more and an even number of levels, "
            f"not {trajectories} and {levels}"
        )
    sampler = need("SALib.sample.morris", "a Morris design")
    matrix = sampler.sample(problem, trajectories, num_levels=levels, seed=seed)
    return dict(zip(bounds, np.ascontiguousarray(matrix.T), strict=True))


def morris_indices(
    bounds: Bounds,
    design: Table,
    output: Any,
    levels: int = 4,
    level: float = 0.95,
    draws: int = 1000,
    seed: int = 0,
) -> list[Row]:
    """Return Morris' elementary effects of the outputs of a `morris_design`, per range of each input.

    Returns
    -------
    list of dict
        input, mean (mu), importance (mu*: mean absolute effect), importance_low, importance_high (bootstrap),
        spread (sigma: curvature and interactions); most important first.
    """
    problem = _problem(bounds)
    columns = {name: numbers(column(design, name, "design"), name) for name in bounds}
    values = numbers(output, "output")
    same_length(**columns, output=values)
    if values.size % (len(bounds) + 1):
        raise InputError(
            f"{values.size} outputs are no whole Morris design: it has a multiple of {len(bounds) + 1}"
        )
    analyser = need("SALib.analyze.morris", "a Morris analysis")
    found = analyser.analyze(
        problem,
        np.column_stack(list(columns.values())),
        values,
        num_resamples=draws,
        conf_level=chance(level, "level"),
        num_levels=levels,
        seed=seed,
    )
    rows: list[Row] = []
    for k, name in enumerate(bounds):
        importance, half = float(found["mu_star"][k]), float(found["mu_star_conf"][k])
        rows.append(
            {
                "input": name,
                "mean": float(found["mu"][k]),
                "importance": importance,
                "importance_low": importance - half,
                "importance_high": importance + half,
                "spread": float(found["sigma"][k]),
            }
        )
    return sorted(rows, key=lambda row: -row["importance"])
