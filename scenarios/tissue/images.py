"""Several images in one cell table: found out, refused, or one of them chosen."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...abm.errors import InputError, shortened, some, unknown_word
from .frame import Frame, is_numeric, known_columns, normal

ONE = "none"  # image_column of a table whose parts lie in one plane
# A word of a column name that names an image: imageid, Image, library_id, SampleID, slide_name, ROI, fov, ...
_WORD = re.compile(
    r"(image|img|library|sample|slide|roi|fov|acquisition|patient|donor|specimen|subject|mouse|animal|scan|puck|"
    r"filename|imagefile|tma|pointnum)s?(id|ids|name|number|num|no|nr|index|key|label|file|filename|code|uuid)?"
)
# Names that do so only as a whole.
_NAME = re.compile(
    r"(core|section|slice|scene|batch|dataset|field|field_of_view|point|case|file|experiment|exp|orig_ident|"
    r"unique_region|reg|((tissue|region|tile|position|array|block)_?(?=id|name|no|num)))"
    r"_?(id|name|number|num|no|nr|index|key|label)?"
)
_MEASURES = {
    *("x", "y", "z", "px", "um", "area", "distance", "dist", "mean", "intensity", "size", "width", "height")
}
_CELL_IDS = re.compile(r"(cell|object|nucleus|obj)?_?(id|number|index|label|no)|cell|objectnumber|cellnumber")
_LEAST_BLOCK = 5  # cells


def choose_image(
    frame: Frame, phenotype: np.ndarray, axes: Sequence[np.ndarray], image: str | None, column: str | None
) -> tuple[np.ndarray, dict[str, Any], list[str]]:
    """Return which cells belong to the image, what was chosen, and what is to be said.

    Parameters
    ----------
    frame : Frame
    phenotype : ndarray of str, shape (cell,)
    axes : sequence of ndarray, shape (cell,)
        Positions x and y.
    image : str or None
        Name of the image; where several columns tell images apart, their values joined by "/".
    column : str or None
        Column, or columns joined by commas, that tell the images apart; "none" if the whole table is one image. Known
        names are found without, and so is a column of any name whose values head parts of the table that lie on
        top of each other.

    Raises
    ------
    InputError
        Several images and none chosen, an unknown image or column.
    """
    everything = np.ones(frame.rows, bool)
    if column == ONE:
        return everything, {}, []
    names = _named(frame, column) if column else _found(frame, phenotype, axes)
    if not names:
        if len(frame.libraries) > 1:
            raise InputError(
                f"{frame.path}: uns['spatial'] names {len(frame.libraries)} images ({some(frame.libraries)}) and no "
                f"column tells their cells apart; give it as tissue.image_column, or write image_column = '{ONE}'"
            )
        if image is not None:
            raise InputError(
                f"{frame.path}: no column tells images apart, so that '{shortened(image)}' cannot be chosen; name it "
                f"with tissue.image_column (found: {some(frame.header)})"
            )
        return everything, {}, _repeated_cells(frame)
    labels = _labels(frame, names)
    found, counts = np.unique(labels, return_counts=True)
    words = " and ".join(map(shortened, names))
    if image is None and len(found) > 1:
        listed = some(f"'{n}' ({c} cells)" for n, c in zip(found.tolist(), counts.tolist(), strict=True))
        raise InputError(
            f"{frame.path}: holds {len(found)} images (column {words}): {listed}; choose one with tissue.image or "
            f"--image NAME, or write tissue.image_column = '{ONE}' if all of them lie in one plane"
        )
    name = str(found[0]) if image is None else image
    if name not in found:
        raise unknown_word("image", name, found.tolist(), f"{frame.path} (column {words})", command=None)
    mask = labels == name
    chosen = {"column": words, "name": name, "cells": int(mask.sum()), "images": len(found)}
    return mask, {"image": chosen} if image is not None or column else {}, []


def _named(frame: Frame, column: str) -> list[str]:
    whole = [column] if column in frame.header else [part.strip() for part in column.split(",")]
    for name in whole:
        if name not in frame.header:
            raise unknown_word(
                "column", name, [*frame.header, ONE], f"{frame.path} (image_column)", command=None
            )
    return whole


def _labels(frame: Frame, names: Sequence[str]) -> np.ndarray:
    texts = [frame.texts(name).tolist() for name in names]
    return np.array(["/".join(parts) for parts in zip(*texts, strict=True)], dtype=str)


def _found(frame: Frame, phenotype: np.ndarray, axes: Sequence[np.ndarray]) -> list[str]:
    """Return the fewest columns that tell all images apart, in the order of the header; none for one image."""
    candidates = [name for name in frame.header if _names_image(name)]
    codes = {name: code for name in candidates if (code := _codes(frame, name)) is not None}
    # the finest first: a patient adds nothing to his images, but does to regions that every patient numbers anew
    chosen: list[str] = []
    together = np.zeros(frame.rows, np.int64)
    for name in sorted(codes, key=lambda name: -codes[name].max(initial=0)):
        joined = np.unique(together * (codes[name].max(initial=0) + 1) + codes[name], return_inverse=True)[1]
        if joined.max(initial=0) > together.max(initial=0):
            chosen.append(name)
            together = joined
    if chosen:
        return [name for name in frame.header if name in chosen]
    others = (name for name in frame.header if name not in candidates and not _is_known(name, frame.header))
    return next(([name] for name in others if _on_top(frame, name, phenotype, axes)), [])


def _names_image(name: str) -> bool:
    plain = normal(name)
    words = set(plain.split("_"))
    named = any(map(_WORD.fullmatch, words)) or _NAME.fullmatch(plain)
    return bool(named) and not words & _MEASURES


def _is_known(name: str, header: list[str]) -> bool:
    return any(name in known_columns(key, header, pixels=True) for key in ("x", "y", "z", "phenotype"))


def _codes(frame: Frame, name: str) -> np.ndarray | None:
    """Return the number of the group of every cell, or None if the column holds a measured number."""
    values = frame.column(name)
    if is_numeric(values) and (np.asarray(values, np.float64) % 1 != 0).any():
        return None
    codes = np.unique(values.astype(str), return_inverse=True)[1]
    return None if frame.rows > 20 and codes.max() + 1 > frame.rows / 2 else codes


def _on_top(frame: Frame, name: str, phenotype: np.ndarray, axes: Sequence[np.ndarray]) -> bool:
    """Tell whether a column heads consecutive parts of the table that lie on top of each other.

    A table of one image that is sorted by a property has parts, too; but they do not each hold most phenotypes.
    """
    codes = _codes(frame, name)
    if codes is None:
        return False
    starts = np.flatnonzero(np.r_[True, np.diff(codes) != 0])
    if not 2 <= len(starts) == codes.max() + 1 or np.diff(np.r_[starts, frame.rows]).min() < _LEAST_BLOCK:
        return False
    parts = np.split(np.arange(frame.rows), starts[1:])
    kinds = len(np.unique(phenotype))
    if kinds > 1 and any(2 * len(np.unique(phenotype[part])) <= kinds for part in parts):
        return False
    boxes = np.array([[(u[part].min(), u[part].max()) for u in axes] for part in parts])
    lower = np.maximum(boxes[:-1, :, 0], boxes[1:, :, 0])
    upper = np.minimum(boxes[:-1, :, 1], boxes[1:, :, 1])
    sides = boxes[:, :, 1] - boxes[:, :, 0]
    shared = np.clip(upper - lower, 0, None).prod(axis=1)
    smaller = np.minimum(sides[:-1].prod(axis=1), sides[1:].prod(axis=1))
    return bool((2 * shared >= smaller)[smaller > 0].mean() >= 0.5) if (smaller > 0).any() else False


def _repeated_cells(frame: Frame) -> list[str]:
    """Return a sentence if the names of cells repeat, as where images were joined without a column for them."""
    names = [frame.index] if frame.index else []
    names += [name for name in frame.header if _CELL_IDS.fullmatch(normal(name))]
    for name in names:
        again = frame.rows - len(np.unique(frame.column(name).astype(str)))
        if again:
            return [
                f"{again} of {frame.rows} values of '{shortened(name)}' repeat: if the table holds several images, "
                "name the column that tells them apart with tissue.image_column"
            ]
    return []
