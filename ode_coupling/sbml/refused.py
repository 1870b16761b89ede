"""What an SBML file may not hold, by name and with a cure, before an engine sees it."""

import math
from collections.abc import Iterator

from ...abm.errors import InputError
from .contents import Contents, is_true
from .document import Document
from .switches import number

SYMBOL = "http://www.sbml.org/sbml/symbols/"
_NUMBERS = (
    "value",
    "size",
    "volume",
    "initialAmount",
    "initialConcentration",
    "stoichiometry",
    "denominator",
)


def refuse_foreign(document: Document) -> None:
    """Refuse what the engine would leave out, get wrong, or die of.

    Raises
    ------
    InputError
    """
    for problem in _foreign(document):
        raise InputError(f"{document.path}: {problem}")


def _foreign(document: Document) -> Iterator[str]:
    model = document.model
    if next(model.iter("algebraicRule"), None) is not None:
        yield "an algebraic rule is not solved; solve it for one variable and write an assignment rule"
    for symbol in model.iter("csymbol"):
        if symbol.get("definitionURL") == SYMBOL + "delay":
            yield "delay() is not integrated; write the delay as a chain of states"
    for reaction in model.iter("reaction"):
        name = reaction.get("id") or reaction.get("name")
        if is_true(reaction, "fast"):
            yield f"reaction '{name}': fast reactions are not solved; write the equilibrium as an assignment rule"
    contents = Contents(document)
    for name, e in contents.species.items():
        room = e.get("compartment", "")
        if room in contents.assigned and name in contents.states and not contents.is_amount(name):
            yield (
                f"species '{name}': its compartment '{room}' follows an assignment rule, of which the engine dies; "
                'give the compartment a rate rule, or the species hasOnlySubstanceUnits="true"'
            )
    for e in model.iter():
        for key in _NUMBERS:
            text = e.get(key)
            if text is None or e.tag in ("cn", "unit"):
                continue
            try:
                value = float(text)
            except ValueError:
                value = math.inf
            if not math.isfinite(value):
                yield (
                    f"<{e.tag}> '{e.get('id') or e.get('species') or e.get('name') or ''}': {key} = \"{text}\" "
                    "is no finite number; give one"
                )
        if e.tag == "apply" and len(e) == 1 and e[0].tag in ("max", "min"):
            yield f"<{e[0].tag}> of nothing has no value; give it arguments"
        if e.tag == "cn" and number(e) is None:
            yield f"<cn> '{''.join(e.itertext()).strip()[:40]}' is no number; write one"
