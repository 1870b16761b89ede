"""Cache every compiled kernel in a folder named by the sources it depends on.

Numba keys a cached kernel by its own file only, so an edited callee in another file would be served stale. The
folder of a module is named by a hash of the module, of every module of the package that it imports, directly or
not, and of the Numba version: an edit recompiles what depends on it and nothing else. The named tuples of all modules
are part of every hash, because a kernel may be compiled for one that its module never names.
"""

import functools
import hashlib
import pathlib
import pickle
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import numba
from numba.core import caching

from .kernel_home import cache_home, wanted_home

PACKAGE = pathlib.Path(__file__).resolve().parent.parent
KERNEL_FOLDERS = ("abm", "ode_coupling")  # what decides the numbers of a run
_IMPORT = re.compile(rb"^\s*from (\.+)([\w.]*) import (\([^)]*\)|[^\n#]*)", re.MULTILINE)
_TUPLE = re.compile(rb"^class \w+\(NamedTuple\):\n(?:(?:    [^\n]*)?\n)+", re.MULTILINE)


def source_hash() -> str:
    """Return a 16-digit hash of all kernel sources and the Numba version."""
    digest = hashlib.sha256(numba.__version__.encode())
    for folder in KERNEL_FOLDERS:
        for path in sorted((PACKAGE / folder).rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


@functools.cache
def imported_modules(path: pathlib.Path) -> tuple[pathlib.Path, ...]:
    """Return the files of the package that a file imports with relative imports, wherever they stand in it."""
    found = []
    for dots, name, words in _IMPORT.findall(path.read_bytes()):
        folder = path.parents[len(dots) - 1].joinpath(*filter(None, name.decode().split(".")))
        modules = [folder.with_suffix(".py"), folder / "__init__.py"]
        modules += [folder / f"{word.decode()}.py" for word in re.findall(rb"\w+", words)]
        found += [module for module in modules if module.is_file()]
    return tuple(dict.fromkeys(found))


def dependencies(path: pathlib.Path) -> list[pathlib.Path]:
    """Return a file of the package and all that it depends on, sorted."""
    seen, waiting = {path}, [path]
    while waiting:
        fresh = [module for module in imported_modules(waiting.pop()) if module not in seen]
        seen.update(fresh)
        waiting += fresh
    return sorted(seen)


@functools.cache
def _digest(path: pathlib.Path) -> bytes:
    return hashlib.sha256(path.read_bytes()).digest()


@functools.cache
def _tuples() -> bytes:
    """Return a digest of every named tuple that a kernel can be handed, and of where it is declared."""
    digest = hashlib.sha256(numba.__version__.encode())
    for folder in KERNEL_FOLDERS:
        for path in sorted((PACKAGE / folder).rglob("*.py")):
            for declared in _TUPLE.findall(path.read_bytes()):
                digest.update(path.relative_to(PACKAGE).as_posix().encode() + declared)
    return digest.digest()


@functools.cache
def kernel_folder(path: pathlib.Path) -> pathlib.Path:
    """Return the folder that holds the compiled kernels of a file of the package."""
    total = hashlib.sha256(_tuples())
    for module in dependencies(path):
        total.update(module.relative_to(PACKAGE).as_posix().encode() + _digest(module))
    name = f"{path.stem}-{total.hexdigest()[:16]}"
    with suppress(OSError):
        if any((wanted_home() / name).glob("*.nbi")):  # filled before, and perhaps read-only since
            return wanted_home() / name
    return cache_home() / name


class KernelLocator(caching._CacheLocator):
    """Tells Numba where the kernels of this package are cached; other packages keep their own ways."""

    def __init__(self, folder: pathlib.Path, line: int):
        self._folder, self._line = folder, line

    def get_cache_path(self) -> str:
        """Return the folder of the kernel's module."""
        return str(self._folder)

    def get_source_stamp(self) -> str:
        """Return the hash in the folder's name: what lies in the folder can never be stale."""
        return self._folder.name

    def get_disambiguator(self) -> str:
        """Return the line at which the kernel begins."""
        return str(self._line)

    @classmethod
    def from_function(cls, py_func, py_file):
        """Return a locator for a function of this package; None for any other."""
        path = pathlib.Path(py_file).resolve()
        if not path.is_relative_to(PACKAGE) or path.relative_to(PACKAGE).parts[0] not in KERNEL_FOLDERS:
            return None
        return cls(kernel_folder(path), py_func.__code__.co_firstlineno)


_guard = caching.Cache._guard_against_spurious_io_errors


@contextmanager
def _lenient(cache: caching.Cache) -> Iterator[None]:
    """Let a kernel of this package that can be neither loaded nor kept be compiled, as if there were no cache."""
    if not isinstance(cache._impl.locator, KernelLocator):
        with _guard(cache):
            yield
        return
    try:
        yield
    except OSError:  # no permission, or a disk that is full by now
        pass
    except (EOFError, pickle.UnpicklingError):  # cut off by a crash of the system: begin anew
        with suppress(OSError):
            cache.flush()


_implementation = getattr(caching, "CacheImpl", None) or getattr(caching, "_CacheImpl")  # noqa: B009  (older Numba)
if KernelLocator.__name__ not in [known.__name__ for known in _implementation._locator_classes]:
    _implementation._locator_classes.insert(0, KernelLocator)
    caching.Cache._guard_against_spurious_io_errors = _lenient  # type: ignore[method-assign, assignment]
