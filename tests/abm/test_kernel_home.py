"""Kernels are kept where they can be, in private where that is for all, and their absence never stops a command."""

import os
import resource
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from oncolattice.abm import kernel_home

MIX = "from oncolattice.abm.cells.draws import mix; print(mix(1))"


def golden(z: int) -> int:
    """The finaliser of SplitMix64 in exact integers, 10.1145/2660193.2660195."""
    z = (z + 0x9E3779B97F4A7C15) % 2**64
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB % 2**64
    return z ^ (z >> 31)


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """A temporary folder of the test's own, and nothing remembered."""
    (tmp_path / "t").mkdir()
    (tmp_path / "file").touch()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "t"))
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    kernel_home._writable.cache_clear()
    yield tmp_path
    kernel_home._writable.cache_clear()


def private(folder: Path) -> bool:
    found = folder.lstat()
    return (
        stat.S_ISDIR(found.st_mode) and stat.S_IMODE(found.st_mode) == 0o700 and found.st_uid == os.getuid()
    )


@pytest.mark.parametrize("name", ["NUMBA_CACHE_DIR", "XDG_CACHE_HOME", "HOME"])
def test_what_can_be_written_is_used(elsewhere, monkeypatch, capsys, name):
    below = {"NUMBA_CACHE_DIR": "", "XDG_CACHE_HOME": "oncolattice", "HOME": ".cache/oncolattice"}[name]
    monkeypatch.setenv(name, str(elsewhere / "new"))
    assert kernel_home.cache_home() == elsewhere / "new" / below
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("name", ["NUMBA_CACHE_DIR", "XDG_CACHE_HOME", "HOME"])
def test_what_cannot_be_written_gives_way_with_one_note(elsewhere, monkeypatch, capsys, name):
    monkeypatch.setenv(name, str(elsewhere / "file" / "below"))
    found = {kernel_home.cache_home() for _ in range(3)}
    assert [path.parent for path in found] == [elsewhere / "t"]
    assert private(*found)
    (line,) = capsys.readouterr().err.splitlines()
    assert "NUMBA_CACHE_DIR" in line


def test_a_user_without_an_entry_gets_a_place(elsewhere, monkeypatch):
    def home():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", home)
    assert kernel_home.wanted_home() == Path("/.cache/oncolattice")


def test_a_full_disk_shows_before_anything_is_compiled(elsewhere, monkeypatch):
    """A limit on the size of files stands for a disk that is full after some bytes."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(elsewhere / "full"))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        found = kernel_home.cache_home()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert found.parent == elsewhere / "t"


def planted(kind: str, place: Path) -> None:
    if kind == "link":
        (place.parent / "bait").mkdir(mode=0o700)
        place.symlink_to(place.parent / "bait")
    elif kind == "file":
        place.touch()
    else:
        place.mkdir()
        place.chmod(0o777 if kind == "open to all" else 0o700)
        if kind == "of another user":
            os.chown(place, 12345, 12345)


@pytest.mark.parametrize("kind", ["link", "file", "open to all", "of another user"])
def test_a_folder_that_others_prepared_is_not_used(elsewhere, monkeypatch, kind):
    if kind == "of another user" and os.geteuid() != 0:
        pytest.skip("only the superuser can give a folder away")
    place = elsewhere / "t" / f"oncolattice-kernels-{os.getuid()}"
    planted(kind, place)
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(elsewhere / "file" / "below"))
    found = kernel_home.cache_home()
    assert found != place
    assert found.parent == elsewhere / "t"
    assert private(found)
    assert list(found.iterdir()) == []


def mixed(home: Path, before: str = "") -> subprocess.CompletedProcess:
    env = {**os.environ, "NUMBA_CACHE_DIR": str(home), "TMPDIR": str(home.parent)}
    return subprocess.run([sys.executable, "-c", before + MIX], env=env, capture_output=True, text=True)


def test_kernels_run_where_nothing_can_be_kept(tmp_path):
    (tmp_path / "file").touch()
    nowhere = "from oncolattice.abm import kernel_home; kernel_home._temporary = lambda: None\n"
    done = mixed(tmp_path / "file" / "below", nowhere)
    assert (done.returncode, done.stdout) == (0, f"{golden(1)}\n")
    assert "compiled anew each time" in done.stderr


def test_a_cut_off_index_is_written_anew(tmp_path):
    home = tmp_path / "home"
    assert mixed(home).stdout == f"{golden(1)}\n"
    (index,) = home.glob("draws-*/draws.mix-*.nbi")
    whole = index.read_bytes()
    index.write_bytes(whole[:20])
    done = mixed(home)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{golden(1)}\n", "")
    assert index.read_bytes() == whole


def test_a_filled_cache_is_used_though_it_is_read_only(tmp_path):
    """A file system mounted read-only is what refuses a probe; what lies there is taken all the same."""
    home = tmp_path / "home"
    assert mixed(home).stdout == f"{golden(1)}\n"
    refuse = (
        "import tempfile\n"
        "def refuse(**more): raise OSError(30, 'Read-only file system')\n"
        "tempfile.TemporaryFile = refuse\n"
    )
    hits = "; print(sum(mix.stats.cache_hits.values()))"
    env = {**os.environ, "NUMBA_CACHE_DIR": str(home), "TMPDIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", refuse + MIX + hits], env=env, capture_output=True, text=True
    )
    assert done.stdout.split() == [str(golden(1)), "1"]
