"""The guard of every reader: whatever a library raises about a file becomes one sentence."""

import csv
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..abm.errors import InputError, shortened

# What h5py, Pillow, NumPy and the standard library raise about a file that is not what it says.
LIBRARY_ERRORS = (
    *(OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RuntimeError),
    *(EOFError, MemoryError, SyntaxError, zlib.error, struct.error, csv.Error),
)


@contextmanager
def reading(path: Path, what: str) -> Iterator[None]:
    """Turn whatever a library raises about a file into one sentence.

    Parameters
    ----------
    path : Path
    what : str
        What the file should be, such as "cell table".

    Raises
    ------
    InputError
        In place of any other error; one that is raised inside passes as it is.
    """
    try:
        yield
    except InputError:
        raise
    except PermissionError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check permissions") from error
    except MemoryError as error:
        raise InputError(
            f"{path}: does not fit into memory as a {what}; give a smaller part of it"
        ) from error
    except LIBRARY_ERRORS as error:
        reason = shortened(str(error)) or type(error).__name__
        raise InputError(
            f"{path}: not a readable {what}: {reason}; write it anew or give another file"
        ) from error


def check_file(path: Path, what: str, most_bytes: float) -> None:
    """Check that a path names a regular file of bounded size, before any of it is read.

    Raises
    ------
    InputError
        There is no such file, it is a folder, pipe or device, or it is larger than ``most_bytes``.
    """
    with reading(path, what):
        if not path.is_file():
            if not path.exists():
                raise InputError(f"{path}: there is no such {what}; check the path")
            kind = "a folder" if path.is_dir() else "a pipe or device"
            raise InputError(f"{path}: {kind}, not a {what}; save it as a regular file")
        if (size := path.stat().st_size) > most_bytes:
            raise InputError(
                f"{path}: {size / 1e6:,.0f} MB; a {what} may hold {most_bytes / 1e6:,.0f} MB; give a part of it"
            )
