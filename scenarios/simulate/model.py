"""The tissue model of a scenario, compiled with the values that scenario and user set."""

from ...abm.compile.parameters import Override
from ...abm.model import Model, compile_model
from ..files.scenario import Scenario


def scenario_model(scenario: Scenario, draft: bool = False) -> Model:
    """Return the compiled tissue model of a scenario with the values that the scenario and the user set.

    ``draft`` as for `compile_model`.

    Raises
    ------
    InputError
        The model does not compile with them.
    """
    known = scenario.model_spec.parameters
    overrides = {
        name: Override(entry["value"], entry.get("unit"), entry["source"])
        for name, entry in scenario.tables.get("parameters", {}).items()
        if name in known
    }
    for name, (value, unit) in scenario.user_parameters.items():
        if name in known:
            overrides[name] = Override(value, unit, "user")
    return compile_model(scenario.model_spec, overrides, {}, draft)
