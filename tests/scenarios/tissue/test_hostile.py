"""Tissue files that are damaged, too large, or not what they say: one sentence each."""

import functools
import gzip
import json
import os
import pathlib
import struct
import tempfile
import zlib
from contextlib import suppress

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from oncolattice.abm.errors import InputError, shortened
from oncolattice.abm.placement import place_table
from oncolattice.scenarios.store import guard
from oncolattice.scenarios.tissue import h5ad as tissue_h5ad
from oncolattice.scenarios.tissue import image as tissue_image
from oncolattice.scenarios.tissue import place as t
from oncolattice.scenarios.tissue import shield as tissue_shield
from oncolattice.scenarios.tissue import text as tissue_text
from oncolattice.scenarios.tissue.image import read_image, read_tiles
from oncolattice.tests.helpers.tissue_cases import LABELS, LAYERS, TYPES, grey_png, place

PLACED = {"a": "A", "t": "T"}
READERS = {".csv": t.read_cell_table, ".h5ad": t.read_cell_table, ".png": read_image, ".tif": read_image}


def refused(path, words, read=None):
    with pytest.raises(InputError, match=words) as caught:
        (read or READERS[path.suffix])(path)
    sentence = str(caught.value)
    assert sentence.isprintable()
    assert len(sentence) < 600


# --- what is read only as a regular file of bounded size --------------------------------------------------


@pytest.mark.parametrize("suffix", [*READERS, ".tiles"])
def test_pipes_devices_and_folders_are_refused_without_being_opened(tmp_path, suffix):
    read = READERS.get(suffix, read_tiles)
    os.mkfifo(pipe := tmp_path / f"pipe{suffix}")
    refused(pipe, "a pipe or device, not a", read)
    (device := tmp_path / f"device{suffix}").symlink_to("/dev/zero")
    refused(device, "a pipe or device, not a", read)
    (folder := tmp_path / f"folder{suffix}").mkdir()
    refused(folder, "a folder, not a", read)
    refused(tmp_path / f"none{suffix}", "there is no such", read)


def test_a_file_that_is_too_large_is_refused_before_it_is_read(tmp_path, monkeypatch):
    for suffix in (".csv", ".tiles"):
        (path := tmp_path / f"a{suffix}").touch()
        os.truncate(path, tissue_text.MOST_TEXT + 1)  # no block of it is on the disk
        refused(path, r"400 MB; a \w+.* may hold 400 MB", READERS.get(suffix, read_tiles))
    monkeypatch.setattr(tissue_text, "MOST_TEXT", 10_000)
    (path := tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"x,y,phenotype\n" * 1000))
    refused(path, "more than 0 MB when unpacked", t.read_cell_table)


def test_a_gzipped_table_is_the_table(tmp_path):
    text = b"x_um,y_um,phenotype\n1,2,a\n3,4,t\n"
    (plain := tmp_path / "a.csv").write_bytes(text)
    (packed := tmp_path / "a.csv.gz").write_bytes(gzip.compress(text))
    one, two = t.read_cell_table(plain), t.read_cell_table(packed)
    assert (one.x_um.tolist(), one.y_um.tolist(), one.phenotype) == (
        two.x_um.tolist(), two.y_um.tolist(), two.phenotype,
    )  # fmt: skip
    packed.write_bytes(gzip.compress(text)[:-6])
    refused(packed, "not a readable cell table", t.read_cell_table)


# --- text -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x,y,phenotype\n1e300,2,a\n", r"line 2: x is 1e\+300; positions lie within 1e\+09 of 0"),
        ("x,y,phenotype\n1,-inf,a\n", "line 2: y is '-inf', not a finite number"),
        ("x,y,phenotype\n1,2,a\n1,\x1b[31m2,a\n", r"line 3: y is '\\x1b\[31m2', not a finite number"),
        (f"x,y,phenotype\n1,2,{'a' * 300}\n", "line 2: phenotype holds a text of 300 characters"),
        (f"x,y,phenotype\n1,2,{'a' * 200_000}\n", "not a text table"),
        (",".join(f"c{i}" for i in range(5000)) + "\n1\n", "line 2: 1 values in 5000 columns"),
        (",".join(f"c{i}" for i in range(50)) + "\n" + "1," * 49 + "1\n", "and 38 more"),
    ],
)
def test_cell_tables_of_odd_values(tmp_path, text, words):
    (path := tmp_path / "a.csv").write_text(text)
    refused(path, words)


@pytest.mark.parametrize("site", [1e-9, 1e-300])
@pytest.mark.parametrize("where", [{"shape": (50, 50)}, {"shape": None, "room": (50, 50)}])
def test_a_core_beyond_the_lattice_is_refused_whatever_the_pitch(site, where):
    x, y = np.array([0.0, 600.0]), np.array([0.0, 300.0])
    with pytest.raises(InputError, match=r"the cell table covers \d+ rows x \d+ columns of"):
        place_table(
            site_um=site, types=TYPES, layers=LAYERS, x_um=x, y_um=y, phenotype=["a", "a"], mapping=PLACED, seed=1,
            **where,
        )  # fmt: skip


