"""Cell tables of real tissue: delimited text, or AnnData files."""

import csv
import hashlib
import io
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..abm.errors import InputError, unknown_word
from ..abm.placement.checks import IGNORE

# What is looked for where no columns are named: normalised header names, best first.
KNOWN_NAMES = {
    "x": ("x_um", "centroid_x_um", "x_centroid_um", "x", "x_centroid", "centroid_x", "pos_x", "x_position"),
    "y": ("y_um", "centroid_y_um", "y_centroid_um", "y", "y_centroid", "centroid_y", "pos_y", "y_position"),
    "z": ("z_um", "centroid_z_um", "z_centroid_um", "z", "z_centroid", "centroid_z", "pos_z", "z_position"),
    "phenotype": (
        *("phenotype", "cell_type", "celltype", "cell_phenotype", "cell_class"),
        *("classification", "class", "annotation"),
    ),
}


@dataclass(frozen=True)
class CellTable:
    """Cells of a real tissue.

    Attributes
    ----------
    x_um, y_um : ndarray of float64, shape (cell,)
    phenotype : tuple of str, length cell
    provenance : dict
        ``file`` (name), ``sha256``, ``rows``, ``columns`` (what was read as x, y, z and phenotype) and
        ``unit`` ("um", or "um (assumed)" where the column name does not say so).
    z_um : ndarray of float64, shape (cell,), or None
        None if the table is 2-D.
    """

    x_um: np.ndarray
    y_um: np.ndarray
    phenotype: tuple[str, ...]
    provenance: dict[str, Any]
    z_um: np.ndarray | None = None


def read_cell_table(path: str | Path, columns: Mapping[str, str] | None = None) -> CellTable:
    """Return the cells of a delimited text file (comma, semicolon or tab) or of an AnnData file (.h5ad).

    Parameters
    ----------
    path : str or Path
    columns : mapping, optional
        Header names of ``x``, ``y``, ``z`` (um) and ``phenotype``; common names are found without. A column
        for z that is found and does not hold numbers throughout leaves the table 2-D.

    Raises
    ------
    InputError
        File missing, unreadable or empty, column missing, coordinate that is no finite number.
    """
    path, columns = Path(path), columns or {}
    for key in columns:
        if key not in KNOWN_NAMES:
            raise unknown_word("column", key, KNOWN_NAMES, "[tissue] table_columns")
    if path.suffix.lower() == ".h5ad":
        from .tissue_h5ad import read_h5ad

        return read_h5ad(path, columns)
    rows = _rows(path)
    if not rows:
        raise InputError(f"{path}: the cell table is empty; it needs a header and one row a cell")
    (_, header), *body = rows
    wanted = {key: find_column(key, header, columns, path) for key in ("x", "y", "phenotype")}
    if not body:
        raise InputError(f"{path}: the cell table has a header but no cells; give one row a cell")
    for line, row in body:
        if len(row) != len(header):
            raise InputError(f"{path} line {line}: {len(row)} values in {len(header)} columns; mend the row")

    def numbers(column: str) -> np.ndarray:
        place = header.index(column)
        return np.array([_coordinate(row[place], column, f"{path} line {line}") for line, row in body])

    x, y = numbers(wanted["x"]), numbers(wanted["y"])
    z = None
    if "z" in columns:
        wanted["z"] = find_column("z", header, columns, path)
        z = numbers(wanted["z"])
    elif column := known_column("z", header):
        place = header.index(column)
        if all(_is_number(row[place]) for _, row in body):
            wanted["z"], z = column, numbers(column)
    place = header.index(wanted["phenotype"])
    phenotypes = tuple(row[place].strip() or "(none)" for _, row in body)
    return CellTable(x, y, phenotypes, provenance_of(path, len(body), wanted), z)


def provenance_of(path: Path, rows: int, columns: Mapping[str, str]) -> dict[str, Any]:
    """Return what identifies a cell table and how it was read."""
    in_um = all(normal(name).endswith("_um") for key, name in columns.items() if key != "phenotype")
    return {
        "file": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "rows": rows,
        "columns": dict(columns),
        "unit": "um" if in_um else "um (assumed)",
    }


def _rows(path: Path) -> list[tuple[int, list[str]]]:
    """Return the rows that are not blank, each with the number of its line."""
    if not path.is_file():
        raise InputError(f"{path}: there is no such cell table; check the path")
    try:
        text = path.read_text(encoding="utf-8-sig")
        first = text.lstrip().partition("\n")[0]
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count))
        return [(reader.line_num, [v.strip() for v in row]) for row in reader if any(v.strip() for v in row)]
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check permissions") from None
    except (UnicodeDecodeError, csv.Error):
        raise InputError(f"{path}: not a text table; save the cells as CSV in UTF-8") from None


def normal(name: str) -> str:
    """Return a header name in lower case with single underscores, um for the micro sign and m."""
    plain = name.lower().replace("\u00b5", "u").replace("\u03bc", "u")
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_")


def known_column(key: str, header: list[str]) -> str | None:
    """Return the column whose name is known for x, y, z or phenotype, or None."""
    by_name = {normal(name): name for name in reversed(header)}
    return next((by_name[name] for name in KNOWN_NAMES[key] if name in by_name), None)


def find_column(key: str, header: list[str], columns: Mapping[str, str], path: Path) -> str:
    """Return the column that is named, or known, for x, y, z or phenotype.

    Raises
    ------
    InputError
        There is none.
    """
    if key in columns:
        if columns[key] not in header:
            raise unknown_word("column", columns[key], header, f"{path} ({key})")
        return columns[key]
    if column := known_column(key, header):
        return column
    unit = "" if key == "phenotype" else " in um (pixels must be converted)"
    raise InputError(
        f"{path}: no column for {key}{unit}; name one of them {' or '.join(KNOWN_NAMES[key][:2])} "
        f"(found: {', '.join(header)})"
    )


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _coordinate(text: str, column: str, where: str) -> float:
    if not _is_number(text):
        raise InputError(f"{where}: {column} is '{text}', not a finite number; mend or remove the row")
    return float(text)


def apply_mapping(tissue: dict[str, Any], mapping: Iterable[str]) -> None:
    """Add ``PHENOTYPE=TYPE`` entries to the ``table_mapping`` of a [tissue] table, in place.

    TYPE is a cell type, ``ignore``, or a composition such as ``A:0.25,B:0.75``; the last ``=`` divides.

    Raises
    ------
    InputError
        An entry is not of this form.
    """
    entries = dict(tissue.get("table_mapping", {}))
    for entry in mapping:
        phenotype, equals, target = (part.strip() for part in entry.rpartition("="))
        parts = [part.split(":") for part in target.split(",")]
        try:
            shares = None if ":" not in target else {name.strip(): float(share) for name, share in parts}
            if not (equals and phenotype and target) or not all(map(math.isfinite, (shares or {}).values())):
                raise ValueError
        except ValueError:
            raise InputError(
                f"--map '{entry}': write PHENOTYPE=TYPE, where TYPE may be {IGNORE} or A:0.25,B:0.75"
            ) from None
        entries[phenotype] = target if shares is None else shares
    if entries:
        tissue["table_mapping"] = entries
