"""What an SBML file may not hold, by name and with a cure, before an engine sees it."""

import math
from collections.abc import Iterator
from pathlib import Path

from ...abm.errors import InputError
from .contents import Contents, is_true
from .document import Document
from .formulae import Formulae, number
from .prepare import struck_together
from .watch import moves

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


_ENDLESS = ("INF", "-INF", "NaN")


def refuse_foreign(document: Document, finite: bool) -> None:
    """Refuse what the engine would leave out, get wrong, or die of; with ``finite`` numbers that are not.

    Raises
    ------
    InputError
    """
    for problem in _foreign(document, finite):
        raise InputError(f"{document.path}: {problem}")


def refuse_instants(formulae: Formulae, contents: Contents, path: Path) -> None:
    """Refuse an event at the instant at which two changing numbers are equal, which no step meets.

    Raises
    ------
    InputError
    """
    for trigger in formulae.triggers:
        for e in formulae.within(trigger):
            equality = e.tag == "apply" and len(e) > 2 and e[0].tag in ("eq", "neq")
            if equality and any(moves(side, formulae, contents) for side in e[1:]):
                raise InputError(
                    f"{path}: the trigger of an event asks whether a changing number is equal to another "
                    f"(<{e[0].tag}/>), which is so for an instant only; ask with <geq/> or <leq/> whether it is passed"
                )


def _foreign(document: Document, finite: bool) -> Iterator[str]:
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
        given = {*e.keys()} & {
            "initialAmount",
            "initialConcentration",
        } or name in contents.initial | contents.assigned
        if not given and name in contents.states:
            yield f"species '{name}': has no value at time 0; give it an initialAmount or initialConcentration"
    for event in model.iter("event"):
        if event.find("delay") is not None and event.get("useValuesFromTriggerTime") != "false":
            for e, _ in struck_together(event, contents):
                yield (
                    f"an event with a delay sets species '{e.get('variable')}' and its compartment together, which the "
                    'engine gets wrong; let it use values of the time it acts (useValuesFromTriggerTime="false")'
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
            if not (math.isfinite(value) or (text in _ENDLESS and e.tag == "parameter" and not finite)):
                yield (
                    f"<{e.tag}> '{e.get('id') or e.get('species') or e.get('name') or ''}': {key} = \"{text}\" "
                    "is no finite number; give one"
                )
        if e.tag == "apply" and len(e) == 1 and e[0].tag in ("max", "min"):
            yield f"<{e[0].tag}> of nothing has no value; give it arguments"
        if e.tag == "cn" and number(e) is None:
            yield f"<cn> '{''.join(e.itertext()).strip()[:40]}' is no number; write one"