TILES = {"kind": "tiles", "tile_um": 40.0, "tile_classes": {"a": {"A": 100.0}}}


CORNERS = [[], [0], [0, 0, 0], [float("nan"), 0], [0.5, 0], [1e300, 0], ["a", 0], [True, 0], "ab"]


@pytest.mark.parametrize("corner", CORNERS)
def test_tile_corners_that_are_none(tmp_path, corner):
    (path := tmp_path / "a.csv").write_text("row,col,cls\n0,0,a\n")
    with pytest.raises(InputError, match=r"tile_corner.* must be"):
        place(TILES | {"file": str(path), "tile_corner": corner})


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (
            f"{2**63 - 1},0,a\n0,0,a\n",
            "line 2: row is '9223372036854775807', not a whole number of 12 digits",
        ),
        ("9" * 6000 + ",0,a\n", r"line 2: row is '9{37}\.\.\.', not a whole number"),
        ("1_0,0,a\n", "line 2: row is '1_0', not a whole number"),
        ("0,0,a\n99999999,99999999,a\n", "covers 100,000,000 x 100,000,000 tiles; it may cover 10,000,000"),
        ("0,0," + "a" * 300 + "\n", "a name of 300 characters"),
    ],
)
def test_tiles_of_odd_places(tmp_path, rows, words):
    (path := tmp_path / "a.csv").write_text("row,col,cls\n" + rows)
    with pytest.raises(InputError, match=words):
        place(TILES | {"file": str(path)})
    (path := tmp_path / "b.csv").write_text("row,row,col,cls\n0,1,0,a\n")
    refused(path, "several columns 'row'", read_tiles)


@pytest.mark.parametrize("key", ["tile_um", "occupancy", "pixel_um"])
def test_numbers_of_a_tissue_are_finite(key):
    with pytest.raises(InputError, match=rf"tissue.{key} must be a finite number"):
        place(TILES | {"file": "a.csv", key: float("nan")})
    with pytest.raises(InputError, match=r"tissue.tile_classes.a.A must be a finite number"):
        place(TILES | {"file": "a.csv", "tile_classes": {"a": {"A": float("inf")}}})


# --- AnnData ----------------------------------------------------------------------------------------------


def h5ad(path):
    """Write a small AnnData file and return it open, to be spoilt."""
    file = h5py.File(path, "w")
    obs = file.create_group("obs")
    obs["x_um"], obs["y_um"] = [1.0, 2.0, 3.0], [4.0, 5.0, 6.0]
    obs["phenotype"] = ["a", "t", "a"]
    return file


def remade(file, name, *arguments, **more):
    del file[name]
    return file.create_dataset(name, *arguments, **more)


def categorical(file, codes):
    del file["obs/phenotype"]
    column = file.create_group("obs/phenotype")
    column["categories"], column["codes"] = ["a", "t"], codes


def outside(file):
    return os.path.join(os.path.dirname(file.filename), "other.h5")


def linked(file, name, link):
    del file[name]
    file[name] = link


def virtual(file):
    layout = h5py.VirtualLayout((3,), "f8")
    layout[:] = h5py.VirtualSource(outside(file), "x", shape=(3,))
    del file["obs/x_um"]
    file.create_virtual_dataset("obs/x_um", layout)


def external(file):
    remade(file, "obs/x_um", (3,), "f8", external=[(outside(file), 0, h5py.h5f.UNLIMITED)])


