"""Many runs of few arms in one file: counts in time, outcomes and digests, one group an arm."""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from ...abm.errors import InputError
from .file import (
    KINDS,
    REPLICATES_FORMAT,
    as_scale,
    file_image,
    opened,
    publish,
    read_array,
    read_text,
    text_attribute,
    unlocked,
    write_array,
    write_text,
)
from .guard import reading

REPLICATES_FILE = "replicates.h5"
TWIN_FILE = "well_mixed.h5"  # the patients of a study without a lattice
REPLICATES_VERSION = 1
NOT_RECORDED = -1  # count after the end of a run
_WHOLE = ("seed", "count", "events")
_HEX = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Replicate:
    """One run of an arm without a file of its own.

    Attributes
    ----------
    seed : int
    run_key : str
        Key of the run; a run file of this scenario and seed has the same.
    time_days : ndarray of float64, shape (time,)
    count : ndarray of int64, shape (time, type)
    control : ndarray of float64, shape (time,)
        Body signal that the controller sets; NaN without one.
    events : ndarray of int64, shape (event,)
        How often each event happened.
    digest : str
        Of the final state; that of a run file is the same.
    outcome : dict
        What became of it, by name: text, whole numbers, numbers or None.
    """

    seed: int
    run_key: str
    time_days: np.ndarray
    count: np.ndarray
    control: np.ndarray
    events: np.ndarray
    digest: str
    outcome: dict[str, Any]


@dataclass
class ArmRuns:
    """The replicates of one arm.

    Attributes
    ----------
    key : str
        64 digits: what decides the replicates, without the seed.
    about : dict of str to str
        ``scenario``, ``arm``, ``title``, and provenance.
    types, events : list of str
    runs : dict of int to Replicate
        By seed.
    """

    key: str
    about: dict[str, str]
    types: list[str]
    events: list[str]
    runs: dict[int, Replicate]


def write_replicates(path: Path, arms: Mapping[str, ArmRuns]) -> None:
    """Write all arms as one file, complete or absent.

    Raises
    ------
    InputError
        The file cannot be written; what was there stays.
    """

    def write(file: h5py.File) -> None:
        file.attrs.update(format=REPLICATES_FORMAT, schema_version=REPLICATES_VERSION)
        for arm in arms.values():
            if arm.runs:
                _write_arm(file.create_group(f"{arm.about['scenario']}-{arm.key[:12]}"), arm)

    publish(path, file_image(write))


def _write_arm(group: h5py.Group, arm: ArmRuns) -> None:
    runs = [arm.runs[seed] for seed in sorted(arm.runs)]
    days = np.unique(np.concatenate([run.time_days for run in runs]))
    count = np.full((len(runs), len(days), len(arm.types)), NOT_RECORDED, np.int64)
    control = np.full((len(runs), len(days)), np.nan)
    for i, run in enumerate(runs):
        at = np.searchsorted(days, run.time_days)
        count[i, at], control[i, at] = run.count, run.control
    group.attrs.update({"key": arm.key, **arm.about})
    seed = as_scale(write_array(group, "seed", np.array([run.seed for run in runs], np.int64), units="1"))
    time = as_scale(write_array(group, "time", days, units="d"))
    kind = as_scale(write_text(group, "type", arm.types))
    event = as_scale(write_text(group, "event", arm.events))
    fill = {"units": "1", "_FillValue": np.int64(NOT_RECORDED)}
    write_array(group, "count", count, (seed, time, kind), (len(runs), len(days), 1), **fill)
    write_array(group, "control", control, (seed, time), control.shape, units="1")
    events = np.array([run.events for run in runs]).reshape(len(runs), len(arm.events))
    write_array(group, "events", events, (seed, event), events.shape, units="1")
    for name in ("run_key", "digest"):
        write_text(group, name, [getattr(run, name) for run in runs], (seed,))
    found = group.create_group("outcome")
    for name in runs[0].outcome:
        values = [run.outcome[name] for run in runs]
        if isinstance(values[0], str):
            write_text(found, name, values, (seed,))
        else:
            whole = all(isinstance(value, int) for value in values)
            numbers = np.array([np.nan if v is None else v for v in values], np.int64 if whole else float)
            write_array(found, name, numbers, (seed,), units="d" if name.endswith("days") else "1")


