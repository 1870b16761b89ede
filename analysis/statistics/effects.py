"""What a treatment does within a patient: the same virtual patient under two arms, beside what a trial would see."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from ...abm.errors import InputError, unknown_word
from ..columns import Table, chance, choice, column, labels, numbers, same_length, weights_of
from ..survival import Times, weighted_median

BETTER = ("lower", "higher")


@dataclass(frozen=True)
class Effect:
    """An estimate with its confidence limits.

    Attributes
    ----------
    value, lower, upper : float
    """

    value: float
    lower: float
    upper: float


@dataclass(frozen=True)
class PairedEffect:
    """Effect of the first arm against the second.

    Attributes
    ----------
    first, second : str
    patients, unpaired : int
        Patients seen under both arms, and under one of the two only (left out).
    mean, median : Effect
        Of the differences first - second within patients; limits by bootstrap of patients.
    benefit : Effect
        Share of patients who do better under the first arm; no difference is no benefit.
    harm : float
        Share who do worse.
    monte_carlo_error : float
        Standard error of the mean that comes from the runs' chance alone (NaN without two seeds a patient):
        more seeds shrink it, more patients do not change what it says of one.
    spread : float
        SD of the differences between patients; it holds the chance of single runs, too.
    randomised : Effect
        What a trial of these patients would find that gives each only one of the two arms, by lot, half and
        half (first less second, Welch's limits).
    variance_ratio : float
        Variance of the randomised estimate over that of the paired mean.
    """

    first: str
    second: str
    patients: int
    unpaired: int
    mean: Effect
    median: Effect
    benefit: Effect
    harm: float
    monte_carlo_error: float
    spread: float
    randomised: Effect
    variance_ratio: float


def paired_effects(
    table: Table,
    value: str,
    better: str,
    pairs: Sequence[tuple[str, str]] | None = None,
    weight: str | None = None,
    draws: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> list[PairedEffect]:
    """Return the effect of every pair of arms within the patients who had both.

    A run under one arm is paired with the run of the same patient and seed under the other; the differences
    of a patient are averaged over seeds.

    Parameters
    ----------
    table : mapping of columns or pandas.DataFrame
        patient, arm, seed and the outcome, one row a run.
    value : str
        Column of the outcome (NaN: the run says nothing). A censored time is none: give the time up to a
        horizon that all runs reached, or use `paired_times`.
    better : str
        lower or higher: which outcome is the better one.
    pairs : list of (first, second), optional
        Arms to compare; every arm with each that comes before it in the table by default.
    weight : str, optional
        Column of prevalence weights, equal in all rows of a patient.
    draws, level, seed
        Of the bootstrap; ``seed`` also draws the randomised trial.

    Raises
    ------
    InputError
        For a missing column, an unknown arm, two rows of one patient, arm and seed, or fewer than four
        patients in a pair.
    """
    choice("direction", better, BETTER, "paired_effects")
    chance(level, "level")
    if draws < 100:
        raise InputError(f"a bootstrap needs at least 100 draws, not {draws}")
    outcome = numbers(column(table, value), value, missing=True)
    names = {key: labels(column(table, key), key).astype(str) for key in ("patient", "arm", "seed")}
    weights = weights_of(None if weight is None else column(table, weight), outcome.size)
    same_length(**names, **{value: outcome})
    runs: dict[str, dict[tuple[str, str], tuple[float, float]]] = {
        arm: {} for arm in dict.fromkeys(names["arm"])
    }
    each: dict[str, float] = {}
    for patient, arm, number, found, share in zip(*names.values(), outcome, weights, strict=True):
        if (patient, number) in runs[arm]:
            raise InputError(f"patient '{patient}', arm '{arm}', seed {number} has two rows; keep one")
        runs[arm][patient, number] = (float(found), float(share))
        if share != each.setdefault(patient, share):
            raise InputError(
                f"patient '{patient}' has weights {each[patient]:g} and {share:g}; a patient has one weight"
            )
    chosen = [(b, a) for a, b in itertools.combinations(runs, 2)] if pairs is None else list(pairs)
    for arm in itertools.chain.from_iterable(chosen):
        if arm not in runs:
            raise unknown_word("arm", arm, runs, "paired_effects")
    sign = 1.0 if better == "higher" else -1.0
    rngs = np.random.default_rng(seed).spawn(len(chosen))
    return [
        _pair(first, second, runs[first], runs[second], sign, draws, level, rng)
        for (first, second), rng in zip(chosen, rngs, strict=True)
    ]


def _pair(
    first: str,
    second: str,
    one: dict[tuple[str, str], tuple[float, float]],
    two: dict[tuple[str, str], tuple[float, float]],
    sign: float,
    draws: int,
    level: float,
    rng: np.random.Generator,
) -> PairedEffect:
    by_patient: dict[str, list[tuple[float, float]]] = {}
    share: dict[str, float] = {}
    for key in one.keys() & two.keys():
        found = (one[key][0], two[key][0])
        if not any(math.isnan(v) for v in found):
            by_patient.setdefault(key[0], []).append(found)
            share[key[0]] = one[key][1]
    everybody = {key[0] for key in one} | {key[0] for key in two}
    patients = sorted(by_patient)
    if len(patients) < 4:
        raise InputError(
            f"arms '{first}' and '{second}' share {len(patients)} patients with an outcome under both (same "
            "patient and seed); a paired effect needs at least 4"
        )
    means = np.array([np.mean(by_patient[p], axis=0) for p in patients])
    weight = np.array([share[p] for p in patients])
    if not weight.any():
        raise InputError(f"arms '{first}' and '{second}': all patients under both have the weight 0")
    weight = weight / weight.sum()
    difference = means[:, 0] - means[:, 1]
    edge = (1.0 - level) / 2.0
    rows = rng.integers(len(patients), size=(draws, len(patients)))
    drawn, drawn_weight = difference[rows], weight[rows]
    total = drawn_weight.sum(axis=1)
    gains = sign * difference > 0.0

    def effect(point: float, sample: np.ndarray) -> Effect:
        return Effect(point, *(float(v) for v in np.nanquantile(sample, [edge, 1.0 - edge])))

    mean = effect(float(weight @ difference), (drawn * drawn_weight).sum(axis=1) / total)
    randomised, error = _randomised(means, weight, level, rng)
    paired_variance = float((weight**2 * (difference - mean.value) ** 2).sum())
    return PairedEffect(
        first,
        second,
        len(patients),
        len(everybody) - len(patients),
        mean,
        effect(
            weighted_median(difference, weight),
            np.array([weighted_median(d, w) for d, w in zip(drawn, drawn_weight, strict=True)]),
        ),
        effect(float(weight @ gains), (gains[rows] * drawn_weight).sum(axis=1) / total),
        float(weight @ (sign * difference < 0.0)),
        _chance_error([by_patient[p] for p in patients], weight),
        float(np.std(difference, ddof=1)),
        randomised,
        error**2 / paired_variance if paired_variance > 0.0 else math.inf,
    )


def _chance_error(runs: list[list[tuple[float, float]]], weight: np.ndarray) -> float:
    """Standard error of the mean by the seeds alone, each patient's from its own replicates."""
    if any(len(found) < 2 for found in runs):
        return math.nan
    variance = np.array([np.var([a - b for a, b in found], ddof=1) / len(found) for found in runs])
    return math.sqrt(float((weight**2 * variance).sum()))


def _randomised(
    means: np.ndarray, weight: np.ndarray, level: float, rng: np.random.Generator
) -> tuple[Effect, float]:
    """Estimate of a trial that gives each patient one arm by lot."""
    arm = np.arange(len(means)) % 2
    rng.shuffle(arm)
    parts = []
    for k in range(2):
        rows = arm == k
        share = weight[rows] / weight[rows].sum()
        centre = float(share @ means[rows, k])
        n = int(np.count_nonzero(rows))
        variance = float((share**2 * (means[rows, k] - centre) ** 2).sum()) * n / (n - 1)
        parts.append((centre, variance, n))
    gap = parts[0][0] - parts[1][0]
    total = parts[0][1] + parts[1][1]
    error = math.sqrt(total)
    freedom = total**2 / sum(v**2 / (n - 1) for _, v, n in parts) if total > 0.0 else math.inf
    reach = float(stats.t.ppf(0.5 + level / 2.0, freedom)) * error
    return Effect(gap, gap - reach, gap + reach), error


@dataclass(frozen=True)
class PairedTimes:
    """Who lived longer under which arm, among patients with a censored or seen time under both.

    Attributes
    ----------
    first_longer, second_longer, undecided : int
        Undecided where censoring (or equality) hides which time is the longer.
    benefit : Effect
        first_longer / (first_longer + second_longer), Wilson's limits; NaN if all are undecided.
    win_ratio : Effect
        first_longer / second_longer (10.1093/eurheartj/ehr352, matched pairs).
    """

    first_longer: int
    second_longer: int
    undecided: int
    benefit: Effect
    win_ratio: Effect


def paired_times(first: Times, second: Times, level: float = 0.95) -> PairedTimes:
    """Compare the times of the same patients under two arms, row by row.

    Parameters
    ----------
    first, second : Times, n patients in the same order
    level : float

    Raises
    ------
    InputError
        For different numbers of patients, or none.
    """
    same_length(first=first.time, second=second.time)
    if not len(first):
        raise InputError("paired times need at least one patient, none was given")
    longer = second.observed & (first.time > second.time)
    longer |= second.observed & ~first.observed & (first.time == second.time)
    shorter = first.observed & (second.time > first.time)
    shorter |= first.observed & ~second.observed & (first.time == second.time)
    wins, losses = int(longer.sum()), int(shorter.sum())
    if wins + losses == 0:
        none = Effect(math.nan, math.nan, math.nan)
        return PairedTimes(0, 0, len(first), none, none)
    ci = stats.binomtest(wins, wins + losses).proportion_ci(chance(level, "level"), method="wilson")
    benefit = Effect(wins / (wins + losses), float(ci.low), float(ci.high))
    ratio = Effect(
        *(p / (1.0 - p) if p < 1.0 else math.inf for p in (benefit.value, benefit.lower, benefit.upper))
    )
    return PairedTimes(wins, losses, len(first) - wins - losses, benefit, ratio)


def effect_rows(effects: Sequence[PairedEffect]) -> list[dict[str, Any]]:
    """Return effects as rows of a table, limits as columns of their own."""
    rows = []
    for found in effects:
        row: dict[str, Any] = {}
        for name in PairedEffect.__dataclass_fields__:
            part = getattr(found, name)
            if isinstance(part, Effect):
                row |= {name: part.value, f"{name}_low": part.lower, f"{name}_high": part.upper}
            else:
                row[name] = part
        rows.append(row)
    return rows
