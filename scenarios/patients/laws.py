"""What a population of virtual patients is made of: laws of parameters, pharmacokinetics, a selection."""

import math
from dataclasses import dataclass, replace

import numpy as np

from ...abm.compile.quantities import convert

LAW_KINDS = ("beta", "log-normal")
DESIGNS = ("iid", "latin hypercube", "sobol")


@dataclass(frozen=True)
class Law:
    """A parameter that varies between patients.

    A Beta law is factor * (lowest + (highest - lowest) * Beta(a, b)); a log-normal one has a median and the
    standard deviation of its natural logarithm, and is truncated to lowest and highest.

    Attributes
    ----------
    name : str
    lowest, highest : float
        Range before the factor.
    a, b : float
        Shapes of the Beta law; unused by the log-normal one.
    unit, source : str
    factor : float
    factor_source : str
        Empty where the factor is 1.
    kind : str
        beta or log-normal.
    median, log_sd : float
        Of the log-normal law before truncation, in ``unit`` and without unit.
    """

    name: str
    lowest: float
    highest: float
    a: float
    b: float
    unit: str
    source: str
    factor: float = 1.0
    factor_source: str = ""
    kind: str = "beta"
    median: float = math.nan
    log_sd: float = math.nan

    @property
    def range(self) -> tuple[float, float]:
        """Return the lowest and highest value that a patient can have, factor included."""
        return self.factor * self.lowest, self.factor * self.highest

    def in_unit(self, unit: str, where: str) -> "Law":
        """Return the law of the same quantity in another unit.

        Raises
        ------
        InputError
            A unit is unknown, or of another dimension.
        """
        lowest, highest, median = (
            convert(value, self.unit, unit, where) for value in (self.lowest, self.highest, self.median)
        )
        return replace(self, unit=unit, lowest=lowest, highest=highest, median=median)

    def quantile(self, share: np.ndarray) -> np.ndarray:
        """Return the values below which these shares of patients lie, in the unit of the law."""
        from scipy.special import betaincinv, ndtr, ndtri

        low, high = self.range
        if self.kind == "beta":
            return np.clip(low + (high - low) * betaincinv(self.a, self.b, share), low, high)
        middle = math.log(self.factor * self.median)
        first, last = (ndtr((math.log(end) - middle) / self.log_sd) for end in (low, high))
        return np.clip(np.exp(middle + self.log_sd * ndtri(first + (last - first) * share)), low, high)


@dataclass(frozen=True)
class Kinetic:
    """A rate of the body model that varies as the random effects of a drug of the PK library say.

    The value is ``typical`` x exp(sum of power x random effect).

    Attributes
    ----------
    name : str
        Body parameter.
    drug : str
        Drug of the PK library.
    powers : dict of str to float
        PK parameter of that drug = power with which it enters; clearance over volume is 1 and -1.
    typical : float
    unit, source : str
    """

    name: str
    drug: str
    powers: dict[str, float]
    typical: float
    unit: str
    source: str


@dataclass(frozen=True)
class Selection:
    """Patients picked from a population: patient k is patient ``numbers[k - 1]`` of a sample.

    Attributes
    ----------
    of : str
        The population.
    seed : int
        Seed of the sample.
    size : int
        Patients of the sample.
    design : str
        How it was drawn.
    numbers : tuple of int
        A patient may be picked more than once.
    """

    of: str
    seed: int
    size: int
    design: str
    numbers: tuple[int, ...]


@dataclass(frozen=True)
class Population:
    """A population of virtual patients.

    Attributes
    ----------
    name, title, source : str
    laws : tuple of Law
        Of body parameters, independent of one another.
    tissue : tuple of Law
        Of tissue parameters, independent of one another and of the body's.
    kinetics : tuple of Kinetic
    selection : Selection, optional
        None for a population that is drawn from its laws.
    """

    name: str
    title: str
    source: str
    laws: tuple[Law, ...]
    tissue: tuple[Law, ...] = ()
    kinetics: tuple[Kinetic, ...] = ()
    selection: Selection | None = None
