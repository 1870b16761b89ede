"""SBML models written for the tests, as text."""

L3 = 'xmlns="http://www.sbml.org/sbml/level3/version1/core" level="3" version="1"'
MATH = 'xmlns="http://www.w3.org/1998/Math/MathML"'
DAY = (
    '<unitDefinition id="day"><listOfUnits><unit kind="second" exponent="1" scale="0" multiplier="86400"/>'
    "</listOfUnits></unitDefinition>"
)
HOUR = DAY.replace('"day"', '"hour"').replace("86400", "3600")
MG = (
    '<unitDefinition id="mg"><listOfUnits><unit kind="gram" exponent="1" scale="-3" multiplier="1"/>'
    "</listOfUnits></unitDefinition>"
)


def model(body: str, units: str = DAY + MG, attributes: str = 'timeUnits="day" substanceUnits="mg"') -> str:
    """Return an SBML document around the lists of a model."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<sbml {L3}><model id="written" {attributes} volumeUnits="litre" '
        f'extentUnits="mg"><listOfUnitDefinitions>{units}</listOfUnitDefinitions>\n{body}</model></sbml>'
    )


def math(content: str) -> str:
    """Return MathML around a content."""
    return f"<math {MATH}>{content}</math>"


def apply(operator: str, *parts: str) -> str:
    """Return an application of an operator to names and numbers."""
    return f"<apply><{operator}/>{''.join(part if part.startswith('<') else atom(part) for part in parts)}</apply>"


def atom(text: str) -> str:
    """Return a name or a number."""
    return f"<ci> {text} </ci>" if text[0].isalpha() else f"<cn> {text} </cn>"


def parameters(**values: float | None) -> str:
    """Return a list of parameters; None is one that is not constant and starts at nothing."""
    lines = [
        f'<parameter id="{name}" value="{value!r}" constant="true"/>'
        if value is not None
        else f'<parameter id="{name}" constant="false"/>'
        for name, value in values.items()
    ]
    return f"<listOfParameters>{''.join(lines)}</listOfParameters>"


def compartments(**sizes: float) -> str:
    """Return a list of compartments (L)."""
    lines = [
        f'<compartment id="{name}" spatialDimensions="3" size="{size!r}" units="litre" constant="true"/>'
        for name, size in sizes.items()
    ]
    return f"<listOfCompartments>{''.join(lines)}</listOfCompartments>"


def species(name: str, room: str, start: str, amount: bool, boundary: bool = False) -> str:
    """Return a species; ``start`` is an attribute such as ``initialAmount="200"``."""
    return (
        f'<species id="{name}" compartment="{room}" {start} substanceUnits="mg" '
        f'hasOnlySubstanceUnits="{str(amount).lower()}" boundaryCondition="{str(boundary).lower()}" constant="false"/>'
    )


def reaction(name: str, source: str, target: str, law: str, local: str = "", count: float = 1.0) -> str:
    """Return an irreversible reaction; empty source or target for none."""

    def reference(kind: str, what: str) -> str:
        inner = f'<speciesReference species="{what}" stoichiometry="{count!r}" constant="true"/>'
        return f"<listOf{kind}>{inner}</listOf{kind}>" if what else ""

    return (
        f'<reaction id="{name}" reversible="false" fast="false">{reference("Reactants", source)}'
        f"{reference('Products', target)}<kineticLaw>{math(law)}{local}</kineticLaw></reaction>"
    )


def listed(kind: str, *parts: str) -> str:
    """Return a list of elements."""
    return f"<listOf{kind}>{''.join(parts)}</listOf{kind}>"
