"""Cell tables of real tissue: delimited text, or AnnData files."""

import hashlib
import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...abm.errors import InputError, shortened, some, unknown_word
from ...abm.placement.checks import IGNORE
from ..store.guard import reading
from .frame import KNOWN_NAMES, PIXELS, Frame, find_column, finite, is_numeric, known_columns, unit_of
from .h5ad import SPATIAL, h5ad_frame
from .images import choose_image
from .text import text_frame

_FLAT = 100.0  # sides of a tissue differ by less; more hints at two units


@dataclass(frozen=True)
class CellTable:
    """Cells of a real tissue.

    Attributes
    ----------
    x_um, y_um : ndarray of float64, shape (cell,)
        In pixels where ``provenance`` says so.
    phenotype : tuple of str, length cell
    provenance : dict
        ``file`` (name), ``sha256``, ``rows``, ``columns`` (what was read as x, y, z and phenotype), ``unit``
        ("um", "px", or "um (assumed)" where the column name does not say so) and, where one was chosen, ``image``.
    z_um : ndarray of float64, shape (cell,), or None
        None if the table is 2-D.
    notes : tuple of str
        What a reader of the results should know, one sentence each.
    """

    x_um: np.ndarray
    y_um: np.ndarray
    phenotype: tuple[str, ...]
    provenance: dict[str, Any]
    z_um: np.ndarray | None = None
    notes: tuple[str, ...] = ()


def read_cell_table(
    path: str | Path,
    columns: Mapping[str, str] | None = None,
    image: str | None = None,
    image_column: str | None = None,
    pixels: bool = False,
) -> CellTable:
    """Return the cells of a delimited text file (comma, semicolon or tab; .gz) or of an AnnData file (.h5ad).

    Parameters
    ----------
    path : str or Path
    columns : mapping, optional
        Header names of ``x``, ``y``, ``z`` (um) and ``phenotype``; common names are found without. A column
        for z that is found and does not hold numbers throughout leaves the table 2-D. Where the columns of an AnnData
        file hold no positions, ``obsm["spatial"]`` does (x, y and, with three columns, z).
    image, image_column
        As for ``choose_image``.
    pixels : bool
        Whether positions may be in pixels; whoever says so converts them.

    Raises
    ------
    InputError
        File missing, unreadable, too large or empty, column missing, position that is no finite number, positions
        in several units, several images and none chosen.
    """
    path, columns = Path(path), columns or {}
    for key in columns:
        if key not in KNOWN_NAMES:
            raise unknown_word("column", key, KNOWN_NAMES, "[tissue] table_columns")
        if not isinstance(columns[key], str):
            raise InputError(
                f"[tissue] table_columns: '{key}' must be the name of a column, got {columns[key]!r}"
            )
    with reading(path, "cell table"), _frame(path) as frame:
        used: dict[str, str] = {}
        axes, notes = _positions(frame, columns, used, pixels)
        used["phenotype"] = find_column("phenotype", frame.header, columns, path)
        phenotype = frame.texts(used["phenotype"])
        notes += _passed_over(frame, columns, used)
        for name, values in axes.items():
            if len(values) != frame.rows or len(phenotype) != frame.rows:
                raise InputError(
                    f"{path}: {len(phenotype)} phenotypes and {len(values)} positions ({name}); they must be as many"
                )
        if not frame.rows:
            raise InputError(f"{path}: the cell table holds no cells; give at least one")
        here, chosen, more = choose_image(frame, phenotype, [axes["x"], axes["y"]], image, image_column)
        unit, units = _unit(used, path, pixels)
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
    provenance = {
        "file": path.name,
        "sha256": digest,
        "rows": len(here),
        "columns": used,
        "unit": unit,
    } | chosen
    axes = {key: values[here] for key, values in axes.items()}
    notes += [*units, *more, *_odd(axes, used)]
    said = tuple(f"{path.name}: {note}" for note in notes)
    return CellTable(axes["x"], axes["y"], tuple(phenotype[here].tolist()), provenance, axes.get("z"), said)


@contextmanager
def _frame(path: Path) -> Iterator[Frame]:
    if path.suffix.lower() == ".h5ad":
        with h5ad_frame(path) as frame:
            yield frame
    else:
        yield text_frame(path)


