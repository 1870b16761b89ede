"""Proofs of the run store: every bit comes back, and nothing half-written is ever taken for whole."""

import hashlib
import math
import os
import resource
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oncolattice.abm.errors import InputError
from oncolattice.scenarios import store
from oncolattice.scenarios.store.snapshots import round_mantissa
from oncolattice.tests.helpers.store_cases import (
    BODY,
    EVENTS,
    FIELDS,
    KEY,
    SHAPE,
    SPECIES,
    assert_same,
    assert_same_snapshot,
    finish,
    header,
    make_checkpoint,
    make_rows,
    make_snapshot,
    same,
    twelve_bits,
    write_segments,
)


@pytest.fixture(scope="module")
def run_file(tmp_path_factory):
    return finish(tmp_path_factory.mktemp("finished"))


def test_every_piece_of_a_run_comes_back(run_file):
    head, rows, record = header(), make_rows(12), store.open_run(run_file)
    for name in ("scenario", "arm", "patient", "seed", "area_mm2", "weights", "types", "doses", "parameters"):
        assert getattr(record, name) == head[name], name
    assert [type(row["value"]) for row in record.parameters] == [float, int, str]
    assert same(record.time_days, rows["time"])
    assert same(record.count, rows["count"])
    assert same(record.tumour_volume_cm3, rows["tumour_volume"])
    for table, key, names in (
        (record.body, "body", BODY),
        (record.field_mean, "field_mean", FIELDS),
        (record.events, "event", EVENTS),
        (record.ledger, "ledger", SPECIES),
    ):
        assert_same(table, {name: rows[key][:, i].copy() for i, name in enumerate(names)})
    assert record.body_units == {"V_C": "cm3", "Treg": "cell/L", "drug": "nM"}
    assert record.field_units == {"oxygen": "nM", "VEGF": "nM"}
    assert len(record.snapshots) == 2
    for found, day in zip(record.snapshots, (0.0, 56.0), strict=True):
        assert_same_snapshot(found, make_snapshot(day))
    tables = {"types", "parameters", "weights", "doses", "columns", "units"}
    expected = {name: value for name, value in head.items() if name not in tables}
    digest = store.state_digest(make_checkpoint())
    expected |= {"format": "oncolattice-run", "schema_version": 1, "digest": digest}
    assert record.attributes == expected
    assert store.open_run(run_file, snapshots=False).snapshots == ()
    assert store.check_run(run_file) == []


def test_checkpoint_comes_back_bit_for_bit(run_file):
    assert_same(store.read_checkpoint(run_file), make_checkpoint())


def test_xarray_opens_series_with_coordinates_and_units(run_file):
    rows = make_rows(12)
    with xr.open_dataset(run_file, group="series", engine="h5netcdf") as data:
        assert data["body"].dims == ("time", "body_state")
        assert data["count"].dims == ("time", "type")
        assert data["events"].dims == ("time", "event")
        assert data["time"].attrs["units"] == "d"
        assert data["tumour_volume"].attrs["units"] == "cm3"
        assert data["field_mean"].attrs["units"] == "nM"
        assert data["body_unit"].sel(body_state="Treg").item() == "cell/L"
        assert [
            name for name in data.data_vars if data[name].dtype.kind in "if" and not data[name].units
        ] == []
        np.testing.assert_array_equal(data["count"].sel(type="CTL"), rows["count"][:, 2])
        np.testing.assert_array_equal(data["body"].sel(body_state="drug", time=0.25), rows["body"][1, 2])
    with xr.open_dataset(run_file, group="snapshots", engine="h5netcdf") as data:
        assert data["x_um"].values.tolist() == [10.0, 30.0, 50.0, 70.0, 90.0]
        layer = data["occupancy"].sel(time=56.0, layer="immune")
        np.testing.assert_array_equal(layer, make_snapshot(56.0).layers["immune"])


@given(st.data())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_truncated_run_file_is_refused(tmp_path, run_file, data):
    whole = run_file.read_bytes()
    cut = tmp_path / "cut.h5"
    cut.write_bytes(whole[: data.draw(st.integers(1, len(whole) - 1))])
    for read in (store.open_run, store.read_checkpoint, store.check_run):
        with pytest.raises(InputError, match=r"not a readable run file.*move it aside"):
            read(cut)


def foreign_files(tmp_path):
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["x"] = 1.0
    (tmp_path / "text.h5").write_text("time,count\n0,1\n")
    (tmp_path / "empty.h5").touch()
    (tmp_path / "folder.h5").mkdir()
    return {
        "other.h5": "not an oncolattice run file",
        "text.h5": "not an oncolattice run file",
        "empty.h5": "not an oncolattice run file",
        "folder.h5": "is a folder",
        "missing.h5": "there is no such run file",
    }


