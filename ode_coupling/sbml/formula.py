"""From the mathematics of an SBML file to Python source that Numba compiles: a walk over a closed list of words.

Nothing of a file reaches the source as text: names become positions in vectors, numbers their value.
"""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from ...abm.errors import InputError

TIME = "<time>"  # no identifier of a file can be called so
AVOGADRO = 6.02214179e23  # the value that SBML prescribes
_INFIX = {"PLUS": "+", "TIMES": "*", "LOGICAL_AND": "and", "LOGICAL_OR": "or"}
_EMPTY = {"PLUS": "0.0", "TIMES": "1.0", "LOGICAL_AND": "True", "LOGICAL_OR": "False"}
_RELATIONS = {"EQ": "==", "NEQ": "!=", "GEQ": ">=", "GT": ">", "LEQ": "<=", "LT": "<"}
_FUNCTIONS = {
    "ABS": "abs({})", "EXP": "np.exp({})", "LN": "np.log({})", "FLOOR": "np.floor({})",
    "CEILING": "np.ceil({})", "SIN": "np.sin({})", "COS": "np.cos({})", "TAN": "np.tan({})",
    "SEC": "(1.0 / np.cos({}))", "CSC": "(1.0 / np.sin({}))", "COT": "(1.0 / np.tan({}))",
    "SINH": "np.sinh({})", "COSH": "np.cosh({})", "TANH": "np.tanh({})", "ARCSIN": "np.arcsin({})",
    "ARCCOS": "np.arccos({})", "ARCTAN": "np.arctan({})", "ARCSINH": "np.arcsinh({})",
    "ARCCOSH": "np.arccosh({})", "ARCTANH": "np.arctanh({})",
}  # fmt: skip
_CONSTANTS = {
    "CONSTANT_E": "np.e",
    "CONSTANT_PI": "np.pi",
    "CONSTANT_TRUE": "True",
    "CONSTANT_FALSE": "False",
}


def python_source(node: Any, symbols: Mapping[str, str], where: str) -> str:
    """Return a formula as Python source.

    Parameters
    ----------
    node : libsbml.ASTNode
    symbols : mapping of str to str
        Identifier -> source of its value; ``TIME`` for the time of the model.
    where : str
        The element of the file, for messages.

    Raises
    ------
    InputError
        A missing formula, an unknown name, or a function that the import does not know.
    """
    if node is None:
        raise InputError(f"{where}: holds no formula; write its <math>")
    return _source(node, symbols, where)


def names_in(node: Any) -> Iterator[str]:
    """Yield the identifiers that a formula uses."""
    if node.isName() and node.getName() and _word(node) == "NAME":
        yield node.getName()
    for child in range(node.getNumChildren()):
        yield from names_in(node.getChild(child))


def _word(node: Any) -> str:
    """Return the type of a node as the word that libSBML gives it (``PLUS``, ``FUNCTION_EXP``, ...)."""
    return _words()[node.getType()]


def _words(found: dict[int, str] = {}) -> dict[int, str]:  # noqa: B006  (filled once: libSBML is optional)
    if not found:
        import libsbml

        types = {key: value for key, value in vars(libsbml).items() if key.startswith("AST_")}
        found.update({v: k.removeprefix("AST_") for k, v in types.items() if isinstance(v, int)})
    return found


def _source(node: Any, symbols: Mapping[str, str], where: str) -> str:
    word = _word(node)
    if word == "NAME":
        return _name(node.getName(), symbols, where)
    if word == "INTEGER":
        return repr(float(node.getInteger()))
    if word in ("REAL", "REAL_E", "RATIONAL"):
        return f"({float(node.getReal())!r})".replace("nan", "np.nan").replace("inf", "np.inf")
    if word == "NAME_TIME":
        return symbols[TIME]
    if word == "NAME_AVOGADRO":
        return repr(AVOGADRO)
    if word in _CONSTANTS:
        return _CONSTANTS[word]
    parts = [_source(node.getChild(i), symbols, where) for i in range(node.getNumChildren())]
    if word in _INFIX:
        return "(" + f" {_INFIX[word]} ".join(parts) + ")" if parts else _EMPTY[word]
    if word == "MINUS":
        return f"(-{parts[0]})" if len(parts) == 1 else f"({parts[0]} - {parts[1]})"
    if word == "DIVIDE":
        return f"({parts[0]} / {parts[1]})"
    if word in ("POWER", "FUNCTION_POWER"):
        return f"np.power({parts[0]}, {parts[1]})"
    if word == "FUNCTION_ROOT":
        degree, radicand = parts if len(parts) == 2 else ("2.0", parts[0])
        return (
            f"np.sqrt({radicand})" if degree in ("2.0", "(2.0)") else f"np.power({radicand}, 1.0 / {degree})"
        )
    if word == "FUNCTION_LOG":
        base, value = parts if len(parts) == 2 else ("10.0", parts[0])
        return f"(np.log({value}) / np.log({base}))"
    if word in ("FUNCTION_MAX", "FUNCTION_MIN"):
        return f"{word[-3:].lower()}({', '.join(parts)})"
    if word == "FUNCTION_PIECEWISE":
        return _piecewise(parts)
    if word == "LOGICAL_NOT":
        return f"(not {parts[0]})"
    if word == "LOGICAL_XOR":
        return (
            "(" + " != ".join(f"bool({part})" for part in parts) + ")"
            if len(parts) == 2
            else _refused(node, where)
        )
    if word.startswith("RELATIONAL_"):
        sign = _RELATIONS[word.removeprefix("RELATIONAL_")]
        return "(" + " and ".join(f"{a} {sign} {b}" for a, b in pairwise(parts)) + ")"
    function = _FUNCTIONS.get(word.removeprefix("FUNCTION_"))
    return function.format(*parts) if function and len(parts) == 1 else _refused(node, where)


def _name(name: str, symbols: Mapping[str, str], where: str) -> str:
    if name not in symbols:
        raise InputError(f"{where}: uses '{name}', which the file does not define; define or rename it")
    return symbols[name]


def _piecewise(parts: list[str]) -> str:
    """Return nested conditional expressions; without an otherwise the value is undefined."""
    text = parts[-1] if len(parts) % 2 else "np.nan"
    for i in reversed(range(0, len(parts) - 1, 2)):
        text = f"({parts[i]} if {parts[i + 1]} else {text})"
    return text


def _refused(node: Any, where: str) -> str:
    name = node.getName() or _word(node).removeprefix("FUNCTION_").lower()
    raise InputError(
        f"{where}: the function '{name}' is not imported (delays, rates of change, factorials and remainders "
        "are not); replace it by ordinary arithmetic"
    )
