"""Try every file of a folder of hostile inputs: ``python -m tests.hostile FOLDER``, from the root of the repository.

Prints a line a command, and ends with 1 where one of them shows a traceback, hangs, dies of a signal, leaves drafts of
files behind, or ends with another code than the ones that are right for the pattern of the file's name.
"""

import argparse
import sys
from pathlib import Path

from oncolattice.tests.hostile.patterns import trials
from oncolattice.tests.hostile.sandbox import Outcome, attempt


def line(outcome: Outcome) -> str:
    """Return one line: verdict, file, command, exit code, seconds, and the faults or what was said first."""
    trial = outcome.trial
    name = f"{trial.file.parent.name}/{trial.file.name}" if trial.file.stem == "try" else trial.file.name
    code = "-" if outcome.code is None else str(outcome.code)
    said = "; ".join(outcome.faults) or outcome.message
    verdict = "FAULT" if outcome.faults else "ok"
    return f"{verdict:5} {name[:58]:58} {trial.label:12} {code:>4} {outcome.seconds:6.1f}  {said[:150]}"


def main() -> int:
    """Run the trials of a folder; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.hostile", description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default="", help="only files whose path holds this text")
    parser.add_argument("--seconds", type=float, default=120.0, help="most time a command may take")
    parser.add_argument("--gigabytes", type=float, default=8.0, help="most memory a command may ask for")
    options = parser.parse_args()
    if not options.folder.is_dir():
        parser.error(f"{options.folder}: no such folder")
    chosen = [trial for trial in trials(options.folder.resolve()) if options.only in str(trial.file)]
    if not chosen:
        parser.error(f"{options.folder}: holds no hostile file of a known pattern")
    faults = 0
    for trial in chosen:
        outcome = attempt(trial, options.seconds, options.gigabytes)
        faults += bool(outcome.faults)
        print(line(outcome), flush=True)
    print(f"{len(chosen)} commands, {faults} with faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
