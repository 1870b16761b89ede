"""Words of an order with their places, and a cursor that explains what it did not expect."""

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from ...abm.errors import InputError
from .pointing import pointed
from .quantities import MOST

NAME, NUMBER, WORD, SIGN, END = "name", "number", "word", "sign", "end"
_TOKEN = re.compile(
    r"(?P<name>[A-Za-z0-9][\w.-]*(?=[ \t]*:))"
    r"|(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)"
    r"|(?P<word>[qQ]\d+(?:\.\d+)?[A-Za-z]*|[xXdD](?=\d)|[A-Za-z][A-Za-z0-9]*(?:/[A-Za-z0-9]+)*)"
    r"|(?P<sign>[-+,;:%])"
)
LEAST_ALIKE = 0.4  # words of an order are short: 'vi' is nearest to 'iv', which is 0.5 alike
_SAME = str.maketrans({"²": "2", "µ": "u", "μ": "u", "×": "x", "–": "-", "\u00a0": " ", "\t": " "})


@dataclass(frozen=True)
class Token:
    """One word: what it is, its text (in small letters unless a name), and where it stands."""

    kind: str
    text: str
    start: int
    end: int


def split(text: str) -> list[Token]:
    """Return the tokens of a text, and a last one of kind ``end``.

    Raises
    ------
    InputError
        A character that no order has.
    """
    plain = text.translate(_SAME)
    tokens, place = [], 0
    while place < len(plain):
        if plain[place].isspace():
            place += 1
            continue
        match = _TOKEN.match(plain, place)
        if not match or match.lastgroup is None:
            raise pointed(f"order: '{text[place]}' has no meaning here", text, place, place + 1)
        word = match.group() if match.lastgroup == NAME else match.group().lower()
        tokens.append(Token(match.lastgroup, word, place, match.end()))
        place = match.end()
    last = len(plain.rstrip())
    return [*tokens, Token(END, "", last, last + 1)]


class Cursor:
    """The tokens of a text, taken one after the other."""

    def __init__(self, text: str):
        self.text, self.tokens, self.place = text, split(text), 0

    @property
    def here(self) -> Token:
        """The token that comes next."""
        return self.tokens[self.place]

    @property
    def before(self) -> Token:
        """The token taken last."""
        return self.tokens[self.place - 1]

    def ahead(self, steps: int = 1) -> Token:
        """Return a token further on."""
        return self.tokens[min(self.place + steps, len(self.tokens) - 1)]

    def take(self) -> Token:
        """Return the next token and go past it."""
        token = self.here
        self.place = min(self.place + 1, len(self.tokens) - 1)
        return token

    def accept(self, *texts: str) -> bool:
        """Go past the next tokens if they read as these texts."""
        if any(
            self.ahead(k).text != text or self.ahead(k).kind in (NAME, END) for k, text in enumerate(texts)
        ):
            return False
        self.place += len(texts)
        return True

    def expect(self, *texts: str) -> Token:
        """Take tokens that must read as these texts; return the last."""
        for text in texts:
            if not self.accept(text):
                raise self.wanted(f"'{' '.join(texts)}'")
        return self.before

    def number(self, what: str) -> float:
        """Take a number."""
        if self.here.kind != NUMBER:
            raise self.wanted(what)
        return float(self.take().text)

    def whole(self, what: str) -> int:
        """Take a whole number from 1 on."""
        value = self.number(what)
        if not 1.0 <= value <= MOST or value != int(value):
            raise self.error(f"{what} must be a whole number from 1 to {MOST}", self.before)
        return int(value)

    def wanted(self, what: str) -> InputError:
        """Return the error for a token where another one was expected."""
        found = f"not '{self._written(self.here)}'" if self.here.kind != END else "but the text ends"
        return self.error(f"expected {what} here, {found}", self.here)

    def unknown(self, kind: str, token: Token, choices: Iterable[str]) -> InputError:
        """Return the error for an unknown word: the nearest one and all that are valid."""
        valid = sorted(choices)
        listed = f"(valid: {', '.join(valid)})"
        if token.kind == END:
            return self.error(f"expected a {kind} here, but the text ends {listed}", token)
        word = self._written(token)
        near = difflib.get_close_matches(word.lower(), valid, n=1, cutoff=LEAST_ALIKE)
        hint = f"; did you mean '{near[0]}'?" if near else ""
        return self.error(f"unknown {kind} '{word}'{hint} {listed}", token)

    def error(self, message: str, first: Token, last: Token | None = None) -> InputError:
        """Return an error that points at a token, or from one to another."""
        return pointed(f"order: {message}", self.text, first.start, (last or first).end)

    def _written(self, token: Token) -> str:
        return self.text[token.start : token.end]
