"""Read TOML, the language of all input files: text and tables, or one sentence that says why not."""

import datetime
import math
import os
import stat
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..errors import InputError

MOST_BYTES = 4 * 2**20  # a second or two to read; the largest file of the library has 30 kB
MOST_LEVELS = 16  # tables within tables; the deepest of the library has 5
LARGEST_WHOLE = 2**63 - 1  # what the TOML specification asks readers to hold


def is_file(path: Path) -> bool:
    """Return whether there is a file; False, too, for what no path can be (too long, with NUL, no Unicode)."""
    return os.path.isfile(path)


def read_text(path: Path, most_bytes: int = MOST_BYTES) -> str:
    """Return the text of a file in UTF-8, lines ended by a newline alone.

    Raises
    ------
    InputError
        The file cannot be read, is a folder, pipe or device, is too large, or is no UTF-8 text.
    """
    try:
        data = None
        if stat.S_ISREG(os.stat(path).st_mode):
            with open(path, "rb") as stream:
                data = stream.read(most_bytes + 1)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check path and permissions") from None
    except ValueError as error:  # NUL or half a character in the name
        raise InputError(f"{str(path)!r}: is no name of a file ({error}); name another") from None
    if data is None:
        raise InputError(f"{path}: is a folder, pipe or device; name a file")
    if len(data) > most_bytes:
        raise InputError(f"{path}: has more than {most_bytes / 2**20:g} MiB; give less, or in parts")
    try:
        return data.decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: byte {error.start} is not UTF-8; save the file as UTF-8 text") from None


def read_toml(path: Path) -> tuple[dict[str, Any], str]:
    """Return the tables and the text of a TOML file.

    Raises
    ------
    InputError
        As ``read_text`` and ``parse_toml``.
    """
    text = read_text(path)
    return parse_toml(text, str(path)), text


def parse_toml(text: str, where: str) -> dict[str, Any]:
    """Return the tables of a TOML text, which hold finite numbers, plain text, booleans, lists and tables.

    Raises
    ------
    InputError
        No TOML (the message gives line and column), tables too deep, a number that is not finite or has more
        than 64 bits, a date, or a control character in a text.
    """
    if text.startswith("\ufeff"):
        raise InputError(f"{where}: begins with a byte-order mark; save it as plain UTF-8, without one")
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{where}: not valid TOML: {error}") from None
    except RecursionError:
        raise InputError(
            f"{where}: lists or tables are nested too deep; at most {MOST_LEVELS} levels"
        ) from None
    except ValueError:  # Python converts no integer of more than 4,300 digits
        raise InputError(
            f"{where}: a whole number has thousands of digits; write it with an exponent, as in 1e9"
        ) from None
    for place, value in _leaves(tables, where):
        _check_leaf(value, place)
    return tables


def _leaves(tables: dict[str, Any], where: str) -> Iterator[tuple[str, Any]]:
    """Yield (place, value) of all keys and of all values that are no tables or lists, level by level."""
    level: list[tuple[str, Any]] = [(where, tables)]
    for _ in range(MOST_LEVELS):
        below: list[tuple[str, Any]] = []
        for place, value in level:
            if isinstance(value, dict):
                yield from ((place, key) for key in value)
                below += [(f"{place} {key}", part) for key, part in value.items()]
            elif isinstance(value, list):
                below += [(place, part) for part in value]
            else:
                yield place, value
        if not below:
            return
        level = below
    raise InputError(f"{where}: lists or tables are nested too deep; at most {MOST_LEVELS} levels")


def _check_leaf(value: Any, where: str) -> None:
    match value:
        case float() if not math.isfinite(value):
            raise InputError(f"{where}: {value} is no finite number; write one")
        case int() if abs(value) > LARGEST_WHOLE:
            raise InputError(
                f"{where}: a whole number of more than 64 bits; write it with an exponent, as in 1e20"
            )
        case str() if any((ord(c) < 32 and c not in "\t\n") or 127 <= ord(c) < 160 for c in value):
            raise InputError(f"{where}: {value[:60]!r} holds a control character; write plain text")
        case datetime.date() | datetime.time():
            raise InputError(f"{where}: {value} is a date or time; times are numbers of days here")
