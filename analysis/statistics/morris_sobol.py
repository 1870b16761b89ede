"""Designed global sensitivity by SALib: Morris screening and Sobol indices, on replicate means."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ...abm.errors import InputError
from ..columns import Table, chance, column, need, numbers, same_length
from ..series import Row

Bounds = Mapping[str, tuple[float, float]]
CURE = "run those rows again: a design without some of its rows gives wrong indices"
_SAME = 1e-9  # of an input's range: values that went through a file


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
    bounds: Bounds,
    output: Any,
    level: float = 0.95,
    draws: int = 100,
    seed: int = 0,
    design: Table | None = None,
) -> list[Row]:
    """Return Sobol indices of the outputs of a `sobol_design`, which needs the output of every row in its order.

    Parameters
    ----------
    bounds : mapping of name to (low, high)
    output : array_like, shape (points * (inputs + 2),)
    level, draws, seed
        Of the bootstrap limits.
    design : mapping of columns, optional
        The inputs of the rows: with them, rows that were left out, doubled or moved are always noticed; without, only
        where their number is not that of a design.

    Returns
    -------
    list of dict
        input, first (share of the variance by this input alone), first_low, first_high, total (with its
        interactions), total_low, total_high; bootstrap limits; largest total first.

    Raises
    ------
    InputError
        For outputs that are missing or not those of a whole design, or that do not vary.
    """
    problem = _problem(bounds)
    values = numbers(output, "output", cure=CURE)
    points, rest = divmod(values.size, len(bounds) + 2)
    if rest or points < 2 or points & (points - 1):
        raise InputError(
            f"{values.size} outputs are no whole Sobol design of {len(bounds)} inputs: it has a multiple of "
            f"{len(bounds) + 2} rows that is a power of 2, in the order of sobol_design; give the output of every row"
        )
    if design is not None:
        _refuse_moved(_scaled(bounds, design, values), points)
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
    values = numbers(output, "output", cure=CURE)
    scaled = _scaled(bounds, design, values)
    if not values.size or values.size % (len(bounds) + 1):
        raise InputError(
            f"{values.size} outputs are no whole Morris design: it has a multiple of {len(bounds) + 1} rows; give the "
            "output of every row"
        )
    _refuse_broken(scaled, levels)
    analyser = need("SALib.analyze.morris", "a Morris analysis")
    found = analyser.analyze(
        problem,
        np.column_stack([numbers(column(design, name, "design"), name) for name in bounds]),
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


def _scaled(bounds: Bounds, design: Table, output: np.ndarray) -> np.ndarray:
    """Return the inputs of a design from 0 to 1, shape (rows, inputs)."""
    columns = {name: numbers(column(design, name, "design"), name, cure=CURE) for name in bounds}
    same_length(**columns, output=output)
    for name, (low, high) in bounds.items():
        outside = (columns[name] < low) | (columns[name] > high)
        if outside.any():
            raise InputError(
                f"input '{name}' of row {int(np.argmax(outside))} lies outside its bounds, {low:g} to {high:g}; give "
                "the bounds with which the design was made"
            )
    return np.column_stack([(columns[name] - low) / (high - low) for name, (low, high) in bounds.items()])


def _refuse_moved(scaled: np.ndarray, points: int) -> None:
    """Refuse rows that are not those of Saltelli's design: A, A with one column of B after the other, B."""
    inputs = scaled.shape[1]
    blocks = scaled.reshape(points, inputs + 2, inputs)
    first, last = blocks[:, :1], blocks[:, -1:]
    mixed = np.where(np.eye(inputs, dtype=bool), last, first)
    wrong = np.abs(blocks[:, 1:-1] - mixed).max(axis=2) > _SAME
    if wrong.any():
        block, row = np.argwhere(wrong)[0]
        raise InputError(
            f"row {block * (inputs + 2) + row + 1} of the design is not what sobol_design put there: rows were left "
            "out, doubled or moved; give all rows in their order"
        )
    if len(np.unique(blocks[:, 0], axis=0)) < points:
        raise InputError(
            "points of the design are there twice; give every row once, in the order of sobol_design"
        )


def _refuse_broken(scaled: np.ndarray, levels: int) -> None:
    """Refuse trajectories that do not change every input once, by Morris' step."""
    inputs = scaled.shape[1]
    steps = np.diff(scaled.reshape(-1, inputs + 1, inputs), axis=1)
    step = levels / (2.0 * (levels - 1))
    changed = np.abs(steps) > _SAME
    right = (changed.sum(axis=1) == 1).all(axis=1) & (changed.sum(axis=2) == 1).all(axis=1)
    right &= (~changed | (np.abs(np.abs(steps) - step) <= _SAME)).all(axis=(1, 2))
    if not right.all():
        raise InputError(
            f"trajectory {int(np.argmin(right))} of the design does not change every input once by {step:g} of its "
            f"range ({levels} levels): rows were left out, doubled or moved; give all rows in their order"
        )
