"""Where results may go, asked before any work is done."""

import os
from pathlib import Path

from ...abm.errors import InputError

LONGEST_NAME = 255 - 40  # what file systems take, less the ends of temporary and run files


def check_file_place(path: Path) -> None:
    """Refuse what cannot become a file: a folder, the root, or a name that is too long.

    Raises
    ------
    InputError
    """
    if os.path.isdir(path):
        raise InputError(f"{path}: is a folder; name a file in it with --out")
    _check_name(path)


def check_folder_place(path: Path) -> None:
    """Refuse what cannot become a folder: a file, or a name that is too long.

    Raises
    ------
    InputError
    """
    for part in (path, *path.parents):
        if os.path.lexists(part) and not os.path.isdir(part):
            raise InputError(f"{path}: cannot be written, {part} is a file; choose another --out folder")
    _check_name(path)


def _check_name(path: Path) -> None:
    if long := [part for part in path.parts if len(os.fsencode(part)) > LONGEST_NAME]:
        raise InputError(
            f"{long[0][:40]}...: a name of {len(os.fsencode(long[0]))} bytes is too long; take at most {LONGEST_NAME}"
        )
