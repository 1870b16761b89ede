"""SBML models written for the tests, as text."""

import ast

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


SPACES = {(1, 1): "level1", (1, 2): "level1", (2, 1): "level2", (2, 4): "level2/version4", (2, 5): "level2/version5",
          (3, 1): "level3/version1/core", (3, 2): "level3/version2/core"}  # fmt: skip
SYMBOLS = ("time", "avogadro", "rateOf")
OPERATORS = {ast.Add: "plus", ast.Sub: "minus", ast.Mult: "times", ast.Div: "divide", ast.Pow: "power",
             ast.Gt: "gt", ast.GtE: "geq", ast.Lt: "lt", ast.LtE: "leq", ast.Eq: "eq", ast.NotEq: "neq",
             ast.And: "and", ast.Or: "or", ast.Not: "not", ast.USub: "minus"}  # fmt: skip
FUNCTIONS = ("abs", "ceiling", "cos", "exp", "floor", "implies", "ln", "max", "min", "quotient", "rem", "sin")


def sbml(level: int, version: int, *lists: str, attributes: str = "") -> str:
    """Return an SBML document of any level around the lists of a model."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<sbml xmlns="http://www.sbml.org/sbml/{SPACES[level, version]}" '
        f'level="{level}" version="{version}"><model {"name" if level == 1 else "id"}="written" {attributes}>'
        f"{''.join(lists)}</model></sbml>"
    )


def formula(text: str) -> str:
    """Return MathML of an expression in Python's words; ``time``, ``avogadro`` and ``rateOf`` are SBML's symbols."""
    return f"<math {MATH}>{_written(ast.parse(text, mode='eval').body)}</math>"


def _written(e: ast.expr) -> str:
    match e:
        case ast.Constant(bool()):
            return f"<{str(e.value).lower()}/>"
        case ast.Constant():
            return f"<cn> {e.value!r} </cn>"
        case ast.Name():
            return _symbol(e.id) if e.id in SYMBOLS else f"<ci> {e.id} </ci>"
        case ast.Call(ast.Name("piecewise")):
            *pairs, last = map(_written, e.args)
            pieces = zip(pairs[::2], pairs[1::2], strict=True)
            inner = "".join(f"<piece>{value}{condition}</piece>" for value, condition in pieces)
            return f"<piecewise>{inner}<otherwise>{last}</otherwise></piecewise>"
        case ast.Call(ast.Name()):
            name = f"<{e.func.id}/>" if e.func.id in FUNCTIONS else _written(e.func)
            return f"<apply>{name}{''.join(map(_written, e.args))}</apply>"
        case ast.UnaryOp():
            return _applied(e.op, e.operand)
        case ast.BinOp():
            return _applied(e.op, e.left, e.right)
        case ast.BoolOp():
            return _applied(e.op, *e.values)
        case ast.Compare():
            return _applied(e.ops[0], e.left, *e.comparators)
    raise ValueError(ast.unparse(e))


def _applied(operator: object, *parts: ast.expr) -> str:
    return f"<apply><{OPERATORS[type(operator)]}/>{''.join(map(_written, parts))}</apply>"


def _symbol(name: str) -> str:
    return (
        f'<csymbol encoding="text" definitionURL="http://www.sbml.org/sbml/symbols/{name}"> {name} </csymbol>'
    )


def quantities(**values: float | None) -> str:
    """Return a list of parameters that may change; None starts at nothing."""
    given = {name: "" if value is None else f' value="{value!r}"' for name, value in values.items()}
    return listed(
        "Parameters", *(f'<parameter id="{n}"{value} constant="false"/>' for n, value in given.items())
    )


def rates(**laws: str) -> tuple[str, ...]:
    """Return rate rules."""
    return tuple(f'<rateRule variable="{name}">{formula(law)}</rateRule>' for name, law in laws.items())


def assignments(**laws: str) -> tuple[str, ...]:
    """Return assignment rules."""
    return tuple(f'<assignmentRule variable="{n}">{formula(law)}</assignmentRule>' for n, law in laws.items())


def initials(**laws: str) -> str:
    """Return a list of initial assignments."""
    lines = [f'<initialAssignment symbol="{n}">{formula(law)}</initialAssignment>' for n, law in laws.items()]
    return listed("InitialAssignments", *lines)


def functions(**laws: str) -> str:
    """Return a list of function definitions, each given as ``"a, b: a * b"``."""
    lines = []
    for name, text in laws.items():
        names, _, law = text.partition(":")
        bound = "".join(f"<bvar><ci> {n.strip()} </ci></bvar>" for n in names.split(","))
        inner = f"<lambda>{bound}{_written(ast.parse(law.strip(), mode='eval').body)}</lambda>"
        lines.append(f'<functionDefinition id="{name}">{math(inner)}</functionDefinition>')
    return listed("FunctionDefinitions", *lines)


def event(
    trigger: str,
    delay: str = "",
    priority: str = "",
    initially: bool = True,
    persistent: bool = True,
    early: bool = True,
    level: int = 3,
    **values: str,
) -> str:
    """Return an event; ``early`` takes the values from the time of the trigger, not of the delayed execution."""
    yes = {True: "true", False: "false"}
    words = f' initialValue="{yes[initially]}" persistent="{yes[persistent]}"' if level > 2 else ""
    parts = [
        f'<event useValuesFromTriggerTime="{yes[early]}"><trigger{words}>{formula(trigger)}</trigger>',
        f"<priority>{formula(priority)}</priority>" if priority else "",
        f"<delay>{formula(delay)}</delay>" if delay else "",
    ]
    lines = [f'<eventAssignment variable="{n}">{formula(v)}</eventAssignment>' for n, v in values.items()]
    return "".join([*parts, listed("EventAssignments", *lines), "</event>"])
