"""A run file never leads its reader out of itself, nor to memory that its bytes cannot fill."""

import fcntl
import os
import resource
import shutil
from contextlib import suppress
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oncolattice.abm.errors import InputError
from oncolattice.scenarios import store
from oncolattice.scenarios.store.guard import Unavailable
from oncolattice.scenarios.store.index import index_folder, read_entry
from oncolattice.scenarios.store.replicates import is_replicates, read_replicates
from oncolattice.tests.helpers.store_cases import finish

READERS = (store.open_run, store.read_checkpoint, store.check_run)


@pytest.fixture(scope="module")
def run_file(tmp_path_factory):
    return finish(tmp_path_factory.mktemp("run"), outcome={"days": 2.75})


def replaced(name, make):
    """Return a change that puts what ``make(group, name)`` makes in the place of an object."""

    def change(file):
        group, _, last = name.rpartition("/")
        parent = file[group or "/"]
        del parent[last]
        make(parent, last)

    return change


def external_storage(group, name):
    secret = Path(group.file.filename).with_name("secret")
    secret.write_bytes(bytes(range(1, 97)))
    group.create_dataset(name, (12,), "f8", external=[(str(secret), 0, 96)])


def external_link(group, name):
    other = Path(group.file.filename).with_name("other.h5")
    with h5py.File(other, "w") as file:
        file["x"] = np.arange(12.0)
    group[name] = h5py.ExternalLink(other, "/x")


def soft_link(group, name):
    group[name] = h5py.SoftLink("/series/time")


def virtual(group, name):
    layout = h5py.VirtualLayout((12,), "f8")
    layout[:] = h5py.VirtualSource(str(Path(group.file.filename).with_name("other.h5")), "x", (12,))
    group.create_virtual_dataset(name, layout)


def unallocated(group, name):
    group.create_dataset(name, (1, 2, 100_000, 100_000), "u1", chunks=(1, 1, 1000, 1000), compression="gzip")


def without_chunks(group, name):
    made = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    made.set_alloc_time(h5py.h5d.ALLOC_TIME_LATE)
    space = h5py.h5s.create_simple((10**6, 10**6, 10**3))
    h5py.h5d.create(group.id, name.encode(), h5py.h5t.NATIVE_DOUBLE, space, made)


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(
    ("where", "make", "reason"),
    [
        ("series/tumour_volume", external_storage, "keeps its numbers outside the file"),
        ("series/tumour_volume", external_link, "is a link"),
        ("series/tumour_volume", soft_link, "is a link"),
        ("checkpoint", external_link, "is a link"),
        ("series/tumour_volume", virtual, "keeps its numbers outside the file"),
        ("snapshots/occupancy", unallocated, "claims 20000000000 bytes"),
        ("checkpoint/uid", without_chunks, "claims 8000000000000000 bytes"),
        ("types/id", lambda group, name: group.create_dataset(name, data=h5py.Empty("i8")), "is empty"),
        ("types/id", lambda group, name: group.__setitem__(name, np.dtype("i8")), "neither group nor array"),
    ],
)
def test_nothing_outside_the_file_and_no_empty_claim_is_read(tmp_path, run_file, where, make, reason, reader):
    path = shutil.copy(run_file, tmp_path / "run.h5")
    with h5py.File(path, "a") as file:
        replaced(where, make)(file)
    with pytest.raises(InputError, match=reason):
        reader(path)


def test_memory_is_asked_for_before_it_is_taken(run_file, monkeypatch):
    monkeypatch.setattr("oncolattice.scenarios.store.guard.available_memory", lambda: 10.0)
    for reader in READERS:
        with pytest.raises(Unavailable, match=r"takes .* GB"):
            reader(run_file)


STRANGE = {
    "text": np.array(["a", "b"], dtype=h5py.string_dtype()),
    "scalar": np.float64(1.0),
    "one": np.array([1.0]),
    "none": np.zeros((0, 3)),
    "cube": np.ones((2, 2, 2)),
    "complex": np.ones(12, complex),
    "records": np.zeros(12, [("a", "i4"), ("b", "f8")]),
    "negative": np.full((12, 3), -7),
    "huge": np.array([2**64 - 1], np.uint64),
    "bytes": np.void(b"\x00\x01"),
}