def read_replicates(path: Path) -> dict[str, ArmRuns]:
    """Return all arms of a file by their keys; none if there is no file.

    Raises
    ------
    InputError
        The file is damaged, foreign or of another version.
    """
    if not path.exists():
        return {}
    with opened(path, REPLICATES_FORMAT) as file:
        if file.attrs["schema_version"] != REPLICATES_VERSION:
            raise InputError(
                f"{path}: schema version {file.attrs['schema_version']}, this oncolattice reads "
                f"{REPLICATES_VERSION}; move the file away, or choose another --out folder"
            )
        arms = [_read_arm(group) for group in file.values()]
    return {arm.key: arm for arm in arms}


def _read_arm(group: h5py.Group) -> ArmRuns:
    about = {name: str(value) for name, value in group.attrs.items()}
    key = about.pop("key")
    data = {name: read_array(group, name) for name in ("seed", "time", "count", "control", "events")}
    types, events = read_text(group, "type"), read_text(group, "event")
    keys, digests = read_text(group, "run_key"), read_text(group, "digest")
    outcome = {name: _plain(found) for name, found in group["outcome"].items()}
    seeds, times = len(data["seed"]), len(data["time"])
    shapes = {
        **{"seed": (seeds,), "time": (times,), "count": (seeds, times, len(types))},
        **{"control": (seeds, times), "events": (seeds, len(events))},
    }
    for name, shape in shapes.items():
        if data[name].shape != shape or (name in _WHOLE and data[name].dtype.kind not in "iu"):
            raise ValueError(f"{group.name}/{name} has not the shape {shape}, or no whole numbers")
    if (
        missing := {"scenario", "arm", "title", "scenario_text", "user_parameters", "model_text"}
        - about.keys()
    ):
        raise ValueError(f"{group.name} lacks the attributes {', '.join(sorted(missing))}")
    runs = {}
    for i, seed in enumerate(data["seed"].tolist()):
        there = data["count"][i, :, 0] != NOT_RECORDED
        runs[seed] = Replicate(
            seed,
            keys[i],
            data["time"][there],
            data["count"][i, there],
            data["control"][i, there],
            data["events"][i],
            digests[i],
            {name: values[i] for name, values in outcome.items()},
        )
    return ArmRuns(key, about, types, events, runs)


def _plain(found: h5py.Dataset) -> list[Any]:
    if found.dtype.kind == "O":
        return [str(word) for word in found.asstr()[...]]
    return [None if value != value else value for value in found[...].tolist()]


def is_replicates(path: Path) -> bool:
    """Return whether a file says that it holds replicates."""
    with suppress(InputError), reading(path, KINDS[REPLICATES_FORMAT]), unlocked(path) as file:
        return text_attribute(file, "format") == REPLICATES_FORMAT
    return False


def check_replicates(path: Path) -> list[str]:
    """Return what is wrong with a file of replicates, one sentence each; nothing if it is valid.

    Raises
    ------
    InputError
        The file is damaged, foreign or of another version.
    """
    problems = []
    for arm in read_replicates(path).values():
        name = f"{arm.about['scenario']}-{arm.key[:12]}"
        for seed, run in arm.runs.items():
            where = f"/{name} seed {seed}"
            if not (_HEX.fullmatch(run.digest) and _HEX.fullmatch(run.run_key)):
                problems.append(f"{where}: digest and run_key must be 64 hexadecimal digits")
            if not run.time_days.size or run.time_days[-1] != run.outcome.get("days"):
                problems.append(f"{where}: the last record is not the end of the run")
            if (run.count < 0).any() or (run.events < 0).any():
                problems.append(f"{where}: negative counts")
    return problems
