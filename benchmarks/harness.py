"""What all benchmarks share: arguments, clocks, medians, the yardstick, and the table on screen and in CSV.

One thread is timed by the processor time it used, so that other programs matter little; two threads are timed
by the clock on the wall, and so is everything that starts processes.
"""

import argparse
import csv
import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numba import njit

from oncolattice.abm.cells.draws import mix

COPIED = 1 << 23  # float64 numbers, 64 MB: too many for any cache
HASHED = 1 << 14  # uint64 numbers that stay in the nearest caches
HASH_PASSES = 64
REPEATS, QUICK_REPEATS = 7, 5
Clock = Callable[[], int]


@njit(cache=True)
def hash_all(numbers: np.ndarray, key: np.uint64, passes: int) -> np.uint64:
    """Return the exclusive or of the hashes of all numbers under several keys."""
    total = np.uint64(0)
    for p in range(passes):
        for k in range(numbers.size):
            total ^= mix(numbers[k] ^ (key + np.uint64(p)))
    return total


def clocked(task: Callable[[], object], clock: Clock = time.thread_time_ns) -> int:
    """Return the time of one call, ns."""
    start = clock()
    task()
    return clock() - start


def samples(task: Callable[[], object], repeats: int, clock: Clock = time.thread_time_ns) -> np.ndarray:
    """Return the times of a task in ns, after a first call that is not counted."""
    task()
    return np.array([clocked(task, clock) for _ in range(repeats)], float)


@dataclass(frozen=True)
class Yardstick:
    """What this machine can do at this moment, on one thread.

    Attributes
    ----------
    copy_gb_s : float
        Bytes read and written by a copy of 64 MB, GB/s.
    hash_ns : float
        One draw, ns.
    """

    copy_gb_s: float
    hash_ns: float


def yardstick(repeats: int = 9) -> Yardstick:
    """Measure the yardstick (medians)."""
    source = np.ones(COPIED)
    target = np.empty_like(source)
    copied = np.median(samples(lambda: np.copyto(target, source), repeats))
    numbers = np.arange(HASHED, dtype=np.uint64)
    hashed = np.median(samples(lambda: hash_all(numbers, np.uint64(1), HASH_PASSES), repeats))
    return Yardstick(2 * source.nbytes / float(copied), float(hashed) / HASHED / HASH_PASSES)


def machine() -> str:
    """Return one line about the machine."""
    names = [platform.machine()]
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text().splitlines()
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")][
            :1
        ] or names
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return f"{names[0]}, {os.cpu_count()} cores, Python {platform.python_version()}, NumPy {np.__version__}{load}"


@dataclass
class Bench:
    """One benchmark: its arguments and its table.

    Attributes
    ----------
    name : str
    quick : bool
    csv : Path or None
        The rows are appended to it.
    yard : Yardstick
    """

    name: str
    quick: bool
    csv: Path | None
    yard: Yardstick
    _rows: list[tuple[str, str, str, str, str]] = field(default_factory=list)

    @property
    def repeats(self) -> int:
        """Return how many times everything is measured."""
        return QUICK_REPEATS if self.quick else REPEATS

    def row(self, case: str, quantity: str, value: float, unit: str, note: str = "") -> None:
        """Print a row of the table and keep it."""
        self._rows.append((case, quantity, f"{value:.4g}", unit, note))
        print(f"{case:<34} {quantity:<30} {value:>10.4g} {unit:<16} {note}", flush=True)

    def finish(self) -> None:
        """Append the rows to the CSV file, if one is asked for."""
        if self.csv is None:
            return
        fresh = not self.csv.exists()
        with self.csv.open("a", newline="") as file:
            writer = csv.writer(file)
            if fresh:
                writer.writerow(("benchmark", "case", "quantity", "value", "unit", "note", "machine"))
            for row in self._rows:
                writer.writerow((self.name, *row, machine()))


def begin(name: str, text: str | None) -> Bench:
    """Read the arguments, measure the yardstick and print the heading."""
    parser = argparse.ArgumentParser(description=text)
    parser.add_argument("--quick", action="store_true", help="fewer and smaller measurements")
    parser.add_argument("--csv", type=Path, help="append the table to this file")
    chosen = parser.parse_args()
    yard = yardstick()
    bench = Bench(name, chosen.quick, chosen.csv, yard)
    print(machine())
    print(f"medians of {bench.repeats}; one thread by its processor time, more by the wall")
    bench.row("yardstick", "copy of 64 MB, read + write", yard.copy_gb_s, "GB/s")
    bench.row("yardstick", "hash of a draw", yard.hash_ns, "ns")
    return bench
