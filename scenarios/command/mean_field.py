"""Print the mean field of a model: its equations, their numbers, and what they leave out."""

from collections.abc import Iterable

from rich.console import Console

from ...abm.compile.model_file import library_models
from ...abm.compile.parameters import Override
from ...abm.compile.quantities import number_and_unit
from ...abm.errors import InputError, printable
from ...abm.mean_field import mean_field
from ...abm.model import Model, load_model
from ..files.scenario import library_scenarios, load_scenario
from ..simulate.model import scenario_model


def print_mean_field(model_name: str, settings: Iterable[str] | None, console: Console) -> None:
    """Print the mean field of a library model, a model file or a scenario's model.

    Parameters
    ----------
    model_name : str
        Name of a library model or scenario, or path of a model file.
    settings : iterable of str or None
        Parameter values, each ``name=value[unit]``; of a scenario, any of its keys.
    console : rich.console.Console

    Raises
    ------
    InputError
        There is no such model, a setting is wrong, or the model has no mean field.
    """
    model = _model(model_name, list(settings or ()))
    field = mean_field(model)

    def write(line: str = "") -> None:
        console.print(printable(line), soft_wrap=True, markup=False, highlight=False)

    write(f"Mean field of {model.name}: {model.spec.model['title']}")
    write("State: occupied fraction of the sites of the layer. Neighbouring sites are taken as independent.")
    write()
    for line in field.equations():
        write(line)
    write()
    write("What the equations leave out or replace:")
    for note in field.notes:
        write(f"  - {note}")


def _model(name: str, settings: list[str]) -> Model:
    if name in library_scenarios() and name not in library_models():
        return scenario_model(load_scenario(name, settings))
    overrides = {}
    for setting in settings:
        parameter, _, text = setting.partition("=")
        number = number_and_unit(text)
        if number is None:
            raise InputError(f"--set '{setting}': write name=value[unit], for example --set birth=0.05/d")
        overrides[parameter.strip()] = Override(*number, "user")
    return load_model(name, overrides)
