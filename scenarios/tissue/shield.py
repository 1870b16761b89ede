"""A process beside this one that reads AnnData files first: a broken file can hang HDF5, or take it down."""

import atexit
import json
import os
import subprocess
import sys
from functools import lru_cache
from pathlib import Path
from threading import Lock, Thread

from ...abm.errors import InputError

SECONDS, BYTES_A_SECOND = 10.0, 20e6  # what reading a sound file is given
_one_at_a_time = Lock()


def refuse_hanging(path: Path) -> None:
    """Refuse a file on which HDF5 hangs or dies.

    Raises
    ------
    InputError
    """
    found = path.stat()
    with _one_at_a_time:
        _refuse(path.resolve(), found.st_size, found.st_mtime_ns)


@lru_cache(maxsize=64)
def _refuse(path: Path, size: int, changed: int) -> None:
    """Do so once, as long as the file is unchanged: an error is not kept."""
    seconds = SECONDS + size / BYTES_A_SECOND
    process = _process(os.getpid())
    answer: list[str] = []

    def ask() -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(str(path)) + "\n")
        process.stdin.flush()
        answer.append(process.stdout.readline())

    asking = Thread(target=ask, daemon=True)
    asking.start()
    asking.join(seconds)
    if answer and answer[0]:
        return
    hangs = asking.is_alive()
    process.kill()
    process.wait()
    asking.join()
    _process.cache_clear()
    what = f"does not come back from it in {seconds:.0f} s" if hangs else "dies of it"
    raise InputError(f"{path}: HDF5 {what}; the file is damaged, write it anew")


@lru_cache(maxsize=1)
def _process(parent: int) -> subprocess.Popen[str]:
    """Return the process of this one; a fork has to have its own."""
    script = str(Path(__file__).with_name("probe.py"))
    process = subprocess.Popen(
        [sys.executable, "-P", script],  # not with the folder of the script in front, whose names are ours
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    atexit.register(_end, process)
    return process


def _end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()
