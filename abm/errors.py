"""The one exception that a user's mistake raises."""

import difflib
import unicodedata
from collections.abc import Iterable


class InputError(ValueError):
    """Wrong input: the message names the rule, the offender, the choices and the cure.

    The command line prints it as one sentence and exits with code 2.
    """


LONGEST_WORD = 100  # a longer one is cut: it is no slip of the pen
MOST_CHOICES = 40  # a longer list hides the sentence it belongs to


def unknown_word(
    kind: str, word: str, choices: Iterable[str], where: str, command: str = "describe"
) -> InputError:
    """Return the error for a word that is not among the choices: the nearest one, and all or the nearest few.

    Where there are too many to write out, the command that lists them is named.
    """
    options, word = sorted(choices), str(word)
    word = word if len(word) <= LONGEST_WORD else f"{word[:LONGEST_WORD]}..."
    near = difflib.get_close_matches(word, options, n=6, cutoff=0.5)
    hint = f"; did you mean '{near[0]}'?" if near and difflib.get_close_matches(word, near[:1]) else ""
    if len(options) <= MOST_CHOICES:
        valid = f"valid: {', '.join(options) or 'none'}"
    else:
        valid = f"{len(options)} are valid, the nearest: {', '.join(near) or 'none'}; 'oncolattice {command}' lists all"
    return InputError(f"{where}: unknown {kind} '{word}'{hint} ({valid})")


def printable(text: str) -> str:
    r"""Return text that a terminal shows and does not obey: control characters as escapes such as ``\x1b``."""
    return "".join(ascii(c)[1:-1] if unicodedata.category(c)[0] == "C" and c != "\n" else c for c in text)
