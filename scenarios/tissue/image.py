"""Labelled images and maps of tissue classes, read from files."""

import hashlib
import os
import re
import threading
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...abm.errors import InputError, shortened, some, unknown_word
from ...abm.placement.tiles import MOST_TILES
from ..store.guard import check_file, reading
from .frame import MOST_NAME
from .text import text_rows

MOST_FILE = 100e9  # bytes
MOST_PIXELS = 50_000_000
_ONE_AT_A_TIME = threading.Lock()  # standard error belongs to the whole process


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
    from PIL import Image

    path = Path(path)
    digest = file_digest(path, "image")
    # Pillow warns where it only guesses, and of sizes that are checked here
    with reading(path, "image"), warnings.catch_warnings(), _quiet_libraries():
        warnings.simplefilter("ignore")
        try:
            with Image.open(path) as image:
                if image.format not in ("PNG", "TIFF"):
                    raise InputError(
                        f"{path}: a {image.format} file; save labels as PNG or TIFF, which keep every value"
                    )
                pages = list(_pages(image, path))
        except Image.DecompressionBombError:
            raise _too_large(path, "more") from None
    modes, shapes = {mode for mode, _ in pages}, {values.shape for _, values in pages}
    if len(modes) > 1 or len(shapes) > 1:
        raise InputError(
            f"{path}: its pages differ in size or mode ({some(map(str, sorted(shapes)))}; {some(sorted(modes))}); "
            "make them alike"
        )
    stack = np.array([values for _, values in pages])
    stack = stack[0] if len(pages) == 1 else stack
    codes, labels = np.unique(stack, return_inverse=True)
    (mode,) = modes
    names = tuple(f"#{code:06X}" if mode in ("RGB", "RGBA") else str(code) for code in codes.tolist())
    provenance = {"file": path.name, "sha256": digest, "pixels": list(stack.shape), "mode": mode}
    return LabelImage(labels.reshape(stack.shape), names, provenance)


@contextmanager
def _quiet_libraries() -> Iterator[None]:
    """Silence what libtiff prints to standard error; what it means is raised and becomes one sentence."""
    with _ONE_AT_A_TIME, ExitStack() as undo:
        with suppress(OSError):  # where there is no standard error, nothing is to be silenced
            kept = os.dup(2)
            undo.callback(os.close, kept)
            undo.callback(os.dup2, kept, 2)
            with open(os.devnull, "wb") as nowhere:
                os.dup2(nowhere.fileno(), 2)
        yield


def _pages(image: Any, path: Path) -> Iterator[tuple[str, np.ndarray]]:
    """Yield mode and values of every page; the size of each is checked before it is decoded."""
    pixels = 0
    for number in range(getattr(image, "n_frames", 1)):
        image.seek(number)
        pixels += image.width * image.height
        if pixels > MOST_PIXELS:
            raise _too_large(path, f"{pixels:,}")
        yield image.mode, _values(image, path)


def _too_large(path: Path, pixels: str) -> InputError:
    return InputError(
        f"{path}: an image may hold {MOST_PIXELS:,} pixels on all its pages, this one has {pixels}; reduce it, a pixel "
        "a site suffices"
    )


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
    (_, header), *rows = text_rows(path, "map of tiles", "tile")
    for key in ("row", "col", "cls"):
        if header.count(key) != 1:
            raise InputError(
                f"{path}: {'no column' if key not in header else 'several columns'} '{key}'; a map of tiles needs a "
                f"header with row, col and cls (found: {some(header)})"
            )
    if len(rows) > MOST_TILES:
        raise InputError(f"{path}: {len(rows):,} tiles; a map may hold {MOST_TILES:,}; give a part of it")
    at = {key: header.index(key) for key in header}
    slides = Counter(row[at["slide"]] if "slide" in at else "" for _, row in rows)
    if slide is None and len(slides) > 1:
        held = some(f"{name} ({number} tiles)" for name, number in sorted(slides.items()))
        raise InputError(f"{path}: holds several slides, {held}; choose one with tissue.slide")
    if slide is not None and slide not in slides:
        raise unknown_word("slide", slide, slides, str(path), command=None)
    mine = [(n, row) for n, row in rows if slide in (None, row[at["slide"]] if "slide" in at else "")]
    place = {
        key: np.array([_whole(row[at[key]], f"{path} line {n}: {key}") for n, row in mine])
        for key in ("row", "col")
    }
    classes = tuple(row[at["cls"]] or "(none)" for _, row in mine)
    for name in slides | Counter(classes):
        if len(name) > MOST_NAME:
            raise InputError(
                f"{path}: a name of {len(name):,} characters, {shortened(name, 40)}; names have {MOST_NAME} at most"
            )
    name = slide if slide is not None else next(iter(slides))
    provenance = {
        "file": path.name,
        "sha256": file_digest(path, "map of tiles"),
        "slide": name,
        "tiles": len(mine),
    }
    return TileMap(place["row"], place["col"], classes, provenance)


def _whole(text: str, where: str) -> int:
    if not re.fullmatch(r"[-+]?\d{1,12}", text):
        raise InputError(
            f"{where} is '{shortened(text, 40)}', not a whole number of 12 digits at most; mend or remove the row"
        )
    return int(text)


def file_digest(path: Path, what: str) -> str:
    """Return the SHA-256 of a file.

    Raises
    ------
    InputError
        The file is missing, no regular one, or cannot be read.
    """
    check_file(path, what, MOST_FILE)
    with reading(path, what), path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