def _positions(
    frame: Frame, columns: Mapping[str, str], used: dict[str, str], pixels: bool
) -> tuple[dict[str, np.ndarray], list[str]]:
    """Return the positions by axis and what is to be said of their columns; note the columns in ``used``."""
    header = frame.header
    notes: list[str] = []
    in_columns = all(key in columns or known_columns(key, header, pixels) for key in "xy")
    if not in_columns and frame.spatial is not None:
        used |= {key: f"obsm {SPATIAL} {i}" for i, key in enumerate("xyz"[: frame.spatial.shape[1]])}
        where = f"obsm {SPATIAL}"
        return {k: finite(v, where, frame.where) for k, v in zip("xyz", frame.spatial.T, strict=False)}, notes
    for key in "xy":
        used[key] = find_column(key, header, columns, frame.path, pixels)
    axes = {key: frame.numbers(used[key]) for key in "xy"}
    z = columns.get("z") or next(iter(known_columns("z", header, pixels)), None)
    if z is not None and ("z" in columns or is_numeric(frame.column(z))):
        used["z"] = find_column("z", header, columns, frame.path, pixels)
        axes["z"] = frame.numbers(z)
    elif z is not None:
        notes.append(f"'{shortened(z)}' does not hold numbers throughout; the table is read as a section")
    if frame.spatial is not None:
        notes.append(f"positions are read from obs, not from obsm['{SPATIAL}']")
    return axes, notes


def _passed_over(frame: Frame, columns: Mapping[str, str], used: Mapping[str, str]) -> list[str]:
    """Return sentences on columns that might have been read in place of those that were."""
    notes = []
    for key, name in used.items():
        others = [o for o in known_columns(key, frame.header) if o != name and key not in columns]
        if frame.header.count(name) > 1:
            notes.append(
                f"{frame.header.count(name)} columns are called '{shortened(name)}'; the first is read"
            )
        if others and name in frame.header:
            notes.append(f"{key} is read from '{shortened(name)}', not from {some(others)}")
    return notes


def _unit(used: Mapping[str, str], path: Path, pixels: bool) -> tuple[str, list[str]]:
    """Return the unit of the positions, and a sentence if it was assumed.

    Raises
    ------
    InputError
        Several units, or another one than um, and pixels where they can be converted.
    """
    units = {name: unit_of(name) for key, name in used.items() if key != "phenotype"}
    stated = {unit for unit in units.values() if unit}
    named = some(units)
    if len(stated) > 1 or stated - {"um", PIXELS}:
        raise InputError(f"{path}: the positions ({named}) are not all in um; convert them")
    if PIXELS in stated and not pixels:
        raise InputError(
            f"{path}: the positions ({named}) are in pixels; give the size of one with tissue.pixel_um, or convert them"
        )
    if "um" in stated and pixels:
        raise InputError(f"{path}: the positions ({named}) are in um already; remove tissue.pixel_um")
    if pixels:
        return PIXELS, []
    if "" not in units.values():
        return "um", []
    cure = "" if "um" in stated else "; give tissue.pixel_um if it is pixels"
    bare = some(name for name, unit in units.items() if not unit)
    return "um (assumed)", [f"no unit is given for {bare}; um is assumed{cure}"]


def _odd(axes: Mapping[str, np.ndarray], used: Mapping[str, str]) -> list[str]:
    """Return sentences on positions that hint at a mistake."""
    notes = []
    wide, high = (float(np.ptp(axes[key])) for key in "xy")
    if max(wide, high) > _FLAT * min(wide, high) > 0:
        notes.append(
            f"'{shortened(used['x'])}' covers {wide:.3g} and '{shortened(used['y'])}' {high:.3g}; are both in one unit?"
        )
    if "z" in axes and not np.ptp(axes["z"]):
        notes.append(f"'{shortened(used['z'])}' is {axes['z'][0]:g} throughout; all cells lie in one plane")
    places = np.stack(list(axes.values()), axis=1)
    if again := len(places) - len(np.unique(places, axis=0)):
        notes.append(f"{again} of {len(places)} cells lie exactly where another one does")
    return notes


def apply_mapping(tissue: dict[str, Any], mapping: Iterable[str]) -> list[str]:
    """Add ``PHENOTYPE=TYPE`` entries to the ``table_mapping`` of a [tissue] table, in place; return the phenotypes.

    TYPE is a cell type, ``ignore``, or a composition such as ``A:0.25,B:0.75``; the last ``=`` divides.

    Raises
    ------
    InputError
        An entry is not of this form.
    """
    entries = dict(tissue.get("table_mapping", {}))
    named = []
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
        named.append(phenotype)
    if entries:
        tissue["table_mapping"] = entries
    return named


def check_mapped(table: CellTable, phenotypes: Iterable[str], where: str) -> None:
    """Check that a cell table holds the phenotypes that were named for it.

    Raises
    ------
    InputError
        It does not hold one of them.
    """
    held = set(table.phenotype)
    for name in phenotypes:
        if name not in held:
            raise unknown_word("phenotype", name, held, where, command=None)
