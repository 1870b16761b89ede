"""What a tissue from a file loses, leaves out or assumes is said, one sentence each."""

import collections
import re

import numpy as np
import pytest
from typer.testing import CliRunner

from oncolattice.abm.errors import InputError
from oncolattice.scenarios.batch.study import Order, notes_of, prepare_batch
from oncolattice.scenarios.command.cli import app
from oncolattice.scenarios.store import open_run
from oncolattice.scenarios.tissue import place as t
from oncolattice.tests.helpers.tissue_cases import LABELS, MAPPING, grey_png, number, place


def table(tmp_path, header, rows):
    path = tmp_path / "a.csv"
    path.write_text("\n".join([header, *(",".join(map(str, row)) for row in rows)]))
    return {"kind": "table", "file": str(path), "table_fill": "none", "table_mapping": {"a": "A", "t": "T"}}


def said(tissue, **more):
    return [note.removeprefix("a.csv: ") for note in place(tissue, **more).notes]


CROWD = [(10, 10, "a")] * 80 + [(400, 400, "t")] + [(200, 200, "dirt")] * 3


def test_cells_moved_lost_and_left_out_are_counted(tmp_path):
    """80 cells in the corner of the core: one stays, the others find the free sites of a quarter disc around it."""
    placement = place(table(tmp_path, "x_um,y_um,phenotype", CROWD))
    near = sum(np.hypot(r + 0.5, c + 0.5) <= 3 for r in range(5) for c in range(5))
    notes = [note.removeprefix("a.csv: ") for note in placement.notes]
    placed = number(placement)[1]
    assert placed == near
    assert notes[0] == "81 of 84 cells lie exactly where another one does"
    assert notes[1] == f"{placed + 1} of 84 cells are placed"
    assert re.match(
        rf"{placed - 1} cells lie on a site that another one holds .*: a \(A\) {placed - 1}$", notes[2]
    )
    assert notes[3] == (
        f"{80 - placed} of 81 mapped cells find no free site within 60 um and are lost: a (A) {80 - placed}; "
        "are the positions in um?"
    )
    assert notes[4].startswith("3 of 84 cells have a phenotype without a cell type and are left out: dirt 3")
    assert len(notes) == 5


def test_a_table_in_which_every_cell_has_its_site_needs_no_words(tmp_path):
    rows = [(30 * i, 30 * j, "at"[i % 2]) for i in range(6) for j in range(6)]
    assert said(table(tmp_path, "x_um,y_um,phenotype", rows)) == []


ROWS = [(0, 0, 0, "a"), (100, 300, 0, "t"), (250, 50, 0, "a")]


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (
            "x,y,note,phenotype",
            r"no unit is given for x, y; um is assumed; give tissue.pixel_um if it is pixels",
        ),
        ("x_um,y,note,phenotype", r"no unit is given for y; um is assumed$"),
        ("x_um,y_um,z_um,phenotype", r"'z_um' is 0 throughout; all cells lie in one plane"),
        ("x_um,y_um,x_um,phenotype", r"2 columns are called 'x_um'; the first is read"),
        ("x_um,y_um,Pos_X,phenotype", r"x is read from 'x_um', not from Pos_X"),
        ("x_um,y_um,cell_type,phenotype", r"phenotype is read from 'phenotype', not from cell_type"),
    ],
)
def test_columns_that_leave_a_doubt(tmp_path, header, words):
    (note,) = said(table(tmp_path, header, ROWS))
    assert re.match(words, note)


def test_depth_on_a_section_and_sides_of_two_units(tmp_path):
    rows = [(0, 0, 0, "a"), (100, 300, 7.5, "t"), (250, 50, 4, "a")]
    tissue = table(tmp_path, "x_um,y_um,z_um,phenotype", rows)
    assert place(tissue).notes == [
        "the positions lie 7.5 um deep (z); on a section all cells are laid on one plane"
    ]
    rows[1] = (100, 300, "deep", "t")
    assert said(table(tmp_path, "x_um,y_um,z_um,phenotype", rows)) == [
        "'z_um' does not hold numbers throughout; the table is read as a section"
    ]
    rows = [(0, 0.0, "a"), (600, 0.5, "t"), (250, 0.1, "a")]
    assert said(table(tmp_path, "x_um,y_um,phenotype", rows)) == [
        "'x_um' covers 600 and 'y_um' 0.5; are both in one unit?"
    ]


