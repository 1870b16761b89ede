"""From a drug and a patient to a model: covariates and random effects."""

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from ...abm.errors import InputError, unknown_word
from ...abm.ode_model import OdeModel, Parameter
from ...abm.placement.luck import generator
from .drug_file import Drug, load_drug
from .structures import START, STRUCTURES, check_value, structural_model


def individual(
    drug: str | Path | Drug,
    covariates: Mapping[str, object] | None = None,
    eta: Mapping[str, float] | None = None,
) -> dict[str, Parameter]:
    """Return a patient's parameters in house units: value for the reference patient x covariates x exp(eta).

    Parameters
    ----------
    drug : str, Path or Drug
    covariates : mapping, optional
        Covariate name to number or level; those not named are the reference patient's.
    eta : mapping, optional
        Random effect (by the name of its parameter) to value on the log scale; 0 where absent.

    Raises
    ------
    InputError
        Unknown drug, covariate or random effect, or values that drive a parameter out of its range.
    """
    found = load_drug(drug)
    given, effects = dict(covariates or {}), dict(eta or {})
    for name in given:
        if name not in found.covariates:
            raise unknown_word("covariate", name, found.covariates, found.name)
    for name, value in effects.items():
        if name not in found.random_effects:
            raise unknown_word("random effect", name, found.random_effects, found.name)
        if not math.isfinite(value):
            raise InputError(f"{found.name}: random effect '{name}' must be finite, not {value}")
    values = {
        name: covariate.checked(given.get(name, covariate.reference), found.name)
        for name, covariate in found.covariates.items()
    }
    parameters = {}
    for name, entry in found.parameters.items():
        value = entry.parameter.value
        for effect in entry.effects:
            value *= effect.factor(values[effect.name], found.covariates[effect.name].reference)
        value *= math.exp(sum(factor * effects.get(key, 0.0) for key, factor in entry.follows.items()))
        check_value(value, entry.kind, f"{found.name}: {name} of this patient")
        parameters[name] = replace(entry.parameter, value=value)
    return parameters


def pk_model(
    drug: str | Path | Drug,
    covariates: Mapping[str, object] | None = None,
    eta: Mapping[str, float] | None = None,
    treatment_start: float = 0.0,
) -> tuple[OdeModel, dict[str, float]]:
    """Return a patient's model of a drug and its parameter values.

    Parameters
    ----------
    drug, covariates, eta
        As for ``individual``.
    treatment_start : float
        Time of the first dose (d), for models whose parameters change with the time on treatment.

    Returns
    -------
    (OdeModel, dict of str to float)
        The model carries these values already.

    Raises
    ------
    InputError
        As ``individual``.
    """
    found = load_drug(drug)
    values: dict[str, float | Parameter] = dict(individual(found, covariates, eta))
    if START in STRUCTURES[found.structure].own:
        values[START] = Parameter(START, treatment_start, "d", "user", "time of the first dose")
    model = structural_model(found.structure, found.name, values, found.routes)
    return model, {parameter.name: parameter.value for parameter in model.parameters}


def sample_patients(drug: str | Path | Drug, n: int, seed: int) -> list[dict[str, float]]:
    """Return the random effects of the first n patients, for ``pk_model`` and ``simulate_pk``.

    A patient depends on seed, drug, parameter names and the patient's number alone: patient i is the same whatever n.
    Normal on the log scale with the covariances of the drug's file.

    Parameters
    ----------
    drug : str, Path or Drug
    n : int
    seed : int

    Returns
    -------
    list of dict of str to float

    Raises
    ------
    InputError
        Unknown drug, or n negative.
    """
    found = load_drug(drug)
    if n < 0:
        raise InputError(f"the number of patients must be 0 or more, got {n}")
    names = found.random_effects
    if not names:
        return [{} for _ in range(n)]
    drawn = np.array([generator(seed, f"pk {found.name} {name}").standard_normal(n) for name in names])
    effects = np.linalg.cholesky(found.omega) @ drawn
    return [{name: float(effects[k, i]) for k, name in enumerate(names)} for i in range(n)]
