"""Do two states of the code compute the same? Run every library scenario and one study in both and compare digests.

``python -m tests.digests REVISION`` checks REVISION out beside this tree, runs both with the packages of this
interpreter and exits 1 where a digest differs. For changes that must not change a number.
"""

import argparse
import importlib
import json
import os
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SHORT = ("duration_days=2", "snapshot_days=0")
MORE = {"strobl2022_adaptive_clinic": ("controller.delay_days=1",)}
STUDY = ("batch", "demo", "--set", "duration_days=2", "--set", "snapshot_days=0", "--workers", "1")


def digests_here(folder: Path) -> dict[str, str]:
    """Return the digest of one short run of every library scenario and of each run of a study."""
    import h5py

    import oncolattice

    package = Path(oncolattice.__file__).resolve().parent
    found = {}
    for path in sorted((package / "scenarios" / "library").glob("*.toml")):
        if "study" in tomllib.loads(path.read_text(encoding="utf-8")):
            continue
        settings = [*SHORT, *MORE.get(path.stem, ())]
        with h5py.File(oncolattice.run(path.stem, seed=3, settings=settings, out=folder)) as file:
            found[path.stem] = str(file.attrs["digest"])
    module, name = tomllib.loads((package / "pyproject.toml").read_text())["project"]["scripts"][
        "oncolattice"
    ].split(":")
    sys.argv = ["oncolattice", *STUDY, "--out", str(folder / "study")]
    try:
        getattr(importlib.import_module(module), name)()
    except SystemExit as end:
        if end.code:
            raise
    for path in (folder / "study").rglob("*.h5"):
        with h5py.File(path) as file:
            found[f"study {file.attrs['arm']} {file.attrs['patient']}"] = str(file.attrs["digest"])
    return found


def digests_of(tree: Path) -> dict[str, str]:
    """Return the digests that the code of a tree computes, in a process of its own."""
    with tempfile.TemporaryDirectory() as scratch:
        face = Path(scratch) / "face"
        face.mkdir()
        (face / "oncolattice").symlink_to(tree)
        code = (
            f"import json, sys; sys.path[:0] = [{str(face)!r}, {str(ROOT)!r}]; from pathlib import Path\n"
            "from tests.digests import digests_here\n"
            f"found = digests_here(Path({scratch!r})); print(); print(json.dumps(found))"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=scratch, stdout=subprocess.PIPE, text=True, env=os.environ
        )
    if done.returncode:
        raise SystemExit(f"{tree}: the runs failed")
    return json.loads(done.stdout.splitlines()[-1])


def compare(revision: str) -> list[str]:
    """Return a line for each run whose digest differs between a revision and this tree."""
    with tempfile.TemporaryDirectory() as folder:
        before = Path(folder) / "before"
        subprocess.run(["git", "worktree", "add", "--detach", str(before), revision], cwd=ROOT, check=True)
        try:
            old, new = digests_of(before), digests_of(ROOT)
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", str(before)], cwd=ROOT, check=True)
    names = sorted(old.keys() | new.keys())
    print(f"{sum(old.get(name) == new.get(name) for name in names)} of {len(names)} digests agree")
    return [
        f"{name}: {old.get(name)} before, {new.get(name)} now"
        for name in names
        if old.get(name) != new.get(name)
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("revision", help="what git calls the state to compare with, such as HEAD~1 or main")
    differences = compare(parser.parse_args().revision)
    print("\n".join(differences))
    sys.exit(bool(differences))
