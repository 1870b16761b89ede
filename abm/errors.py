"""The one exception that a user's mistake raises."""

import difflib
import re
import unicodedata
from collections.abc import Iterable


class InputError(ValueError):
    """Wrong input: the message names the rule, the offender, the choices and the cure.

    The command line prints it as one sentence and exits with code 2. Lines of foreign text are joined; a message
    whose last line points at a word keeps its lines.
    """

    def __init__(self, message: str = "", *more: object):
        super().__init__(message if _POINTER.search(message) else _BREAK.sub(" ", message), *more)


_POINTER = re.compile(r"\n *\^+$")
_BREAK = re.compile(r"\s*[\n\r]\s*")
MOST_CHOICES = 40  # a longer list hides the sentence it belongs to
MOST_SHOWN = 120  # characters of a foreign text in a sentence


def unknown_word(
    kind: str, word: str, choices: Iterable[str], where: str, command: str | None = "describe"
) -> InputError:
    """Return the error for a word that is not among the choices: the nearest one, and all or the nearest few.

    Where there are too many to write out, the command that lists them is named, if there is one.
    """
    word, options = shortened(str(word)), sorted(map(shortened, choices))
    near = difflib.get_close_matches(word, options, n=6, cutoff=0.5)
    hint = f"; did you mean '{near[0]}'?" if near and difflib.get_close_matches(word, near[:1]) else ""
    if len(options) <= MOST_CHOICES:
        valid = f"valid: {', '.join(options) or 'none'}"
    else:
        valid = f"{len(options)} are valid, the nearest: {', '.join(near) or 'none'}"
        valid += f"; 'oncolattice {command}' lists all" if command else ""
    return InputError(f"{where}: unknown {kind} '{word}'{hint} ({valid})")


def printable(text: str) -> str:
    r"""Return text that a terminal shows and does not obey: control characters as escapes such as ``\x1b``."""
    return "".join(
        ascii(c)[1:-1] if unicodedata.category(c)[0] == "C" and c not in "\n\t" else c for c in text
    )


def shortened(text: str, most: int = MOST_SHOWN) -> str:
    """Return foreign text in one printable line, cut where it is long."""
    short = text if len(text) <= most else f"{text[: most - 3]}..."
    return printable(" ".join(short.split()))


def some(words: Iterable[str], most: int = 12) -> str:
    """Return the first few of a list of foreign words, and how many more there are."""
    listed = list(words)
    more = f" and {len(listed) - most} more" if len(listed) > most else ""
    return ", ".join(shortened(word, 60) for word in listed[:most]) + more
