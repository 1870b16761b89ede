"""Run every benchmark, each in a process of its own: python benchmarks/run_all.py [--quick] [--csv FILE].

A process of its own gives each its own peak of memory and leaves no warm cache to the next one.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
ORDER = (
    "lattice",
    "patient_year",
    "parts",
    "peers",
    "mesa",
    "threads",
    "scaling",
    "memory",
    "body",
    "coupling",
)
CSV = ROOT / "runs" / "benchmarks.csv"
# The field benchmark is a table of its own.
ALONE = ("fields",)


def main() -> None:
    """Run them all and say where the table is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer and smaller measurements")
    parser.add_argument("--csv", type=Path, default=CSV, help="file of the table")
    chosen = parser.parse_args()
    chosen.csv.parent.mkdir(parents=True, exist_ok=True)
    chosen.csv.unlink(missing_ok=True)
    quick = ["--quick"] if chosen.quick else []
    start = time.perf_counter()
    for name in ORDER:
        print(f"\n--- {name}", flush=True)
        command = [
            sys.executable,
            "-m",
            f"benchmarks.bench_{name}",
            "--csv",
            str(chosen.csv.resolve()),
            *quick,
        ]
        subprocess.run(command, check=True, cwd=ROOT)
    for name in () if chosen.quick else ALONE:
        print(f"\n--- {name}", flush=True)
        subprocess.run([sys.executable, str(HERE / f"bench_{name}.py")], check=True, cwd=ROOT)
    print(f"\n{time.perf_counter() - start:.0f} s; table: {chosen.csv}")


if __name__ == "__main__":
    main()