def every_name(path):
    names = []
    with h5py.File(path, "r") as file:
        file.visit(names.append)
        return names, list(file.attrs)


def harmed(source, target, data):
    """Copy a run file with one object, attribute or some bytes changed."""
    names, attributes = every_name(source)
    kind = data.draw(st.sampled_from(["bytes", "object", "gone", "attribute", "attribute gone", "cut"]))
    if kind in ("bytes", "cut"):
        content = bytearray(source.read_bytes())
        if kind == "cut":
            target.write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])
            return
        for _ in range(data.draw(st.integers(1, 20))):
            content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
        target.write_bytes(content)
        return
    shutil.copy(source, target)
    with h5py.File(target, "a") as file:
        if kind.startswith("attribute"):
            name = data.draw(st.sampled_from(attributes))
            del file.attrs[name]
            if kind == "attribute":
                file.attrs[name] = STRANGE[data.draw(st.sampled_from(sorted(STRANGE)))]
            return
        name = data.draw(st.sampled_from(names))
        del file[name]
        if kind == "object":
            if data.draw(st.booleans()):
                file.create_group(name)
            else:
                file[name] = STRANGE[data.draw(st.sampled_from(sorted(STRANGE)))]


@given(st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_harmed_run_file_is_read_or_refused(tmp_path, run_file, data):
    """Whatever is changed in it, each reader returns or raises InputError: never anything else."""
    path = tmp_path / "harmed.h5"
    path.unlink(missing_ok=True)
    harmed(run_file, path, data)
    for reader in (*READERS, read_entry, is_replicates, read_replicates):
        with suppress(InputError):
            reader(path)


def test_a_run_that_is_open_elsewhere_is_read_all_the_same(tmp_path, run_file):
    path = Path(shutil.copy(run_file, tmp_path / "run.h5"))
    with h5py.File(path, "a"):
        assert store.check_run(path) == []
        assert store.open_run(path).time_days.tolist() == store.open_run(run_file).time_days.tolist()
        assert [*index_folder(tmp_path)[0]] == ["run.h5"]


def test_a_run_that_is_being_written_elsewhere_is_not_called_damaged(tmp_path, run_file):
    path = tmp_path / "run.h5"
    path.write_bytes(run_file.read_bytes()[:-1000])
    with path.open("rb+") as writer:
        fcntl.flock(writer, fcntl.LOCK_EX)
        for reader in READERS:
            with pytest.raises(Unavailable, match="open in another program"):
                reader(path)
        assert isinstance(index_folder(tmp_path)[1]["run.h5"], Unavailable)
    assert not isinstance(index_folder(tmp_path)[1]["run.h5"], Unavailable)


def test_pipes_and_devices_in_a_folder_of_runs_are_passed_by(tmp_path, run_file):
    shutil.copy(run_file, tmp_path / "run.h5")
    os.mkfifo(tmp_path / "pipe.h5")
    os.mkfifo(tmp_path / "index.csv")
    (tmp_path / "null.h5").symlink_to("/dev/zero")
    assert [path.name for path in store.find_runs(tmp_path)] == ["run.h5"]
    entries, refused = index_folder(tmp_path)
    assert [*entries] == ["run.h5"]
    assert not refused
    with pytest.raises(Unavailable, match="pipe or device"):
        store.open_run(tmp_path / "pipe.h5")


def test_the_readers_stay_within_little_memory(tmp_path, run_file):
    """The claims above cost no memory: the peak of this process does not rise by a hundredth of what they claim."""
    path = shutil.copy(run_file, tmp_path / "run.h5")
    with h5py.File(path, "a") as file:
        replaced("snapshots/occupancy", unallocated)(file)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for reader in READERS:
        with pytest.raises(InputError):
            reader(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # of 20,000,000 kB
