"""Point Numba's cache at a folder named by the sources.

Numba keys a cached kernel by its own file only, so an edited callee in another file would be
served stale; a folder named by a hash of every source and the Numba version cannot be.
"""

import hashlib
import os
import pathlib

import numba

PACKAGE = pathlib.Path(__file__).resolve().parent.parent
KERNEL_FOLDERS = ("abm", "ode_coupling")


def source_hash() -> str:
    """Return a 16-digit hash of the kernel sources and the Numba version."""
    digest = hashlib.sha256(numba.__version__.encode())
    for folder in KERNEL_FOLDERS:
        for path in sorted((PACKAGE / folder).rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def cache_home() -> pathlib.Path:
    """Return the folder that holds compiled kernels (``NUMBA_CACHE_DIR`` or the user's cache)."""
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    if chosen:
        return pathlib.Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(base) / "oncolattice"


setattr(numba.config, "CACHE_DIR", str(cache_home() / source_hash()))  # noqa: B010  (untyped module)
