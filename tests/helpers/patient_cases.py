"""Patients of a population by the hundred, and their laws as SciPy has them."""

import math

import numpy as np
from scipy import stats

from oncolattice.scenarios.patients.sample import sample

PATIENTS = 4000


def law_of(law):
    """Return the law as SciPy has it, of the logarithm where it is log-normal."""
    low, high = law.range
    if law.kind == "log-normal":
        middle, spread = math.log(law.median), law.log_sd
        ends = ((math.log(end) - middle) / spread for end in (low, high))
        return stats.truncnorm(*ends, loc=middle, scale=spread)
    return stats.beta(law.a, law.b, loc=low, scale=high - low)


def columns(population, n=PATIENTS, seed=11, design="iid"):
    patients = sample(population, n, seed, design)
    return {law.name: np.array([patient[law.name] for patient in patients]) for law in population.laws}