SPOILT = {
    "codes below -1": (lambda f: categorical(f, [0, -5, 1]), "codes must be whole numbers from -1 .* got -5 to 1"),
    "codes above": (lambda f: categorical(f, [0, 2, 1]), "codes must be whole numbers from -1 .* to 1, got 0 to 2"),
    "codes of text": (lambda f: categorical(f, ["0", "1", "1"]), "codes must be whole numbers"),
    "codes of fractions": (lambda f: categorical(f, [0.0, 1.0, 0.0]), "codes must be whole numbers"),
    "codes in a table": (lambda f: categorical(f, np.zeros((3, 1), "i1")), r"holds \(3, 1\), not one value a cell"),
    "external link": (lambda f: linked(f, "obs/x_um", h5py.ExternalLink(outside(f), "x")), "x_um is a link"),
    "group outside": (lambda f: linked(f, "obs", h5py.ExternalLink(outside(f), "/")), "obs is a link"),
    "soft link": (lambda f: linked(f, "obs/x_um", h5py.SoftLink("/out/x")), "x_um is a link"),
    "virtual": (virtual, "x_um lies in another file"),
    "external storage": (external, "x_um lies in another file"),
    "scalar": (lambda f: remade(f, "obs/x_um", data=1.0), r"holds \(\), not one value a cell"),
    "references": (
        lambda f: remade(f, "obs/x_um", data=[f["obs"].ref] * 3, dtype=h5py.ref_dtype), "neither text nor numbers",
    ),
    "records": (lambda f: remade(f, "obs/x_um", data=np.zeros(3, [("a", "f8")])), "neither text nor numbers"),
    "a group": (lambda f: (f.pop("obs/x_um"), f.create_group("obs/x_um/y")), "unknown layout of column"),
    "bad text": (lambda f: remade(f, "obs/phenotype", data=[b"\xff\xfe", b"a", b"t"]), "not a readable AnnData file"),
    "bad fixed text": (
        lambda f: remade(f, "obs/phenotype", data=np.array([b"\xff", b"a", b"t"], h5py.string_dtype("utf-8", 4))),
        "not a readable AnnData file",
    ),
    "another length": (lambda f: remade(f, "obs/x_um", data=[1.0, 2.0]), "3 phenotypes and 2 positions|as many"),
    "a claim of size": (
        lambda f: remade(f, "obs/x_um", (10**12,), "f8", chunks=(1000,)),
        "claims 1,000,000,000,000 values and does not hold them",
    ),
    "a claim of chunks": (
        lambda f: remade(f, "obs/x_um", (3,), "f8", maxshape=(None,), chunks=(2**28,)),
        "claims 3 values and does not hold them",
    ),
    "no phenotype": (lambda f: f.pop("obs/phenotype"), "no column for phenotype"),
    "obs is an array": (lambda f: (f.pop("obs"), f.create_dataset("obs", data=[1])), "no group 'obs'"),
    "index of arrays": (lambda f: f["obs"].attrs.update({"_index": [1.0, 2.0]}), "not a readable AnnData file"),
    "far": (lambda f: remade(f, "obs/x_um", data=[1.0, 1e300, 2.0]), r"cell 2: x_um is 1e\+300"),
}  # fmt: skip


@pytest.mark.parametrize("how", SPOILT)
def test_spoilt_anndata_files(tmp_path, how):
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["x"] = [1.0, 2.0, 3.0]
        for name in ("x_um", "y_um"):
            other[name] = [1.0, 2.0, 3.0]
        other["phenotype"] = ["a", "t", "a"]
    spoil, words = SPOILT[how]
    path = tmp_path / "a.h5ad"
    with h5ad(path) as file:
        spoil(file)
    refused(path, words)


def test_a_file_that_hangs_hdf5_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "a.h5ad"
    h5ad(path).close()
    content = bytearray(path.read_bytes())
    # the first object of the heap that holds the texts: number 0, which is free space, and of no size
    struct.pack_into("<HHIQ", content, content.index(b"GCOL") + 16, 0, 0, 0, 0)
    path.write_bytes(content)
    monkeypatch.setattr(tissue_shield, "SECONDS", 1.0)
    refused(path, "HDF5 does not come back from it in 1 s; the file is damaged")
    refused(path, "HDF5 does not come back")
    h5ad(path).close()
    assert t.read_cell_table(path).phenotype == ("a", "t", "a")


def test_a_file_that_takes_hdf5_down_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "a.h5ad"
    h5ad(path).close()
    monkeypatch.setattr(json, "dumps", lambda text: "no JSON")  # the process ends with an error
    refused(path, "HDF5 dies of it; the file is damaged")
    monkeypatch.undo()
    assert t.read_cell_table(path).phenotype == ("a", "t", "a")


def test_more_cells_than_can_be_read_are_refused_before_they_are(tmp_path, monkeypatch):
    path = tmp_path / "a.h5ad"
    with h5ad(path) as file:
        remade(file, "obs/x_um", data=np.zeros(100), compression="gzip")
    monkeypatch.setattr(tissue_h5ad, "MOST_CELLS", 30)
    refused(path, "obs/x_um holds 100 values; 30 cells can be read")


def test_the_limits_leave_room_for_a_whole_slide():
    assert tissue_h5ad.MOST_CELLS >= 10_000_000
    assert tissue_text.MOST_TEXT >= 300_000_000
    assert tissue_image.MOST_PIXELS >= 7000**2


def test_an_anndata_file_that_another_program_has_open_is_read(tmp_path):
    path = tmp_path / "a.h5ad"
    with h5ad(path) as file:
        file.flush()
    with h5py.File(path, "r"):
        assert t.read_cell_table(path).x_um.tolist() == [1.0, 2.0, 3.0]


# --- images -----------------------------------------------------------------------------------------------


