"""The columns of a cell table, whatever its file: known names, units, texts and numbers."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...abm.errors import InputError, shortened, some, unknown_word

MOST_NAME = 200  # characters of a phenotype or image name
MOST_UM = 1e9  # a kilometre
PIXELS = "px"
# What is looked for where no columns are named: normalised names without their unit, best first.
KNOWN_NAMES = {
    **{
        axis: tuple(
            name.replace("?", axis)
            for name in (
                *("?", "centroid_?", "?_centroid", "pos_?", "?_position", "cell_?_position", "?_coordinate"),
                *("?_coord", "coord_?", "?_location", "location_center_?", "center_?", "center?_global"),
            )
        )
        for axis in "xyz"
    },
    "phenotype": (
        *("phenotype", "cell_type", "celltype", "cell_phenotype", "cell_class"),
        *("classification", "class", "annotation"),
    ),
}
_UNITS = {
    **dict.fromkeys(
        ("um", "micron", "microns", "micrometer", "micrometers", "micrometre", "micrometres"), "um"
    ),
    **dict.fromkeys(("px", "pix", "pixel", "pixels"), PIXELS),
    **dict.fromkeys(("mm", "nm", "cm"), "another unit"),
}
_BEST = ("um", "", PIXELS)


@dataclass(frozen=True)
class Frame:
    """A cell table that can be read column by column.

    Attributes
    ----------
    path : Path
    header : list of str
    rows : int
    column : callable
        Name -> ndarray of text or numbers, shape (cell,).
    where : callable
        Number of a cell -> where it stands in the file, in words.
    spatial : ndarray, shape (cell, 2 or 3), or None
        Positions beside the columns.
    index : str or None
        The column that names the cells.
    libraries : tuple of str
        Images that the file says it holds.
    """

    path: Path
    header: list[str]
    rows: int
    column: Callable[[str], np.ndarray]
    where: Callable[[int], str]
    spatial: np.ndarray | None = None
    index: str | None = None
    libraries: tuple[str, ...] = ()

    def texts(self, name: str) -> np.ndarray:
        """Return a column as text; "(none)" where it is empty.

        Raises
        ------
        InputError
            A text too long for a name.
        """
        texts = [_text(value).strip() or "(none)" for value in self.column(name).tolist()]
        for number, text in enumerate(texts):
            if len(text) > MOST_NAME:
                raise InputError(
                    f"{self.where(number)}: {shortened(name)} holds a text of {len(text):,} characters; "
                    f"names have {MOST_NAME} at most"
                )
        return np.array(texts, dtype=str)

    def numbers(self, name: str) -> np.ndarray:
        """Return a column of positions.

        Raises
        ------
        InputError
            A position that is no finite number, or beyond any tissue.
        """
        return finite(self.column(name), name, self.where)


def finite(values: np.ndarray, name: str, where: Callable[[int], str]) -> np.ndarray:
    """Return positions as float64.

    Raises
    ------
    InputError
        A position that is no finite number, or beyond any tissue.
    """
    try:
        numbers = np.asarray(values, dtype=np.float64)
    except ValueError:
        numbers = np.array([_number(value) for value in values.tolist()])
    wrong = ~np.isfinite(numbers)
    if wrong.any():
        first = int(np.flatnonzero(wrong)[0])
        raise InputError(
            f"{where(first)}: {shortened(name)} is '{shortened(_text(values[first]))}', not a finite number; "
            "mend or remove the row"
        )
    far = np.abs(numbers) > MOST_UM
    if far.any():
        first = int(np.flatnonzero(far)[0])
        raise InputError(
            f"{where(first)}: {shortened(name)} is {numbers[first]:g}; positions lie within {MOST_UM:g} of 0; "
            "mend or remove the row"
        )
    return numbers


def _text(value: object) -> str:
    """Return a value as text: 3.0 as 3, so that whole numbers have one name."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def _number(value: object) -> float:
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return np.nan


def is_numeric(values: np.ndarray) -> bool:
    """Tell whether a column holds finite numbers throughout."""
    try:
        return bool(np.isfinite(np.asarray(values, dtype=np.float64)).all())
    except (TypeError, ValueError):
        return False


def normal(name: str) -> str:
    """Return a header name in lower case with single underscores, um for the micro sign and m."""
    plain = name.lower().replace("\u00b5", "u").replace("\u03bc", "u")
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_")


def unit_of(name: str) -> str:
    """Return the unit that a header name gives: um, px, "another unit", or "" for none."""
    return next((_UNITS[word] for word in normal(name).split("_") if word in _UNITS), "")


def known_columns(key: str, header: list[str], pixels: bool = False) -> list[str]:
    """Return the columns whose names are known for x, y, z or phenotype, best first."""
    found = []
    for place, name in enumerate(header):
        base, unit = "_".join(w for w in normal(name).split("_") if w not in _UNITS), unit_of(name)
        if base in KNOWN_NAMES[key] and (unit in _BEST[: 2 + pixels]):
            found.append((_BEST.index(unit), KNOWN_NAMES[key].index(base), place, name))
    return list(dict.fromkeys(name for *_, name in sorted(found)))


def find_column(
    key: str, header: list[str], columns: Mapping[str, str], path: Path, pixels: bool = False
) -> str:
    """Return the column that is named, or known, for x, y, z or phenotype.

    Raises
    ------
    InputError
        There is none.
    """
    if key in columns:
        if columns[key] not in header:
            raise unknown_word("column", columns[key], header, f"{path} ({key})", command=None)
        return columns[key]
    if known := known_columns(key, header, pixels):
        return known[0]
    names = ("phenotype", "cell_type") if key == "phenotype" else (f"{key}_um", key)
    unit = "" if key == "phenotype" else " in um (pixels need tissue.pixel_um)"
    beside = ", or give obsm['spatial'] two or three columns" if unit and path.suffix == ".h5ad" else ""
    bare = "; its first row holds numbers: is the header missing" if any(map(_finite_text, header)) else ""
    raise InputError(
        f"{path}: no column for {key}{unit}; name one of them {' or '.join(names)}{beside} "
        f"(found: {some(header)}){bare}"
    )


def _finite_text(text: str) -> bool:
    return bool(np.isfinite(_number(text)))
