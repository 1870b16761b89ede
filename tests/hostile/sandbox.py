"""Try a command in a folder of its own, with limits of time and memory, and say what is wrong with how it ended."""

import os
import resource
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from oncolattice.tests.hostile.patterns import BIN, Trial

ROOT = Path(__file__).resolve().parents[2]
TRACEBACK = "Traceback (most recent call last)"
# stands in for the program in scripts: writes down how every call ended, and what it said
SHIM = """#!/bin/bash
n=$(mktemp "$HOSTILE_LOGS/XXXXXXXX")
printf 'started %s\\n' "$*" > "$n"
"{program}" "$@" 2> >(tee "$n.err" >&2)
code=$?
printf 'ended %s\\n' $code >> "$n"
exit $code
"""


@dataclass(frozen=True)
class Outcome:
    """How a trial ended: exit code, seconds, what it said first, and its faults (none if all is well)."""

    trial: Trial
    code: int | None
    seconds: float
    message: str
    faults: tuple[str, ...]


def attempt(trial: Trial, seconds: float = 120.0, gigabytes: float = 8.0) -> Outcome:
    """Run a trial in a temporary folder that holds what stands beside its file, and judge it."""
    with tempfile.TemporaryDirectory(prefix="hostile-") as name:
        folder, logs = Path(name, "here"), Path(name, "logs")
        beside = trial.file.parent
        if beside.parent.name == "inputs":
            shutil.copytree(beside, folder)
        else:  # a scenario may name the file beside it
            folder.mkdir()
            for path in beside.iterdir():
                (folder / path.name).symlink_to(path)
        (folder / "abm").symlink_to(ROOT / "abm")  # scripts begin at the root of the checkout
        logs.mkdir()
        env = _environment(Path(name), logs)
        before = {path.name for path in folder.rglob("*")}
        start = time.monotonic()
        code, said = _run(trial.words, folder, env, seconds, gigabytes)
        passed = time.monotonic() - start
        faults = _of_calls(logs, trial.right) if trial.script and any(logs.iterdir()) else None
        if faults is None:
            faults = _of_code(code, said, trial.right)
        elif code is None:
            faults.append(f"hung: {seconds:g} s were not enough")
        if not trial.script:
            left = {
                path.name for path in folder.rglob("*") if path.name.endswith((".tmp", ".parts"))
            } - before
            faults += [f"left {path}" for path in sorted(left)]
        lines = [line.strip() for line in said.splitlines() if line.strip()]
        told = next((line for line in lines if line.startswith("error:")), lines[0] if lines else "")
        return Outcome(trial, code, passed, told, tuple(faults))


def _environment(folder: Path, logs: Path) -> dict[str, str]:
    shims = folder / "bin"
    shims.mkdir()
    shim = shims / "oncolattice"
    shim.write_text(SHIM.format(program=BIN / "oncolattice"))
    shim.chmod(0o755)
    own = {"PATH": f"{shims}:{BIN}:{os.environ['PATH']}", "TMPDIR": str(folder), "TREE": str(ROOT)}
    return {**os.environ, **own, "HOSTILE_LOGS": str(logs), "COLUMNS": "200"}


def _run(
    words: Sequence[str], folder: Path, env: dict[str, str], seconds: float, gigabytes: float
) -> tuple[int | None, str]:
    """Return exit code (None: it hung) and output."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (int(gigabytes * 2**30),) * 2)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            words, cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            start_new_session=True, preexec_fn=limit,
        )  # fmt: skip
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            code = None
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # it, if it hangs, and whatever it has left running
        process.wait()
        output.seek(0)
        return code, output.read(1_000_000).decode(errors="replace")


def _of_code(code: int | None, said: str, right: Sequence[int]) -> list[str]:
    faults = [TRACEBACK] if TRACEBACK in said else []
    if code is None:
        faults.append("hung")
    elif code < 0:
        faults.append(f"killed by {signal.Signals(-code).name}")
    elif code not in right:
        faults.append(f"exit code {code}, not {' or '.join(map(str, right))}")
    return faults


def _of_calls(logs: Path, right: Sequence[int]) -> list[str]:
    """Return the faults of all calls that a script made."""
    faults = []
    for log in sorted(path for path in logs.iterdir() if path.suffix != ".err"):
        call, *end = log.read_text(errors="replace").splitlines()
        words = call.removeprefix("started ")[:60]
        said = log.with_suffix(".err").read_text(errors="replace") if log.with_suffix(".err").exists() else ""
        code = int(end[-1].removeprefix("ended ")) if end else None
        faults += [f"{fault} ({words})" for fault in _of_code(code, said, right)]
    return faults
