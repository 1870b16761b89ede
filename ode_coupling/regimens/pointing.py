"""Errors that point at the word: the text, a caret line under the word, and what was expected there."""

from ...abm.errors import InputError


class Misfit(InputError):
    """Parts of an order that do not fit together; a parser knows where they stand in the text.

    Parameters
    ----------
    message : str
        One sentence.
    clause : str
        The clause that is at fault: ``amount``, ``over``, ``days``, ``every``, ...
    value : object, optional
        Which of several values of the clause, such as the day of a list of days.

    Attributes
    ----------
    part : object or None
        The course or line of a plan that the clause belongs to, where that is not the one being built.
    """

    def __init__(self, message: str, clause: str, value: object = None, part: object = None):
        super().__init__(message)
        self.clause, self.value, self.part = clause, value, part


def pointed(message: str, text: str, start: int, end: int) -> InputError:
    """Return an error with the line of a text and carets under its characters ``start`` to ``end``."""
    first = text.rfind("\n", 0, start) + 1
    last = text.find("\n", start)
    line = text[first : last if last >= 0 else len(text)]
    width = max(1, min(end, first + len(line)) - start)
    return InputError(f"{message}\n  {line}\n  {' ' * (start - first)}{'^' * width}")


def pointed_at(message: str, text: str, part: str) -> InputError:
    """Return an error that points at the first place of a part of a text."""
    start = max(0, text.find(part))
    return pointed(message, text, start, start + len(part))