@pytest.mark.parametrize(
    ("header", "columns", "words"),
    [
        ("x_um,y_px,note,phenotype", {"y": "y_px"}, r"\(x_um, y_px\) are not all in um"),
        ("x_mm,y_mm,note,phenotype", {"x": "x_mm", "y": "y_mm"}, r"\(x_mm, y_mm\) are not all in um"),
        (
            "x_px,y_px,note,phenotype",
            {"x": "x_px", "y": "y_px"},
            "in pixels; give the size of one with tissue.pixel",
        ),
        ("x_px,y_px,note,phenotype", {}, r"no column for x in um \(pixels need tissue.pixel_um\)"),
        ("0.5,7,0,a", {}, r"first row holds numbers: is the header missing"),
    ],
)
def test_other_units_and_a_missing_header_are_refused(tmp_path, header, columns, words):
    with pytest.raises(InputError, match=words):
        place(table(tmp_path, header, ROWS) | {"table_columns": columns})


def test_pixels_are_converted(tmp_path):
    rows = [(x, y, z, kind) for x, y, z, kind in ROWS]
    halves = [(x / 0.5, y / 0.5, z, kind) for x, y, z, kind in ROWS]
    um = place(table(tmp_path, "x_um,y_um,note,phenotype", rows))
    pixels = place(table(tmp_path, "x_px,y_px,note,phenotype", halves) | {"pixel_um": 0.5})
    assert np.array_equal(um.occupant, pixels.occupant)
    assert pixels.report["table"]["unit"] == "px"
    bare = place(table(tmp_path, "x,y,note,phenotype", halves) | {"pixel_um": 0.5})
    assert np.array_equal(um.occupant, bare.occupant)
    assert bare.notes == []
    with pytest.raises(InputError, match=r"\(x_um, y_um\) are in um already; remove tissue.pixel_um"):
        place(table(tmp_path, "x_um,y_um,note,phenotype", rows) | {"pixel_um": 0.5})


def test_a_mapping_that_names_what_is_not_there(tmp_path):
    tissue = table(tmp_path, "x_um,y_um,note,phenotype", [*ROWS, (500, 500, 0, "CD8+ T cell")])
    tissue["table_mapping"] = {"a": "A", "t": "T", "CD8 T cell": "T"}
    notes = said(tissue)
    assert notes[-1] == (
        "the mapping names phenotypes that the file does not hold: 'CD8 T cell' (did you mean 'CD8+ T cell'?)"
    )
    held = t.table_of(tissue["file"], tissue)
    with pytest.raises(
        InputError, match=r"--map: unknown phenotype 'CD8 T cell'; did you mean 'CD8\+ T cell'"
    ):
        t.check_mapped(held, ["a", "CD8 T cell"], "--map")
    t.check_mapped(held, ["a", "CD8+ T cell"], "--map")


def test_an_image_says_what_it_does_not_show(tmp_path):
    path = grey_png(tmp_path / "a.png", LABELS)
    tissue = {"kind": "image", "file": str(path), "pixel_um": 20.0, "label_mapping": MAPPING}
    assert place(tissue).notes == []
    (note,) = place(tissue, (60, 60)).notes
    assert note == "a.png: the image covers 50 x 60 of 60 x 60 sites; the others are empty"
    (note,) = place(tissue | {"label_mapping": MAPPING | {"8": "A"}}).notes
    assert note == "a.png: the mapping names labels that the file does not hold: '8'"
    # a single pixel of four to a site lies under no centre
    fine = np.zeros((100, 120), np.uint8)
    fine[1::2, 1::2] = 7
    fine[0, 0] = 255
    path = grey_png(tmp_path / "a.png", fine)
    (note,) = [n for n in place(tissue | {"pixel_um": 10.0}).notes if "under the centre" in n]
    assert note.endswith("are lost (pixels): 255 1")