@pytest.mark.parametrize("read", [store.open_run, store.read_checkpoint, store.check_run])
def test_foreign_files_are_refused_in_one_sentence(tmp_path, read):
    for name, reason in foreign_files(tmp_path).items():
        with pytest.raises(InputError, match=reason) as caught:
            read(tmp_path / name)
        assert name in str(caught.value)
        assert "\n" not in str(caught.value)


class Exploding:
    """An array that fails when the writer comes to it, as a lost disk or an interrupt would."""

    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("mid-write")


def test_failed_finish_leaves_no_file_and_keeps_the_segments(tmp_path):
    path = store.run_path(tmp_path, "mcrc_tas102", KEY)
    write_segments(store.parts_folder(path), 2)
    before = sorted(tmp_path.rglob("*"))
    broken = make_snapshot(0.0)
    broken.fields["VEGF"] = Exploding()
    broken.fields["VEGF"].shape = SHAPE  # passes the check of shapes, fails halfway through the file
    with pytest.raises(RuntimeError, match="mid-write"):
        store.finish_run(path, header(), make_rows(6), [broken], make_checkpoint())
    assert sorted(tmp_path.rglob("*")) == before


def test_a_file_gets_its_name_only_when_whole_and_on_the_disk(tmp_path, monkeypatch):
    events = []
    fsync, replace = os.fsync, os.replace

    def note_sync(handle):
        events.append(("fsync", os.fstat(handle).st_size))
        fsync(handle)

    def note_name(draft, path):
        events.append(("name", Path(draft).stat().st_size, path.exists()))
        replace(draft, path)

    monkeypatch.setattr(os, "fsync", note_sync)
    monkeypatch.setattr(os, "replace", note_name)
    size = finish(tmp_path).stat().st_size
    assert events[:2] == [("fsync", size), ("name", size, False)]
    assert len(events) == 3  # the folder itself is flushed last


def test_full_disk_leaves_nothing_half_written(tmp_path):
    path = store.run_path(tmp_path, "mcrc_tas102", KEY)
    write_segments(store.parts_folder(path), 2)
    before = sorted(tmp_path.rglob("*"))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        with pytest.raises(InputError, match="cannot be written"):
            store.finish_run(path, header(), make_rows(6), [], make_checkpoint())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert sorted(tmp_path.rglob("*")) == before


def test_unwritable_folder_is_an_input_error(tmp_path):
    (tmp_path / "file").write_text("in the way")
    for start in (
        lambda: store.SegmentWriter(tmp_path / "file" / "a.parts", header()),
        lambda: finish(tmp_path / "file"),
    ):
        with pytest.raises(InputError, match=r"cannot be written .*--out"):
            start()
    if os.geteuid() != 0:  # the superuser may write anywhere
        tmp_path.chmod(0o500)
        with pytest.raises(InputError, match="cannot be written"):
            store.SegmentWriter(tmp_path / "a.parts", header())
        tmp_path.chmod(0o700)


def test_finished_runs_are_found_by_key_and_written_twice_alike(tmp_path):
    path = finish(tmp_path / "study" / "arm")
    first = path.read_bytes()
    assert finish(tmp_path / "study" / "arm").read_bytes() == first
    write_segments(tmp_path / "study" / "b-0123456789ff.parts", 1)
    (tmp_path / "study" / ".draft.h5").touch()
    earlier = tmp_path / "study" / "a.h5"
    earlier.write_bytes(first)
    assert store.find_runs(tmp_path) == [earlier, path]
    assert store.find_run(path.parent, KEY) == path
    assert store.find_run(path.parent, KEY[:12] + "0" * 52) is None
    assert store.find_run(tmp_path, KEY) is None
    with pytest.raises(InputError, match="no such folder"):
        store.find_runs(tmp_path / "nowhere")


def test_run_key_is_blake2b_of_canonical_json():
    text = b'{"resolved":{"dose":0.30000000000000004,"drug":{"a":[1,2],"b":null}},"results_version":3}'
    expected = hashlib.blake2b(text, digest_size=32).hexdigest()
    assert store.run_key({"drug": {"b": None, "a": (1, 2)}, "dose": 0.1 + 0.2}, 3) == expected
    assert (
        store.run_key({"drug": {"a": np.array([1, 2]), "b": None}, "dose": np.float64(0.1 + 0.2)}, 3)
        == expected
    )
    assert store.run_key({"drug": {"a": [1, 2], "b": None}, "dose": 0.3}, 3) != expected
    with pytest.raises(ValueError, match="not JSON compliant"):
        store.run_key({"dose": math.nan}, 3)


