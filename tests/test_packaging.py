"""The package that is installed holds all that the repository does, and speaks of itself alone."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PACKAGES = SETTINGS["tool"]["setuptools"]["packages"]
DATA = SETTINGS["tool"]["setuptools"]["package-data"]
OUTSIDE = ("tests", "benchmarks", "docs", "examples", "build", "dist", "demo", "runs")
INSIDE = [
    path
    for path in sorted(ROOT.rglob("*"))
    if path.is_file()
    and not any(
        part.startswith(".") or part.endswith(".egg-info") or part in (*OUTSIDE, "__pycache__")
        for part in path.relative_to(ROOT).parts
    )
]


def name_of(folder):
    return ".".join(("oncolattice", *folder.relative_to(ROOT).parts))


def test_every_package_is_listed():
    found = {name_of(path.parent) for path in INSIDE if path.name == "__init__.py"}
    assert len(found) > 5
    assert set(PACKAGES) == found
    assert len(PACKAGES) == len(set(PACKAGES))


def test_every_module_lies_in_a_package():
    stray = [path for path in INSIDE if path.suffix == ".py" and name_of(path.parent) not in PACKAGES]
    assert stray == []


def test_every_data_file_is_installed():
    covered = {
        path
        for package, globs in DATA.items()
        for pattern in globs
        for path in ROOT.joinpath(*package.split(".")[1:]).glob(pattern)
    }
    data = {path for path in INSIDE if path.suffix not in (".py", ".pyc") and path.parent != ROOT}
    assert len(data) >= 10
    assert {path.relative_to(ROOT) for path in data - covered} == set()


def test_every_glob_covers_something():
    assert DATA
    assert all(DATA.values())
    for package, globs in DATA.items():
        for pattern in globs:
            assert list(ROOT.joinpath(*package.split(".")[1:]).glob(pattern)), f"{package}: {pattern}"


def sources():
    """Return the text files that git knows, or all of the tree where there is no git."""
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    listed = [ROOT / name for name in done.stdout.decode().split("\0") if name] if not done.returncode else []
    paths = [path for path in listed if path.is_file()] or INSIDE
    for path in paths:
        if path.suffix in (".py", ".md", ".toml", ".csv", ".cff", ""):
            yield path, path.read_text(encoding="utf-8")


# put together here, so that this file does not hold what it looks for
PLACES = "|".join([*(f"/{word}/" for word in ("work", "tmp", "root", "home")), r"\." + "library/"])
HOSTS = "|".join([r"pypi\." + "org", r"files\." + "pythonhosted", "local" + "host", r"conda\." + "anaconda"])


@pytest.mark.parametrize("pattern", [PLACES, HOSTS], ids=["places", "hosts"])
def test_no_text_speaks_of_the_place_it_was_written_at(pattern):
    texts = list(sources())
    assert len(texts) > 80
    found = [f"{path.relative_to(ROOT)}: {m[0]}" for path, text in texts if (m := re.search(pattern, text))]
    assert found == []


def test_one_helper_and_the_script_of_ci_know_the_folder_beside_the_repository():
    folder = "sha" + "red"
    named = rf"""["/]{folder}(?=["/])"""
    found = {path.relative_to(ROOT).as_posix() for path, text in sources() if re.search(named, text)}
    assert found == {"tests/helpers/shared.py", ".ci/run"}