def test_tiles_say_what_lies_outside(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("row,col,cls\n" + "".join(f"{r},{c},{'ab'[c]}\n" for r in range(3) for c in range(2)))
    tissue = {
        "kind": "tiles",
        "file": str(path),
        "tile_classes": {"a": {"A": 100.0}, "b": "ignore", "c": "ignore"},
    }
    notes = place(tissue, (20, 20)).notes
    # 112 um are 5.6 sites: 3 x 2 tiles are 17 x 12 sites in the middle of 20 x 20
    covered = place(tissue, (20, 20)).report["classes"]
    sites = sum(entry["area_mm2"] for entry in covered.values()) / 4e-4
    assert notes == [
        f"a.csv: {round(400 - sites)} of 400 sites lie under no tile and are empty",
        "a.csv: tile_classes names classes that the file does not hold: 'c'",
        "tissue.tile_um is not given; tiles of 112 um are assumed",
    ]
    window = tissue | {
        "tile_um": 112.0,
        "tile_corner": [1, 1],
        "tile_classes": {"a": "ignore", "b": {"A": 100.0}},
    }
    assert place(window, (5, 5)).notes == ["a.csv: 5 of 6 tiles lie outside the lattice: a 3, b 2"]


def test_the_command_line_says_it_and_the_run_holds_it(tmp_path):
    rows = [(7.5 * i, 7.5 * j, kind) for i in range(20) for j in range(20) for kind in ("a", "b")]
    tissue = table(tmp_path, "x_um,y_um,phenotype", rows)
    command = [
        "run",
        "eden",
        "--tissue",
        tissue["file"],
        "--map",
        "a=cell",
        "--out",
        str(tmp_path / "runs"),
        "-q",
    ]
    command += [
        "--set",
        "duration_days=1",
        "--set",
        "rows=32",
        "--set",
        "columns=32",
        "--set",
        "table_fill=none",
    ]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    (path,) = (tmp_path / "runs").glob("*.h5")
    notes = open_run(path, snapshots=False).attributes["tissue_report"]["notes"]
    said = [line.removeprefix("note: ") for line in result.stderr.splitlines()]
    assert notes == [line for line in said if line in notes]
    words = ("exactly where", "are placed", "are lost", "left out")
    kinds = collections.Counter(word for note in notes for word in words if word in note)
    assert kinds == dict.fromkeys(words, 1)
    assert (
        len(notes) == 4
    )  # eden's own mapping is empty, and 64 sites of 20 um hold 64 of 400 cells where they are
    again = CliRunner().invoke(app, command)
    assert [line for line in again.stderr.splitlines() if line.startswith("note: ")] == [
        f"note: {n}" for n in notes
    ]
    wrong = CliRunner().invoke(app, [*command, "--map", "c=cell"])
    assert isinstance(wrong.exception, InputError)
    assert "--map: unknown phenotype 'c'" in str(wrong.exception)


def test_a_batch_says_it_once_an_arm(tmp_path):
    file = table(tmp_path, "x_um,y_um,phenotype", [(10, 10, "a")] * 3 + [(90, 90, "b")])["file"]
    (scenario := tmp_path / "s.toml").write_text(
        '[scenario]\nname = "s"\ntitle = "s"\narm = "s"\nmodel = "eden"\nduration_days = 0.25\n'
        'treatment = "as scheduled"\n'
        "[output]\nrecord_every_hours = 1\nsnapshot_days = []\ncheckpoint_every_days = 1\n"
        "[lattice]\nrows = 16\ncolumns = 16\n"
        f'[tissue]\nkind = "table"\nfile = "{file}"\ntable_fill = "none"\ntable_mapping = {{ a = "cell" }}\n'
    )
    batch = prepare_batch(str(scenario), Order(tmp_path / "out", replicates=3))
    assert len(batch.jobs) == 3
    assert [note.removeprefix("a.csv: ").split(" cells")[0] for note in notes_of(batch)] == [
        "2 of 4", "3 of 4", "2", "1 of 4",
    ]  # fmt: skip
    drawn = prepare_batch("eden", Order(tmp_path / "out", replicates=3))
    assert notes_of(drawn) == []
