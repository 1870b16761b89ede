"""Delimited text of bounded size, plain or gzipped: cell tables and maps of tiles."""

import csv
import gzip
import io
from pathlib import Path

import numpy as np

from ...abm.errors import InputError
from ..store.guard import check_file, reading
from .frame import Frame

MOST_TEXT = 400_000_000  # bytes; a row of text takes ten times as much memory


def text_rows(path: Path, what: str, row: str) -> list[tuple[int, list[str]]]:
    """Return the rows of a text table that are not blank, each with the number of its line; the first is the header.

    Parameters
    ----------
    path : Path
        Comma, semicolon or tab between the columns, UTF-8; gzipped if its name ends with .gz.
    what : str
        What the file should be, for messages.
    row : str
        What a row of it is.

    Raises
    ------
    InputError
        No regular file, beyond ``MOST_TEXT``, no text, empty, a header without rows, rows of other lengths.
    """
    check_file(path, what, MOST_TEXT)
    with reading(path, what):
        if path.suffix.lower() == ".gz":
            with gzip.open(path) as stream:
                content = stream.read(MOST_TEXT + 1)
        else:
            content = path.read_bytes()
        if len(content) > MOST_TEXT:
            raise InputError(
                f"{path}: more than {MOST_TEXT / 1e6:,.0f} MB when unpacked; give a part of the {what}"
            )
        try:
            text = content.decode("utf-8-sig")
            first = text.lstrip().partition("\n")[0]
            reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count))
            rows = [
                (reader.line_num, [v.strip() for v in values])
                for values in reader
                if any(v.strip() for v in values)
            ]
        except (UnicodeDecodeError, csv.Error):
            raise InputError(f"{path}: not a text table; save the {row}s as CSV in UTF-8") from None
    if not rows:
        raise InputError(f"{path}: the {what} is empty; it needs a header and one row a {row}")
    (_, header), *body = rows
    if not body:
        raise InputError(f"{path}: the {what} has a header but no {row}s; give one row a {row}")
    for line, values in body:
        if len(values) != len(header):
            raise InputError(
                f"{path} line {line}: {len(values)} values in {len(header)} columns; mend the row"
            )
    return rows


def text_frame(path: Path) -> Frame:
    """Return the columns of a cell table in delimited text.

    Raises
    ------
    InputError
    """
    (_, header), *body = text_rows(path, "cell table", "cell")

    def column(name: str) -> np.ndarray:
        place = header.index(name)
        return np.array([row[place] for _, row in body], dtype=object)

    return Frame(path, header, len(body), column, lambda number: f"{path} line {body[number][0]}")
