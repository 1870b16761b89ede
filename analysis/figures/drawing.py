"""A figure with the table of what it shows, saved as PNG and CSV of one name."""

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ...abm.errors import InputError
from .style import legible, styled

DPI = 130


@dataclass(frozen=True)
class Drawing:
    """A figure, its tidy table and its caption.

    Attributes
    ----------
    name : str
        File name without suffix.
    figure : Figure
    table : list of dict
        One observation a row; units in the column names or in a ``unit`` column.
    caption : str
        What is seen and what to beware of.
    dpi : int
        Resolution of the PNG; lattice pictures want more.
    """

    name: str
    figure: Figure
    table: list[dict[str, Any]]
    caption: str
    dpi: int = DPI


@styled
def png_bytes(figure: Figure, dpi: int = DPI) -> bytes:
    """Return a figure as a PNG file in memory."""
    buffer = io.BytesIO()
    canvas = FigureCanvasAgg(figure)
    figure.set_dpi(dpi)
    legible(figure)
    canvas.print_png(buffer, metadata={"Software": "oncolattice"})
    return buffer.getvalue()


def csv_text(table: Sequence[Mapping[str, Any]]) -> str:
    """Return rows as CSV; NaN and None become empty fields, columns in order of first appearance."""
    columns = list(dict.fromkeys(key for row in table for key in row))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([[_field(row.get(column)) for column in columns] for row in table])
    return out.getvalue()


def _field(value: Any) -> Any:
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.12g}"
    return "" if value is None else value


def write_file(path: Path, content: bytes | str) -> Path:
    """Write one file, making its folder.

    Raises
    ------
    InputError
        If it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content)
    except OSError as error:
        raise InputError(
            f"{path}: cannot be written ({error.strerror}); choose a folder that you may write to"
        ) from error
    return path


def save(drawing: Drawing, folder: str | Path) -> tuple[Path, Path]:
    """Write a drawing as ``NAME.png`` and ``NAME.csv`` and return both paths.

    Raises
    ------
    InputError
        If the folder cannot be written to.
    """
    folder = Path(folder)
    image = png_bytes(drawing.figure, drawing.dpi)
    return (
        write_file(folder / f"{drawing.name}.png", image),
        write_file(folder / f"{drawing.name}.csv", csv_text(drawing.table)),
    )
