"""Where compiled kernels are kept: the user's cache, or a private temporary folder where that cannot be written."""

import atexit
import functools
import os
import pathlib
import shutil
import stat
import sys
import tempfile
from contextlib import suppress
from multiprocessing import parent_process

_PROBE = bytes(1 << 20)  # a full disk shows when something is written to it


def wanted_home() -> pathlib.Path:
    """Return the folder that compiled kernels belong to (``NUMBA_CACHE_DIR`` or the user's cache)."""
    if chosen := os.environ.get("NUMBA_CACHE_DIR"):
        return pathlib.Path(chosen)
    if base := os.environ.get("XDG_CACHE_HOME"):
        return pathlib.Path(base) / "oncolattice"
    try:
        return pathlib.Path.home() / ".cache" / "oncolattice"
    except RuntimeError:  # a user id without an entry, as containers give it
        return pathlib.Path(os.sep, ".cache", "oncolattice")


def cache_home() -> pathlib.Path:
    """Return the folder that holds compiled kernels: the wanted one, or a temporary one with a note that says so."""
    return _writable(wanted_home())


@functools.cache
def _writable(home: pathlib.Path) -> pathlib.Path:
    try:
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=home) as probe:
            probe.write(_PROBE)
            probe.flush()
        return home
    except OSError as error:
        found = _temporary()
        if parent_process() is None:  # once, not by every worker
            where = f"are kept in {found}" if found else "are compiled anew each time"
            sys.stderr.write(
                f"note: compiled kernels cannot be kept in {home} ({error.strerror}) and {where}; "
                "set NUMBA_CACHE_DIR to a folder that can be written\n"
            )
        return found or home


def _temporary() -> pathlib.Path | None:
    """Return a folder that nobody else can write to or has prepared; None where there is no place for one.

    Compiled kernels are loaded as code, so that a folder that another user made is not trusted.
    """
    with suppress(OSError):
        user = os.getuid() if hasattr(os, "getuid") else 0
        shared = pathlib.Path(tempfile.gettempdir(), f"oncolattice-kernels-{user}")
        with suppress(FileExistsError):
            shared.mkdir(mode=0o700)
        found = shared.lstat()
        if stat.S_ISDIR(found.st_mode) and found.st_uid == user and not found.st_mode & 0o077:
            return shared
        own = tempfile.mkdtemp(prefix="oncolattice-kernels-")
        atexit.register(shutil.rmtree, own, ignore_errors=True)
        return pathlib.Path(own)
    return None
