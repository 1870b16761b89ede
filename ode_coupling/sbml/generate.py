"""Compile a system of formulae: a module of Numba functions in the folder of compiled kernels."""

import hashlib
import importlib.util
import os
import sys
from collections.abc import Sequence
from types import ModuleType

from ...abm.errors import InputError
from ...abm.kernel_cache import cache_home, source_hash

_HEAD = '''"""{title}: generated, do not edit."""

import numpy as np
from numba import njit

from {integrate} import ODE_SIGNATURE


@njit(cache=True, error_model="numpy")
def algebra(t, y, p, u, m) -> None:
    """Write what follows from the states: assignment rules and rates of reactions."""
{algebra}

@njit(ODE_SIGNATURE, cache=True, error_model="numpy")
def rhs(t, y, p, u, dy) -> None:
    """Write the change of the states a day."""
    m = np.empty({size})
    algebra(t, y, p, u, m)
{changes}

@njit(ODE_SIGNATURE, cache=True, error_model="numpy")
def observe(t, y, p, u, out) -> None:
    """Write the outputs."""
    algebra(t, y, p, u, out)
'''


def compiled_module(title: str, algebra: Sequence[str], changes: Sequence[str]) -> ModuleType:
    """Return a module with ``rhs`` and ``observe`` of ``ODE_SIGNATURE``.

    The file is named by a hash of its text, so that the same system is compiled once and then read from the
    kernel cache.

    Parameters
    ----------
    title : str
        One word for the first line.
    algebra, changes : sequence of str
        Right-hand sides for ``m`` (in order of evaluation; they are the outputs) and ``dy``.

    Raises
    ------
    InputError
        The cache folder cannot be written.
    """
    package = __name__.rsplit(".", 2)[0]
    text = _HEAD.format(
        title="".join(c for c in title if c.isalnum() or c in "_- ") or "model",
        integrate=f"{package}.integrate",
        algebra="".join(f"    m[{i}] = {line}\n" for i, line in enumerate(algebra)) or "    return\n",
        size=max(len(algebra), 1),
        changes="".join(f"    dy[{i}] = {line}\n" for i, line in enumerate(changes)),
    )
    name = f"oncolattice_sbml_{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    if name in sys.modules:
        return sys.modules[name]
    folder = cache_home() / source_hash() / "sbml"
    path = folder / f"{name}.py"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not path.exists():  # rewriting it would make Numba compile again
            draft = path.with_suffix(f".{os.getpid()}.part")
            draft.write_text(text, encoding="utf-8")
            draft.replace(path)
    except OSError as error:
        raise InputError(
            f"{folder}: cannot be written ({error.strerror}); set NUMBA_CACHE_DIR to a folder that can"
        ) from None
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # Numba looks its functions up there
    spec.loader.exec_module(module)
    return module
