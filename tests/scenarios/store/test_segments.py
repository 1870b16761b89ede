"""Proofs of the segments: a run stopped anywhere goes on from its last complete segment."""

import subprocess
import sys
import time

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oncolattice.abm.errors import InputError
from oncolattice.scenarios import store
from oncolattice.tests.helpers.store_cases import (
    KEY,
    assert_same,
    assert_same_snapshot,
    finish,
    header,
    make_checkpoint,
    make_rows,
    make_snapshot,
    same,
    write_segments,
)


@given(
    st.dictionaries(
        st.text("abcXYZ_0 µ", min_size=1, max_size=8),
        st.one_of(
            st.floats(allow_nan=False),
            st.integers(-(2**130), 2**130),
            st.lists(st.integers(0, 2**64 - 1), max_size=5).map(lambda x: np.array(x, dtype=np.uint64)),
            st.lists(st.floats(allow_nan=False), max_size=5).map(lambda x: np.array(x, dtype=np.float64)),
        ),
        max_size=5,
    )
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_checkpoint_survives_a_segment(tmp_path, checkpoint):
    folder = tmp_path / "any.parts"
    store.discard_segments(folder)
    store.SegmentWriter(folder, header()).append(make_rows(1), [], checkpoint)
    assert_same(store.load_segments(folder, KEY).checkpoint, checkpoint)


def test_merged_file_is_the_concatenation_of_its_segments(tmp_path):
    path = store.run_path(tmp_path, "mcrc_tas102", KEY)
    parts = store.parts_folder(path)
    assert (path.name, parts.name) == ("mcrc_tas102-0123456789ab.h5", "mcrc_tas102-0123456789ab.parts")
    write_segments(parts, 4)
    resumed = store.load_segments(parts, KEY)
    store.finish_run(path, header(), resumed.rows, resumed.snapshots, resumed.checkpoint)
    pieces = [make_rows(3, 3 * i) for i in range(4)]
    record = store.open_run(path)
    assert same(record.count, np.concatenate([rows["count"] for rows in pieces]))
    assert same(record.body["Treg"], np.concatenate([rows["body"][:, 1] for rows in pieces]))
    assert [snapshot.time_days for snapshot in record.snapshots] == [0.0, 2.0]
    assert_same_snapshot(record.snapshots[1], make_snapshot(2.0))
    assert_same(store.read_checkpoint(path), make_checkpoint(3))
    assert (parts.exists(), resumed.warnings) == (False, [])


@given(st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_truncated_or_damaged_last_segment_gives_way_to_the_one_before(tmp_path, data):
    folder = tmp_path / "mcrc.parts"
    store.discard_segments(folder)
    write_segments(folder, 3)
    last = folder / "000002.h5"
    whole = last.read_bytes()
    if data.draw(st.booleans(), label="cut"):
        last.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    else:
        place = data.draw(st.integers(512, len(whole) - 1))
        flipped = whole[place] ^ (1 << data.draw(st.integers(0, 7)))
        last.write_bytes(whole[:place] + bytes([flipped]) + whole[place + 1 :])
    resumed = store.load_segments(folder, KEY)
    assert len(resumed.warnings) == 1
    assert "000002.h5" in resumed.warnings[0]
    assert_same(resumed.checkpoint, make_checkpoint(1))
    assert same(resumed.rows["time"], np.arange(6) / 4.0)
    writer = store.SegmentWriter(folder, header(), resumed.next_segment)
    writer.append(make_rows(3, 6), [make_snapshot(2.0)], make_checkpoint(2))
    assert last.read_bytes() == whole  # the rewritten segment is the lost one, byte for byte


def test_killed_writer_leaves_only_complete_segments(tmp_path):
    child = (
        "import sys, itertools; from oncolattice.tests.helpers import store_cases as t\n"
        "writer = t.store.SegmentWriter(sys.argv[1], t.header())\n"
        "print('ready', flush=True)\n"
        "for i in itertools.count():\n"
        "    writer.append(t.make_rows(3, 3 * i), [], t.make_checkpoint(i))\n"
    )
    for attempt in range(3):
        folder = tmp_path / f"{attempt}.parts"
        command = [sys.executable, "-c", child, str(folder)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout.readline() == b"ready\n"
            while not (folder / "000001.h5").exists():
                time.sleep(0.001)
            time.sleep(0.0037 * attempt)
            process.kill()
        resumed = store.load_segments(folder, KEY)
        assert resumed.warnings == []
        assert_same(resumed.checkpoint, make_checkpoint(resumed.next_segment - 1))
        assert same(resumed.rows["time"], np.arange(3 * resumed.next_segment) / 4.0)


def test_foreign_segments_are_refused(tmp_path):
    write_segments(tmp_path / "a", 2, header(run_key="f" * 64))
    with pytest.raises(InputError, match="run key ffffffffffff, not 0123456789ab"):
        store.load_segments(tmp_path / "a", KEY)
    write_segments(tmp_path / "b", 1)
    (tmp_path / "b" / "000001.h5").write_bytes((finish(tmp_path / "c")).read_bytes())
    with pytest.raises(InputError, match="not a segment of this run"):
        store.load_segments(tmp_path / "b", KEY)
    with pytest.raises(InputError, match="no interrupted run to resume"):
        store.load_segments(tmp_path / "nothing", KEY)


def test_segments_after_a_gap_or_without_a_good_start(tmp_path):
    write_segments(tmp_path, 4)
    (tmp_path / "000001.h5").unlink()
    resumed = store.load_segments(tmp_path, KEY)
    assert (resumed.next_segment, len(resumed.rows["time"]), len(resumed.warnings)) == (1, 3, 1)
    (tmp_path / "000000.h5").write_bytes(b"")
    with pytest.raises(InputError, match="no readable segment"):
        store.load_segments(tmp_path, KEY)


def test_new_run_does_not_overwrite_an_interrupted_one(tmp_path):
    write_segments(tmp_path, 2)
    with pytest.raises(InputError, match="--resume"):
        store.SegmentWriter(tmp_path, header())
    assert store.load_segments(tmp_path, KEY).next_segment == 2
