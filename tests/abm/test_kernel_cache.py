"""A kernel's cache folder must change with everything that the kernel can call or read."""

import importlib
import pathlib
import pkgutil

import pytest
from numba.core.dispatcher import Dispatcher

from oncolattice import abm, ode_coupling
from oncolattice.abm import kernel_cache
from oncolattice.abm.kernel_cache import PACKAGE, dependencies, imported_modules, kernel_folder


def modules():
    for package in (abm, ode_coupling):
        for info in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            yield importlib.import_module(info.name)


def file_of(function) -> pathlib.Path:
    return pathlib.Path(function.__code__.co_filename).resolve()


def test_dependencies_hold_every_function_that_a_kernel_module_names():
    # oracle: the objects that the imported modules really hold
    checked = 0
    for module in modules():
        here = pathlib.Path(module.__file__).resolve()
        known = set(dependencies(here))
        for value in vars(module).values():
            if isinstance(value, Dispatcher) and file_of(value.py_func).is_relative_to(PACKAGE):
                assert file_of(value.py_func) in known, (module.__name__, value)
                checked += 1
    assert checked > 300


def test_a_kernel_lives_in_the_folder_of_its_sources():
    from oncolattice.abm.cells import sense

    assert pathlib.Path(sense.rate._cache.cache_path) == kernel_folder(pathlib.Path(sense.__file__))


def test_a_kernel_may_be_handed_a_tuple_that_its_module_does_not_name(tmp_path, monkeypatch):
    from oncolattice.abm.cells.hop import Ground

    declared = kernel_cache._TUPLE.findall((PACKAGE / "abm" / "cells" / "hop.py").read_bytes())
    assert len(declared) == 1
    assert all(f"    {name}: " in declared[0].decode() for name in Ground._fields)
    assert PACKAGE / "abm" / "cells" / "hop.py" not in dependencies(PACKAGE / "abm" / "cells" / "world.py")

    def folder():
        for cached in (kernel_cache._tuples, kernel_folder):
            cached.cache_clear()
        return kernel_folder(tmp_path / "abm" / "kernel.py")

    (tmp_path / "abm").mkdir()
    (tmp_path / "abm" / "kernel.py").write_text("")
    monkeypatch.setattr(kernel_cache, "PACKAGE", tmp_path)
    names = {folder()}
    for text in ("class A(NamedTuple):\n    x: int\n", "class A(NamedTuple):\n    y: int\n"):
        (tmp_path / "abm" / "types.py").write_text(text)
        names.add(folder())
    for cached in (kernel_cache._tuples, kernel_folder):
        cached.cache_clear()
    assert len(names) == 3


@pytest.mark.parametrize("edited", ["callee.py", "caller.py"])
def test_an_edit_renames_the_folders_of_those_that_depend_on_it_only(tmp_path, monkeypatch, edited):
    (tmp_path / "callee.py").write_text("ONE = 1\n")
    (tmp_path / "caller.py").write_text("def late():\n    from .callee import (\n        ONE,\n    )\n")
    (tmp_path / "stranger.py").write_text("from ..outside import x\n")
    monkeypatch.setattr(kernel_cache, "PACKAGE", tmp_path)

    def folders():
        for cached in (imported_modules, kernel_cache._digest, kernel_folder):
            cached.cache_clear()
        return {name: kernel_folder(tmp_path / f"{name}.py") for name in ("callee", "caller", "stranger")}

    before = folders()
    with (tmp_path / edited).open("a") as file:
        file.write("TWO = 2\n")
    after = folders()
    changed = {name for name in before if before[name] != after[name]}
    for cached in (imported_modules, kernel_cache._digest, kernel_folder):
        cached.cache_clear()
    assert changed == ({"callee", "caller"} if edited == "callee.py" else {"caller"})
