"""Every library file with one thing in it changed is valid or refused in a sentence; nothing else is raised."""

import copy
import json
import tomllib
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oncolattice.abm.errors import InputError
from oncolattice.scenarios.command.check import check_file
from oncolattice.scenarios.command.describe import describe_text

ROOT = Path(__file__).resolve().parents[3]
FOLDERS = ("abm/models", "ode_coupling/pk/drugs", "scenarios/library")
FILES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.toml"))
VALUES = [
    *(0, 1, -1, 0.5, 1e300, -1e300, 1e-300, 5e-324, 10**15, 2**63 - 1, -(2**63), True, False),
    *("", " ", "x", "1/0", "nan", "2**9999", "((1))", "$\\alpha{}%s", "a\nb", "é\U0001f600", "../x.toml"),
    *("/dev/zero", "x" * 300, [], [1], ["a"], [[1]], [{}], {}, {"a": 1}, {"value": 1}),
]


def written(value):
    """Return a value as TOML."""
    match value:
        case bool():
            return str(value).lower()
        case str():
            return json.dumps(value, ensure_ascii=False)
        case list():
            return f"[{', '.join(map(written, value))}]"
        case dict():
            return f"{{ {', '.join(f'{written(key)} = {written(part)}' for key, part in value.items())} }}"
    return repr(value)


def places(value, path=()):
    """Yield the path of every key and every element of a list."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in parts:
        yield (*path, key)
        yield from places(part, (*path, key))


def mutated(data):
    """Return the name and the text of a library file in which one place is changed, renamed or gone."""
    file = data.draw(st.sampled_from(FILES))
    tables = copy.deepcopy(tomllib.loads(file.read_text(encoding="utf-8")))
    path = data.draw(st.sampled_from(list(places(tables))))
    node = tables
    for key in path[:-1]:
        node = node[key]
    change = data.draw(st.sampled_from(["value", "value", "value", "scale", "gone", "name"]))
    old = node[path[-1]]
    if change == "gone":
        del node[path[-1]]
    elif change == "name" and isinstance(node, dict):
        node[data.draw(st.sampled_from([f"{path[-1]}x", f"{path[-1]} ", ""]))] = node.pop(path[-1])
    elif change == "scale" and type(old) in (int, float):
        node[path[-1]] = old * data.draw(st.sampled_from([-1, 1e-9, 1e-3, 1e3, 1e9, 1e30]))
    else:
        node[path[-1]] = data.draw(st.sampled_from(VALUES))
    return file.name, "".join(f"{written(key)} = {written(part)}\n" for key, part in tables.items())


def try_one(data, folder):
    name, text = mutated(data)
    (folder / name).write_text(text, encoding="utf-8")
    assert all("\n" not in problem or "^" in problem for problem in check_file(folder / name))
    with suppress(InputError):
        assert describe_text(str(folder / name), False)


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_a_changed_file_is_valid_or_refused(tmp_path_factory, data):
    try_one(data, tmp_path_factory.mktemp("mutated"))


@pytest.mark.slow
@settings(max_examples=3000, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_a_file_changed_anywhere_is_valid_or_refused(tmp_path_factory, data):
    try_one(data, tmp_path_factory.getbasetemp())