def png(path, rows, columns, lines):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", columns, rows, 8, 0, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(lines, 9))
        + chunk(b"IEND", b"")
    )
    return path


@pytest.mark.parametrize(
    ("side", "words"), [(12_000, "has 144,000,000"), (60_000, "has more"), (2**31 - 1, "")]
)
def test_images_that_claim_more_than_they_hold(tmp_path, side, words):
    refused(png(tmp_path / "a.png", side, side, b"\0" * 1000), f"{words}|not a readable image")


def test_a_damaged_tiff_is_told_in_one_sentence_alone(tmp_path, capfd):
    """What libtiff prints by itself, past Python, does not stand beside it; standard error works afterwards."""
    path = tmp_path / "a.tif"
    Image.fromarray((np.arange(4096).reshape(64, 64) % 5).astype(np.uint8)).save(path, compression="tiff_lzw")
    assert read_image(path).names == tuple("01234")
    held = bytearray(path.read_bytes())
    held[10 : len(held) // 2] = bytes(byte ^ 0x5A for byte in held[10 : len(held) // 2])
    path.write_bytes(held)
    with pytest.raises(InputError, match="not a readable image"):
        read_image(path)
    os.write(2, b"after")
    assert capfd.readouterr().err == "after"


def test_the_pages_of_a_tiff_count_together(tmp_path, monkeypatch):
    path = tmp_path / "a.tif"
    pages = [Image.fromarray(LABELS)] * 3
    pages[0].save(path, save_all=True, append_images=pages[1:])
    assert read_image(path).labels.shape == (3, *LABELS.shape)
    monkeypatch.setattr(tissue_image, "MOST_PIXELS", 2 * LABELS.size)
    refused(path, f"this one has {3 * LABELS.size:,}")


def test_text_beside_the_pixels_does_not_grow_without_bound(tmp_path):
    path, info = tmp_path / "a.png", PngImagePlugin.PngInfo()
    info.add_text("a", "b" * 5_000_000, zip=True)
    Image.fromarray(LABELS).save(path, pnginfo=info)
    refused(path, "not a readable image")


# --- anything ---------------------------------------------------------------------------------------------


@functools.cache
def whole(kind):
    """Return the bytes of a good file of a kind, and what reads and places it."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / f"a{kind}"
        if kind == ".h5ad":
            h5ad(path).close()
        elif kind == ".csv":
            rows = (f"{7 * i},{i * i},{'at'[i % 2]},1\n" for i in range(9))
            path.write_text("x_um,y_um,phenotype,fov\n" + "".join(rows))
        elif kind == ".png":
            grey_png(path, LABELS[:8, :8].copy())
        else:
            Image.fromarray(LABELS[:8, :8].copy()).save(path)
        return path.read_bytes()


@settings(deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.sampled_from(sorted(READERS)),
    at=st.floats(0, 1, exclude_max=True),
    new=st.binary(min_size=1, max_size=8),
    cut=st.booleans(),
)
@example(kind=".h5ad", at=0.5, new=b"\xff" * 8, cut=False)
def test_a_file_with_other_bytes_is_read_or_refused(tmp_path, kind, at, new, cut):
    content = bytearray(whole(kind))
    place_of = int(at * len(content))
    content[place_of : len(content) if cut else place_of + len(new)] = new
    (path := tmp_path / f"a{kind}").write_bytes(content)
    tissue = {"kind": "table", "table_mapping": PLACED, "table_fill": "none"}
    if kind in (".png", ".tif"):
        labels = dict.fromkeys(map(str, range(256)), "ignore")
        tissue = {"kind": "image", "pixel_um": 20.0, "label_mapping": labels | {"7": "A"}}
    with suppress(InputError):
        placement = place(tissue | {"file": str(path)})
        assert placement.occupant.shape == (2, 50, 60)


def test_the_guard_lets_a_sentence_pass_and_hides_no_mistake_of_ours(tmp_path):
    path = tmp_path / "a"
    with pytest.raises(InputError, match=r"^said$"), guard.reading(path, "file"):
        raise InputError("said")
    for error in (
        KeyError("k"),
        ValueError("v"),
        RuntimeError("r"),
        OverflowError("o"),
        zlib.error("z"),
        EOFError(),
    ):
        with (
            pytest.raises(InputError, match="a: not a readable file: ") as caught,
            guard.reading(path, "file"),
        ):
            raise error
        assert caught.value.__cause__ is error
    with pytest.raises(InputError, match="does not fit into memory"), guard.reading(path, "file"):
        raise MemoryError
    for error in (KeyboardInterrupt, AssertionError, NameError):
        with pytest.raises(error), guard.reading(path, "file"):
            raise error
    assert shortened("a\x1b[31m\nb\u202e") == "a\\x1b[31m b\\u202e"
    assert shortened("a" * 500) == "a" * 117 + "..."
