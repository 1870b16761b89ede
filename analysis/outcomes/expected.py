"""Survival that a law of death lets expect of a run and of an arm: nothing is drawn."""

import math
from collections.abc import Sequence

import numpy as np

from ...abm.snapshot import RunRecord
from ..series import arms
from ..survival import arm_survival
from .death import LAWS, DeathLaw, hazard_of


def expected_survival(record: RunRecord, law: DeathLaw) -> np.ndarray | None:
    """Return the chance to be alive on whole days, exp(-integrated hazard), shape (days + 1,).

    None for a run that lacks what the law reads.
    """
    found = hazard_of(record, law)
    if found is None:
        return None
    days, integral = found
    return np.exp(-np.interp(np.arange(math.floor(days[-1] + 1e-9) + 1), days, integral))


def arm_curves(records: Sequence[RunRecord], law: str = "log volume") -> dict[str, np.ndarray]:
    """Return expected survival on whole days by arm; arms whose runs lack what the law reads are left out."""
    curves = {arm: [expected_survival(r, LAWS[law]) for r in runs] for arm, runs in arms(records).items()}
    return {
        arm: arm_survival(found)
        for arm, own in curves.items()
        if (found := [c for c in own if c is not None])
    }
