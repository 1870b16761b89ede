"""Survival: of an arm, Kaplan-Meier, tests, regression, landmarks, interval censoring."""

from .compare import LogRank, log_rank_test
from .concordance import Concordance, concordance_index
from .cox import CoxFit, cox
from .curves import Curve, Quantile, follow_up, survival_curve
from .expected import arm_survival
from .intervals import Intervals, TurnbullCurve, intervals_from_columns, progression_curve, turnbull
from .landmarks import Landmark, Split, biomarker_split, landmark, weighted_median
from .planning import required_events
from .proportional import ProportionalHazards, proportional_hazards_test
from .restricted import RestrictedMean, restricted_mean, restricted_mean_difference
from .times import DAYS_PER_MONTH, Times, kaplan_meier, log_rank, median_time, times_from_columns

__all__ = [
    "DAYS_PER_MONTH",
    "Concordance",
    "CoxFit",
    "Curve",
    "Intervals",
    "Landmark",
    "LogRank",
    "ProportionalHazards",
    "Quantile",
    "RestrictedMean",
    "Split",
    "Times",
    "TurnbullCurve",
    "arm_survival",
    "biomarker_split",
    "concordance_index",
    "cox",
    "follow_up",
    "intervals_from_columns",
    "kaplan_meier",
    "landmark",
    "log_rank",
    "log_rank_test",
    "median_time",
    "progression_curve",
    "proportional_hazards_test",
    "required_events",
    "restricted_mean",
    "restricted_mean_difference",
    "survival_curve",
    "times_from_columns",
    "turnbull",
    "weighted_median",
]
