"""One door for files that others wrote: what a library raises about one becomes one sentence."""

import csv
import errno
import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ...abm.errors import InputError, shortened

MOST_REASON = 200  # characters of a library's own words
_LOCKED = {errno.EAGAIN, errno.EACCES, errno.ENOLCK, errno.EWOULDBLOCK}
# What h5py, NumPy, tomllib, csv, json and Pillow raise about bytes that they cannot make sense of.
_SENSELESS = (
    *(ValueError, TypeError, LookupError, ArithmeticError, AttributeError, RuntimeError),
    *(EOFError, SyntaxError, zlib.error, struct.error, csv.Error),
)


class Unavailable(InputError):
    """A file that may be sound but cannot be read now: it is in use, locked, forbidden or too large."""


@contextmanager
def reading(path: Path, what: str) -> Iterator[None]:
    """Turn whatever a library raises about a file into one sentence.

    Parameters
    ----------
    path : Path
    what : str
        What the file should be, such as ``run file``.

    Raises
    ------
    Unavailable
        The system refuses it, another program writes it, or it does not fit into memory.
    InputError
        It is truncated, damaged or something else.
    """
    try:
        yield
    except InputError:
        raise
    except MemoryError as error:
        raise Unavailable(
            f"{path}: the {what} does not fit into memory ({error}); close other programs or use a larger machine"
        ) from error
    except (OSError, *_SENSELESS) as error:
        system = error.errno if isinstance(error, OSError) else None
        if system in _LOCKED and "lock" in str(error):
            raise Unavailable(
                f"{path}: the {what} cannot be locked (it is in use, or its file system has no locks); close it "
                "elsewhere, or set HDF5_USE_FILE_LOCKING=FALSE"
            ) from error
        if system is not None:
            raise Unavailable(
                f"{path}: the {what} cannot be read ({os.strerror(system)}); check path and permissions"
            ) from error
        if in_use(path):
            raise Unavailable(
                f"{path}: the {what} is open in another program that writes it; close it there and repeat"
            ) from error
        reason = shortened(str(error), MOST_REASON) or type(error).__name__
        raise InputError(
            f"{path}: not a readable {what}: {reason}; it is truncated, damaged or something else: "
            "move it aside and make it again"
        ) from error


def in_use(path: Path) -> bool:
    """Return whether another program holds a file for writing, as far as locks tell."""
    try:
        import fcntl
    except ImportError:  # Windows, where such a file cannot even be opened
        return False
    with suppress(OSError), path.open("rb") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def require_file(path: Path, what: str) -> None:
    """Refuse a path that is no regular file; pipes and devices are not opened, which might wait for ever.

    Raises
    ------
    Unavailable
    """
    if path.is_dir():
        raise Unavailable(f"{path}: is a folder, not a {what}; name the file inside it")
    if not path.exists():
        raise Unavailable(f"{path}: there is no such {what}; check the path")
    if not path.is_file():
        raise Unavailable(f"{path}: is a pipe or device, not a {what}; name a file")


def check_file(path: Path, what: str, most_bytes: float) -> None:
    """Refuse what is no regular file of bounded size, before any of it is read.

    Raises
    ------
    InputError
    """
    require_file(path, what)
    with reading(path, what):
        size = path.stat().st_size
    if size > most_bytes:
        raise InputError(
            f"{path}: {size / 1e6:,.0f} MB; a {what} may hold {most_bytes / 1e6:,.0f} MB; give a part of it"
        )


def require_memory(size: float, what: str) -> None:
    """Refuse to take more bytes than the machine, or the limit of this process, has memory for.

    Raises
    ------
    MemoryError
    """
    free = available_memory()
    if size > free:
        raise MemoryError(f"{what} takes {size / 1e9:.3g} GB, {free / 1e9:.3g} GB are free")


def available_memory() -> float:
    """Return the bytes that this process may still take, infinite where the system does not say."""
    found = [float("inf")]
    with suppress(OSError, ValueError, IndexError):
        words = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
        found.append(1024.0 * int(words["MemAvailable"].split()[0]))
    with suppress(ImportError, OSError, ValueError):
        import resource

        limit = resource.getrlimit(resource.RLIMIT_AS)[0]
        if limit != resource.RLIM_INFINITY:
            found.append(limit - 4096.0 * int(Path("/proc/self/statm").read_text().split()[0]))
    return min(found)
