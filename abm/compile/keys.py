"""What a key of a table may hold: a kind, and the range of a number, written in the tables of keys.

A kind is ``text``, ``words`` (text or a list of it), ``texts`` (a list), ``expression``, ``number``, ``whole``,
``numbers`` (a list), ``named`` (a table of names and numbers), ``list`` or ``table``. Bounds may follow a number:
``number > 0``, ``whole >= 1 <= 7``; those of ``numbers`` and ``named`` hold for each.
"""

import operator
import re
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from ..errors import InputError, unknown_word

Keys = Mapping[str, tuple[str, bool, str]]  # key -> (kind, required, meaning)
_LARGEST = sys.float_info.max
_BOUND = re.compile(r"(>=|<=|>|<) (\S+)")
_OBEYS = {">": operator.gt, ">=": operator.ge, "<=": operator.le, "<": operator.lt}
_IN_WORDS = {">": "above {}", ">=": "{} or more", "<=": "at most {}", "<": "below {}"}
_WHAT = {
    "number": "a finite number",
    "whole": "a whole number",
    "numbers": "a list of numbers",
    "named": "a table of names and numbers",
    "list": "a list",
    "table": "a table",
    "words": "text or a list of texts",
    "texts": "a list of texts",
}


def bounds(kind: str) -> Iterator[tuple[str, float]]:
    """Yield (sign, number) of every bound of a kind."""
    yield from ((sign, float(number)) for sign, number in _BOUND.findall(kind))


def table_of(tables: Mapping[str, Any], section: str, where: str) -> dict[str, Any]:
    """Return a section of a file that may be missing, empty then.

    Raises
    ------
    InputError
        It is there and no table.
    """
    table = tables.get(section, {})
    if not isinstance(table, dict):
        raise InputError(f"{where} [{section}]: a table is needed here, not {type(table).__name__}")
    return table


def tables_of(tables: Mapping[str, Any], section: str, where: str) -> list[Any]:
    """Return a section that is a list of tables, empty if it is missing.

    Raises
    ------
    InputError
        It is there and no list.
    """
    entries = tables.get(section, [])
    if not isinstance(entries, list):
        raise InputError(f"{where}: write [[{section}]], one block an entry")
    return entries


def check_keys(entry: Any, keys: Keys, where: str) -> None:
    """Check a table against ``key -> (kind, required, meaning)``.

    Raises
    ------
    InputError
        Unknown or missing key, a value of the wrong kind, or a number out of its range.
    """
    if not isinstance(entry, dict):
        raise InputError(f"{where}: a table is needed here, not {type(entry).__name__}")
    for key, value in entry.items():
        if key not in keys:
            raise unknown_word("key", key, keys, where)
        kind, _, meaning = keys[key]
        check_value(value, kind, f"{where}: '{key}'", meaning)
    for key, (_, required, meaning) in keys.items():
        if required and key not in entry:
            raise InputError(f"{where}: '{key}' is missing ({meaning})")


def check_value(value: Any, kind: str, where: str, meaning: str) -> None:
    """Check a value against a kind.

    Raises
    ------
    InputError
    """
    shape = kind.partition(" ")[0]
    if not is_kind(value, shape):
        raise InputError(f"{where} must be {_WHAT.get(shape, 'text')} ({meaning}), got {_short(value)}")
    numbers = value if shape == "numbers" else value.values() if shape == "named" else [value]
    if any(not _OBEYS[sign](number, bound) for sign, bound in bounds(kind) for number in numbers):
        raise InputError(f"{where} must be {_range(kind)} ({meaning}), got {_short(value)}")


def is_kind(value: Any, shape: str) -> bool:
    """Return whether a value is of a kind, bounds aside."""
    match shape:
        case "text" | "expression":
            return isinstance(value, str) and value.strip() != ""
        case "words":
            return is_kind(value, "text") or (value != [] and is_kind(value, "texts"))
        case "texts":
            return isinstance(value, list) and all(is_kind(part, "text") for part in value)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _LARGEST
        case "whole":
            return isinstance(value, int) and not isinstance(value, bool)
        case "numbers":
            return isinstance(value, list) and all(is_kind(part, "number") for part in value)
        case "named":
            return isinstance(value, dict) and all(is_kind(part, "number") for part in value.values())
        case "list":
            return isinstance(value, list)
    return isinstance(value, dict)


def _range(kind: str) -> str:
    """Return the bounds of a kind in words."""
    limits = dict(_BOUND.findall(kind))
    if limits.keys() == {">=", "<="}:
        return f"{limits['>=']} to {limits['<=']}"
    return " and ".join(_IN_WORDS[sign].format(number) for sign, number in limits.items())


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:76]} ..."
