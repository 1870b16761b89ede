"""What a library raises about a file is one sentence; a file that may be sound is told from a damaged one."""

import errno
import fcntl
import json
import os

import numpy as np
import pytest

from oncolattice.abm.errors import InputError
from oncolattice.scenarios.store import guard
from oncolattice.scenarios.store.guard import Unavailable, reading, require_file, require_memory


def raised(error, path):
    with pytest.raises(InputError) as caught, reading(path, "table"):
        raise error
    assert caught.value.__cause__ is error
    return caught.value


@pytest.mark.parametrize(
    "error",
    [
        KeyError("time"),
        ValueError("bad\nnumber"),
        TypeError("no"),
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
        OverflowError("too large"),
        RecursionError("too deep"),
        IndexError(),
        AttributeError("x"),
        EOFError("end"),
        OSError("truncated file: eof = 50"),
        json.JSONDecodeError("no", "{", 1),
    ],
)
def test_what_a_library_raises_is_one_sentence_that_advises_nothing_that_loses_a_file(tmp_path, error):
    found = raised(error, tmp_path / "a")
    assert str(found).startswith(f"{tmp_path / 'a'}: not a readable table: ")
    assert "\n" not in str(found)
    assert "delete" not in str(found)
    assert not isinstance(found, Unavailable)


@pytest.mark.parametrize("number", [errno.EACCES, errno.EIO, errno.ESTALE, errno.ENOENT, errno.EISDIR])
def test_what_the_system_refuses_may_be_sound(tmp_path, number):
    found = raised(OSError(number, f"unable to open file (errno = {number})"), tmp_path / "a")
    assert isinstance(found, Unavailable)
    assert os.strerror(number) in str(found)


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EAGAIN])
def test_a_file_that_cannot_be_locked_may_be_sound(tmp_path, number):
    found = raised(OSError(number, "unable to lock file"), tmp_path / "a")
    assert isinstance(found, Unavailable)
    assert "HDF5_USE_FILE_LOCKING=FALSE" in str(found)


def test_a_file_that_another_program_writes_may_be_sound(tmp_path):
    path = tmp_path / "a"
    with path.open("w") as writer:
        fcntl.flock(writer, fcntl.LOCK_EX)
        found = raised(ValueError("half"), path)
        assert isinstance(found, Unavailable)
        assert "open in another program" in str(found)
    assert not isinstance(raised(ValueError("half"), path), Unavailable)


def test_memory_that_is_not_there_may_be_elsewhere(tmp_path, monkeypatch):
    assert isinstance(raised(MemoryError(), tmp_path / "a"), Unavailable)
    with pytest.raises(MemoryError):  # the truth: this system does not give so much
        np.ones(2**60, np.uint8)
    with pytest.raises(Unavailable, match=r"/x takes 1\.15e\+09 GB"), reading(tmp_path, "table"):
        require_memory(2.0**60, "/x")
    monkeypatch.setattr(guard, "available_memory", lambda: 100.0)
    require_memory(100.0, "/x")
    with pytest.raises(MemoryError):
        require_memory(101.0, "/x")


def test_only_files_are_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "file").touch()
    for name, reason in {
        "pipe": "pipe or device",
        ".": "is a folder",
        "loop": "no such",
        "none": "no such",
    }.items():
        with pytest.raises(Unavailable, match=reason):
            require_file(tmp_path / name, "table")
    require_file(tmp_path / "file", "table")


def test_the_mistake_of_a_user_passes_as_it_is(tmp_path):
    with pytest.raises(InputError, match=r"^mine$"), reading(tmp_path, "table"):
        raise InputError("mine")
