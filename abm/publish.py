"""Files that are complete or absent, whatever happens while they are written."""

import os
import secrets
from pathlib import Path

from .errors import InputError


def publish(path: Path, data: bytes) -> None:
    """Write a file under a temporary name, flush it to the disk and rename it: complete or absent.

    What is there and is no file, such as a pipe or /dev/stdout, is written to and stays what it is.

    Raises
    ------
    InputError
        If it is a folder, cannot be written or the disk is full; nothing is left behind.
    """
    if path.is_dir():
        raise InputError(f"{path}: is a folder; name a file in it")
    draft = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp")
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(data)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        with draft.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(draft, path)
        _sync_folder(path.parent)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        if path.parent.is_dir():
            draft.unlink(missing_ok=True)


def cannot_write(path: Path, error: OSError) -> InputError:
    """Return the error for an output path that the system refuses."""
    return InputError(
        f"{path}: cannot be written ({error.strerror}); make room or give permission there (what had begun goes "
        "on with --resume), or begin anew in another --out folder"
    )


def _sync_folder(folder: Path) -> None:
    if not hasattr(os, "O_DIRECTORY"):  # Windows has no handle on a folder and needs none
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