def test_digest_sees_one_bit_and_nothing_else():
    data = np.array([1.0, 2.0])
    text = b"x|array|f8(2,)|16\n" + data.tobytes() + b"y|int|i8()|8\n" + (7).to_bytes(8, "little")
    expected = hashlib.sha256(text).hexdigest()
    assert store.state_digest({"y": 7, "x": data, "_wall_s": 1.5}) == expected
    assert store.state_digest({"x": data.astype(">f8"), "y": 7}) == expected
    assert store.state_digest({"x": np.nextafter(data, 3.0), "y": 7}) != expected


@given(st.lists(st.floats(width=32, min_value=2.0**-126, max_value=2.0**127), min_size=1, max_size=20))
def test_fields_keep_twelve_bits_of_mantissa(numbers):
    values = np.array(numbers + [-x for x in numbers], dtype=np.float32)
    rounded = round_mantissa(values)
    assert same(rounded, twelve_bits(values))
    assert same(round_mantissa(rounded), rounded)


def break_digest(file):
    file["checkpoint/field"][0, 0, 0] += 1e-9


def break_unit(file):
    del file["series/body"].attrs["units"]


def break_number(file):
    file["series/tumour_volume"][3] = np.nan


def break_scale(file):
    file["series/count"].dims[1].detach_scale(file["series/type"])


def break_shape(file):
    del file["series/ledger"]
    file["series/ledger"] = np.zeros((2, 1))


def break_group(file):
    del file["doses"]


def break_version(file):
    file.attrs["schema_version"] = 2


def break_time(file):
    file["series/time"][3] = 0.0


def break_type(file):
    file["snapshots/occupancy"][0, 0, 0, 0] = 99


def break_attribute(file):
    del file.attrs["source_hash"]


@pytest.mark.parametrize(
    ("harm", "expected"),
    [
        (break_digest, "digest is not that of /checkpoint"),
        (break_unit, "/series/body: no units"),
        (break_number, "/series/tumour_volume: 1 numbers are not finite"),
        (break_scale, "/series/count: axis 1 has no dimension scale"),
        (break_shape, "/series/ledger: shape (2, 1), expected (12, 1)"),
        (break_group, "group /doses is missing"),
        (break_version, "schema_version is 2, expected 1"),
        (break_time, "/series/time: not increasing"),
        (break_type, "/snapshots/occupancy: unknown cell types [99]"),
        (break_attribute, "root attribute 'source_hash' is missing"),
    ],
)
def test_check_names_each_fault(tmp_path, run_file, harm, expected):
    path = tmp_path / "harmed.h5"
    path.write_bytes(run_file.read_bytes())
    with h5py.File(path, "r+") as file:
        harm(file)
    assert any(expected in problem for problem in store.check_run(path)), store.check_run(path)


@pytest.mark.parametrize("name", ["series/body", "series/ledger", "snapshots/fields", "snapshots/occupancy"])
def test_damaged_numbers_in_a_run_file_are_refused(tmp_path, run_file, name):
    with h5py.File(run_file) as file:
        place = file[name].id.get_chunk_info(0).byte_offset
    data = bytearray(run_file.read_bytes())
    data[place + 20] ^= 0xFF
    path = tmp_path / "rotten.h5"
    path.write_bytes(bytes(data))
    for read in (store.open_run, store.check_run):
        with pytest.raises(InputError, match="damaged"):
            read(path)


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("count", np.zeros((12, 2), dtype=np.int64), "shape"),
        ("count", np.zeros((12, 3)), "cannot hold"),
        ("body", np.zeros((11, 3)), "shape"),
    ],
)
def test_rows_that_do_not_fit_are_refused(tmp_path, key, value, reason):
    path = store.run_path(tmp_path, "mcrc_tas102", KEY)
    with pytest.raises(ValueError, match=reason):
        store.finish_run(path, header(), make_rows(12) | {key: value}, [], {})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/null").is_char_device(), reason="needs a device to write to")
@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("wall_seconds", '{"build": null}', "'wall_seconds': 'build' is of type NoneType"),
        ("progressed_on_day", "x", "'progressed_on_day' is of type str"),
        ("colour", "x", "colour of '.*' is 'x', not of the form #rrggbb"),
    ],
)
def test_words_where_numbers_and_colours_belong_are_refused(tmp_path, run_file, name, value, reason):
    path = tmp_path / "words.h5"
    path.write_bytes(run_file.read_bytes())
    with h5py.File(path, "r+") as file:
        if name == "colour":
            file["types/colour"][0] = value
        else:
            file.attrs[name] = value
    with pytest.raises(InputError, match=reason):
        store.open_run(path)


def test_what_is_no_file_is_written_to_and_stays_what_it_is(tmp_path):

    from oncolattice.scenarios.store.file import publish

    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    publish(tmp_path / "pipe", b"rows")
    assert os.read(reader, 10) == b"rows"
    os.close(reader)
    assert (tmp_path / "pipe").is_fifo()
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]
