"""A cohort: proposed patients judged, weighted to week 8 of the trials, and some picked for the lattice."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...abm.errors import InputError
from ...abm.publish import publish
from ...analysis.calibrate import (
    Plausibility,
    Week8,
    Weights,
    plausible,
    prevalence_weights,
    response_classes,
    systematic_picks,
    week8_response,
    week8_targets,
)
from .laws import Population
from .ode_trial import WEEK_8_DAYS, OdeTrial, run_ode_trial
from .sample import load_population

# Ranges that a patient must lie in, all assumed: wide bounds of physiology, not a fit.
RANGES: dict[str, tuple[float, float]] = {
    "untreated doubling time (d)": (25.0, np.inf),  # infinite for a tumour that stands still
    "untreated change at week 8": (-0.1, np.inf),  # a refractory tumour does not shrink by itself
    "T8_C": (1e5, 1e7),  # CTL in the tumour, cells/L
    "T1_C": (1e5, 1e7),
    "Treg_C": (1e4, 1e6),
    "T8_B": (1e5, 5e6),  # CTL in blood, cells/L
    "TN8_B": (1e8, 2e9),
    "TN4_B": (1e8, 2e9),
    "NK_B": (5e7, 2e9),
    "N_B": (1e9, 1.5e10),
}
FEWEST = 5  # a class of fewer patients is joined with the next, for a weight on few says little


@dataclass(frozen=True)
class Cohort:
    """Patients of one population in all arms, with prevalence weights.

    Attributes
    ----------
    trial : OdeTrial
        Of all proposed patients whose equations do not blow up.
    plausibility : Plausibility
        Of the patients of ``trial``.
    weights : Weights
        Of the plausible ones, in their order.
    margins : dict of str to tuple of str
        Arm to the classes that were weighted.
    """

    trial: OdeTrial
    plausibility: Plausibility
    weights: Weights
    margins: dict[str, tuple[str, ...]]

    @property
    def rows(self) -> np.ndarray:
        """Return the rows of ``trial`` that are plausible, shape (patients,)."""
        return np.flatnonzero(self.plausibility.mask)

    def response(self, arm: str, weighted: bool) -> Week8:
        """Return the response of an arm at week 8, per cent."""
        tri = self.trial.week8(arm)[self.rows]
        return week8_response(tri, self.weights.weight if weighted else None)

    def lines(self) -> list[str]:
        """Return what was proposed, dropped and weighted, for people to read."""
        judged = self.plausibility
        gone = ", ".join(f"{name} {k}" for name, k in judged.outside.items() if k) or "none"
        return [
            f"proposed {len(self.trial.numbers) + len(self.trial.blown_up)}, blown up {len(self.trial.blown_up)}, "
            f"out of range {judged.proposed - judged.kept} ({gone}), kept {judged.kept}",
            f"effective sample size of the weights {self.weights.effective:.0f}",
            *(
                f"{arm}: SD/PD/DCR {r.SD:.1f}/{r.PD:.1f}/{r.DCR:.1f} unweighted, "
                f"{w.SD:.1f}/{w.PD:.1f}/{w.DCR:.1f} weighted, {t.SD:.1f}/{t.PD:.1f}/{t.DCR:.1f} in the trials"
                for arm in self.trial.tri
                for r, w, t in [(self.response(arm, False), self.response(arm, True), week8_targets(arm))]
            ),
        ]

    def pick(self, n: int, seed: int) -> list[int]:
        """Return the numbers of n patients picked in proportion to their weights.

        Systematic resampling along patients who are alike (same classes in all arms, then growth without
        treatment), so that the classes of those picked are off by about one patient. They are listed in an
        order (van der Corput) in which the first few stand for all of them, too. A patient of great weight
        may be picked twice.
        """
        from scipy.stats import qmc

        rows = self.rows
        patterns = np.array([response_classes(self.trial.week8(arm)[rows]) for arm in self.trial.tri])
        order = np.lexsort((self.trial.week8(next(iter(self.trial.tri)))[rows], *patterns))
        place = np.argsort(order)
        picks = systematic_picks(self.weights.weight, n, seed, order)
        alike = picks[np.argsort(place[picks], kind="stable")]
        spread = np.argsort(np.argsort(qmc.Halton(1, scramble=False).random(n)[:, 0]))
        return self.trial.numbers[rows[alike[spread]]].tolist()


def judge(trial: OdeTrial, ranges: Mapping[str, tuple[float, float]] = RANGES) -> Plausibility:
    """Return which patients of a trial are plausible by growth without treatment and immune baseline.

    Raises
    ------
    InputError
        The trial has no placebo arm.
    """
    if "placebo" not in trial.tri:
        raise InputError(
            "plausible patients are judged by their untreated growth; run the arm 'placebo', too"
        )
    growth = trial.week8("placebo")
    with np.errstate(divide="ignore", invalid="ignore"):
        doubling = np.where(growth > 0.0, WEEK_8_DAYS * np.log(2.0) / np.log1p(growth), np.inf)
    values = {"untreated doubling time (d)": doubling, "untreated change at week 8": growth} | trial.baseline
    return plausible(values, ranges)


def make_cohort(trial: OdeTrial, ranges: Mapping[str, tuple[float, float]] = RANGES) -> Cohort:
    """Return the plausible patients of a trial with the weights that give week 8 of the pooled trials.

    Classes of every arm are response (CR or PR), SD and PD; an arm with hardly any response has disease
    control and PD.

    Raises
    ------
    InputError
        No patient is plausible, or the responses cannot be met together.
    """
    judged = judge(trial, ranges)
    if not judged.kept:
        raise InputError(
            f"cohort of {trial.population}: no patient is plausible; look at the ranges ({judged.outside})"
        )
    rows = np.flatnonzero(judged.mask)
    classes, targets = {}, {}
    for arm in trial.tri:
        found, target = response_classes(trial.week8(arm)[rows]), week8_targets(arm)
        response = np.isin(found, ("CR", "PR"))
        if np.count_nonzero(response) >= FEWEST:
            classes[arm] = np.where(response, "response", found)
            targets[arm] = {"response": target.CR + target.PR, "SD": target.SD, "PD": target.PD}
        else:
            classes[arm] = np.where(found == "PD", "PD", "control")
            targets[arm] = {"control": target.DCR, "PD": target.PD}
    weights = prevalence_weights(classes, targets)
    return Cohort(trial, judged, weights, {arm: tuple(wanted) for arm, wanted in targets.items()})


def propose(
    population: str | Population,
    n: int = 2000,
    seed: int = 2025,
    design: str = "iid",
    variant: str = "conservative",
    rtol: float = 1e-6,
    workers: int = 2,
) -> Cohort:
    """Return the cohort of the first n patients of a population, run without a lattice to week 8.

    Parameters
    ----------
    population : str or Population
    n, seed, design, variant, rtol, workers
        As for ``run_ode_trial``.

    Raises
    ------
    InputError
        As ``run_ode_trial`` and ``make_cohort``.
    """
    chosen = load_population(population) if isinstance(population, str) else population
    trial = run_ode_trial(
        chosen,
        n,
        seed,
        days=WEEK_8_DAYS,
        every_days=WEEK_8_DAYS,
        design=design,
        variant=variant,
        rtol=rtol,
        workers=workers,
    )
    return make_cohort(trial)


def write_selection(cohort: Cohort, numbers: list[int], name: str, title: str, of: str, path: Path) -> Path:
    """Write picked patients as a population file, in which patient k is the k-th that was picked.

    Parameters
    ----------
    cohort : Cohort
    numbers : list of int
        As ``pick`` returns them.
    name, title : str
    of : str
        Library name or path of the population that the cohort was drawn from.
    path : Path
    """
    trial = cohort.trial
    size = max((*trial.numbers.tolist(), *trial.blown_up))
    rows = [", ".join(map(str, numbers[k : k + 16])) for k in range(0, len(numbers), 16)]
    comment = "\n".join(f"# {line}" for line in cohort.lines())
    text = (
        f"# Patients picked in proportion to prevalence weights for week 8 of the pooled trials; patient k is the\n"
        f"# k-th number of the list.\n{comment}\n\n"
        f'[population]\nname = {json.dumps(name)}\ntitle = {json.dumps(title)}\nsource = "derived"\n\n'
        f"[selection]\nof = {json.dumps(of)}\nseed = {trial.seed}\nsize = {size}\n"
        f"design = {json.dumps(trial.design)}\nnumbers = [\n  " + ",\n  ".join(rows) + ",\n]\n"
    )
    publish(path, text.encode())
    return path
