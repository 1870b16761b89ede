"""Virtual populations against real ones: plausibility, acceptance, prevalence weights, selection, week 8."""

from .acceptance import Acceptance, accept, density_ratio
from .plausible import Plausibility, plausible
from .prevalence import Weights, effective_sample_size, prevalence_weights, systematic_picks
from .week8 import PROGRESSION, Week8, response_classes, solve_factor, week8_response, week8_targets

__all__ = [
    "PROGRESSION",
    "Acceptance",
    "Plausibility",
    "Week8",
    "Weights",
    "accept",
    "density_ratio",
    "effective_sample_size",
    "plausible",
    "prevalence_weights",
    "response_classes",
    "solve_factor",
    "systematic_picks",
    "week8_response",
    "week8_targets",
]
