"""Read a study: the arms, patients, seeds and sweeps of a batch."""

import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...abm.compile.keys import tables_of
from ...abm.compile.model_file import check_keys, find_file, read_toml
from ...abm.errors import InputError, unknown_word
from .inputs import settle_setting
from .keys import STUDY_KEYS
from .limits import check_runs
from .scenario import LIBRARY, library_scenarios, load_scenario
from .sweep import Point, cross, read_sweeps


@dataclass
class Study:
    """A study: every arm is run for every patient at every point of the sweeps.

    Attributes
    ----------
    name, title : str
    arms : list of str
        Scenarios, by library name or path.
    patients : int
        Patients an arm; patient k has the same body and the same seed in all arms.
    seed : int
        Seed of patient 1; patient k runs with ``seed + k - 1``.
    settings : list of str
        ``key=value[unit]``, applied to every run.
    ode_only_patients : int
        Patients an arm of the ODE-only comparison; 0 for none.
    replicates : int
        Seeds a patient; 0 where none were asked for, which means one.
    points : list of Point
        Combinations of the sweeps: pairs of name and value as ``--set`` takes them; one empty point without.
    """

    name: str
    title: str
    arms: list[str]
    patients: int = 1
    seed: int = 1
    settings: list[str] = field(default_factory=list)
    ode_only_patients: int = 0
    replicates: int = 0
    points: list[Point] = field(default_factory=lambda: [()])


def library_studies() -> list[str]:
    """Return the names of the studies that ship with the package."""
    return sorted(p.stem for p in LIBRARY.glob("*.toml") if "study" in read_toml(p)[0])


def load_study(name_or_path: str) -> Study:
    """Return a study; a bare scenario is a study of one arm and one patient.

    Parameters
    ----------
    name_or_path : str
        Library name or path of a study or scenario file.

    Raises
    ------
    InputError
        Unknown study, section or key, a number out of bounds, or an arm that cannot be loaded.
    """
    names = [*library_studies(), *library_scenarios()]
    path = find_file(str(name_or_path), LIBRARY, names, "study or scenario")
    tables, _ = read_toml(path)
    if "scenario" in tables:
        scenario = load_scenario(str(name_or_path))
        return Study(scenario.name, scenario.tables["scenario"]["title"], [_arm(str(name_or_path), Path())])
    return _read_study(tables, path)


def _read_study(tables: Mapping[str, Any], path: Path) -> Study:
    where = f"{path.name} [study]"
    for section in tables:
        if section not in STUDY_KEYS:
            raise unknown_word("section", section, STUDY_KEYS, path.name)
    if "study" not in tables:
        raise InputError(f"{path}: a study file needs a [study] table; see docs/format.md")
    table = tables["study"]
    check_keys(table, STUDY_KEYS["study"], where)
    arms = table["arms"]
    if not arms:
        raise InputError(f"{where}: 'arms' must be a list of one or more scenarios, got {arms!r}")
    if len(set(arms)) < len(arms):
        raise InputError(f"{where}: an arm is listed twice in {arms!r}; give each scenario once")
    settings = [
        settle_setting(setting, path.parent)
        for setting in _settings(table.get("settings", {}), "", f"{where} settings")
    ]
    found = [_arm(arm, path.parent) for arm in arms]
    scenarios = [load_scenario(arm, settings).name for arm in found]
    if len(set(scenarios)) < len(scenarios):
        raise InputError(f"{where}: two arms are scenarios of one name ({', '.join(scenarios)}); rename one")
    sweeps = [
        [_settled(point, path.parent) for point in points]
        for points in read_sweeps(tables_of(tables, "sweep", path.name), path)
    ]
    for number, points in enumerate(sweeps, start=1):
        _check_names(points[0], found, settings, f"{path.name} [[sweep]] {number}")
    combinations = math.prod(len(points) for points in sweeps)
    check_runs(table["patients"], table.get("replicates", 0), combinations, len(found))
    return Study(
        table["name"],
        table["title"],
        found,
        table["patients"],
        table["seed"],
        settings,
        table.get("ode_only_patients", 0),
        table.get("replicates", 0),
        cross(sweeps),
    )


def _settled(point: Point, folder: Path) -> Point:
    """Return a point with the paths of the files that it names."""
    return tuple((name, settle_setting(f"{name}={value}", folder).partition("=")[2]) for name, value in point)


def _check_names(point: Point, arms: list[str], settings: list[str], where: str) -> None:
    """Refuse a name that some arm does not know, with the nearest that it does."""
    for name, _ in point:
        if any(setting.partition("=")[0].removeprefix("parameters.") == name for setting in settings):
            raise InputError(f"{where}: '{name}' is set in [study] settings, too; name it in one place")
    for arm in arms:
        try:
            load_scenario(arm, [*settings, *(f"{name}={value}" for name, value in point)])
        except InputError as error:
            raise InputError(f"{where}, arm {arm}: {str(error).removeprefix('--set').lstrip(' :')}") from None


def _arm(name: str, folder: Path) -> str:
    """Return what finds a scenario from anywhere: its library name, or the path of a file."""
    path = find_file(name, LIBRARY, library_scenarios(), "scenario", folder)
    return name if path.parent == LIBRARY else os.path.abspath(path)


def _settings(table: Mapping[str, Any], prefix: str, where: str) -> Iterator[str]:
    """Yield ``key=value``; a dotted key of TOML, such as lattice.rows, is a nested table."""
    for key, value in table.items():
        match value:
            case dict():
                yield from _settings(value, f"{prefix}{key}.", where)
            case bool():
                raise InputError(f"{where}: '{prefix}{key}' must be a number, text or list, got {value!r}")
            case list():
                yield f"{prefix}{key}={','.join(str(part) for part in value)}"
            case _:
                yield f"{prefix}{key}={value}"
