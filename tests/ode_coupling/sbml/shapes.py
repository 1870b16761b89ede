"""SBML files that are solved by hand: each with its closed form in the file's own unit of time."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sbml_texts import DAY, listed, sbml

Form = Callable[[float], float]
DAYS = 'timeUnits="day" substanceUnits="item" volumeUnits="litre" extentUnits="item"'


@dataclass(frozen=True)
class Shape:
    """A file and what it has to show.

    Attributes
    ----------
    name, text : str
    exact : mapping of str to callable
        Identifier -> value at a time.
    times : tuple of float
        In the file's unit of time; none at a jump.
    rtol, atol : float
        Near what is reached.
    per_day : float
        Units of time of the file a day.
    """

    name: str
    text: str
    exact: Mapping[str, Form]
    times: tuple[float, ...] = (0.3, 1.0, 2.5, 7.0)
    rtol: float = 3e-7
    atol: float = 0.0
    per_day: float = 1.0

    def __str__(self) -> str:
        return self.name


def in_days(*lists: str, version: int = 1, more: str = "") -> str:
    """Return a document of Level 3 that counts in days, with function definitions before its units."""
    first = [part for part in lists if part.startswith("<listOfFunctionDefinitions")]
    rest = [part for part in lists if part not in first]
    units = f"<listOfUnitDefinitions>{DAY}</listOfUnitDefinitions>"
    return sbml(3, version, *first, units, *rest, attributes=f"{DAYS} {more}")


def room(name: str, size: float | None = None, constant: bool = True) -> str:
    """Return a compartment (L)."""
    given = "" if size is None else f'size="{size!r}"'
    return (
        f'<compartment id="{name}" spatialDimensions="3" {given} units="litre" '
        f'constant="{str(constant).lower()}"/>'
    )


def kind(
    name: str,
    start: float | None = None,
    where: str = "c",
    amount: bool = False,
    boundary: bool = False,
    constant: bool = False,
    more: str = "",
) -> str:
    """Return a species; it starts at an amount where ``amount``, else at a concentration."""
    key = "initialAmount" if amount else "initialConcentration"
    given = "" if start is None else f'{key}="{start!r}"'
    flags = {"hasOnlySubstanceUnits": amount, "boundaryCondition": boundary, "constant": constant}
    words = " ".join(f'{key}="{str(flag).lower()}"' for key, flag in flags.items())
    return f'<species id="{name}" compartment="{where}" {given} {words} {more}/>'


def turn(
    name: str,
    source: Mapping[str, float],
    target: Mapping[str, float],
    law: str,
    level: int = 3,
    fast: bool = True,
) -> str:
    """Return a reaction: species -> stoichiometry on either side; Level 3 Version 1 asks for ``fast``."""

    def side(tag: str, species: Mapping[str, float]) -> str:
        constant = ' constant="true"' if level > 2 else ""
        lines = [
            f'<speciesReference species="{n}" stoichiometry="{k!r}"{constant}/>' for n, k in species.items()
        ]
        return listed(tag, *lines) if species else ""

    words = ' reversible="false" fast="false"' if fast else ' reversible="false"'
    return (
        f'<reaction id="{name}"{words}>{side("Reactants", source)}{side("Products", target)}'
        f"<kineticLaw>{law}</kineticLaw></reaction>"
    )
