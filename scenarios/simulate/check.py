"""What keeps a scenario from running: it is assembled at time 0, as a run does."""

from ...abm.errors import InputError
from ..files.scenario import Scenario
from .build import build
from .names import wrong_names

FIRST_SEED = 1  # of the tissue that a scenario is tried with


def check_scenario(scenario: Scenario) -> list[str]:
    """Return what keeps a scenario from running, one sentence each: it is assembled at time 0, as `run` does.

    Raises
    ------
    InputError
        The tissue model does not compile, or controller and stopping rule do not fit it.
    """
    if problems := wrong_names(scenario):
        return problems
    try:
        build(scenario, FIRST_SEED)
    except InputError as error:
        return [str(error)]
    return []
