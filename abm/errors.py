"""The one exception that a user's mistake raises."""

import difflib
from collections.abc import Iterable


class InputError(ValueError):
    """Wrong input: the message names the rule, the offender, the choices and the cure.

    The command line prints it as one sentence and exits with code 2.
    """


def unknown_word(kind: str, word: str, choices: Iterable[str], where: str) -> InputError:
    """Return the error for a word that is not among the choices, with the nearest one first."""
    options = sorted(choices)
    near = difflib.get_close_matches(word, options, n=1)
    hint = f"; did you mean '{near[0]}'?" if near else ""
    return InputError(f"{where}: unknown {kind} '{word}'{hint} (valid: {', '.join(options) or 'none'})")
