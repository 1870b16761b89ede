"""Labelled images and maps of tissue classes, read from files."""

import csv
import hashlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..abm.errors import InputError, unknown_word


@dataclass(frozen=True)
class LabelImage:
    """A labelled image.

    Attributes
    ----------
    labels : ndarray of int64, shape (rows, columns) or (pages, rows, columns)
        Index into ``names``.
    names : tuple of str
        Grey value or palette index ("255"), or colour ("#D55E00").
    provenance : dict
        ``file`` (name), ``sha256``, ``pixels`` (shape) and ``mode``.
    """

    labels: np.ndarray
    names: tuple[str, ...]
    provenance: dict[str, Any]


def read_image(path: str | Path) -> LabelImage:
    """Return the labels of a PNG or TIFF file; the pages of a TIFF are the planes of a 3-D image.

    Raises
    ------
    InputError
        File missing or of another format, pages of different sizes or modes, transparent pixels, grey
        values that are not whole numbers.
    """
    from PIL import Image, ImageSequence, UnidentifiedImageError

    path = Path(path)
    digest = file_digest(path, "image")
    try:
        with Image.open(path) as image:
            if image.format not in ("PNG", "TIFF"):
                raise InputError(
                    f"{path}: a {image.format} file; save labels as PNG or TIFF, which keep every value"
                )
            pages = [(page.mode, _values(page, path)) for page in ImageSequence.Iterator(image)]
    except (UnidentifiedImageError, OSError, SyntaxError, EOFError):
        raise InputError(f"{path}: not an image that can be read; save labels as PNG or TIFF") from None
    modes, shapes = {mode for mode, _ in pages}, {values.shape for _, values in pages}
    if len(modes) > 1 or len(shapes) > 1:
        raise InputError(
            f"{path}: its pages differ in size or mode ({sorted(shapes)}, {sorted(modes)}); make them alike"
        )
    stack = np.array([values for _, values in pages])
    stack = stack[0] if len(pages) == 1 else stack
    codes, labels = np.unique(stack, return_inverse=True)
    (mode,) = modes
    names = tuple(f"#{code:06X}" if mode in ("RGB", "RGBA") else str(code) for code in codes.tolist())
    provenance = {"file": path.name, "sha256": digest, "pixels": list(stack.shape), "mode": mode}
    return LabelImage(labels.reshape(stack.shape), names, provenance)


def _values(page: Any, path: Path) -> np.ndarray:
    """Return one whole number a pixel: grey value, palette index, or colour as red * 65536 + green * 256 + blue."""
    if page.mode in ("RGB", "RGBA"):
        values = np.asarray(page, np.int64)
        if page.mode == "RGBA" and (values[..., 3] != 255).any():
            raise InputError(f"{path}: some pixels are transparent; save the labels without transparency")
        return values[..., 0] << 16 | values[..., 1] << 8 | values[..., 2]
    if page.mode == "1":
        return np.asarray(page.convert("L"), np.int64)
    if page.mode in ("L", "P") or page.mode.startswith("I"):
        return np.asarray(page).astype(np.int64)
    raise unknown_word("image mode", page.mode, ("L", "P", "I", "RGB", "RGBA"), str(path))


@dataclass(frozen=True)
class TileMap:
    """A map of tissue classes.

    Attributes
    ----------
    rows, columns : ndarray of int64, shape (tile,)
    classes : tuple of str, length tile
    provenance : dict
        ``file`` (name), ``sha256``, ``slide`` and ``tiles`` (number).
    """

    rows: np.ndarray
    columns: np.ndarray
    classes: tuple[str, ...]
    provenance: dict[str, Any]


def read_tiles(path: str | Path, slide: str | None = None) -> TileMap:
    """Return the tiles of one slide from a CSV file with columns row, col, cls and, for several slides, slide.

    Raises
    ------
    InputError
        File missing, unreadable or empty, column missing, position that is no whole number, unknown slide,
        several slides and none chosen.
    """
    path = Path(path)
    digest = file_digest(path, "map of tiles")
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (UnicodeDecodeError, csv.Error):
        raise InputError(f"{path}: not a text table; save the tiles as CSV in UTF-8") from None
    if not rows:
        raise InputError(f"{path}: the map of tiles is empty; it needs a header and one row a tile")
    for key in ("row", "col", "cls"):
        if key not in rows[0]:
            raise InputError(f"{path}: no column '{key}'; a map of tiles needs row, col and cls")
    slides = Counter(str(row.get("slide") or "") for row in rows)
    if slide is None and len(slides) > 1:
        held = ", ".join(f"{name} ({number} tiles)" for name, number in sorted(slides.items()))
        raise InputError(f"{path}: holds several slides, {held}; choose one with tissue.slide")
    if slide is not None and slide not in slides:
        raise unknown_word("slide", slide, slides, str(path))
    mine = [(n, row) for n, row in enumerate(rows, start=2) if slide in (None, row.get("slide"))]
    place = {
        key: np.array([_whole(row[key], f"{path} line {n}: {key}") for n, row in mine])
        for key in ("row", "col")
    }
    classes = tuple((row["cls"] or "").strip() or "(none)" for _, row in mine)
    name = slide if slide is not None else next(iter(slides))
    provenance = {"file": path.name, "sha256": digest, "slide": name, "tiles": len(mine)}
    return TileMap(place["row"], place["col"], classes, provenance)


def _whole(text: str | None, where: str) -> int:
    try:
        return int(text or "")
    except ValueError:
        raise InputError(f"{where} is '{text}', not a whole number; mend or remove the row") from None


def file_digest(path: Path, what: str) -> str:
    """Return the SHA-256 of a file.

    Raises
    ------
    InputError
        The file is missing or cannot be read.
    """
    if not path.is_file():
        raise InputError(f"{path}: there is no such {what}; check the path")
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check permissions") from None
